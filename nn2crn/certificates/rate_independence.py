"""Proofs on networks whose reactions come to an end: the end does not depend on rates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nn2crn.analysis.consumption import competing, levels
from nn2crn.analysis.stoichiometry import matrices
from nn2crn.certificates.statements import lines
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.ir.units import Units

_MOST_ORDER = 2


@dataclass(frozen=True)
class RateIndependence:
    """Results for every input and, if `holds`, for all positive rate constants and all rate laws.

    A rate law is anything that is positive where all reactants are there, and zero where one is not. If no two
    reactions compete for a species and none feed each other in a circle, each reaction happens until a reactant is used
    up, whatever the order (Vasic et al. 2022, doi:10.1073/pnas.2111552119).

    Attributes:
        model: name.
        competing: species that one reaction consumes and another wants.
        acyclic: no reactions make each other's reactants in a circle, and each has a reactant.
        order: of the reactions, at most.
        species, reactions: counts.
        products: molecules on the right sides of all reactions.
        longest: how many reactions one after another.
        not_proved: in words.
    """

    model: str
    competing: tuple[str, ...]
    acyclic: bool
    order: int
    species: int
    reactions: int
    products: int
    longest: int
    not_proved: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """True if the outputs are proved to end at the network's values, whatever the rates."""
        return not self.competing and self.acyclic and self.order <= _MOST_ORDER

    @property
    def box(self) -> Mapping[str, tuple[float, float]]:
        """Bounds of inputs: none, since it holds for all."""
        return {}

    def in_tube(self, units: Units, kappa: float) -> RateIndependence:
        """Convert to these units, all rate constants multiplied by kappa: nothing here depends on them."""
        del units, kappa
        return self

    def __repr__(self) -> str:
        said = "holds for all inputs and positive rates" if self.holds else "not proved"
        return f"<RateIndependence of {self.model}: {said}; {self.species} species, {self.reactions} reactions>"

    def __str__(self) -> str:
        return lines(self.statements())

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"proved": self.holds}

    def statements(self) -> Iterator[tuple[str, str]]:
        """Lines with titles."""
        yield "for all", "inputs, positive rate constants, and rate laws that stop when a reactant is used up"
        counts = f"{self.species} species, {self.reactions} reactions, order <= {self.order}"
        sides = f"{self.products} molecules on their right sides"
        yield "chemistry", f"{counts}, {sides}, {self.longest} reactions one after another at most"
        if self.holds:
            yield (
                "consumed",
                "each species by one reaction at most, none in a circle: every reaction comes to an end",
            )
            yield "error", "none, from the network of whole weights, up to rounding of amounts"
        for missing in self.not_proved:
            yield "NOT PROVED", missing


def rate_independence(network: ReactionNetwork) -> RateIndependence:
    """Looks at every reaction of a network."""
    reactions = matrices(network)
    labels = network.labels()
    order = int(reactions.reactants.sum(axis=1).max(initial=0))
    ordered = levels(reactions) if np.all(np.diff(reactions.reactants.indptr)) else None
    wanted = tuple(labels[i] for i in competing(reactions))
    wrong = [f"{s} is wanted by two reactions: what is left depends on rates" for s in wanted]
    if ordered is None:
        wrong.append("reactions feed each other in a circle, or want nothing: they may not come to an end")
    if order > _MOST_ORDER:
        wrong.append(f"a reaction of order {order} is not elementary")
    made = reactions.change.copy()
    made.data = np.maximum(made.data, 0)
    return RateIndependence(
        network.name, wanted, ordered is not None, order, network.species_count, network.reaction_count,
        int(made.sum(dtype=np.float64)), len(ordered or ()), (*wrong, "when it is reached: verify measures that"),
    )  # fmt: skip
