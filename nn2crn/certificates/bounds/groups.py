"""Sums over a group of drives of which one is known to be small, though not which: the divisor of a softmax.

An exponential may be as small as its logit is below the largest one, so intervals leave nothing of the sum. But each
reads a neuron of the drive g_j = M - u_j + 1/2, and M is the largest u_j by a tree of neurons. A neuron R of drive z,
R' = f + z R - c R^2, has R (R - z/c) = f/c. So R >= 0 and R >= z/c; and R <= s or R <= z/c + s, s = sqrt(f/c). One
after another, neurons are replaced in all g_j, by 0 or by z/c. There is a case for each leaf of the tree, what is left
is bounded by intervals, and in the case of the leaf j, g_j is constant (docs/theory.md, section 3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nn2crn.certificates.bounds.cells import Roots
from nn2crn.certificates.bounds.stages import Single, Stage
from nn2crn.certificates.rounding import above, below
from nn2crn.engines.cvode.kinetics import Kinetics
from nn2crn.ir.arrays import Floats, Ints, Matrix, dense

Form = dict[int, float]  # coefficients by rows of values


@dataclass(frozen=True)
class Neuron:
    """R' = f + z R - c R^2; z is `form` and `constant`, and `order` its place in the cascade."""

    form: Form
    constant: float
    smallest: float  # sqrt(f/c): R or R - z/c is no larger
    c: float
    order: int


@dataclass(frozen=True, eq=False)
class Case:
    """A lower bound on the common part of all drives when neurons are replaced; it exceeds that by at most `slack`.

    It is `rest` and `constant`; `size` is what terms that have been added up come to, for their rounding.
    """

    rest: Form
    size: Form
    constant: float
    slack: float


@dataclass(frozen=True, eq=False)
class Group:
    """A species `total` with total' = sum of coefficients * `parts` - ..., and the neurons that the parts follow from.

    Attributes:
        rows: of the drive variables that the neurons read, (n,): a neuron's drive is slope * value + bias.
        columns: rows of values on which the drives depend differently, and `matrix` (n, columns) how.
        cases: one of them holds.
    """

    total: int
    parts: Ints
    coefficients: Floats
    rows: Ints
    slope: Floats
    bias: Floats
    columns: Ints
    matrix: Floats
    cases: tuple[Case, ...]

    def bounds(self, low: Floats, high: Floats) -> tuple[Floats, float]:
        """The least value of each neuron's drive (n,), and what the smallest of the drives is at most."""
        least, smallest = np.full(len(self.rows), -np.inf), -np.inf
        for case in self.cases:
            bottom, top = self._in_case(case, low, high)
            least = np.maximum(least, bottom)
            smallest = max(smallest, float(top.min()) + case.slack)
        return least, float(above(np.asarray(smallest), 2))

    def _in_case(self, case: Case, low: Floats, high: Floats) -> tuple[Floats, Floats]:
        place = {int(c): i for i, c in enumerate(self.columns)}
        others = [c for c in case.rest if c not in place]
        every = np.concatenate([self.columns, np.array(others, dtype=np.intp)])
        rest, size = (np.array([of.get(int(c), 0.0) for c in every]) for of in (case.rest, case.size))
        own = np.hstack([self.matrix, np.zeros((len(self.rows), len(others)))])
        weight, size = own + rest, np.abs(own) + np.abs(rest) + size
        a, b, most = low[every], high[every], np.maximum(np.abs(low), np.abs(high))[every]
        constant = self.bias + case.constant
        with np.errstate(invalid="ignore"):
            ends = np.where(weight == 0, 0.0, weight * a), np.where(weight == 0, 0.0, weight * b)
            total = np.abs(self.bias) + abs(case.constant) + size @ most
        operations = 2 * len(every) + 2 * len(case.size) + 4
        bottom, top = (pick(*ends).sum(axis=1) + constant for pick in (np.minimum, np.maximum))
        unknown = ~np.isfinite(total)
        return (
            np.where(unknown, -np.inf, below(bottom, operations, total)),
            np.where(unknown, np.inf, above(top, operations, total)),
        )

    def of_drives(self, limit: Floats | float) -> Floats:
        """The values (n,) of the drive variables at which the neurons' drives are at the limit."""
        return np.asarray((limit - self.bias) / self.slope)


