"""The examples in docstrings are what happens, and every pass has one."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import nn2crn
from nn2crn.compiler import every_pass

PACKAGE = Path(nn2crn.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("module", MODULES)
def test_examples_give_what_they_say(module):
    assert doctest.testmod(import_module(module)).failed == 0


@pytest.mark.parametrize(("name", "step"), every_pass().items())
def test_every_pass_shows_its_law(name, step):
    function = getattr(step, "func", step)  # options aside
    assert function.__name__ == name
    assert ">>> " in function.__doc__
