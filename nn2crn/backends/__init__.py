"""ReactionNetwork -> stream, one file per format. The only place that imports libsbml."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, cast

from nn2crn.errors import UsageError
from nn2crn.plugins import leave_out, plugins

Emit = Callable[..., None]  # emit(network, out, **options)
GROUP = "nn2crn.backends"  # entry points, each a Format


@dataclass(frozen=True)
class FormatOption:
    """A keyword of a format's emit function, given on the command line as --name: a flag, a choice or a value."""

    name: str
    help: str
    choices: tuple[str, ...] = ()  # the first is what it is without the option
    value: type | None = None  # of an option that is neither a flag nor a choice
    metavar: str | None = None

    def refuse(self, value: object) -> None:
        """Raises UsageError if the option cannot have this value."""
        if self.choices:
            if value not in self.choices:
                raise UsageError(f"{self.name} cannot be {value!r}", hint=f"choices: {', '.join(self.choices)}")
        elif self.value is None and not isinstance(value, bool):
            raise UsageError(f"{self.name} cannot be {value!r}", hint="it is True or False")
        elif self.value is float and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise UsageError(f"{self.name} cannot be {value!r}", hint="it is a number")


@dataclass(frozen=True)
class Format:
    """A format: its suffixes, the first being what is written without one asked for, and the module that emits it.

    `also` are suffixes of other formats under which it may be written if it is named.
    """

    name: str
    suffixes: tuple[str, ...]
    summary: str
    options: tuple[FormatOption, ...] = ()
    binary: bool = False  # emit writes bytes, not text
    module: str = ""  # of the emit function; nn2crn.backends.NAME if empty
    origin: str = ""  # the package it is from, if it is not built in
    also: tuple[str, ...] = ()

    @property
    def emit(self) -> Emit:
        module: Any = import_module(self.module or f"nn2crn.backends.{self.name}")
        return cast(Emit, module.emit)

    def refuse_wrong(self, options: Mapping[str, object]) -> None:
        """Raises UsageError if the format has no such option, or one of them cannot have this value."""
        known = {o.name: o for o in self.options}
        for name, value in options.items():
            if name not in known:
                raise UsageError(f"the format {self.name} has no option {name!r}")
            known[name].refuse(value)


_SBML = (
    FormatOption("sbml_level", "Level 3 Version 1 or 2", choices=("3.1", "3.2")),
    FormatOption("rate_constants", "shared parameters, one per reaction, or numbers", ("global", "local", "inline")),
    FormatOption("profile", "catalysts on both sides, or as modifiers with inline rates", ("faithful", "compact")),
    FormatOption("kinetics", "a reaction per weight, or a growth and a decay per neuron", ("elementary", "lumped")),
    FormatOption("pure", "no rules: set and read concentrations of species, as AMICI wants it"),
)
_GRAPH = FormatOption("graph", "of species and reactions, or of layers", choices=("reactions", "modules"))
BUILT_IN = (
    Format("sbml", (".xml", ".sbml"), "SBML Level 3, for COPASI, Tellurium and most others", _SBML),
    Format("antimony", (".ant",), "Antimony, for Tellurium and for reading"),
    Format(
        "latex",
        (".tex",),
        "LaTeX: families of reactions as a paper prints them, or the full list",
        (
            FormatOption("expand", "list every reaction, not families"),
            FormatOption("standalone", "a whole document, not a fragment"),
        ),
    ),
    Format("crn", (".crn",), "reactions as text, for crnsimulator and Nuskell"),
    Format("net", (".net",), "BioNetGen network, for run_network, PySB and Catalyst"),
    Format("npz", (".npz",), "sparse matrices for NumPy, at any size", binary=True),
    Format(
        "odes",
        (".py",),
        "differential equations, as sympy expressions or LaTeX",
        (
            FormatOption("notation", "how equations are written", choices=("sympy", "latex")),
            FormatOption("standalone", "a whole document, not a fragment"),
        ),
        also=(".tex",),
    ),
    Format("dot", (".dot", ".gv"), "graph for Graphviz", (_GRAPH,)),
    Format("graphml", (".graphml",), "graph for networkx, Cytoscape and Gephi", (_GRAPH,)),
    Format("svg", (".svg",), "a picture of the network, layer by layer; large layers are folded"),
    Format("map", (".json",), "JSON: which species and parameters stand for which elements of which tensors"),
    Format(
        "omex",
        (".omex",),
        "COMBINE archive: SBML, SED-ML, Antimony and LaTeX, for Tellurium and COPASI",
        (FormatOption("t_end", "how long to simulate; else until outputs settle", value=float, metavar="T"),),
        binary=True,
        module="nn2crn.archive",  # which simulates, as no other back end does
    ),
)


@cache
def formats() -> tuple[Format, ...]:
    """The built-in formats and those of installed packages (entry point group nn2crn.backends), by name."""
    found = {f.name: f for f in BUILT_IN}
    for package, extra in plugins(GROUP, _loaded):
        if extra.name in found:
            leave_out(f"the format {extra.name} of {package}", "there is one of this name")
        found.setdefault(extra.name, replace(extra, origin=package))
    return tuple(found.values())


def _loaded(point: EntryPoint) -> Format:
    loaded = point.load()
    if not isinstance(loaded, Format):
        raise UsageError(f"{point.value} is no nn2crn.backends.Format")
    return loaded


def format_of(path: str, to: str = "") -> Format:
    """The format named, or that of the path's suffix (before .gz); `-` is SBML unless named otherwise.

    Raises:
        UsageError: neither names a format, or the suffix names another than `to`.
    """
    suffix = "" if path == "-" else Path(path.removesuffix(".gz")).suffix
    by_suffix = BUILT_IN[0] if path == "-" else next((f for f in formats() if suffix in f.suffixes), None)
    named = next((f for f in formats() if f.name == to), None) if to else by_suffix
    if named is None:
        known = ", ".join(f"{f.name} ({' '.join(f.suffixes)})" for f in formats())
        what = f"there is no format {to!r}" if to else f"{path}: the suffix {suffix!r} names no format"
        raise UsageError(what, hint=f"formats: {known}; choose with --to")
    if suffix and by_suffix not in (None, named) and suffix not in named.also:
        hint = f"give it a suffix of {named.name} ({' '.join(named.suffixes)}), or leave out --to"
        raise UsageError(f"{path}: the suffix is that of another format than {named.name}", hint=hint)
    return named
