"""Parameters in the place of species that users hold, and of the sums that drive a layer.

A parameter costs a client less than a boundary species: no rule sets it at every step, and no reaction has it for a
modifier. COPASI looks each name of a rate law up among all objects of the model, but not those of a rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from nn2crn.backends.common.names import Ids
from nn2crn.backends.common.rails import Rails
from nn2crn.backends.common.xml_text import quote
from nn2crn.backends.sbml.kinetics.sums import Terms
from nn2crn.backends.sbml.mathml import math
from nn2crn.backends.sbml.options import Style
from nn2crn.ir.arrays import Matrix, entries
from nn2crn.ir.families.family import Bools, Family
from nn2crn.ir.families.matrix import MatrixFamily
from nn2crn.ir.reactions import ReactionNetwork


def with_inputs_as_parameters(network: ReactionNetwork, ids: Ids) -> Ids:
    """The ids, where `species` are those of parameters in the place of held species.

    An input that cannot be negative is its own parameter. The rails of any other are parameters with the species' ids:
    rules that make them of one signed parameter would cost eight times as much as all the rest of a simulation.
    """
    names = list(ids.species)
    for port, scalars in zip(network.inputs, ids.inputs, strict=True):
        if port.held and port.minus is None:
            names[port.plus.start : port.plus.stop] = scalars
    return replace(ids, species=names)


def parameters_for(network: ReactionNetwork, style: Style) -> Bools:
    """Return a mask (n,) of the species that parameters stand for."""
    return network.held if style.inputs_as_parameters else np.zeros(network.species_count, dtype=np.bool_)


def input_parameters(network: ReactionNetwork, ids: Ids) -> Iterator[str]:
    """A parameter for each held species, at the value that the file starts with."""
    start = Rails(network).start.tolist()
    for block in (b for port in network.inputs if port.held for b in port.blocks):
        for i in range(block.size):
            k = block.start + i
            yield (
                f'<parameter id="{ids.species[k]}" name={quote(block.label(i))} value="{start[k]!r}"'
                ' units="concentration" constant="false"/>\n'
            )


class DriveIds:
    """Ids d1, d2, ... of the rows of matrices that have a weight of their family's sign."""

    def __init__(self, network: ReactionNetwork) -> None:
        self._number: dict[Family, list[int]] = {}  # of each row, 0 where there is none
        count = 0
        for family in (f for m in network.modules for f in m.families):
            if isinstance(family, MatrixFamily):
                there = _has(family.term.matrix, family.sign)
                self._number[family] = np.where(there, count + np.cumsum(there), 0).tolist()
                count += int(there.sum())

    def __iter__(self) -> Iterator[tuple[MatrixFamily, int, str]]:
        """Family, row, and id of each."""
        for family, numbers in self._number.items():
            if isinstance(family, MatrixFamily):
                yield from ((family, row, f"d{n}") for row, n in enumerate(numbers) if n)

    def id(self, family: Family, row: int) -> str:
        """The parameter of a row; empty if no weight has the family's sign."""
        number = self._number[family][row]
        return f"d{number}" if number else ""


def _has(matrix: Matrix, sign: int) -> Bools:
    """Return the rows that have a weight of this sign."""
    if isinstance(matrix, np.ndarray):
        return np.asarray((sign * matrix > 0).any(axis=1))
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return np.bincount(rows[sign * entries(matrix) > 0], minlength=matrix.shape[0]) > 0


def drive_parameters(drives: DriveIds, style: Style) -> Iterator[str]:
    """The parameters, which rules set."""
    for family, _, name in drives:
        units = style.units.rates[family.order - 1]
        yield f'<parameter id="{name}" units="{units}" constant="false"/>\n'


def drive_rules(drives: DriveIds, terms: Terms) -> Iterator[str]:
    """Write the rule of each parameter, a weighted sum."""
    for family, row, name in drives:
        found = terms.weighted(family, row)
        if found:
            law = math(found[0], terms.style.namespace)
            yield f'<assignmentRule variable="{name}">{law}</assignmentRule>\n'
