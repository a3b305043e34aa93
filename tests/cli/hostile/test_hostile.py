"""Threats: what harms, or asks for more than there is, is refused in a moment with one clear error."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from driving import drive, files
from hostile import EVERY, RELU, f32
from onnx_models import model, node

import nn2crn
from nn2crn import memory
from nn2crn.backends.registry import formats
from nn2crn.errors import SizeError


@pytest.mark.parametrize("case", EVERY)
def test_a_threat_is_refused(case, tmp_path):
    write, message = EVERY[case]
    command, *args = write(tmp_path)
    before = files(tmp_path)
    target = ["-o", "out.ant", "--max-memory", "1GB"] if command == "compile" else []
    outcome = drive(command, *args, *target, folder=tmp_path)
    assert outcome.kind == "refused", outcome.err[:2000]
    assert message in outcome.err
    assert len(outcome.err) < 20_000
    assert outcome.err.replace("\n", "").replace("\t", "").isprintable()
    assert files(tmp_path) == before


def test_the_template_that_the_hostile_ones_are_made_of_is_sound(tmp_path):
    (tmp_path / "mine.act").write_text(RELU)
    assert drive("templates", "relu.mine", "--template", "mine.act", folder=tmp_path).kind == "done"


def test_weights_beside_the_model_are_read(tmp_path):
    """The counterpart of the external data that are refused."""
    write, _ = EVERY["external: too short"]
    write(tmp_path)
    (tmp_path / "inner" / "short.bin").write_bytes(bytes(64))
    assert drive("check", "inner/model.onnx", folder=tmp_path).kind == "done"


LAST = {"Relu": ["layer9999", "layer10000"], "Identity": [], "Add": ["a10000"]}  # an output may be an input


@pytest.mark.parametrize("op", ["Identity", *(pytest.param(op, marks=pytest.mark.slow) for op in ("Relu", "Add"))])
def test_ten_thousand_nodes_in_a_chain(op, tmp_path):
    nodes = [node(op, f"a{i}" if i else "x", f"a{i + 1}") for i in range(10_000)]
    if op == "Add":
        nodes = [node(op, f"a{i} c" if i else "x c", f"a{i + 1}") for i in range(10_000)]
    chain = model(nodes, {"c": np.float32(1e-3)}, outputs=("a10000",))
    (tmp_path / "chain.onnx").write_bytes(chain.SerializeToString())
    network = nn2crn.load(tmp_path / "chain.onnx")
    crn = nn2crn.compile(network)
    assert [m.name for m in crn.modules[-2:]] == LAST[op]


@pytest.mark.slow
def test_a_long_text(tmp_path):
    lines = "".join(f"h{i + 1} = relu(h{i})\n" for i in range(10_000))
    (tmp_path / "long.nn").write_text(f"input x[1]\nh0 = relu(x)\n{lines}output h10000")
    assert len(nn2crn.compile(nn2crn.load(tmp_path / "long.nn")).modules) == 10_001


def test_a_bottleneck_is_not_multiplied_out(tmp_path):
    """200 000 -> 1 -> 200 000 would be a matrix of 320 GB."""
    long = 200_000
    parts = model(
        [node("MatMul", "x a", "h"), node("MatMul", "h b")], {"a": f32(long, 1), "b": f32(1, long)}, {"x": (1, long)}
    )
    (tmp_path / "narrow.onnx").write_bytes(parts.SerializeToString())
    assert len(nn2crn.compile(nn2crn.load(tmp_path / "narrow.onnx")).modules) == 2


def test_a_long_vector_is_multiplied_by_itself_without_a_square_matrix(tmp_path):
    (tmp_path / "square.nn").write_text("input x[30000] in [0, 1]\noutput y = product(x, x)")
    assert nn2crn.compile(nn2crn.load(tmp_path / "square.nn")).reaction_count == 4 * 30_000
    root = model(
        [node("Mul", "x x", "a"), node("Add", "a c", "b"), node("Sqrt", "b")], {"c": f32(1)}, {"x": (1, 30_000)}
    )
    (tmp_path / "root.onnx").write_bytes(root.SerializeToString())
    assert [a.function for a in nn2crn.load(tmp_path / "root.onnx").activations()][-1] == "smoothed_relu"


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ([1e-40, 1.0], "the tensor 'w' has weights as small as 1e-40, which become rate constants"),
        ([1e35, 1.0], "the tensor 'w' has weights as large as 1e+35, which become rate constants"),
        ([1e-40, 1e35], "weights as small as 1e-40 and weights as large as 1e+35"),
        ([1e-37, -1e29], ""),
        ([0.0, 0.0], ""),
    ],
)
def test_denormal_and_huge_weights_are_noted_with_the_tensors_name(weights, said, tmp_path):
    made = model([node("MatMul", "x w")], {"w": np.array([weights], np.float32).T}, {"x": (None, 2)})
    (tmp_path / "m.onnx").write_bytes(made.SerializeToString())
    remarks = nn2crn.load(tmp_path / "m.onnx").remarks
    assert [r for r in remarks if said in r] if said else not remarks
    (tmp_path / "m.nn").write_text(f"input x[2]\noutput y = dense(x,\nweight = [[{weights[0]!r}, {weights[1]!r}]])")
    remarks = nn2crn.load(tmp_path / "m.nn").remarks
    assert [r for r in remarks if said.replace("the tensor 'w'", "the weight in line 3") in r] if said else not remarks


# How much


def test_memory_is_limited_by_the_option_or_by_the_system(tmp_path):
    (tmp_path / "m.nn").write_text("input x[1000000]\noutput x")
    assert drive("check", "m.nn", "--max-memory", "1 GB", folder=tmp_path).kind == "done"
    outcome = drive("check", "m.nn", "--max-memory", "1MB", folder=tmp_path)
    assert (outcome.kind, "takes 300 MB" in outcome.err) == ("usage", True)
    assert "is not a size" in drive("check", "m.nn", "--max-memory", "much", folder=tmp_path).err


def test_more_memory_than_the_system_allows_is_refused(tmp_path):
    """It was said to be a defect of nn2crn."""
    (tmp_path / "m.nn").write_text("input x[1]\noutput x")
    command = f"ulimit -d 2000000; {sys.executable} -m nn2crn.cli check m.nn --max-memory 8GB"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "the system's own limit is 2.05 GB" in done.stderr) == (2, True), done.stderr


def test_the_arithmetic_of_memory():
    most = memory.allowed() // 32
    memory.refuse_larger(most, "a vector")
    with pytest.raises(SizeError, match=f"a vector would hold {most + 1:,} numbers"):
        memory.refuse_larger(most + 1, "a vector")


@pytest.mark.parametrize("command", ["compile", "inspect", "estimate", "certify", "simulate", "verify"])
def test_reactions_are_limited(command, tmp_path):
    (tmp_path / "m.nn").write_text("input x[1] in [0, 1]\noutput y = relu(x)")
    crn = nn2crn.compile(nn2crn.load(tmp_path / "m.nn"))
    given = {"simulate": ["--input", "0.5"], "verify": ["--engine", "fixed-point"], "compile": ["-o", "m.ant"]}
    args = [command, "m.nn", *given.get(command, []), "--max-reactions"]
    outcome = drive(*args, crn.reaction_count - 1, folder=tmp_path)
    assert outcome.kind == "refused"
    assert f"m has {crn.reaction_count} reactions, more than {crn.reaction_count - 1}" in outcome.err
    assert drive(*args, crn.reaction_count, folder=tmp_path).kind == "done"


def test_a_stream_without_end_is_refused(tmp_path):
    (tmp_path / "zero.onnx").symlink_to("/dev/zero")
    command = [sys.executable, "-m", "nn2crn.cli", "check", "zero.onnx", "--max-memory", "1GB"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "cannot read zero.onnx: it is a device" in done.stderr


# Names and data

NAMES = (
    "</model>&amp;]]>",
    "\\end{document}%$#_^~&{}",
    'a"; sink -> ; //',
    'x"]; a [label="',
    "\u202e\u2028\x07\x1b[2J",
)


@pytest.mark.parametrize("name", NAMES)
def test_names_stay_names_in_every_format(name, tmp_path):
    """A hostile name changes no more of a file than a harmless one of that length does: not the number of its lines."""
    quoted = json.dumps(name)
    lines = {}
    for said in (quoted, '"harmless"'):
        text = f'network {said}\ninput {said}[2] in [0, 1]\noutput {said[:-1]}2" = relu({said})'
        network = nn2crn.compile(nn2crn.load(_written(tmp_path / "m.nn", text)))
        for f in formats():
            target = tmp_path / f"out{f.suffixes[0]}"
            nn2crn.write(network, target, **({"t_end": 1.0} if f.name == "omex" else {}))
            if not f.binary:
                lines.setdefault(f.name, []).append(target.read_text(encoding="utf-8").count("\n"))
            raw = target.read_bytes()
            assert f.binary or not set(raw) & set(b"\x07\x1b")
    wraps = ("antimony", "latex", "sbml")  # which break lines of comments by their length
    assert all(hostile == harmless for f, (hostile, harmless) in lines.items() if f not in wraps)


def _written(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_name_that_is_no_text(tmp_path):
    path = tmp_path / os.fsdecode(b"a\xff.nn")
    path.write_text("input x[1] output x")
    outcome = drive("compile", path, "-o", "out.xml", folder=tmp_path)
    assert outcome.kind == "done"
    assert 'id="a_crn"' in (tmp_path / "out.xml").read_text(encoding="utf-8")


DATA = {
    "shape.npz": ({"x": np.ones((3, 5))}, "each sample of this input has 2 numbers"),
    "nan.npz": ({"x": np.array([[np.nan, 1]])}, "sample 0 of input 'x' has a value that is NaN or infinite"),
    "text.npz": ({"x": np.array([["a", "b"]])}, "has values of type <U1"),
    "object.npz": ({"x": np.array([[object(), None]])}, "has values of type object"),
    "none.npz": ({"x": np.ones((0, 2))}, "there are no samples"),
    "short.csv": ([["1"]], "line 1: 1 value, where the inputs take 2"),
    "words.csv": ([["1", "2"], ["3", "four"]], "line 2: 'four' is not a number"),
    "nan.csv": ([["nan", "2"]], "NaN or infinite"),
    "empty.csv": ([], "there are no samples"),
    "notes.txt": ([], "data are read from .npz or .csv"),
}


@pytest.mark.parametrize("name", DATA)
def test_faulty_data_are_refused(name, tmp_path):
    given, message = DATA[name]
    if isinstance(given, dict):
        np.savez(tmp_path / name, **given)
    else:
        with (tmp_path / name).open("w") as file:
            csv.writer(file).writerows(given)
    _written(tmp_path / "m.nn", "input x[2]\noutput y = relu(x)")
    outcome = drive("verify", "m.nn", "--data", name, "--engine", "fixed-point", folder=tmp_path)
    assert outcome.kind in ("refused", "usage"), outcome.err
    assert message in outcome.err


def test_weights_that_are_pickles_are_refused(tmp_path):
    class Harm:
        def __reduce__(self):
            return sys.exit, (99,)

    np.save(tmp_path / "w.npy", np.array([[Harm()]]), allow_pickle=True)
    np.savez(tmp_path / "w.npz", w=np.array([[Harm()]]))
    for load in ('load("w.npy")', 'load("w.npz", "w")'):
        _written(tmp_path / "m.nn", f"input x[1]\noutput y = dense(x, weight = {load})")
        assert drive("check", "m.nn", folder=tmp_path).kind == "refused"
