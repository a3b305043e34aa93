"""Balances of few species, solved for many tubes and samples at once.

In a steady state the reactions that make a species balance those that consume it: polynomials of degree two at most.
They are solved for one strongly connected component of species after the other, in the order in which they depend on
each other; components that look alike (the neurons of a layer) together. A single species is the positive root of
a quadratic; several are found by Newton's method, kept positive.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import networkx as nx
import numpy as np
from scipy.linalg import null_space, qr

from nn2crn.ir.arrays import Floats, Ints

_STEPS = 200
_EXACT = 1e-12  # relative change at which Newton's method ends
_SHRINK = 0.1  # what a concentration keeps at least of itself in a step
_RELAX = 30  # steps after which what has not converged is led there more slowly


@dataclass(frozen=True, eq=False)
class Term:
    """n reactions: species indices of their reactant molecules, (n,) each, and what they change."""

    reactants: tuple[Ints, ...]
    change: tuple[tuple[Ints, int], ...]


@dataclass(frozen=True)
class _Entry:
    """One term in a component: its number, the members that react, and their changes."""

    term: int
    inside: tuple[int, ...]
    change: tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class _Group:
    """Components alike: members (k, n); of each entry, the term's columns (n,) and the reactants outside, (n,) each."""

    members: Ints
    entries: tuple[_Entry, ...]
    columns: tuple[Ints, ...]
    outside: tuple[tuple[Ints, ...], ...]

    @cached_property
    def conserved(self) -> _Conserved:
        return _conserved(_changes(self.members, self.entries))


@dataclass(frozen=True, eq=False)
class Balances:
    """The groups in the order in which they are solved."""

    groups: tuple[_Group, ...] = field(repr=False)

    @property
    def conserved(self) -> int:
        """Return the number of conserved sums of species."""
        return sum(len(g.conserved.rows) * g.members.shape[1] for g in self.groups)

    def solve(self, strengths: Sequence[Floats], state: Floats, start: Floats) -> None:
        """Writes the steady state of all species into `state` (tubes, samples, species).

        Args:
            strengths: the rate of each term without its reactants, (tubes or 1, samples or 1, reactions).
            state: what is known, and where the search begins.
            start: what conserved sums are taken from, (tubes, 1, species).
        """
        for group in self.groups:
            rates = []
            for entry, columns, outside in zip(group.entries, group.columns, group.outside, strict=True):
                rate = strengths[entry.term][:, :, columns]
                for species in outside:
                    rate = rate * state[:, :, species]
                rates.append(rate)
            if len(group.members) == 1:
                state[:, :, group.members[0]] = _single(group.entries, rates, start[:, :, group.members[0]])
            else:
                found = _several(group, rates, np.moveaxis(state[:, :, group.members], 2, 0), start)
                state[:, :, group.members] = np.moveaxis(found, 0, 2)


def balances(terms: Sequence[Term], own: Ints) -> Balances:
    """The species `own` in components, by what their balances depend on."""
    mine = frozenset(own.tolist())
    touching: dict[int, list[tuple[int, int]]] = {s: [] for s in mine}
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(mine)
    for t, term in enumerate(terms):
        left = [r.tolist() for r in term.reactants]
        for species, _ in term.change:
            for column, s in enumerate(species.tolist()):
                if s in mine:
                    touching[s].append((t, column))
                    graph.add_edges_from((r[column], s) for r in left if r[column] in mine)
    whole = nx.condensation(graph)
    found: dict[Hashable, list[tuple[list[int], list[tuple[_Entry, int]]]]] = {}
    for depth, generation in enumerate(nx.topological_generations(whole)):
        for node in generation:
            members = sorted(whole.nodes[node]["members"])
            entries = [(_entry(terms[t], t, c, members), c) for t, c in _once(touching, members)]
            found.setdefault((depth, len(members), tuple(e for e, _ in entries)), []).append((members, entries))
    return Balances(tuple(_group(alike, terms) for alike in found.values()))


def _once(touching: dict[int, list[tuple[int, int]]], members: list[int]) -> list[tuple[int, int]]:
    return sorted({where for s in members for where in touching[s]})


def _entry(term: Term, number: int, column: int, members: list[int]) -> _Entry:
    place = {s: i for i, s in enumerate(members)}
    left = [int(r[column]) for r in term.reactants]
    inside = tuple(sorted(place[s] for s in left if s in place))
    change = tuple((place[int(s[column])], n) for s, n in term.change if int(s[column]) in place)
    return _Entry(number, inside, change)


def _group(alike: list[tuple[list[int], list[tuple[_Entry, int]]]], terms: Sequence[Term]) -> _Group:
    members = np.array([m for m, _ in alike], dtype=np.intp).T
    entries = tuple(e for e, _ in alike[0][1])
    columns = tuple(np.array([found[i][1] for _, found in alike], dtype=np.intp) for i in range(len(entries)))
    outside = []
    for i, entry in enumerate(entries):
        rows = [[s for r in terms[entry.term].reactants if (s := int(r[found[i][1]])) not in m] for m, found in alike]
        outside.append(tuple(np.array(column, dtype=np.intp) for column in zip(*rows, strict=True)))
    return _Group(members, entries, columns, tuple(outside))


