"""Numbers that are none: a network that is NaN on an input, and JSON, which knows no NaN."""

from __future__ import annotations

import json

import command_line
import numpy as np
import pytest
from onnx_models import model, node

from nn2crn.cli.console import show_json


@pytest.mark.parametrize("command", [["verify", "--engine", "fixed-point"], ["simulate"]])
def test_a_network_that_is_itself_nan_on_an_input_is_said_to_be(command, tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(model([node("Sub", "x c", "u"), node("Sqrt", "u")], {"c": np.float64(1)}).SerializeToString())
    (tmp_path / "x.csv").write_text("5,5,5,5\n2,0,2,2\n")
    name, *rest = command
    done = command_line.nn2crn(name, path, "--data", tmp_path / "x.csv", *rest)
    assert done.returncode == 1
    assert "the network itself is nan on sample 1, at y[1]" in done.stderr


def test_json_has_null_for_what_is_no_number(capsys):
    show_json("x", {"a": [float("nan"), 1.5, (float("inf"),)], "b": None, "c": "NaN"})
    assert json.loads(capsys.readouterr().out) == {
        "schema": "nn2crn x 1",
        "a": [None, 1.5, [None]],
        "b": None,
        "c": "NaN",
    }
