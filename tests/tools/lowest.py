"""Prints the oldest versions that pyproject.toml allows, as constraints for pip."""

# ruff: noqa: T201  # a script

import tomllib
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]

for requirement in PROJECT["dependencies"]:
    print(requirement.replace(">=", "=="))