class Forms:
    """Return the drives of single neurons as sums over species; None where they are not such sums."""

    def __init__(self, kinetics: Kinetics, stages: Sequence[Stage]) -> None:
        self.kinetics = kinetics
        self.at: dict[int, tuple[int, Single, int]] = {}
        self.reader: dict[int, int] = {}  # of a drive variable, the one neuron that reads it
        for order, stage in enumerate(stages):
            if isinstance(stage, Single) and np.any(stage.c > 0):
                self._place(order, stage)

    def _place(self, order: int, stage: Single) -> None:
        for i in np.flatnonzero(stage.c > 0):
            self.at[int(stage.species[i])] = order, stage, int(i)
        driven = np.maximum(stage.g.first, stage.g.second)
        chosen = (driven > self.kinetics.one) & (stage.c > 0)[stage.g.into]
        for row, into in zip(driven[chosen].tolist(), stage.g.into[chosen].tolist(), strict=True):
            self.reader[row] = -1 if row in self.reader else int(stage.species[into])

    def neuron(self, species: int) -> Neuron | None:
        """The neuron of a species, if its drive is linear and the rest is constant."""
        if species not in self.at:
            return None
        order, stage, i = self.at[species]
        drive, made = self.terms(stage, i, "g"), self.terms(stage, i, "f")
        if drive is None or made is None or made.keys() - {self.kinetics.one}:
            return None
        form: Form = {}
        for row, coefficient in drive.items():
            for column, value in self._expanded(row):
                form[column] = form.get(column, 0.0) + coefficient * value
        constant = form.pop(self.kinetics.one, 0.0)
        f, c = made.get(self.kinetics.one, 0.0), float(stage.c[i])
        return Neuron(form, constant, float(above(np.sqrt(np.asarray(f / c)), 4)), c, order)

    def terms(self, stage: Single, i: int, which: Literal["f", "g"]) -> Form | None:
        """The sum that f or g is, if no term is a product of two values."""
        terms = stage.f if which == "f" else stage.g
        made: Form = {}
        for n in np.flatnonzero(terms.into == i):
            pair = {int(terms.first[n]), int(terms.second[n])} - {self.kinetics.one} or {self.kinetics.one}
            if len(pair) > 1 or (terms.first[n] == terms.second[n] != self.kinetics.one):
                return None
            (row,) = pair
            made[row] = made.get(row, 0.0) + float(terms.coefficient[n])
        return made

    def _expanded(self, row: int) -> Iterator[tuple[int, float]]:
        """A drive variable as a sum of species; others as they are."""
        if row <= self.kinetics.one:
            yield row, 1.0
            return
        number = next(i for i, p in enumerate(self.kinetics.places) if p.start <= row < p.stop)
        for product in self.kinetics.variables[number].products:
            weights = _row(product.matrix, row - self.kinetics.places[number].start)
            for sign, sources in product.sources:
                where = np.arange(self.kinetics.rows)[sources]
                yield from ((int(where[j]), sign * float(weights[j])) for j in np.flatnonzero(weights))


def _row(matrix: Matrix, i: int) -> Floats:
    return dense(matrix[[i]]).reshape(-1)


def groups(kinetics: Kinetics, stages: Sequence[Stage], roots: Roots) -> tuple[Group, ...]:
    """Yield the groups of two or more drives that give a bound."""
    forms = Forms(kinetics, stages)
    found = (_group(forms, stage, i, roots) for stage in stages if isinstance(stage, Single) for i in _sums(stage))
    return tuple(g for g in found if g is not None)


