"""Tests that need what is missing are left out, and it is said; where everything should be there, they fail."""

from __future__ import annotations

import signal
import subprocess
import sys

import parts
import pytest

MISSING = parts.Part("LaTeX", lambda: False, "apt-get install texlive")


def test_what_is_missing_leaves_the_test_out(monkeypatch):
    monkeypatch.setattr(parts, "ALL_PARTS", False)
    with pytest.raises(pytest.skip.Exception, match="no LaTeX"):
        MISSING.missing()


def test_what_is_missing_fails_where_all_should_be_there(monkeypatch):
    monkeypatch.setattr(parts, "ALL_PARTS", True)
    with pytest.raises(pytest.fail.Exception, match=r"no LaTeX, .* apt-get install texlive"):
        MISSING.missing()
    with pytest.raises(pytest.skip.Exception):
        parts.PARTS["mount"].missing()  # which nobody can install


def test_a_part_that_nobody_knows_is_refused():
    with pytest.raises(KeyError, match="latecks"):
        parts.needs("latecks")


def test_what_was_left_out_is_one_line():
    assert parts.left_out([], slow=False) == ""
    said = parts.left_out(["no PyTorch", "no LaTeX", "no PyTorch", "on Windows"], slow=True)
    assert "\n" not in said
    assert said.startswith("tests left out: 2 without PyTorch (.venv/bin/python -m pip install torch); 1 without LaTeX")
    assert said.endswith("; 1: on Windows; the slow ones (make test-all)")


@pytest.fixture
def background():
    """As a shell starts a script's `make test &`."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("background", "interruptible")
def test_programs_are_interrupted_though_the_tests_run_in_the_background():
    code = "import signal; print(signal.getsignal(signal.SIGINT).__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "default_int_handler\n"
