"""docs/dependencies.md names what pyproject.toml asks for, and its place; CITATION.cff names the version."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIGURATION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = CONFIGURATION["project"]
EXTRAS = PROJECT["optional-dependencies"] | {"clients": CONFIGURATION["dependency-groups"]["clients"]}
TABLE = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (.+?) \| .+? \| .+? \| (.+?) \| .+? \|$", TABLE, re.MULTILINE)
MODULES = {"scikit-sundae": "sksundae", "python-libsbml": "libsbml"}


def name(requirement):
    return re.split(r"[<>=\[]", requirement)[0]


@pytest.mark.parametrize("package", [name(p) for p in PROJECT["dependencies"]])
def test_each_dependency_has_its_place(package):
    (places,) = (where for what, where in ROWS if package in re.split(r", ", what))
    users = imported_in(MODULES.get(package, package))
    assert users
    for place in re.findall(r"`(.+?)`", places):
        assert any(u.startswith(place) for u in users), f"{package} is not imported in {place}"
    if "only" in places:
        (place,) = re.findall(r"`(.+?)`", places)
        assert all(u.startswith(place) for u in users)


def imported_in(module):
    """Files of the package that import the module."""
    importing = re.compile(rf"^\s*(?:import|from) {module}\b", re.MULTILINE)
    files = (ROOT / "nn2crn").rglob("*.py")
    return [f.relative_to(ROOT / "nn2crn").as_posix() for f in files if importing.search(f.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("extra", ["verify", "plot", "report", "train", "sklearn", "cluster", "clients"])
def test_each_extra_is_in_the_table(extra):
    listed = " ".join(what for what, _ in ROWS if what.startswith(f"*{extra}:*"))
    assert all(name(p) in listed for p in EXTRAS[extra])


def test_all_is_every_extra_and_no_tool_of_developers():
    (every,) = EXTRAS["all"]
    assert set(re.search(r"\[(.*)\]", every)[1].split(",")) == set(PROJECT["optional-dependencies"]) - {"all"}


def test_the_citation_is_of_this_version():
    assert f"version: {PROJECT['version']}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