def _sums(stage: Single) -> Iterator[int]:
    counts = np.bincount(stage.f.into, minlength=stage.f.size)
    yield from np.flatnonzero((stage.c == 0) & (counts > 1)).tolist()


def _group(forms: Forms, stage: Single, i: int, roots: Roots) -> Group | None:
    made = forms.terms(stage, i, "f")
    if made is None:
        return None
    parts = np.array(sorted(made))
    rows = roots.of[parts]
    readers = [forms.reader.get(int(r), -1) for r in rows]
    neurons = [forms.neuron(r) for r in readers]
    if len({*readers}) < len(parts) or not all(n is not None and len(n.form) > 0 for n in neurons):
        return None
    known: list[Neuron] = [n for n in neurons if n is not None]
    slopes = []
    for reader, row in zip(readers, rows.tolist(), strict=True):
        _, neuron_stage, at = forms.at[reader]
        drive = forms.terms(neuron_stage, at, "g") or {}
        if drive.keys() - {row, forms.kinetics.one}:
            return None
        slopes.append(drive[row])
    common, columns = _shared(known)
    cases = _cases(forms, common, columns, len(parts))
    if cases is None:
        return None
    matrix = np.array([[n.form.get(c, 0.0) for c in columns] for n in known])
    coefficients = np.array([made[int(p)] for p in parts])
    bias = np.array([n.constant for n in known])
    return Group(
        int(stage.species[i]), parts, coefficients, rows, np.array(slopes), bias,
        np.array(columns, dtype=np.intp), matrix.reshape(len(known), -1), cases,
    )  # fmt: skip


def _shared(neurons: Sequence[Neuron]) -> tuple[Form, list[int]]:
    """Return the common part of all drives, and the rows of values on which they depend differently."""
    every = dict.fromkeys(c for n in neurons for c in n.form)
    values = {c: {n.form.get(c, 0.0) for n in neurons} for c in every}
    return {c: v.pop() for c, v in values.items() if len(v) == 1}, [c for c, v in values.items() if len(v) > 1]


def _cases(forms: Forms, common: Form, columns: Sequence[int], size: int) -> tuple[Case, ...] | None:
    """The leaves of the tree, each with what is left of the common part; None if there are more than drives."""
    varying, done = {*columns}, []
    neurons: dict[int, Neuron | None] = {}
    open_ = [Case(common, {}, 0.0, 0.0)]
    while open_:
        case = open_.pop()
        for row in case.rest.keys() - neurons.keys():
            neurons[row] = None if row in varying else forms.neuron(row)
        chosen = _last(neurons, case.rest)
        if chosen is None:
            done.append(case)
        else:
            open_ += _replaced(chosen, neurons, case)
        if len(done) + len(open_) > size:
            return None
    return tuple(done)


def _last(neurons: Mapping[int, Neuron | None], rest: Form) -> int | None:
    """The neuron that is added to all drives and comes last in the cascade."""
    found = [(n.order, row) for row, v in rest.items() if v > 0 and (n := neurons[row]) is not None]
    return max(found)[1] if found else None


def _replaced(row: int, neurons: Mapping[int, Neuron | None], case: Case) -> Iterator[Case]:
    """The neuron is nearly 0, or nearly its drive."""
    neuron, factor = neurons[row], case.rest[row]
    assert neuron is not None  # noqa: S101  # it was chosen
    slack = case.slack + factor * neuron.smallest
    rest = {c: v for c, v in case.rest.items() if c != row}
    yield Case(rest, case.size, case.constant, slack)
    scale = factor / neuron.c
    rest, size = dict(rest), dict(case.size)
    for c, v in neuron.form.items():
        rest[c] = rest.get(c, 0.0) + scale * v
        size[c] = size.get(c, 0.0) + abs(scale * v)
    yield Case(rest, size, case.constant + scale * neuron.constant, slack)
