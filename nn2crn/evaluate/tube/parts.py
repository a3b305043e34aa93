"""Fuel complexes, strands and nucleotides of a chemistry, by the rules of published schemes as Nuskell has them.

A strand is a word of its domains, l for a long one and s for a toehold (short). Complexes that two reactions have in
common are one: Nuskell gives them the same domains. The rules are those of the schemes' files in Nuskell (Badelt and
others, DNA 23, 2017, doi:10.1007/978-3-319-66799-7_15); the tests hold them against its counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from nn2crn.errors import UsageError, choose_from
from nn2crn.ir.reactions import ReactionNetwork

COUNTED = "Nuskell 0.8"
LENGTHS = {"l": 15, "s": 5}  # nucleotides of a long domain and of a toehold, as dsdobjects has them

Complex = tuple[str, ...]  # its strands
Sides = tuple[tuple[int, ...], tuple[int, ...]]  # species of the reactant and of the product molecules
Found = Iterator[tuple[object, Complex]]  # complexes, by what they are made of


@dataclass(frozen=True)
class Parts:
    """What the fuels of a chemistry take in a scheme; `nucleotides` of one of each strand."""

    scheme: str
    complexes: int
    strands: int
    nucleotides: int


def _soloveichik2010(left: tuple[int, ...], right: tuple[int, ...], own: object) -> Found:
    """L (G where there is one reactant), the displaced B, and T; doi:10.1073/pnas.0909380107, Figures 2 and 3."""
    made = "ls" * len(right)
    its = own if right else left  # without products, reactions of the same reactants have nothing of their own
    if len(left) > 1:
        yield (its, "L"), ("lss", f"ls{made}", "slssls")
        yield ("B", left), ("lss",)
    else:
        yield (its, "G"), (f"ls{made}", "sls")
    yield (own if right else left[-1:], "T"), (*["lsls"] * len(right), f"{made}s")
    if not left:
        yield (own, "F"), ("lsls",)


def _srinivas2015(left: tuple[int, ...], right: tuple[int, ...], own: object) -> Found:
    """React and produce gates (Srinivas, PhD thesis, Caltech 2015, Figures 3.4 to 3.7)."""
    flux = "" if not right else "ls" if len(right) == 1 else "l"
    its = own if right else left
    if len(left) > 1:
        yield (its, "react"), ("lss", f"ls{flux}", "slssls")
        yield ("B", left), ("lss",)
    else:
        yield (its, "react"), (f"ls{flux}", "sls")
    if not left:
        yield (own, "F"), ("sls",)
    if right:
        yield (own, "produce"), (*["lsls"] * len(right), f"{'ls' * len(right)}s")
    if len(right) > 1:
        yield (own, "helper"), (f"s{'ls' * (len(right) - 1)}",)


def _qian2011(left: tuple[int, ...], right: tuple[int, ...], own: object) -> Found:
    """Qian, Soloveichik and Winfree, DNA 16 (2011), doi:10.1007/978-3-642-18305-8_12, Figure 1."""
    yield (own, "gate"), (*["ls"] * len(left), *["lsl"] * len(right), "l", f"l{'sl' * len(left + right)}s")
    yield (own, "start"), ("sl",)
    yield from ((("recognition", s), ("ls",)) for s in left)
    yield from ((("history", s), ("sl",)) for s in right)


def _qian2011_reversible(left: tuple[int, ...], right: tuple[int, ...], own: object) -> Found:
    """The same reference, Figure 2: a reaction and its reverse have gates in common."""
    both = len(left + right)
    yield (own, "forwards"), (*["ls"] * len(left), *["lsl"] * len(right), f"{'sl' * both}s")
    yield (own, "backwards"), (*["lsl"] * len(left), *["sl"] * len(right), f"s{'ls' * both}")
    yield from ((("recognition", s), ("ls",)) for s in left)
    yield from ((("history", s), ("sl",)) for s in right)


def _cardelli2013(left: tuple[int, ...], right: tuple[int, ...], own: object) -> Found:
    """Cardelli, Math. Struct. Comp. Sci. 23 (2013), doi:10.1017/S0960129512000102; a catalyst comes back as it is."""
    catalyst = len(left) > 1 and left[-1:] == right[:1]
    first, others = max(len(left), 1), max(len(left) - 1 - catalyst, 0)
    yield (own, "join"), (*["ls"] * first, "ls", "l", f"lsl{'sl' * first}s")
    yield (own, "between"), ("sl",)
    yield (own, "fork"), ("l", *["sl"] * (others + len(right)), "sl", f"sls{'ls' * (others + len(right))}l")
    yield from ((("out", s), ("ls",)) for s in right[catalyst:])
    for i in range(others):
        yield (own, "collector", i), ("ls",)
        yield (own, "collected", i), ("ll", "slls")
    if not left:
        yield (own, "F"), ("sl",)


_Rule = Callable[[tuple[int, ...], tuple[int, ...], object], Found]
SCHEMES: Mapping[str, _Rule] = {
    "soloveichik2010": _soloveichik2010,
    "srinivas2015": _srinivas2015,
    "qian2011_3D": _qian2011,
    "cardelli2013_2D": _cardelli2013,
}
_REVERSIBLE: Mapping[str, _Rule] = {"qian2011_3D": _qian2011_reversible}


def schemes(wanted: str | None) -> tuple[str, ...]:
    """The scheme that is wanted, or all.

    Raises:
        UsageError: there is none of that name.
    """
    if wanted is not None and wanted not in SCHEMES:
        raise UsageError(f"there is no scheme {wanted!r}", hint=choose_from(wanted, SCHEMES, "schemes"))
    return (wanted,) if wanted else tuple(SCHEMES)


def parts(network: ReactionNetwork, scheme: str) -> Parts:
    """What the fuels of all reactions take, of which there are two reactants at most."""
    found: dict[object, Complex] = {}
    reactions = [sides for family in network.families for batch in family.batches() for sides in batch.sides()]
    for rule, own, (left, right) in _rules(reactions, scheme):
        found.update(rule(left, right, own))
    strands = [strand for c in found.values() for strand in c]
    return Parts(scheme, len(found), len(strands), sum(LENGTHS[domain] for strand in strands for domain in strand))


def _rules(reactions: list[Sides], scheme: str) -> Iterator[tuple[_Rule, int, Sides]]:
    """Each reaction with its number and its rule; one and its reverse are one where the scheme has a rule for that."""
    waiting: dict[Sides, list[int]] = {}
    merged: set[int] = set()
    for i, (left, right) in enumerate(reactions if scheme in _REVERSIBLE else ()):
        forwards, backwards = (tuple(sorted(left)), tuple(sorted(right))), (tuple(sorted(right)), tuple(sorted(left)))
        if waiting.get(backwards):
            first = waiting[backwards].pop()
            merged |= {first, i}
            yield _REVERSIBLE[scheme], first, reactions[first]
        else:
            waiting.setdefault(forwards, []).append(i)
    yield from ((SCHEMES[scheme], i, sides) for i, sides in enumerate(reactions) if i not in merged)
