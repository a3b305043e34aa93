"""The catalogue of errors: docs/errors.md has every deliberate one, and each example ends as it says."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[2] / "docs" / "errors.md"


def _script():
    spec = importlib.util.spec_from_file_location("errors_script", DOCUMENT.with_suffix(".py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


SCRIPT = _script()
CLASSES = SCRIPT.classes()


@pytest.mark.parametrize("code", CLASSES)
def test_a_section_is_what_the_program_does(code):
    """The example raises this very class, with its exit status, or there is no section."""
    section = SCRIPT.section(code, CLASSES[code])
    assert section in DOCUMENT.read_text(encoding="utf-8"), "run: python docs/errors.py"


def test_the_catalogue_has_every_class_once_and_nothing_else():
    headings = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("## ")]
    assert headings == [f"## {c} ({k.__name__}, exit status {k.exit_code})" for c, k in CLASSES.items()]
    assert list(SCRIPT.EXAMPLES) == list(CLASSES)
    assert len(CLASSES) == len(SCRIPT.below(SCRIPT.Nn2crnError)), "two classes have one code"
