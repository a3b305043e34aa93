r"""ReactionNetwork -> LaTeX: families with indices, as in a paper, or every reaction in a long table.

A fragment to \input, or a whole document. Reactions are plain mathematics rather than mhchem's \ce: names are the
user's, and \ce would read their digits, signs and brackets as chemistry.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import chain
from typing import TextIO

import numpy as np

from nn2crn.backends.common.rates import reactions_as_text
from nn2crn.backends.latex.document import document, legend, table
from nn2crn.backends.latex.families import indexed_family, indexed_readout, long_constants, side
from nn2crn.backends.latex.indices import Species, Statement, coefficient, numbered
from nn2crn.backends.latex.levels import levels
from nn2crn.backends.latex.names import escape, grouped, mathematical
from nn2crn.backends.latex.weights import weights
from nn2crn.backends.options import LatexOptions
from nn2crn.ir.arrays import Floats, floats
from nn2crn.ir.families.family import Family, Scheme
from nn2crn.ir.reactions import InputPort, Module, ReactionNetwork, Readout, SpeciesBlock
from nn2crn.ir.units import Units

_DEFAULT = LatexOptions()

_CONVENTIONS = r"""\par\noindent
Rate constants are those of deterministic mass action: $2\,Y \to \cdots$ at rate constant $k$ has the flux $k[Y]^2$.
%s
Subscripts count from 1.
"""
_WEIGHTS = r"""The weight $w_{ij}$ leads from species $j$ of the source to neuron $i$, whose bias is $b_i$.
"""
_PORT_COLUMNS = [("right", 0.12), ("right", 0.42), ("right", 0.28), ("right", 0.18)]
_FAMILY_COLUMNS = [("right", 0.37), ("right", 0.35), ("left", 0.1), ("right", 0.18)]
_REACTION_COLUMNS = [("left", 0.1), ("right", 0.6), ("right", 0.3)]


def emit(network: ReactionNetwork, out: TextIO, options: LatexOptions = _DEFAULT) -> None:
    r"""Writes the network as LaTeX.

    Args:
        network: what to write.
        out: a text file; only ASCII is written.
        options: families or every reaction, a fragment or a document.
    """
    species = Species(network, symbols=options.symbols)
    reactions = _reactions(network, species) if options.expand else _families(network, species)
    notes, ports = _notes(network, species, expand=options.expand), _ports(network, species)
    matrices = () if options.expand else weights(network)
    parts = chain(notes, ports, levels(network), reactions, matrices, [_totals(network)])
    title = f"Reaction network {network.name}"
    out.writelines(document(title, parts, standalone=options.standalone, digits=options.digits))


def _notes(network: ReactionNetwork, species: Species, *, expand: bool) -> Iterator[str]:
    """Conventions of the tables, the compiler's remarks as comments, and the legend of short symbols."""
    yield from (f"% {ascii(remark)[1:-1]}\n" for remark in network.remarks)
    yield _CONVENTIONS % _units(network.units) + _WEIGHTS * (not expand)
    yield from legend(species.symbols)


def _units(units: Units) -> str:
    """What the numbers are in, with siunitx."""
    if units.molecules:
        return f"A 1 of the network is {grouped(units.molecules)} molecules; times are in \\unit{{{units.time}}}."
    if units.dimensionless:
        return "The numbers are dimensionless: files have a 1 as \\qty{1}{\\mole\\per\\litre}, and times in \\unit{s}."
    one = f"\\qty{{{units.one!r}}}{{{units.concentration}}}"
    scale = f"\\unit{{{units.concentration}}}, times in \\unit{{{units.time}}}"
    return f"Concentrations are in {scale}; a 1 of the network is {one}."


def _ports(network: ReactionNetwork, species: Species) -> Iterator[str]:
    """Explain how inputs are set and outputs are read."""
    rows = [_port("Input", p.shape, _input(species, p)) for p in network.inputs]
    rows += [_port("Output", p.shape, indexed_readout(species, p.name, p.readout)) for p in network.outputs]
    if rows:
        yield from table(_PORT_COLUMNS, ["", "Value", "Indices", "Shape"], rows)


def _input(species: Species, port: InputPort) -> Statement:
    """Explain the rails of an input, with the values if the user has set any."""
    terms = [(b.indices, floats(np.full(b.size, sign))) for b, sign in ((port.plus, 1.0), (port.minus, -1.0)) if b]
    rails = Readout(tuple(terms), floats(np.zeros(port.plus.size)))
    formula, conditions = indexed_readout(species, port.name, rails)
    if np.any(port.values):
        name = species.symbols.name(port.name)
        value, listed = coefficient(port.values, name)
        conditions += listed or [f"{name}_{{i}}={value}"]
    return formula, conditions


