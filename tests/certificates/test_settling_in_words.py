"""What is said of species whose settling is not proved."""

from __future__ import annotations

import numpy as np
import pytest

from nn2crn.certificates.bounds.settling_bound import Settling


@pytest.mark.parametrize(
    ("labels", "said"),
    [(("a",), "that a settles"), (("a", "b"), "that 2 species settle, a the first of them")],
)
def test_one_species_settles_and_two_settle(labels, said):
    """It said `that 1 species settle, a the first of them`."""
    nothing = np.zeros(0)
    assert Settling(np.inf, 0.0, nothing, nothing, nothing, labels).show_unproved() == said
