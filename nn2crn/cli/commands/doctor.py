"""nn2crn doctor."""

from __future__ import annotations

import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import click

from nn2crn.cli.console import json_option, say, show_json, table
from nn2crn.cli.options.sections import Command
from nn2crn.plugins import installed
from nn2crn.version import __version__

# What nn2crn itself needs; what it can use besides, what for, and how to get it.
_NEEDED = ("onnx", "numpy", "scipy", "scikit-sundae", "sympy", "lark", "python-libsbml", "networkx")
_PACKAGES = {
    "onnxruntime": ("verify runs .onnx models in it", "nn2crn[verify]"),
    "libroadrunner": ("verify, simulate: the written file in roadrunner", "nn2crn[verify]"),
    "python-copasi": ("verify, simulate: the written file in COPASI", "nn2crn[verify]"),
    "antimony": ("verify --file, validate: Antimony files", "nn2crn[verify]"),
    "matplotlib": ("--plot, and drawings of templates", "nn2crn[plot]"),
    "jinja2": ("report", "nn2crn[report]"),
    "torch": ("train, by gradients", "nn2crn[train]"),
    "pandas": ("courses as DataFrames, in Python", "pandas"),
}
_PROGRAMS = {
    "pdflatex": ("makes pages of .tex files", "install TeX Live, with mhchem"),
    "chromium": ("report --pdf (Chrome or Edge do it, too)", "apt-get install chromium"),
    "dot": ("draws .dot files", "install Graphviz"),
    "CopasiUI": ("opens .xml and .omex files", "install it from copasi.org"),
}


@click.command(cls=Command)
@json_option
def doctor(as_json: bool) -> None:
    """Say which programs and packages are here, in which version, what each is for, and how to get the others."""
    found = _found()
    if as_json:
        show_json("doctor", found)
        return
    say(f"nn2crn {found['version']}, Python {found['python']} on {found['platform']}, {sys.executable}")
    say(", ".join(f"{name} {there or 'MISSING'}" for name, there in found["needed"].items()))
    click.echo()
    rows: list[tuple[str, ...]] = [
        (name, part["version"] or "here", part["for"])
        if part["installed"]
        else (name, "-", f"not here: {part['get']}; {part['for']}")
        for name, part in found["optional"].items()
    ]
    table(("optional", "version", "what for"), rows, "<<<")
    for name, package in found["plugins"].items():
        why = found["unloadable"].get(name)
        say(f"installed besides: {name}, of {package}" + (f", but it CANNOT BE LOADED: {why}" if why else ""), 4)


def _found() -> dict[str, Any]:
    optional: dict[str, Any] = {}
    for name, (use, get) in _PACKAGES.items():
        there = _version(name)
        optional[name] = {"installed": there is not None, "version": there, "for": use, "get": f"pip install '{get}'"}
    for name, (use, get) in _PROGRAMS.items():
        optional[name] = {"installed": shutil.which(name) is not None, "version": None, "for": use, "get": get}
    besides = list(installed())
    return {
        "version": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "needed": {name: _version(name) for name in _NEEDED},
        "optional": optional,
        "plugins": {f"{kind} {name}": package for kind, name, package, _ in besides},
        "unloadable": {f"{kind} {name}": why for kind, name, _, why in besides if why},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
