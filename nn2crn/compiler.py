"""The whole pipeline; the file to read first.

The data's way through it:

    load (front end) -> Network -> PASSES -> lower -> ReactionNetwork -> write (back end)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from nn2crn.backends import FORMATS, format_of
from nn2crn.backends.files import write_text
from nn2crn.errors import Nn2crnError, UsageError
from nn2crn.frontends import open_model, reader_for
from nn2crn.ir.network import Activation, Network
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.lower import lower
from nn2crn.passes.drop_dead import drop_dead
from nn2crn.passes.fuse_affine import fuse_affine
from nn2crn.passes.materialise_affine import materialise_affine
from nn2crn.passes.set_domain import set_domain
from nn2crn.passes.set_inputs import set_inputs
from nn2crn.templates.registry import Library
from nn2crn.templates.template import Gadget, Template, instantiate

Pass = Callable[[Network], Network]
PASSES: tuple[Pass, ...] = (
    drop_dead,
    fuse_affine,
    drop_dead,
    materialise_affine,
)


@dataclass(frozen=True)
class Options:
    """Which chemistry to use.

    variants maps an activation to a variant (`{"relu": "annihilation"}`); settings maps a parameter to its value,
    as `h`, `relu.h` or `relu.anderson2021.h`. What a layer of the model says itself goes before both.
    """

    variants: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, float] = field(default_factory=dict)
    library: Library = field(default_factory=Library)


def load(
    path: str | Path, *, outputs: tuple[str, ...] = (), domain: Mapping[str, tuple[float, float]] | None = None
) -> Network:
    """Reads a model: .onnx, .nn (the network language), or `-` for standard input.

    Args:
        path: the file.
        outputs: names of the tensors to compute; all numeric outputs if empty.
        domain: lower and upper bound by input name; the name "" stands for all inputs.

    Raises:
        ModelError, UnsupportedError, NotationError: the file is faulty or has what cannot be compiled.
        UsageError: a name is not in the model.
    """
    model = open_model(Path(path))
    return set_domain(reader_for(model)(model, outputs), domain or {})


def compile(  # noqa: A001  # the verb users know
    network: Network,
    options: Options | None = None,
    *,
    name: str = "",
    inputs: Mapping[str, Sequence[float]] | None = None,
) -> ReactionNetwork:
    """Lowers a network to reactions, through PASSES.

    Args:
        network: what `load` returned.
        options: which templates, and their parameters.
        name: of the reaction network; the network's own if empty.
        inputs: values that the written file starts with, by input name, each flattened (size,); zero if not given.

    Raises:
        UsageError: an option names a template or a parameter that is not there, or a value out of its range.
    """
    options = options or Options()
    for step in PASSES:
        network = _checked(step, network)
    chooser = _Chooser(options)
    reactions = lower(network.replace(name=name or network.name), chooser)
    chooser.refuse_unused()
    return set_inputs(reactions, inputs or {})


def write(network: ReactionNetwork, path: str | Path, *, to: str = "", **options: bool) -> None:
    """Writes the network, its format named by `to` or by the suffix (.xml .sbml .ant .tex), atomically.

    A path of `-` is standard output, in SBML unless `to` says otherwise.

    Raises:
        UsageError: the format is unknown.
        OutputError: the target cannot be written; an existing file is untouched.
    """
    emit = format_of(str(path), to).emit
    write_text(Path(path), lambda out: emit(network, out, **options))


def plan_targets(model: str, targets: Sequence[str], formats: Sequence[str]) -> list[tuple[str, str]]:
    """(target, format) pairs for the command line: what to write and how.

    Raises:
        UsageError: a format is unknown, or it is not clear which target has which.
    """
    if not targets:
        stem = "stdin" if model == "-" else Path(model).stem
        chosen = [format_of("", name) for name in formats or ("sbml",)]
        return [(stem + f.suffixes[0], f.name) for f in chosen]
    if len(formats) not in (0, 1, len(targets)):
        raise UsageError(f"{len(formats)} formats for {len(targets)} targets", hint="give --to once, or once per -o")
    named = list(formats) * len(targets) if len(formats) == 1 else list(formats) or [""] * len(targets)
    return [(t, format_of(t, f).name) for t, f in zip(targets, named, strict=True)]


def _checked(step: Pass, network: Network) -> Network:
    try:
        return step(network)
    except Nn2crnError as e:
        e.add_note(f"in the pass {step.__name__}")
        raise


class _Chooser:
    """Picks the gadget of an activation from the model, the options and the templates' defaults, in that order."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.used: set[str] = set()
        self.seen: list[Template] = []

    def __call__(self, node: Activation) -> Gadget:
        variant = node.template or self.options.variants.get(node.function, "")
        template = self.options.library.get(f"{node.function}.{variant}" if variant else node.function)
        self.seen.append(template)
        self.used.add(node.function)
        chosen: dict[str, float] = {}
        for parameter in template.parameters:
            for prefix in ("", f"{node.function}.", f"{template.name}."):  # the most specific is last, and wins
                full = prefix + parameter.name
                if full in self.options.settings:
                    chosen[parameter.name] = self.options.settings[full]
                    self.used.add(full)
        return instantiate(template, {**chosen, **node.settings})

    def refuse_unused(self) -> None:
        """An option without effect is a mistake, most likely of spelling."""
        for name in [*self.options.settings, *self.options.variants]:
            if name not in self.used:
                known = sorted({f"{t.activation}.{p.name}" for t in self.seen for p in t.parameters})
                near = get_close_matches(name, known, cutoff=0.3) or known
                raise UsageError(
                    f"no layer of this network uses {name!r}",
                    hint=f"parameters in use: {', '.join(near) or 'none'}; activations: {', '.join(self._functions())}",
                )

    def _functions(self) -> list[str]:
        return sorted({t.activation for t in self.seen})


__all__ = ["FORMATS", "PASSES", "Library", "Options", "compile", "load", "plan_targets", "write"]
