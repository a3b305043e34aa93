"""The formats by name and by suffix."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from nn2crn.backends.format import GROUP, Format
from nn2crn.backends.options import GraphOptions, LatexOptions, OdeOptions, OmexOptions, PilOptions, SbmlOptions
from nn2crn.errors import UsageError, did_you_mean
from nn2crn.plugins import extended

BUILT_IN = (
    Format(
        "sbml",
        (".xml", ".sbml"),
        "SBML Level 3, for COPASI, Tellurium and most others",
        SbmlOptions,
        module="nn2crn.backends.sbml.writer",
    ),
    Format(
        "antimony",
        (".ant",),
        "Antimony, for Tellurium and for reading",
        module="nn2crn.backends.antimony.writer",
    ),
    Format(
        "latex",
        (".tex",),
        "LaTeX: families of reactions as a paper prints them, or the full list",
        LatexOptions,
        module="nn2crn.backends.latex.writer",
    ),
    Format("crn", (".crn",), "reactions as text, for crnsimulator and Nuskell"),
    Format(
        "icrn",
        (".icrn.py",),
        "indexed reactions for icrn, in JAX; catalytic encoding",
        also=(".py",),
        module="nn2crn.backends.python.icrn",
    ),
    Format("pil", (".pil",), "strands of DNA, domain by domain, for Peppercorn and dsdobjects", PilOptions),
    Format("dsd", (".dsd",), "text for Visual DSD and Microsoft's CRN engine", module="nn2crn.backends.crn_engine"),
    Format(
        "net", (".net",), "BioNetGen network, for run_network, PySB and Catalyst", module="nn2crn.backends.bngl_net"
    ),
    Format("npz", (".npz",), "sparse matrices for NumPy, at any size", binary=True),
    Format(
        "odes",
        (".py",),
        "differential equations, as sympy expressions or LaTeX",
        OdeOptions,
        also=(".tex",),
        module="nn2crn.backends.python.odes",
    ),
    Format("dot", (".dot", ".gv"), "graph for Graphviz", GraphOptions, module="nn2crn.backends.graph.dot"),
    Format(
        "graphml",
        (".graphml",),
        "graph for networkx, Cytoscape and Gephi",
        GraphOptions,
        module="nn2crn.backends.graph.graphml",
    ),
    Format(
        "svg",
        (".svg",),
        "a picture of the network, layer by layer; large layers are folded",
        module="nn2crn.backends.graph.svg",
    ),
    Format(
        "map",
        (".json",),
        "JSON: which species and parameters stand for which elements of which tensors",
        module="nn2crn.backends.name_map",
    ),
    Format(
        "omex",
        (".omex",),
        "COMBINE archive: SBML, SED-ML, Antimony and LaTeX, for Tellurium and COPASI",
        OmexOptions,
        binary=True,
        module="nn2crn.backends.combine.archive",
        timed=True,
    ),
)


@cache
def formats() -> tuple[Format, ...]:
    """The built-in formats and those of installed packages (entry point group nn2crn.backends), by name."""
    return extended(BUILT_IN, GROUP, Format, "format")


def format_of(path: str, to: str = "") -> Format:
    """The format named, or that of the path's suffix (before .gz); `-` is SBML unless named otherwise.

    Raises:
        UsageError: neither names a format, or the suffix names another than `to`.
    """
    name = "" if path == "-" else Path(path.removesuffix(".gz")).name
    suffix = Path(name).suffix
    ends = {s: f for f in formats() for s in f.suffixes if suffix and name.endswith(s)}
    by_suffix = BUILT_IN[0] if path == "-" else ends[max(ends, key=len)] if ends else None
    named = next((f for f in formats() if f.name == to), None) if to else by_suffix
    if named is None:
        known = {f.name: f"{f.name} ({' '.join(f.suffixes)})" for f in formats()}
        what = f"there is no format {to!r}" if to else f"{path}: the suffix {suffix!r} names no format"
        meant = did_you_mean(to or suffix, known if to else [s for f in formats() for s in f.suffixes])
        raise UsageError(what, hint=f"{meant}formats: {', '.join(known.values())}; choose with --to")
    if suffix and by_suffix not in (None, named) and suffix not in named.also:
        hint = f"give it a suffix of {named.name} ({' '.join(named.suffixes)}), or leave out --to"
        raise UsageError(f"{path}: the suffix is that of another format than {named.name}", hint=hint)
    return named
