"""One reaction of a template -> families of reactions over all neurons of a layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import sparse

from nn2crn.errors import TemplateError
from nn2crn.ir.arrays import Floats, Ints, entries, floats, ints, positive_part
from nn2crn.ir.families.explicit import ExplicitFamily
from nn2crn.ir.families.family import Batch, Family, Scheme, Side, merged
from nn2crn.ir.families.matrix import MatrixFamily
from nn2crn.ir.formula import Formula, Symbol, evaluate
from nn2crn.ir.reactions import Drive, Readout, SpeciesBlock
from nn2crn.memory import refuse_larger
from nn2crn.notation.text import SymbolicSide, named
from nn2crn.templates.gadget import ELEMENT, Gadget, GadgetReaction

CATALYSTS = ("X", "Z")  # slots of the species that stand in for a drive


@dataclass(frozen=True)
class Layer:
    """A gadget laid out over `size` neurons in groups of `width`, with its drives and species."""

    name: str
    gadget: Gadget
    size: int
    width: int
    values: Mapping[str, float | Floats]
    drives: Mapping[str, Drive]
    species: Mapping[Symbol, SpeciesBlock]

    def readout(self, size: int) -> Readout:
        """Return the readout of the layer's `size` outputs."""
        coefficients = self.gadget.readout
        terms = tuple((self.species[s].indices, repeated(c, self.values, size)) for s, c in coefficients)
        return Readout(terms, repeated(self.gadget.constant, self.values, size))


def repeated(formula: Formula, values: Mapping[str, float | Floats], count: int) -> Floats:
    """The formula's value for each of `count` species or outputs."""
    return floats(np.broadcast_to(evaluate(formula, values), count).copy())


