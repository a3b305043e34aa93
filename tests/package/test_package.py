"""The package as users import it; and the wheel, built, installed in an empty venv and used in another folder."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import nn2crn
from nn2crn.ir.network import Affine

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)], check=True, capture_output=True
    )
    (found,) = folder.glob("*.whl")
    return found


def test_the_wheel_carries_grammars_templates_types_schemas_and_pages(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {"nn2crn/grammars/reactions.lark", "nn2crn/grammars/network.lark", "nn2crn/py.typed"} <= set(names)
    assert {"nn2crn/schemas/names.json", "nn2crn/schemas/verify.json", "nn2crn/docs/start.md"} <= set(names)
    assert sum(n.endswith(".act") for n in names) == len(
        list((ROOT / "nn2crn" / "templates" / "library").glob("*.act"))
    )
    assert not any(n.startswith(("tests/", "samples/")) for n in names)


@pytest.mark.slow
def test_an_installed_wheel_compiles_the_iris_sample(wheel, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    binaries = tmp_path / "venv" / "bin"
    pip = [str(binaries / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    away = tmp_path / "away"
    away.mkdir()
    for sample in ("iris/iris.onnx", "xor/xor.nn"):
        source = away / Path(sample).name
        source.write_bytes((ROOT / "samples" / sample).read_bytes())
        done = subprocess.run(
            [str(binaries / "nn2crn"), "compile", source.name], cwd=away, capture_output=True, text=True, check=False,
            env={"PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert source.with_suffix(".xml").read_text().endswith("</sbml>\n")


def test_the_interface_is_listed_before_it_is_used():
    code = "import nn2crn, sys; print(dir(nn2crn), 'numpy' in sys.modules, nn2crn.Nn2crnError.__module__)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == f"{sorted(nn2crn.__all__)} False nn2crn.errors"
    assert all(getattr(nn2crn, name) for name in dir(nn2crn))


def test_one_class_catches_every_deliberate_error():
    with pytest.raises(nn2crn.Nn2crnError):
        nn2crn.load("absent.onnx")


@pytest.fixture(scope="module")
def digits():
    return nn2crn.load(ROOT / "samples" / "digits" / "digits.onnx")


def test_what_is_printed_of_a_large_network_is_short(digits):
    reactions = nn2crn.compile(digits)
    parts = [*digits.nodes, *reactions.blocks, *reactions.modules, *reactions.families, *reactions.inputs]
    parts += [d for m in reactions.modules for d in m.drives.values()] + list(reactions.outputs)
    assert all(len(repr(p)) < 400 and "array" not in repr(p) for p in (digits, reactions, *parts))
    assert repr(digits).startswith(
        "Network('digits', inputs={'X': (1, 64)}, outputs={'probabilities': (1, 10)}, nodes="
    )
    counts = f"species={reactions.species_count}, reactions={reactions.reaction_count}"
    assert repr(reactions) == f"ReactionNetwork('digits', {counts})"


def test_a_network_is_a_graph_for_those_who_analyse_it(digits):
    graph = digits.graph()
    assert list(graph) == [n.name for n in digits.nodes]
    assert all(set(graph.predecessors(n.name)) == set(n.sources) for n in digits.nodes)
    shapes = [t.weight.shape for _, n in graph.nodes(data="node") if isinstance(n, Affine) for t in n.terms]
    assert {(32, 64), (10, 32)} <= set(shapes)


def test_a_graph_shows_skips_and_what_is_read_twice(tmp_path):
    (tmp_path / "skip.nn").write_text("input x[2]\nh = relu(x)\noutput y = dense(x, weight = [[1, 1], [1, -1]]) + h\n")
    graph = nn2crn.load(tmp_path / "skip.nn").graph()
    assert graph.out_degree("x") == 2
    assert set(graph.predecessors("y")) > {"h"}
