"""`feedback` in the network language: read, refused, and written back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import nn2crn
from nn2crn.analysis.forward import forward
from nn2crn.compiler import Library, convert
from nn2crn.errors import NotationError
from nn2crn.frontends.nn.reader import parse_network
from nn2crn.ir.equality import equal

LOOP = """
input x[2] in [0, 1]
feedback y[3]
y = relu(dense(x, weight = [[1, 2], [0.5, -1], [1, 1]], bias = [0, 0.1, 0])
       + dense(y, weight = [[0.1, 0.2, 0], [-0.5, 0, 0.1], [0, 0.3, -0.4]]))
output z = dense(y, weight = [[1, 1, 1]])
"""
SEVERAL = """
input x[2]
feedback a[2]
feedback "b c"[1]
h = tanh(dense(x, weight = [[1, 0], [0, 1]]) + dense(a, weight = [[0, 0.25], [0.5, 0]]))
a = sigmoid(dense(h, weight = [[1, -1], [0.5, 1]]) + dense("b c", weight = [[0.5], [-0.5]]))
"b c" = dense(concat(a, h), weight = [[0.1, 0.2, 0.3, -0.2]])
output "b c"
output h
"""


def read(text):
    return parse_network(text, "net.nn", Path(), "net")


@pytest.mark.parametrize("text", [LOOP, SEVERAL])
def test_a_loop_is_written_as_it_was_read(text, tmp_path):
    network = read(text)
    files = convert(network, tmp_path / "again.nn")
    again = nn2crn.load(files[0])
    assert [f.size for f in again.feedbacks()] == [f.size for f in network.feedbacks()]
    assert equal(nn2crn.compile(again), nn2crn.compile(network))
    x = {"x": np.array([[0.25, 0.75], [1.0, 0.0]])}
    for output in network.outputs:
        source = next(o.source for o in again.outputs if o.name == output.name)
        expected = forward(network, x, Library())[output.source]
        assert forward(again, x, Library())[source] == pytest.approx(expected, rel=1e-10)


def test_an_output_declared_before_its_loop_is_closed_reads_what_closes_it():
    network = read("input x[1]\nfeedback y[1]\noutput y\ny = relu(x + 0.5*y)\n")
    assert network.outputs[0].source == "y"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("input x[1]\nfeedback y[1]\noutput z = relu(y)", "2:10", "'y' is fed back, and never defined"),
        ("input x[1]\nfeedback y[2]\noutput y = relu(x)", "3:8", "'y' has size 1, and was announced with size 2"),
        ("input x[1]\nfeedback y[1]\noutput y = x", "3:8", "'y' is fed back, but is only another name for 'x'"),
        ("input x[1]\nh = relu(x)\nfeedback y[1]\noutput y = h", "4:8", "only another name for 'h'"),
        ("input x[1]\nfeedback y[1]\noutput y = y", "3:8", "only another name for 'y.feedback'"),
        ("input x[1]\nfeedback x[1]\noutput y = x", "2:10", "the name 'x' is defined twice"),
        ("input x[1]\nfeedback y[1]\nfeedback y[1]\noutput y = relu(x)", "3:10", "'y' is defined twice"),
        ("input x[1]\nfeedback y[1]\ninput y[1]\noutput y = relu(x)", "3:7", "'y' is defined twice"),
        ("input x[1]\nfeedback y[0]\noutput y = relu(x)", "2:11", "positive whole numbers"),
        ("input x[1]\nfeedback y\noutput y = relu(x)", "3:1", "expected"),
    ],
)
def test_what_is_wrong_with_a_loop_is_said_where_it_is(text, place, message):
    with pytest.raises(NotationError) as error:
        read(text)
    assert message in str(error.value) or message in error.value.hint
    assert (error.value.location.line, error.value.location.column) == tuple(map(int, place.split(":")))


def test_a_neuron_may_be_defined_once_only():
    with pytest.raises(NotationError, match="defined twice"):
        read("input x[1]\nfeedback y[1]\ny = relu(x)\ny = relu(x)\noutput y")
