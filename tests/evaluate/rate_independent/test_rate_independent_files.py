"""Every format of every sample in the rate-independent encoding: valid, read back equal, and right in clients."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from driving import drive
from read_back import as_sbml, check, crn, net, npz, odes, omex, sbml

import nn2crn
from nn2crn.analysis.consumption import consumed_links
from nn2crn.ir.arrays import dense

SAMPLES = Path(__file__).parents[3] / "samples"
CONSUMED = ("--encoding", "rate-independent", "--logits")
CASES = {
    "xor": (SAMPLES / "xor/xor.nn", ()),
    "iris": (SAMPLES / "iris/iris.onnx", ("--bits", "3")),
    "iris unreduced": (SAMPLES / "iris/iris.onnx", ("--bits", "3", "--reduce", "none")),
    "iris split": (SAMPLES / "iris/iris.onnx", ("--bits", "3", "--max-products", "2")),
    "iris ternary": (SAMPLES / "iris/iris_ternary.nn", ()),
    "sine": (SAMPLES / "sine/sine.onnx", ("--bits", "6")),
    "digits": (SAMPLES / "digits/digits.onnx", ("--bits", "4", "--domain", "0:1")),
    "digits ternary": (SAMPLES / "digits/digits_ternary.nn", ()),
}
READ = ("a.xml", "a.ant", "a.omex", "a.crn", "a.net", "a.npz", "a.py")
WRITTEN = (*READ, "a.dsd", "a.tex", "a.dot", "a.graphml", "a.svg", "a.json")

pytestmark = pytest.mark.slow


def compiled(case, folder, *options):
    model, own = CASES[case]
    done = drive("compile", model, *CONSUMED, *own, *options, "-q", folder=folder)
    assert done.kind == "done", done.err


@pytest.mark.parametrize("case", CASES)
def test_every_format_is_the_same_chemistry(case, tmp_path):
    model, _ = CASES[case]
    rng = Random(0)
    size = sum(i.size for i in nn2crn.load(model, logits=True).inputs)
    values = ",".join(f"{rng.uniform(0, 1):.3f}" for _ in range(size))
    compiled(case, tmp_path, "--input", values, *(part for t in WRITTEN for part in ("-o", t)))
    names = list(net(tmp_path / "a.net").start)
    expected = npz(tmp_path / "a.npz", names)
    readers = {
        "a.xml": lambda path: sbml(path.read_text()), "a.ant": lambda path: sbml(as_sbml(path)), "a.omex": omex,
        "a.crn": crn, "a.net": net, "a.py": odes,
    }  # fmt: skip
    state = {s: rng.uniform(0.1, 1) for s in names}
    for name, reader in readers.items():
        check(reader(tmp_path / name), expected, state)
    reactions = len(np.load(tmp_path / "a.npz")["rates"])
    assert (tmp_path / "a.dsd").read_text().count("->{") == reactions
    assert {row["plus"] for row in json.loads((tmp_path / "a.json").read_text())["inputs"]} <= set(names)
    for name in ("a.graphml", "a.svg"):
        ET.parse(tmp_path / name)  # noqa: S314  # our own
    assert "\\" in (tmp_path / "a.tex").read_text()
    assert "digraph" in (tmp_path / "a.dot").read_text()


@pytest.mark.parametrize("options", [(), ("--molecules", "100")], ids=["concentrations", "molecules"])
@pytest.mark.parametrize("case", CASES)
def test_programs_take_the_sbml_without_a_word(case, options, tmp_path):
    compiled(case, tmp_path, *options, "-o", "a.xml")
    done = drive("validate", "a.xml", "--json", folder=tmp_path)
    assert json.loads(done.out)["ok"], done.out


@pytest.mark.parametrize("case", CASES)
def test_clients_end_where_the_network_does(case, tmp_path):
    model, own = CASES[case]
    done = drive("verify", model, *CONSUMED, *own, "--samples", "2", "--json", folder=tmp_path)
    report = json.loads(done.out)
    assert done.status == 0, report
    assert {e["engine"] for e in report["engines"]} >= {"exact", "internal", "roadrunner", "copasi"}


def test_copasi_runs_a_file_of_an_input_that_nothing_reads(tmp_path):
    """COPASI leaves a species of no reaction out of its time courses: there was "no x_0_s in the file"."""
    (tmp_path / "net.nn").write_text("input x[2] in [0, 1]\noutput y = relu(dense(x, weight = [[0, 1]]))\n")
    done = drive("verify", "net.nn", "--encoding", "rate-independent", "--engine", "copasi", folder=tmp_path)
    assert done.status == 0, done.out


def test_drawings_of_products_in_parts_have_the_weights_of_whole_ones():
    """Species that products are made by, of which there are more than neurons, were taken for neurons: a defect."""
    links = []
    for most in (None, 2):
        options = nn2crn.Options(encoding="rate-independent", max_products=most)
        links.append(consumed_links(nn2crn.compile(nn2crn.load(CASES["iris ternary"][0]), options)))
    assert links[0].keys() == links[1].keys()
    for key, weights in links[0].items():
        np.testing.assert_array_equal(dense(weights), dense(links[1][key]))
