r"""The ordinary differential equations, one per species: a Python module of sympy expressions, or LaTeX.

For networks that a person or a computer algebra system can read; every reaction is a term.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from nn2crn.analysis.stoichiometry import Counts, matrices
from nn2crn.backends.common.names import make_ids
from nn2crn.backends.common.rails import MISSING, Rails, comments, linear, one_line
from nn2crn.backends.latex.document import document, legend
from nn2crn.backends.latex.indices import total
from nn2crn.backends.latex.names import Symbols, escape, mathematical
from nn2crn.backends.options import OdeOptions
from nn2crn.ir.reactions import ReactionNetwork

_DEFAULT = OdeOptions()

_CONVENTIONS = r"""\par\noindent
Species stand for their concentrations: %s. Subscripts count from 1, numbers in
brackets from 0. Inputs are held; outputs are read at steady state.\par
"""

Monomial = tuple[float, list[tuple[int, int]]]  # a coefficient, and (species, exponent) of each factor


def emit(network: ReactionNetwork, out: TextIO, options: OdeOptions = _DEFAULT) -> None:
    r"""Writes the equations of all species but the inputs.

    Args:
        network: what to write.
        out: a text file.
        options: the notation, and whether LaTeX is a whole document.
    """
    if options.notation == "sympy":
        out.writelines(_sympy(network))
    else:
        out.writelines(document(f"Equations of {network.name}", _latex(network), standalone=options.standalone))


def _equations(network: ReactionNetwork) -> Iterator[tuple[int, list[Monomial]]]:
    """Return the terms of the rate of change of each species that is not held."""
    reactions = matrices(network)
    by_species = reactions.change.T.tocsr()
    rates = reactions.rates.tolist()
    factors = [_factors(reactions.reactants, r) for r in range(len(rates))]
    for block in network.blocks:
        if not network.held[block.start]:
            for s in range(block.start, block.stop):
                found = slice(by_species.indptr[s], by_species.indptr[s + 1])
                changes = zip(by_species.indices[found].tolist(), by_species.data[found].tolist(), strict=True)
                yield s, [(n * rates[r], factors[r]) for r, n in changes]


def _factors(left: Counts, reaction: int) -> list[tuple[int, int]]:
    where = slice(left.indptr[reaction], left.indptr[reaction + 1])
    return list(zip(left.indices[where].tolist(), left.data[where].tolist(), strict=True))


def _sympy(network: ReactionNetwork) -> Iterator[str]:
    ids, rails = make_ids(network), Rails(network)
    names = ids.species
    yield from (f"# {text}\n" for text in comments(network, names))
    yield "\nfrom sympy import Add, Symbol\n\n"
    for name, label in zip(names, network.labels(), strict=True):
        yield f'{name} = Symbol("{name}", nonnegative=True)  # {one_line(label)}\n'
    yield "\n# d[species]/dt\nderivatives = {\n"
    for s, terms in _equations(network):
        yield f"    {names[s]}: Add({', '.join(_product(t, names) for t in terms)}),\n"
    yield "}\n\n# concentrations at time zero\ninitial = {\n"
    yield from (f"    {name}: {value!r},\n" for name, value in zip(names, rails.start.tolist(), strict=True))
    yield "}\n\n# the species of the positive and of the negative part\ninputs = {\n"
    for label, plus, minus in zip(rails.inputs, rails.plus.tolist(), rails.minus.tolist(), strict=True):
        yield f"    {label!a}: ({names[plus]}, {0 if minus == MISSING else names[minus]}),\n"
    yield "}\n\noutputs = {\n"
    for label, (members, constant) in zip(rails.outputs, rails.readouts(), strict=True):
        yield f"    {label!a}: {linear(members, constant, names)},\n"
    yield "}\n"


def _product(term: Monomial, names: list[str]) -> str:
    """Terms are arguments of one call, since Python's parser has no room for a sum of some thousand."""
    coefficient, factors = term
    return "*".join([repr(coefficient), *(names[s] if n == 1 else f"{names[s]}**{n}" for s, n in factors)])


def _latex(network: ReactionNetwork) -> Iterator[str]:
    """A paragraph per equation: only there does TeX break a long sum into lines."""
    symbols, rails = Symbols(network), Rails(network)
    names = [symbols.indexed(b, str(i + 1)) for b in network.blocks for i in range(b.size)]
    yield _CONVENTIONS % network.units
    yield from legend(symbols)
    for label, plus, minus in zip(rails.inputs, rails.plus.tolist(), rails.minus.tolist(), strict=True):
        yield _paragraph(escape(label), names[plus] if minus == MISSING else f"{names[plus]}-{names[minus]}")
    for s, terms in _equations(network):
        yield _paragraph(rf"$\frac{{d}}{{dt}}{names[s]}$", total([_monomial(t, names) for t in terms]))
    for label, (members, constant) in zip(rails.outputs, rails.readouts(), strict=True):
        summands = [_monomial((c, [(s, 1)]), names) for c, s in members] + [mathematical(constant)] * (constant != 0)
        yield _paragraph(escape(label), total(summands))


def _paragraph(left: str, right: str) -> str:
    return f"{{\\raggedright\\noindent\\hangindent=3em\\hangafter=1 {left}${{}}={right}$\\par}}\n"


def _monomial(term: Monomial, names: list[str]) -> str:
    coefficient, factors = term
    powers = [names[s] if n == 1 else f"({names[s]})^{{{n}}}" for s, n in factors]
    if abs(coefficient) != 1 or not powers:
        return r"\,".join([mathematical(coefficient), *powers])
    return ("-" if coefficient < 0 else "") + r"\,".join(powers)