def _changes(members: Ints, entries: tuple[_Entry, ...]) -> Floats:
    """Net change of each member by each entry (k, entries)."""
    made = np.zeros((len(members), len(entries)))
    for j, entry in enumerate(entries):
        for i, n in entry.change:
            made[i, j] += n
    return made


def _single(entries: tuple[_Entry, ...], rates: list[Floats], start: Floats) -> Floats:
    """The non-negative root of a + b y + q y^2 with a >= 0 >= q; where nothing happens, the start."""
    a, b, q = (
        sum((r * n for e, r in zip(entries, rates, strict=True) if len(e.inside) == d for _, n in e.change), start=0.0)
        for d in range(3)
    )
    root = np.sqrt(b * b - 4 * q * a)
    value = np.where(np.asarray(b) > 0, (b + root) / (-2 * np.asarray(q)), 2 * a / (root - b))
    nothing = (np.asarray(a) == 0) & (np.asarray(b) == 0)
    return np.where(nothing, np.where(np.asarray(q) == 0, start, 0.0), value)


def _several(group: _Group, rates: list[Floats], guess: Floats, start: Floats) -> Floats:
    """The positive root for k species (k, tubes, samples, n), from the guess, by Newton's method."""
    k, value = len(group.members), np.array(guess)
    value[value <= 0] = np.finfo(np.float64).tiny ** 0.25
    fixed = group.conserved.rows
    sums = np.einsum("rk,tskn->rtsn", group.conserved.sums, start[:, :, group.members])
    active = np.ones(value.shape[1:], dtype=np.bool_)
    for step in range(_STEPS):
        now = value[:, active]
        flow, slope = _flow(group.entries, [np.broadcast_to(r, active.shape)[active] for r in rates], now)
        for row, weights, total in zip(fixed, group.conserved.sums, sums, strict=True):
            flow[row] = weights @ now - np.broadcast_to(total, active.shape)[active]
            slope[row] = weights[:, None]
        if step >= _RELAX:  # as if in time, in steps that become longer
            speed = np.abs(flow / now).max(axis=0) / 2 ** min(step - _RELAX, 60)
            for i in (i for i in range(k) if i not in fixed):
                slope[i, i] -= speed
        change = _solved(slope, -flow)
        after = np.maximum(now + change, _SHRINK * now)
        value[:, active] = after
        moved = np.abs(after - now).max(axis=0) > _EXACT * after.max(axis=0)
        active[active] = moved  # what is NaN has moved for the last time
        if not active.any():
            return value
    value[:, active] = np.nan
    return value


def _flow(entries: tuple[_Entry, ...], rates: list[Floats], value: Floats) -> tuple[Floats, Floats]:
    """d value/dt (k, m), and its derivatives (k, k, m)."""
    flow, slope = np.zeros_like(value), np.zeros((len(value), *value.shape))
    for entry, rate in zip(entries, rates, strict=True):
        happens = rate
        for i in entry.inside:
            happens = happens * value[i]
        for s, n in entry.change:
            flow[s] += n * happens
        for place, i in enumerate(entry.inside):
            by = rate
            for j in entry.inside[:place] + entry.inside[place + 1 :]:
                by = by * value[j]
            for s, n in entry.change:
                slope[s, i] += n * by
    return flow, slope


def _solved(slope: Floats, right: Floats) -> Floats:
    """slope^-1 right, for matrices (k, k, m) and vectors (k, m)."""
    if len(right) == 2:  # noqa: PLR2004  # by Cramer's rule, all at once
        (a, b), (c, d) = slope
        return np.asarray(np.stack([d * right[0] - b * right[1], a * right[1] - c * right[0]]) / (a * d - b * c))
    try:
        found = np.linalg.solve(slope.transpose(2, 0, 1), right.T[..., None])
    except np.linalg.LinAlgError:  # one of them is singular
        found = np.linalg.pinv(slope.transpose(2, 0, 1)) @ right.T[..., None]
    return np.asarray(found[..., 0].T)


@dataclass(frozen=True, eq=False)
class _Conserved:
    """Sums of members that no entry changes, (r, k), and the members whose balances they replace."""

    sums: Floats
    rows: tuple[int, ...]


def _conserved(changes: Floats) -> _Conserved:
    sums = null_space(changes.T).T if changes.size else np.zeros((0, len(changes)))
    if not len(sums):
        return _Conserved(sums, ())
    _, _, pivots = qr(sums, pivoting=True)
    return _Conserved(sums, tuple(int(i) for i in pivots[: len(sums)]))
