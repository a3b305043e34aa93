"""The samples with loops, in every format: SBML that is valid, and all of their species and reactions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import nn2crn
from nn2crn.backends.registry import formats
from nn2crn.backends.sbml.check import libsbml_complaints

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lasso", "winner", "memory"])
def test_a_sample_with_a_loop_is_written_in_every_format(name, tmp_path):
    reactions = nn2crn.compile(nn2crn.load(SAMPLES / name / f"{name}.nn"))
    for made in formats():
        path = tmp_path / f"{name}{made.suffixes[0]}"
        nn2crn.write(reactions, path, to=made.name)
        assert path.stat().st_size > 500, made.name
        again = tmp_path / f"again{made.suffixes[0]}"
        nn2crn.write(reactions, again, to=made.name)
        assert again.read_bytes() == path.read_bytes(), made.name
    assert not libsbml_complaints(tmp_path / f"{name}.xml")
    assert (tmp_path / f"{name}.xml").read_text().count("<reaction ") == reactions.reaction_count
    with np.load(tmp_path / f"{name}.npz") as arrays:
        assert reactions.species_count in {n for a in arrays.values() for n in a.shape}
