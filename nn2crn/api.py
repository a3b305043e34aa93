"""The commands as functions: what they measure and prove, as typed results, of networks and chemistry in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from nn2crn import compiler
from nn2crn.certificates import certificate
from nn2crn.certificates.boxes import boxes_of
from nn2crn.certificates.certificate import Certificate
from nn2crn.engines.ports import read_outputs
from nn2crn.errors import UsageError
from nn2crn.evaluate import time_course
from nn2crn.evaluate import verify as measured
from nn2crn.evaluate.case import Case, case
from nn2crn.evaluate.report import Report
from nn2crn.evaluate.time_course import Run
from nn2crn.evaluate.tube import realise as tube
from nn2crn.evaluate.tube import robustness as measured_tubes
from nn2crn.evaluate.tube.parts import schemes as known_schemes
from nn2crn.evaluate.tube.realise import Limits, Realisation
from nn2crn.evaluate.tube.robustness import By, Robustness
from nn2crn.evaluate.tube.study import Study
from nn2crn.frontends.samples import random_data
from nn2crn.frontends.source import Model
from nn2crn.ir.arrays import Floats
from nn2crn.ir.network import Input, Network
from nn2crn.ir.reactions import InputPort, ReactionNetwork
from nn2crn.lower.registry import encoding
from nn2crn.passes.network.set_domain import Bound
from nn2crn.templates.options import Options

Inputs = ArrayLike | Mapping[str, ArrayLike]
"""Samples (samples, ...) of the one input, or of each by name; a single sample may come without its first axis."""


def predict(
    chemistry: ReactionNetwork | Network, inputs: Inputs, *, options: Options | None = None
) -> dict[str, Floats]:
    """The outputs at the chemistry's steady state, from its closed forms.

    Args:
        chemistry: what `compile` or `load` returned; a network is compiled.
        inputs: samples.
        options: which templates, for a network.

    Returns:
        Values by output name, the samples along the first axis, then the output's own shape; a first axis of one in
        that shape is the batch, and left out.

    Raises:
        UsageError: the inputs do not fit.
    """
    reactions = _compiled(chemistry, options)
    values = _values(reactions.inputs, inputs)
    states = encoding(reactions.encoding).steady_state(reactions).settle(values)
    shapes = {port.name: _shape(port.shape) for port in reactions.outputs}
    return {name: rows.reshape(len(rows), *shapes[name]) for name, rows in read_outputs(reactions, states).items()}


def simulate(  # noqa: PLR0913  # an argument per option
    chemistry: ReactionNetwork | Network,
    inputs: Inputs,
    *,
    t_end: float | None = None,
    points: int = 200,
    species: Sequence[str] = (),
    engine: str = "internal",
    options: Options | None = None,
) -> Run:
    """Courses of the outputs, and of species, from the start that a written file has.

    Args:
        chemistry: what `compile` or `load` returned; a network is compiled.
        inputs: samples.
        t_end: in the unit of time; until nothing changes if None.
        points: how many times.
        species: patterns of their names, with * and ?.
        engine: what simulates.
        options: which templates, for a network.

    Raises:
        UsageError: the inputs do not fit, no species is called like that, or the engine does not simulate.
        SimulationError: the engine gives up.
    """
    reactions = _compiled(chemistry, options)
    subject = _Chemistry(reactions, _values(reactions.inputs, inputs))
    return time_course.simulate(subject, engine, t_end=t_end, points=points, patterns=species)


def verify(  # noqa: PLR0913  # an argument per option
    model: Model | Network,
    inputs: Inputs | None = None,
    *,
    tolerance: float = 1e-2,
    engines: Sequence[str] = (),
    options: Options | None = None,
    samples: int = 100,
) -> Report:
    """Measures the chemistry of a model against the model itself, in engines that know nothing of each other.

    Args:
        model: a file, run by ONNX Runtime if it is an .onnx; or what `load` returned, computed in double precision.
        inputs: samples; random ones of the domain, or of [-1, 1] where there is none, if None.
        tolerance: the largest error that is still good.
        engines: which to run; all that are installed and load the file in seconds if empty.
        options: which templates.
        samples: how many random ones.

    Raises:
        UsageError: the inputs do not fit, or there is no engine of that name.
    """
    network = model if isinstance(model, Network) else compiler.load(model)
    chosen = options or Options()
    values = random_data(network, samples) if inputs is None else _values(network.inputs, inputs)
    reactions = compiler.compile(network, chosen)
    path = str(model) if isinstance(model, str | Path) else network.name
    subject = case(path, network, reactions, chosen, values, drawn="random samples" if inputs is None else "samples")
    run, skipped = (tuple(engines), ()) if engines else measured.default_engines(reactions)
    return measured.verify(subject, run, tolerance, skipped=skipped)


def certify(
    model: Model | Network,
    *,
    box: Mapping[str, tuple[Bound, Bound]] | tuple[Bound, Bound] | None = None,
    tolerance: float = 1e-2,
    start: float = 1.0,
    options: Options | None = None,
) -> Certificate:
    """Certify the chemistry of a model, for all inputs in a box and all starts in another.

    Args:
        model: a file, or what `load` returned.
        box: lower and upper bound of all inputs, or of each by name; their domains, or [-1, 1], if None.
        tolerance: what counts as settled, in units of the outputs.
        start: mol/l, the largest concentration that a species may start with.
        options: which templates.

    Raises:
        UsageError: the box names no input, or is below zero for one that has no rail for negative values.
    """
    network = model if isinstance(model, Network) else compiler.load(model)
    given = {} if box is None else dict(box) if isinstance(box, Mapping) else {"": box}
    bounds = boxes_of(network, None, given)
    return certificate.certify(
        certificate.subject(network, options or Options(), box=bounds), tolerance=tolerance, start=start
    )


def robustness(  # noqa: PLR0913  # an argument per option
    model: Model | Network,
    inputs: Inputs,
    *,
    labels: ArrayLike | None = None,
    cvs: Sequence[float] = (0.01, 0.05, 0.1, 0.2),
    amounts: float = 0.0,
    leak: float = 0.0,
    molecules: Sequence[int] = (),
    by: By | None = None,
    tubes: int = 400,
    seed: int = 0,
    options: Options | None = None,
) -> Robustness:
    """Estimate a model's accuracy in tubes with errors of rate constants and amounts.

    Args:
        model: a file, or what `load` returned.
        inputs: samples.
        labels: the class of each (samples,); that of the network itself if None.
        cvs: coefficients of variation of the rate constants.
        amounts: that of the inputs and of what species start with.
        leak: rate at which each reaction's products appear on their own, concentration per time.
        molecules: numbers of them that a 1 of the network is; outputs stray about their steady state.
        by: rank layers, families or reactions.
        tubes: how many for each error.
        seed: of the random errors.
        options: which templates.

    Raises:
        UsageError: the inputs or the labels do not fit.
        UnsupportedError: a template stands still only while rate constants are equal.
    """
    made = _case(model, inputs, options)
    known = None if labels is None else np.asarray(labels)
    if known is not None and known.shape != (made.samples,):
        raise UsageError(f"the labels have the shape {known.shape}, not ({made.samples},), one for each sample")
    study = Study(made.network.name, made.reactions, made.inputs, made.expected, known, tubes=tubes, seed=seed)
    return measured_tubes.robustness(study, cvs, amounts=amounts, leak=leak, molecules=molecules, by=by)


def realise(
    model: Model | Network,
    inputs: Inputs,
    *,
    limits: Limits | None = None,
    schemes: Sequence[str] = (),
    options: Options | None = None,
) -> Realisation:
    """Estimate the requirements of a model's chemistry in a tube: hours, concentrations, fuel and strands.

    Args:
        model: a file, or what `load` returned.
        inputs: samples.
        limits: of concentrations, displacement and gates; those of DNA if None.
        schemes: whose strands are counted; all that are known if empty.
        options: which encoding and templates.

    Raises:
        UsageError: the inputs do not fit, or there is no scheme of that name.
        SimulationError: it cannot be integrated.
    """
    names = tuple(name for scheme in schemes for name in known_schemes(scheme)) or known_schemes(None)
    made = _case(model, inputs, options)
    return tube.realise(made.reactions, made.inputs, limits or Limits(), names, made.expected)


def _case(model: Model | Network, inputs: Inputs, options: Options | None) -> Case:
    """The model's chemistry on these samples, and what the model itself makes of them."""
    network = model if isinstance(model, Network) else compiler.load(model)
    chosen = options or Options()
    values = _values(network.inputs, inputs)
    path = str(model) if isinstance(model, str | Path) else network.name
    return case(path, network, compiler.compile(network, chosen), chosen, values)


