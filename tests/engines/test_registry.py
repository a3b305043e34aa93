"""The table of engines: what commands, errors and documents say of engines follows from it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from installed import command, install

import nn2crn
from nn2crn.engines.registry import engine_for, engine_names, engines
from nn2crn.errors import UsageError
from nn2crn.evaluate.case import engine
from nn2crn.evaluate.verify import default_engines

ROOT = Path(__file__).parents[2]
XOR = ROOT / "samples" / "xor" / "xor.nn"

OWN = """
from nn2crn.engines.steady_state.closed_form import FixedPoint
from nn2crn.engines.registry import EngineRecord

def opened(subject):
    return FixedPoint(subject.network)

own = EngineRecord(NAME, "the closed forms, by another name", opened, in_time=False)
"""


@pytest.fixture
def xor():
    return nn2crn.compile(nn2crn.load(XOR))


def test_the_documents_have_the_table():
    rows = re.findall(r"^\| `([a-z-]+)` \| (.*) \| (.*) \|$", (ROOT / "docs" / "verify.md").read_text(), re.MULTILINE)
    assert rows == [(e.name, e.summary, e.good_for) for e in engines()]


def test_engines_without_a_time_course_do_not_simulate():
    assert set(engine_names()) - set(engine_names(in_time=True)) == {"fixed-point", "exact"}


def test_an_engine_refuses_networks_of_another_encoding(xor):
    other = replace(xor, encoding="another")
    assert engine_for("internal", other).name == "internal"
    with pytest.raises(UsageError, match="does not run networks of the another encoding") as caught:
        engine_for("fixed-point", other)
    assert caught.value.hint == "these do: internal, roadrunner, copasi, stochastic"
    assert "fixed-point" not in default_engines(other)[0]


def test_an_unknown_engine_is_refused_with_those_there_are(xor):
    with pytest.raises(UsageError, match="no engine 'fast'") as caught, engine("fast", xor):
        pass
    assert ", ".join(engine_names()) in caught.value.hint


def test_an_engine_of_an_installed_package_verifies(tmp_path):
    install(tmp_path, "mine", {"own.py": OWN.replace("NAME", '"again"')}, {"nn2crn.engines": "again = mine.own:own"})
    status, printed = command(tmp_path, "verify", XOR, "--engine", "again", "--samples", 2)
    assert status == 0, printed
    assert re.search(r"^again .* s$", printed, re.MULTILINE)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (OWN.replace("NAME", '"internal"'), "there is one of this name"),
        ("own = 3", "is not an nn2crn.engines.registry.EngineRecord"),
        ("raise RuntimeError('no')", "RuntimeError('no')"),
    ],
)
def test_an_engine_that_cannot_be_used_is_left_out(tmp_path, text, why):
    install(tmp_path, "mine", {"own.py": text}, {"nn2crn.engines": "own = mine.own:own"})
    status, printed = command(tmp_path, "verify", XOR, "--engine", "internal", "--samples", 1)
    assert status == 0, printed
    assert printed.count("is left out") == 1
    assert "package mine 1.0" in printed
    assert why in printed
