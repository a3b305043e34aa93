"""What a notebook shows of a network and of its chemistry."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from nets import random_mlp
from parts import needs

import nn2crn

IRIS = Path(__file__).parents[2] / "samples" / "iris" / "iris.onnx"


def test_a_network_shows_as_its_drawing():
    drawn = nn2crn.load(IRIS, logits=True)._repr_svg_()
    assert ET.fromstring(drawn).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314  # our own text
    assert "relu.anderson2021" in drawn


def test_a_network_that_is_too_large_to_draw_at_once_shows_as_text():
    assert random_mlp([1, 800, 800, 1]).network()._repr_svg_() is None


def test_reactions_show_as_a_drawing_and_as_mathematics():
    reactions = nn2crn.compile(nn2crn.load(IRIS, logits=True, domain={"": (0.0, 8.0)}))
    shown = reactions._repr_html_()
    assert shown.startswith("<svg")
    cells = re.findall(r"<td>(.*?)</td>", shown)
    assert r"$\emptyset \xrightarrow{\;10^{-6}\;} \mathrm{layer1}_{i}$" in cells
    counts = [int(c) for c in cells[2::3]]
    assert sum(counts) == reactions.reaction_count
    assert not re.search(r"\\(penalty|crn|allowbreak)", shown)
    assert "&gt;0$" in shown


def test_rate_independent_reactions_show_as_well():
    network = nn2crn.load(IRIS.parent / "iris_ternary.nn")
    reactions = nn2crn.compile(network, nn2crn.Options(encoding="rate-independent"))
    assert np.count_nonzero([c == "$" for c in reactions._repr_html_()]) > 10


@pytest.mark.slow
@needs("notebook")
def test_a_notebook_runs_and_has_both(tmp_path):
    import nbformat
    from nbclient import NotebookClient

    cells = [f"import nn2crn\nnetwork = nn2crn.load({str(IRIS)!r}, logits=True)\nnetwork", "nn2crn.compile(network)"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    first, second = (cell.outputs[0].data for cell in notebook.cells)
    assert first["image/svg+xml"].startswith("<svg")
    assert r"\xrightarrow" in second["text/html"]
    assert second["text/plain"].startswith("ReactionNetwork('iris'")
