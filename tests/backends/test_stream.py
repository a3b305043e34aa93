"""Runs of elements that are checked together: the same complaints, on the same lines, as one by one."""

from __future__ import annotations

import numpy as np
import pytest

import nn2crn
from nn2crn.backends.sbml.check import Reading
from nn2crn.backends.sbml.rows import Layout
from nn2crn.errors import ModelError

FORMS = {
    "elementary": {},
    "compact": {"profile": "compact"},
    "local": {"rate_constants": "local"},
    "summed": {"kinetics": "summed"},
    "driven": {"kinetics": "driven"},
    "lumped": {"kinetics": "lumped", "rate_constants": "global"},
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forms")
    w = np.random.default_rng(0).normal(size=(12, 40))
    np.savez(folder / "net.npz", w=w)
    (folder / "net.nn").write_text(
        'input x[40] in [0, 1]\nh = relu(dense(x, weight = load("net.npz", "w")))\noutput y = h\n'
    )
    reactions = nn2crn.compile(nn2crn.load(folder / "net.nn"))
    for form, options in FORMS.items():
        nn2crn.write(reactions, folder / f"{form}.xml", **options)
    return {form: (folder / f"{form}.xml").read_text(encoding="utf-8") for form in FORMS}


def read(path, text):
    path.write_text(text, encoding="utf-8")
    try:
        found = Reading(path)
    except ModelError as e:
        return str(e)
    return found.reactions, found.complaints


def both(tmp_path, monkeypatch, text):
    """What is found together, and one by one."""
    together = read(tmp_path / "m.xml", text)
    with monkeypatch.context() as patch:
        patch.setattr(Layout, "of", staticmethod(lambda _: None))
        return together, read(tmp_path / "m.xml", text)


@pytest.mark.parametrize("form", FORMS)
def test_most_is_read_together(files, tmp_path, monkeypatch, form):
    started = []
    start = Reading._start  # noqa: SLF001  # what expat calls for each element that is read by itself
    monkeypatch.setattr(
        Reading, "_start", lambda self, name, given: (started.append(name), start(self, name, given))[1]
    )
    _, complaints = read(tmp_path / "m.xml", files[form])
    assert complaints == []
    assert len(started) < files[form].count("<") / 5


ELEMENT = '<reaction sboTerm="SBO:0000176" id="r40"'
CHANGES = {  # what is put in the place of what, one after the other
    "nothing": (),
    "an id twice": ('id="r40"', 'id="r41"'),
    "no id": ('id="r40"', 'id="4"'),
    "a keyword": ('id="r40"', 'id="lambda"'),
    "an id of a rate constant twice": ('id="k40"', 'id="k39"'),
    "no such rate constant": ("<ci>k40</ci>", "<ci>k</ci>"),
    "no such species": ('species="x_20"', 'species="x_99"', 'species="x_20_s"', 'species="z"'),
    "no such factor": ("<ci>x_20</ci>", "<ci>x_99</ci>", "<ci>x_20_s</ci>", "<ci>z</ci>"),
    "another factor": ("<ci>h_3</ci>", "<ci>h_4</ci>", "<ci>layer1_3</ci>", "<ci>layer1_4</ci>"),
    "twice on a side": ('species="x_20_s"', 'species="layer1_3"'),
    "a comment": (ELEMENT, f"<!-- </reaction> -->{ELEMENT}"),
    "a comment that does not end": (ELEMENT, f"<!-- </reaction> {ELEMENT}"),
    "no XML": ("</kineticLaw>\n</reaction>\n<reaction", "</kineticLaw>\n</reaction>\n<Reaction"),
    "an ampersand": ('id="r40"', 'id="r&40"'),
    "a mark in an id": ('id="r40"', 'id="r>40"'),
    "other quotation marks": ('id="r40"', "id='r40'"),
    "beyond ASCII": ('id="r40"', 'id="r\u00f640"'),
    "a number that is none": ("</cn>", "x</cn>"),
    "on one line": ("\n", ""),
    "with other ends of lines": ("\n", "\r\n"),
}


@pytest.mark.parametrize("form", ["elementary", "local", "summed"])
def test_the_same_is_found_together_as_one_by_one(files, tmp_path, monkeypatch, form):
    for what, change in CHANGES.items():
        text = files[form]
        for old, new in zip(change[::2], change[1::2], strict=True):
            text = text.replace(old, new)
        together, apart = both(tmp_path, monkeypatch, text)
        assert together == apart, what


def test_elements_that_differ_end_a_run():
    row = '<parameter id="{}" value="1.0" constant="true"/>\n'
    layout = Layout.of(row.format("a"))
    rows = row.format("b") + row.format("c")
    assert layout.columns(rows + row.format("d").replace("true", "false"))[1] == len(rows)
    assert layout.columns(rows + '<parameter id="d<" value="1.0" constant="true"/>\n')[1] == len(rows)
    assert layout.columns(rows + '<parameter id="d>" value="1.0" constant="true"/>\n' + rows)[1] == len(rows)
    assert layout.columns(row.format("d").replace("true", "false")) == ([], 0)
    assert layout.columns(rows)[0] == [["b", "c"], ["1.0", "1.0"]]
