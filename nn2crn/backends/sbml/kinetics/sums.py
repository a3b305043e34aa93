"""Weighted sums of concentrations, as rate laws of lumped reactions have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nn2crn.backends.common.names import Ids
from nn2crn.backends.common.rates import RateConstants
from nn2crn.backends.sbml.mathml import number, product, total
from nn2crn.backends.sbml.options import Style
from nn2crn.ir.arrays import dense, floats
from nn2crn.ir.families.family import Family
from nn2crn.ir.families.matrix import MatrixFamily


@dataclass(frozen=True, eq=False)
class Terms:
    """The texts for species and rate constants in formulas: ids or numbers."""

    ids: Ids
    rates: RateConstants
    style: Style

    def species(self, index: int) -> str:
        """Return the id of a species, or of the parameter in its place."""
        return f"<ci>{self.ids.species[index]}</ci>"

    def constants(self, family: Family, values: Sequence[float]) -> list[str]:
        """Rate constants of a family."""
        if self.style.rate_constants == "global":
            return [f"<ci>k{n}</ci>" for n in self.rates.numbers(family, floats(values))]
        units = self.style.units.rates[family.order]
        return [number(v, units) for v in values]

    def weighted(self, family: MatrixFamily, row: int) -> tuple[str, list[int]] | None:
        """The sum over one row of the matrix, and the species in it; None if no weight has the family's sign."""
        weights = family.sign * dense(family.term.matrix[row : row + 1])[0]
        sources = np.flatnonzero(weights > 0)
        if not len(sources):
            return None
        constants = self.constants(family, (family.constants[row] * weights[sources]).tolist())
        catalysts: list[int] = family.term.sources[sources].tolist()
        return total([product([k, self.species(s)]) for k, s in zip(constants, catalysts, strict=True)]), catalysts