@dataclass(frozen=True, eq=False)
class _Chemistry:
    """Chemistry with inputs, of which it is not known what the network itself makes of them."""

    reactions: ReactionNetwork
    inputs: Mapping[str, Floats]

    @property
    def samples(self) -> int:
        return len(next(iter(self.inputs.values()), ()))

    @property
    def expected(self) -> Floats:
        return np.zeros((self.samples, 0))


def _compiled(chemistry: ReactionNetwork | Network, options: Options | None) -> ReactionNetwork:
    if isinstance(chemistry, ReactionNetwork):
        if options:
            raise UsageError("options are for a network; this is compiled already", hint="give them to compile")
        return chemistry
    if isinstance(chemistry, Network):
        return compiler.compile(chemistry, options)
    raise UsageError(
        f"this is a {type(chemistry).__name__}, and neither a network nor reactions",
        hint="give what nn2crn.load or nn2crn.compile returned",
    )


def _values(ports: Sequence[Input] | Sequence[InputPort], inputs: Inputs) -> dict[str, Floats]:
    """Samples by input name, each (samples, size)."""
    names = [p.name for p in ports]
    given = inputs if isinstance(inputs, Mapping) else {names[0]: inputs} if len(names) == 1 else None
    if given is None or set(given) != set(names):
        said = f"not {', '.join(map(str, given))}" if given is not None else "each by its name"
        raise UsageError(f"the inputs are {', '.join(names)}, {said}", hint="give a mapping from names to arrays")
    values = {p.name: _rows(p, given[p.name]) for p in ports}
    if len({len(rows) for rows in values.values()}) > 1:
        counts = ", ".join(f"{name} {len(rows)}" for name, rows in values.items())
        raise UsageError(f"the inputs have not the same number of samples: {counts}")
    return values


def _rows(port: Input | InputPort, given: ArrayLike) -> Floats:
    """Samples of an input, flattened (samples, size); one sample may come without an axis of samples."""
    try:
        rows = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise UsageError(f"input {port.name!r}: these are not numbers, or rows of different lengths") from None
    size = int(np.prod(port.shape, dtype=np.int64))
    shapes = tuple(dict.fromkeys([_shape(port.shape), (size,), tuple(port.shape)]))
    for shape in shapes:
        if rows.shape == shape:
            return rows.reshape(1, size)
        if rows.shape[1:] == shape:
            return rows.reshape(len(rows), size)
    wanted = " or ".join(f"(samples, {', '.join(map(str, s))})" for s in shapes[:2])
    raise UsageError(f"input {port.name!r} has the shape {rows.shape}, not {wanted}")


def _shape(shape: Sequence[int]) -> tuple[int, ...]:
    """A sample's own shape: exporters write a batch of one as its first axis."""
    return tuple(shape[1:] if len(shape) > 1 and shape[0] == 1 else shape)
