"""An ONNX Loop as the limit of its steps: behind a flag, with a bound, and refused where it is none."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner
from onnx import TensorProto, helper
from onnx_models import constants_of, model, node, onnx_runtime

import nn2crn
from nn2crn.analysis.forward import forward
from nn2crn.cli import cli
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.steady_state.closed_form import fixed_point
from nn2crn.errors import UnsupportedError

RNG = np.random.default_rng(0)
W, V, B = (RNG.uniform(0.1, 0.3, (3, 3)), RNG.uniform(0, 1, (2, 3)), RNG.uniform(0, 1, 3))
BODY = (node("MatMul", "s W", "r"), node("Add", "r d", "u"), node("Relu", "u", "s2"))


def info(name, kind=TensorProto.FLOAT, shape=None):
    return helper.make_tensor_value_info(name, kind, shape)


def looped(  # noqa: PLR0913  # the parts of a Loop
    body=BODY, *, count=30, goes_on="c", kept=(), start="s0", more=(), **constants
):
    """y = the last s of s <- relu(W s + V x + b), `count` times."""
    graph = helper.make_graph(
        [*body, node("Identity", goes_on, "c2")], "body",
        [info("i", TensorProto.INT64, []), info("c", TensorProto.BOOL, []), info("s", shape=[1, 3])],
        [info("c2", TensorProto.BOOL, []), info("s2", shape=[1, 3]), *(info(k) for k in kept)],
    )  # fmt: skip
    loop = helper.make_node("Loop", ["n", "", start], ["y", *(f"y{k}" for k in kept)], name="settle", body=graph)
    values = {"n": np.int64(count), "W": W, "V": V, "b": B, "s0": np.full((1, 3), 0.5)} | constants
    nodes = [node("MatMul", "x V", "v"), node("Add", "v b", "d"), *more, loop]
    return model(nodes, constants_of({k: v for k, v in values.items() if v is not None}), {"x": (1, 2)})


def loaded(given, **options):
    return nn2crn.load(given, settle_loops=True, **options)


def bound(network):
    said = next(r for r in network.remarks if "limit" in r)
    return float(said.split("within ")[1].split()[0])


@pytest.mark.parametrize("count", [0, 1, 2, 5, 12])
def test_the_steps_end_within_what_is_said_of_their_limit(count):
    given = looped(count=count)
    network = loaded(given, domain={"x": (0.0, 1.0)})
    assert network.recurrent
    assert (
        f"the Loop 'settle' is compiled as the limit of its steps: its {count} steps end within" in network.remarks[0]
    )
    assert "x in [0, 1]" in network.remarks[0]
    x = RNG.uniform(0, 1, (20, 2))
    limit = forward(network, {"x": x}, nn2crn.Library())[network.outputs[0].source]
    steps = np.concatenate([onnx_runtime(given, {"x": row[None].astype(np.float32)})["y"] for row in x])
    apart = np.abs(limit - steps).max()
    assert apart <= bound(network) + 1e-6
    assert apart > bound(network) / 5 or count > 5
    reactions = nn2crn.compile(network)
    assert read_outputs(reactions, fixed_point(reactions, {"x": x}))["y"] == pytest.approx(limit, abs=2e-3)


def test_inputs_without_a_domain_are_taken_as_certify_takes_them():
    assert "x in [-1, 1]" in loaded(looped()).remarks[0]


def test_a_start_that_is_computed_counts():
    given = looped(more=[node("Add", "d d", "begin")], start="begin", s0=None, count=3)
    near = bound(loaded(given, domain={"": (0.0, 0.1)}))
    assert near < bound(loaded(given, domain={"": (-10.0, 10.0)}))


def test_what_a_loop_only_hands_on_is_a_constant():
    body = (*BODY[:2], node("Relu", "u", "s2"))
    assert loaded(looped(body)).recurrent
    with pytest.raises(UnsupportedError, match="does not depend on the inputs"):
        loaded(looped((node("Identity", "s", "s2"), node("Relu", "d", "unused"))))


def test_a_state_that_is_not_fed_back_through_a_neuron_is():
    body = (node("Add", "s d", "sum"), node("Mul", "sum half", "s2"))
    network = loaded(looped(body, half=np.float64(0.5)))
    x = {"x": np.array([[0.3, 0.4]])}
    limit = forward(network, x, nn2crn.Library())[network.outputs[0].source]
    assert limit == pytest.approx(x["x"] @ np.float32(V) + np.float32(B))


def test_it_is_refused_without_the_flag_and_the_flag_is_named():
    with pytest.raises(UnsupportedError) as caught:
        nn2crn.load(looped())
    assert "step by step" in caught.value.problems[0].reason
    assert "--settle-loops" in caught.value.problems[0].remedy


def test_steps_that_need_not_come_nearer_are_refused():
    with pytest.raises(UnsupportedError) as caught:
        loaded(looped(W=W * 20))
    assert "need not lead to a limit" in caught.value.problems[0].reason


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (looped((*BODY[:2], node("Cast", "i", "k", to=1), node("Add", "u k", "w"), node("Relu", "w", "s2"))),
         "depends on the number of the step"),
        (looped((*BODY, node("ReduceSum", "s2", "total", keepdims=0), node("Greater", "total one", "more")),
                goes_on="more", one=np.float64(1)), "whether it goes on is computed"),
        (looped((*BODY, node("Identity", "s2", "each")), kept=("each",)), "each of its steps is kept"),
        (looped((*BODY[:2], node("Relu", "u", "t"), node("Concat", "t t", "s2", axis=1))), "in one shape"),
    ],
)  # fmt: skip
def test_a_loop_that_is_no_fixed_point_is_refused(given, reason):
    with pytest.raises(UnsupportedError) as caught:
        loaded(given)
    assert reason in caught.value.problems[0].reason


def test_commands_say_how_far_the_steps_are(tmp_path):
    (tmp_path / "loop.onnx").write_bytes(looped().SerializeToString())
    path = str(tmp_path / "loop.onnx")
    for command in (["check", path], ["verify", path, "--samples", "3", "--engine", "fixed-point"],
                    ["compile", path, "-o", str(tmp_path / "loop.xml")]):  # fmt: skip
        done = CliRunner().invoke(cli, [*command, "--settle-loops"])
        assert done.exit_code == 0, done.output
        if command[0] != "verify":
            assert "30 steps end within" in done.output
    done = CliRunner().invoke(cli, ["convert", path, "--settle-loops", "-o", str(tmp_path / "loop.nn")])
    assert done.exit_code == 0, done.output
    assert "feedback" in (tmp_path / "loop.nn").read_text()


def test_a_loop_that_stops_after_its_first_step_is_refused():
    """Its limit was said to be near, and is not what ONNX computes."""
    never = helper.make_node("Constant", [], ["never"], value=helper.make_tensor("v", TensorProto.BOOL, [], [False]))
    given = looped(body=(*BODY, never), goes_on="never")
    with pytest.raises(UnsupportedError) as refused:
        loaded(given)
    assert "it stops after its first step" in str(refused.value)


def test_a_number_of_steps_below_zero_is_none():
    said = loaded(looped(count=-3)).remarks[0]
    assert "its 0 steps end within" in said
    assert said == loaded(looped(count=0)).remarks[0]


@pytest.mark.parametrize("form", ["initializer", "Constant", "Cast"])
def test_a_loop_that_onnx_runtime_would_never_end_is_refused_before_it_is_run(form, tmp_path):
    """`verify` hung: the chemistry is the limit of the steps, but the reference would have taken all of them."""
    given = looped(count=2**63 - 1)
    if form != "initializer":
        (count,) = (t for t in given.graph.initializer if t.name == "n")
        count.name = "n" if form == "Constant" else "m"
        made = [helper.make_node("Constant", [], [count.name], value=count)]
        made += [helper.make_node("Cast", ["m"], ["n"], to=TensorProto.INT64)] * (form == "Cast")
        given.graph.initializer.remove(count)
        for i, one in enumerate(made):
            given.graph.node.insert(i, one)
    path = tmp_path / "endless.onnx"
    path.write_bytes(given.SerializeToString())
    found = CliRunner().invoke(cli, ["verify", str(path), "--settle-loops", "--samples", "2"])
    assert isinstance(found.exception, nn2crn.Nn2crnError)
    assert "would take 9,223,372,036,854,775,807 steps of the Loop 'settle'" in found.exception.message
    assert "--settle-loops -o net.nn" in found.exception.hint