def _port(what: str, shape: tuple[int, ...], statement: Statement) -> str:
    size = "$" + r"\times".join(map(str, shape)) + "$" if shape else "scalar"
    return f"{what} & ${statement[0]}$ & {_conditions(statement)} & {size} \\\\\n"


def _families(network: ReactionNetwork, species: Species) -> Iterator[str]:
    def rows() -> Iterator[str]:
        for module in network.modules:
            yield _heading(module, species, columns=4)
            for family in module.families:
                if family.count:
                    yield from _family(module, family, species)

    if network.modules:
        heads = ["Reaction", "Indices", "Count", "Origin"]
        yield from table(_FAMILY_COLUMNS, heads, rows(), stretch=1.25)


def _family(module: Module, family: Family, species: Species) -> Iterator[str]:
    label = family.label.removeprefix(f"{module.name}, ")
    about = "" if label in ("", module.name) else escape(label)
    for statement, count in indexed_family(species, module, family):
        yield f"${statement[0]}$ & {_conditions(statement)} & {grouped(count)} & {about} \\\\\n"


def _conditions(statement: Statement) -> str:
    return ", ".join(f"${c}$" for c in statement[1])


def _reactions(network: ReactionNetwork, species: Species) -> Iterator[str]:
    labels = [species.symbols.indexed(b, str(i)) for b in network.blocks for i in range(1, b.size + 1)]

    def rows() -> Iterator[str]:
        first = 1
        for module in network.modules:
            yield _heading(module, species, columns=3)
            for family in module.families:
                yield from reactions_as_text(family, first, _row, labels, _rates, grouped)
                first += family.count

    if network.modules:
        yield from table(_REACTION_COLUMNS, ["No.", "Reaction", "Rate constant"], rows())


def _row(scheme: Scheme) -> str:
    """A reaction with {0} for its number, {1} for its rate constant and {2}, {3}, ... for the slots."""
    place = {slot: f"{{{i}}}" for i, slot in enumerate(scheme.slots, 2)}
    left, right = (side(members, place) for members in (scheme.reactants, scheme.products))
    return rf"{{0}} & ${left} \longrightarrow {right}$ & ${{1}}$ \\" + "\n"


def _rates(_: Family, rates: Floats) -> list[str]:
    return list(map(mathematical, rates.tolist()))


def _heading(module: Module, species: Species, columns: int) -> str:
    r"""A row over all columns: the layer, its template and parameters, and where its species start.

    It is a box without width in the first cell: with \multicolumn, a long table takes several runs of LaTeX to settle.
    """
    numbers = {k: v for k, v in module.values.items() if np.ndim(v) == 0}
    parts = [
        escape(module.activation),
        rf"template \texttt{{{escape(module.template)}}}"
        + (f" ({escape(module.provenance)})" if module.provenance else ""),
        *(rf"\textit{{{escape(k)}}}${{}}={mathematical(float(v))}$" for k, v in numbers.items()),
        _counted(module.size, "neuron"),
        *(f"${symbol}={number}$" for number, symbol in long_constants(module).items()),
        *_initial(module, species),
    ]
    text = rf"\textbf{{{escape(module.name)}}}: {', '.join(parts)}"
    box = rf"\raggedright\makebox[0pt][l]{{\parbox[t]{{\crnwidth}}{{\raggedright {text}\strut}}}}"
    return f"\\addlinespace\n{box}{' &' * (columns - 1)} \\\\*[2pt]\n"


def _initial(module: Module, species: Species) -> Iterator[str]:
    """`[Y_i] = 0.001 initially`, for species that start alike together."""
    alike: dict[tuple[str, ...], list[SpeciesBlock]] = defaultdict(list)
    for k, block in enumerate(module.species.values()):
        value, listed = coefficient(block.initial, numbered("a", k, len(module.species)))
        alike[value, *listed].append(block)
    for (value, *listed), blocks in alike.items():
        start = "=".join(f"[{species.symbols.indexed(b, 'i')}]" for b in blocks)
        yield ", ".join(f"${c}$" for c in (f"{start}={value}", *listed)) + " initially"


def _totals(network: ReactionNetwork) -> str:
    roles: Counter[str] = Counter()
    for block in network.blocks:
        roles[block.role] += block.size
    orders: Counter[int] = Counter()
    for family in network.families:
        orders[family.order] += family.count
    kinds = [f"{grouped(n)} {role}" for role, n in roles.items() if n]
    rates = [f"{grouped(n)} of~order~{order}" for order, n in sorted(orders.items())]
    species = f"{grouped(network.species_count)} species" + (f" ({', '.join(kinds)})" if kinds else "")
    reactions = _counted(network.reaction_count, "reaction") + (f" ({', '.join(rates)})" if rates else "")
    return f"\n\\noindent\nIn total {species} and {reactions}.\n"


def _counted(n: int, noun: str) -> str:
    return f"{grouped(n)} {noun}" if n == 1 else f"{grouped(n)} {noun}s"
