"""Families of reactions as a paper prints them: `X_j + Y_i -> X_j + 2 Y_i` at w_ij, for w_ij > 0."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from nn2crn.backends.latex.indices import Species, Statement, chosen, coefficient, numbered, span, times, total, uniform
from nn2crn.backends.latex.names import mathematical
from nn2crn.backends.latex.weights import distinct_weights
from nn2crn.ir.arrays import Floats, Ints, Matrix, same_matrix
from nn2crn.ir.families.family import Batch, Family, Scheme, Side
from nn2crn.ir.families.matrix import MatrixFamily
from nn2crn.ir.reactions import Module, Readout

_LONGEST = 6  # digits of a number over an arrow that also carries a symbol
_ROUNDING = 1e-11  # relative, of a template's constant times a bias


def indexed_family(species: Species, module: Module, family: Family) -> Iterator[tuple[Statement, int]]:
    """Yield each scheme's reaction with its rate constant over the arrow, and the number of reactions it stands for."""
    if isinstance(family, MatrixFamily):
        yield _driven(species, module, family), family.count
        return
    for batch in family.batches(family.count):
        yield _local(species, module, batch, biases=family.label.endswith(" bias")), batch.count


def indexed_readout(species: Species, name: str, readout: Readout) -> Statement:
    """`y_i = [Y_i^+] - [Y_i^-]`."""
    summands, conditions = [], [span("i", readout.size)]
    for k, (indices, values) in enumerate(readout.terms):
        symbol, definition = species.vector(indices, "i", numbered("s", k, len(readout.terms)))
        factor, listed = coefficient(values, numbered("c", k, len(readout.terms)))
        summands.append(times(factor, f"[{symbol}]"))
        conditions += definition + listed
    if np.any(readout.constant):
        constant, listed = coefficient(readout.constant, "d")
        summands.append(constant)
        conditions += listed
    return f"{species.symbols.name(name)}_{{i}} = {total(summands)}", conditions


def side(members: Side, symbol: Mapping[str, str]) -> str:
    """Show one side of a reaction in mathematics mode; an empty side is the empty set."""
    return " + ".join(rf"{n}\,{symbol[s]}" if n > 1 else symbol[s] for s, n in members) or r"\emptyset"


def _reaction(scheme: Scheme, symbols: list[str], rate: str) -> str:
    symbol = dict(zip(scheme.slots, symbols, strict=True))
    return rf"{side(scheme.reactants, symbol)} \xrightarrow{{\;{rate}\;}} {side(scheme.products, symbol)}"


def _driven(species: Species, module: Module, family: MatrixFamily) -> Statement:
    rows, columns = family.term.matrix.shape
    vectors = [species.vector(family.term.sources, "j", "s")]
    vectors += [species.vector(row, "i", numbered("t", k, len(family.targets))) for k, row in enumerate(family.targets)]
    weight = _weight(module, family.term.matrix)
    positive = family.sign > 0
    factor, listed = coefficient(family.constants, "c")
    rate = times(_short(module, factor), weight if positive else f"|{weight}|")
    conditions = [span("i", rows), span("j", columns), weight + (">0" if positive else "<0")]
    conditions += [c for _, definition in vectors for c in definition] + listed
    return _reaction(family.scheme, [s for s, _ in vectors], rate), conditions


def long_constants(module: Module) -> dict[str, str]:
    """Numbers too long to stand over an arrow beside a weight, with their symbols: c, numbered if several."""
    uniforms = dict.fromkeys(uniform(f.constants) for f in module.families if isinstance(f, MatrixFamily) and f.count)
    long = [number for number in uniforms if len(number) > _LONGEST]
    return {number: numbered("c", k, len(long)) for k, number in enumerate(long)}


def _short(module: Module, factor: str) -> str:
    return long_constants(module).get(factor, factor)


def _weight(module: Module, matrix: Matrix) -> str:
    """`w_ij`, numbered if the layer has several weight matrices; the rails of a source share theirs."""
    distinct = distinct_weights(module)
    known = (k for k, m in enumerate(distinct) if matrix is m or same_matrix(matrix, m))
    return numbered("w", next(known), len(distinct)) + "_{ij}"


def _local(species: Species, module: Module, batch: Batch, *, biases: bool) -> Statement:
    blocks = [species.block(int(row[0])) for row in batch.species]
    neurons = [row - block.start for row, block in zip(batch.species, blocks, strict=True)]
    if all(np.array_equal(n, neurons[0]) and n.max() < b.size for n, b in zip(neurons, blocks, strict=True)):
        rate, conditions = _within_neurons(module, batch.rates, neurons[0], biases=biases)
        return _reaction(batch.scheme, [species.symbols.indexed(b, "i") for b in blocks], rate), conditions
    vectors = [species.vector(row, "i", numbered("s", k, len(blocks))) for k, row in enumerate(batch.species)]
    rate, listed = coefficient(batch.rates, "k")
    definitions = [c for _, definition in vectors for c in definition]
    return _reaction(batch.scheme, [s for s, _ in vectors], rate), [span("i", batch.count), *definitions, *listed]


def _within_neurons(module: Module, rates: Floats, neurons: Ints, *, biases: bool) -> Statement:
    """The rate constants of a reaction within each of these neurons (counted from 0), and which neurons they are.

    Biases are shown as such even where they happen to be equal; of other rate constants the number says more.
    """
    which = chosen(neurons, module.size)
    same = "" if biases else uniform(rates)
    if same and which.startswith("i="):
        return same, [which]
    for k, drive in enumerate(module.drives.values()):
        bias = numbered("b", k, len(module.drives)) + "_{i}"
        for sign, symbol, condition in ((1, bias, f"{bias}>0"), (-1, f"|{bias}|", f"{bias}<0")):
            factor = _ratio(module, rates, neurons, sign * drive.bias)
            if factor:
                return same or times(_short(module, factor), symbol), [span("i", module.size), condition]
    rate, listed = coefficient(rates, "k")
    return rate, [which, *listed]


def _ratio(module: Module, rates: Floats, neurons: Ints, bias: Floats) -> str:
    """The constant c if these neurons are those of positive bias and their rate constants are c * bias, rounded."""
    if not np.array_equal(neurons, np.flatnonzero(bias > 0)):
        return ""
    ratios = rates / bias[neurons]
    exact = [f.constants for f in module.families if isinstance(f, MatrixFamily)] + [ratios]
    for constants in exact:
        if len(constants) and np.allclose(ratios, constants[0], rtol=_ROUNDING, atol=0):
            return mathematical(float(constants[0]))
    return ""