@dataclass(frozen=True)
class _Instances:
    """The neurons of each copy of a reaction: element i, and j where pairs meet; or whole groups."""

    layer: Layer
    i: Ints
    j: Ints | None = None
    groups: bool = False

    @property
    def count(self) -> int:
        return len(self.i)

    def indices(self, symbol: Symbol) -> Ints:
        """Species indices of a symbol in each copy."""
        block = self.layer.species[symbol.of(ELEMENT)]
        if not self.layer.gadget.per_element(symbol):
            return block.start + (self.i if self.groups else self.i // self.layer.width)
        return block.start + (self.j if symbol.element == "j" and self.j is not None else self.i)


def families_of(reaction: GadgetReaction, layer: Layer) -> list[Family]:
    """The families that the reaction becomes; a drive is replaced by the species of the affine map behind it."""
    where = _instances(reaction, layer)
    with np.errstate(all="ignore"):  # what comes of it is looked at
        rates = np.broadcast_to(evaluate(reaction.rate, layer.values), where.count).copy()
    if not np.all((rates >= 0) & (rates < np.inf)):
        wrong = "negative" if np.any(rates < 0) else "infinite"
        raise TemplateError(f"{layer.name}: a rate constant of {layer.gadget.template.name} is {wrong} for this layer")
    left, right = (_without(side, reaction.catalysts) for side in (reaction.reactants, reaction.products))
    if left == right:
        return []  # nothing changes
    if not reaction.catalysts:
        return _local(left, right, rates, where, layer.name)
    if len(reaction.catalysts) == 1:
        return _driven(reaction.catalysts[0], left, right, rates, where)
    return _meeting(reaction.catalysts, left, right, rates, where)


def _instances(reaction: GadgetReaction, layer: Layer) -> _Instances:
    names = [s for s, _ in reaction.reactants + reaction.products]
    elements = np.arange(layer.size)
    if any(s.element == "j" for s in names):
        refuse_larger(
            layer.size * (layer.width - 1), f"{layer.name}: all pairs of elements in {layer.gadget.template.name}"
        )
        i, other = np.meshgrid(elements, np.arange(layer.width - 1), indexing="ij")
        within = i % layer.width
        j = i - within + other + (other >= within)  # all elements of the group but i itself
        return _Instances(layer, i.ravel(), j.ravel())
    if reaction.catalysts or any(layer.gadget.per_element(s) for s in names):
        return _Instances(layer, elements)
    return _Instances(layer, np.arange(layer.size // layer.width), groups=True)


def _without(side: SymbolicSide, catalysts: tuple[Symbol, ...]) -> SymbolicSide:
    return tuple((s, n) for s, n in side if s not in catalysts)


def _local(left: SymbolicSide, right: SymbolicSide, rates: Floats, where: _Instances, label: str) -> list[Family]:
    """The copies whose rate constant is not zero."""
    scheme = _scheme((), left, right)
    kept = np.flatnonzero(rates)
    if not len(kept):
        return []
    indices = np.array([where.indices(s)[kept] for s in _species(left, right)])
    return [ExplicitFamily(scheme, indices, rates[kept], label)]


def _driven(
    catalyst: Symbol, left: SymbolicSide, right: SymbolicSide, rates: Floats, where: _Instances
) -> list[Family]:
    """One reaction per weight of the drive's sign, and one per bias."""
    name = where.layer.name
    drive, rail = _drive(catalyst, where.layer)
    sign = {1: "positive", -1: "negative"}[rail]
    scheme = _scheme(((CATALYSTS[0], 1),), left, right)
    targets = np.array([where.indices(s) for s in _species(left, right)])
    for term in drive.terms:
        _refuse_unrepresentable(where.layer, rates, entries(term.matrix))
    _refuse_unrepresentable(where.layer, rates, drive.bias)
    driven = [MatrixFamily(scheme, t, rail, targets, rates, f"{name}, {sign} drive") for t in drive.terms]
    bias = rates * np.maximum(rail * drive.bias, 0.0)
    return [*driven, *_local(left, right, bias, where, f"{name}, {sign} bias")]


def _refuse_unrepresentable(layer: Layer, *factors: Floats) -> None:
    """Refuse factors of rate constants whose products are not finite and positive.

    Raises:
        TemplateError: a product would be zero or infinite.
    """
    sizes = [np.abs(f[f != 0]) for f in factors]
    if not all(s.size for s in sizes):
        return
    with np.errstate(over="ignore"):  # what comes of it is looked at
        low, high = np.prod([s.min() for s in sizes]), np.prod([s.max() for s in sizes])
    if low == 0 or high == np.inf:
        weights = np.concatenate(sizes[1:])
        raise TemplateError(
            f"{layer.name}: its weights, from {weights.min():.3g} to {weights.max():.3g} in magnitude, make rate"
            " constants beyond double precision",
            hint="scale the model's weights, or set those near zero to zero",
        )


def _scheme(sources: Side, left: SymbolicSide, right: SymbolicSide) -> Scheme:
    """The sides with the sources' slots first on each."""
    return Scheme((*sources, *named(left)), (*sources, *named(right)))


def _species(left: SymbolicSide, right: SymbolicSide) -> tuple[Symbol, ...]:
    """Species for the slots of the sides, in their order."""
    return tuple(dict.fromkeys(s for s, _ in left + right))


def _drive(catalyst: Symbol, layer: Layer) -> tuple[Drive, Literal[1, -1]]:
    return layer.drives[catalyst.name], 1 if catalyst.rail == "+" else -1


@dataclass(frozen=True)
class _Rail:
    """One rail of a drive written out: weight times a species (or 1, for the bias) added to a row."""

    rows: Ints
    species: Ints | None
    weights: Floats


def _rails(drive: Drive, rail: int) -> Iterator[_Rail]:
    for term in drive.terms:
        part = sparse.coo_array(positive_part(term.matrix, rail * term.sign))
        if part.nnz:
            yield _Rail(ints(part.coords[0]), term.sources[part.coords[1]], part.data)
    biased = np.flatnonzero(rail * drive.bias > 0)
    if len(biased):
        yield _Rail(biased, None, np.abs(drive.bias[biased]))


def _meeting(
    catalysts: tuple[Symbol, ...], left: SymbolicSide, right: SymbolicSide, rates: Floats, where: _Instances
) -> list[Family]:
    """Two drives in one reaction: every summand of the one with every summand of the other, neuron by neuron."""
    first, second = (list(_rails(*_drive(c, where.layer))) for c in catalysts)
    made: list[Family] = []
    for a in first:
        for b in second:
            pairs = int(np.bincount(a.rows, minlength=where.count) @ np.bincount(b.rows, minlength=where.count))
            refuse_larger(pairs, f"{where.layer.name}: the products of two drives' weights")
            take_a, take_b = _join(a.rows, b.rows, where.count)
            rows = a.rows[take_a]
            _refuse_unrepresentable(where.layer, rates, a.weights, b.weights)
            constants = rates[rows] * a.weights[take_a] * b.weights[take_b]
            sources = [r.species[t] for r, t in ((a, take_a), (b, take_b)) if r.species is not None]
            scheme = _scheme(tuple((x, 1) for x in CATALYSTS[: len(sources)]), left, right)
            species = np.array([*sources, *(where.indices(s)[rows] for s in _species(left, right))])
            label = f"{where.layer.name}, product of drives"
            made += [
                ExplicitFamily(b.scheme, b.species, b.rates, label) for b in merged(Batch(scheme, species, constants))
            ]
    return made


def _join(a: Ints, b: Ints, rows: int) -> tuple[Ints, Ints]:
    """All pairs of positions with equal rows, of two sorted lists of rows."""
    counts = np.bincount(b, minlength=rows)
    starts = np.cumsum(counts) - counts
    repeats = counts[a]
    take_a = np.repeat(np.arange(len(a)), repeats)
    within = np.arange(len(take_a)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    return take_a, starts[a[take_a]] + within
