"""The commands as functions: what they measure and prove, as typed results, of networks and chemistry in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from numpy.typing import ArrayLike

from nn2crn.arguments import at_least, by_input, instance, names
from nn2crn.certificates.boxes import boxes_of
from nn2crn.certificates.registry import Asked, Proof, prove
from nn2crn.engines.ports import read_outputs
from nn2crn.evaluate import time_course
from nn2crn.evaluate import verify as measured
from nn2crn.evaluate.given import Chemistry, Inputs, case_of, compiled, labels_of, network_of, shape_of, values_of
from nn2crn.evaluate.time_course import Run
from nn2crn.evaluate.tube import realise as tube
from nn2crn.evaluate.tube import robustness as measured_tubes
from nn2crn.evaluate.tube.parts import schemes as known_schemes
from nn2crn.evaluate.tube.realise import Limits, Realisation
from nn2crn.evaluate.tube.robustness import By, Robustness
from nn2crn.evaluate.tube.study import Study
from nn2crn.evaluate.verification import Report
from nn2crn.frontends.source import Model
from nn2crn.ir.arrays import Floats
from nn2crn.ir.network import Network
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.keywords import known_keywords
from nn2crn.lower.registry import encoding
from nn2crn.passes.network.set_domain import Bound
from nn2crn.reporting import report as reporting
from nn2crn.reporting.report import ReportPage
from nn2crn.templates.options import Options


@known_keywords
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
    reactions = compiled(chemistry, options)
    values = values_of(reactions.inputs, inputs)
    states = encoding(reactions.encoding).steady_state(reactions).settle(values)
    shapes = {port.name: shape_of(port.shape) for port in reactions.outputs}
    return {name: rows.reshape(len(rows), *shapes[name]) for name, rows in read_outputs(reactions, states).items()}


@known_keywords
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
    reactions = compiled(chemistry, options)
    subject = Chemistry(reactions, values_of(reactions.inputs, inputs))
    return time_course.simulate(subject, engine, t_end=t_end, points=points, patterns=species)


@known_keywords
def verify(  # noqa: PLR0913  # an argument per option
    model: Model | Network,
    inputs: Inputs | None = None,
    *,
    tolerance: float = 1e-2,
    engines: Sequence[str] = (),
    options: Options | None = None,
    samples: int = 100,
    labels: ArrayLike | None = None,
) -> Report:
    """Measures the chemistry of a model against the model itself, in engines that know nothing of each other.

    print() shows what it returns in the lines of the command.

    Args:
        model: a file, run by ONNX Runtime if it is an .onnx; or what `load` returned, computed in double precision.
        inputs: samples; random ones of the domain, or of [-1, 1] where there is none, if None.
        tolerance: the largest error that is still good.
        engines: which to run; all that are installed and load the file in seconds if empty.
        options: which templates.
        samples: how many random ones.
        labels: the class of each sample (samples,), for the accuracy.

    Raises:
        UsageError: the inputs or the labels do not fit, or there is no engine of that name.
    """
    subject = case_of(model, inputs, options, samples)
    run, skipped = (tuple(names(engines)), ()) if engines else measured.default_engines(subject.reactions)
    known = labels_of(labels, subject.samples)
    return measured.verify(subject, run, tolerance, skipped=skipped, labels=known)


@known_keywords
def certify(
    model: Model | Network,
    *,
    box: Mapping[str, tuple[Bound, Bound]] | tuple[Bound, Bound] | None = None,
    tolerance: float = 1e-2,
    start: float = 1.0,
    options: Options | None = None,
) -> Proof:
    """Certify the chemistry of a model, for all inputs in a box and all starts in another.

    Returns a `Certificate`, or, of rate-independent chemistry, a `RateIndependence`, which holds for all inputs.
    print() shows the lines of the command; `statements()` has them with their titles.

    Args:
        model: a file, or what `load` returned.
        box: lower and upper bound of all inputs, or of each by name; their domains, or [-1, 1], if None.
        tolerance: what counts as settled, in units of the outputs.
        start: mol/l, the largest concentration that a species may start with.
        options: which encoding and templates.

    Raises:
        UsageError: the box names no input, or is below zero for one that has no rail for negative values.
    """
    network = network_of(model)
    bounds = boxes_of(network, None, by_input(box, "the box"))
    chosen = instance(options or Options(), Options, "an Options", "for instance nn2crn.Options(encoding=...)")
    return prove(Asked(network, chosen, box=bounds, tolerance=tolerance, start=start))


@known_keywords
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
    made = case_of(model, inputs, options)
    known = labels_of(labels, made.samples)
    study = Study(made.network.name, made.reactions, made.inputs, made.expected, known, tubes=tubes, seed=seed)
    return measured_tubes.robustness(study, cvs, amounts=amounts, leak=leak, molecules=molecules, by=by)


@known_keywords
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
    made = case_of(model, inputs, options)
    return tube.realise(made.reactions, made.inputs, limits or Limits(), names, made.expected)


@known_keywords
def report(  # noqa: PLR0913  # an argument per option
    model: Model | Network,
    inputs: Inputs | None = None,
    *,
    labels: ArrayLike | None = None,
    samples: int = 100,
    tolerance: float = 1e-2,
    tubes: int = 100,
    options: Options | None = None,
) -> ReportPage:
    """A page that shows what a model became, what was measured of it and what is proved; see docs/report.md.

    Args:
        model: a file, or what `load` returned.
        inputs: samples; random ones of the domain, or of [-1, 1] where there is none, if None.
        labels: the class of each sample (samples,); that of the network itself if None.
        samples: how many are run at most, evenly taken.
        tolerance: the largest error that is still good.
        tubes: how many for each error of rate constants.
        options: which encoding and templates.

    Raises:
        UsageError: the inputs or the labels do not fit, or jinja2 or matplotlib is not installed.
    """
    at_least(1, tubes, "tubes")
    made = case_of(model, inputs, options, samples)
    known = labels_of(labels, made.samples)
    return reporting.report(made, labels=known, samples=samples, tolerance=tolerance, tubes=tubes)
