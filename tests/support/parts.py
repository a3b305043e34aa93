"""Programs and packages that only some tests need: `needs` leaves those tests out where one is missing, and says so.

`@needs("latex")` marks a test, and `load("torch")` imports a package for a whole module of tests. With
NN2CRN_ALL_PARTS=1, as in CI, what is missing and could be installed fails instead.
"""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest

ALL_PARTS = os.environ.get("NN2CRN_ALL_PARTS", "") not in ("", "0")
MODELS = os.environ.get("NN2CRN_MODELS")
AMICI = os.environ.get("NN2CRN_AMICI", "")  # a Python that has it
PIP = ".venv/bin/python -m pip install"


@dataclass(frozen=True)
class Part:
    """An optional program or package: its name, how to see whether it is here, and how to get it."""

    name: str
    here: Callable[[], bool]
    get: str
    installable: bool = True  # if not, it depends on the machine, and CI may do without it

    @property
    def reason(self) -> str:
        return f"no {self.name}"

    def missing(self) -> NoReturn:
        """Skips the test or the module, or fails it where every part should be here."""
        if ALL_PARTS and self.installable:
            pytest.fail(f"{self.reason}, although NN2CRN_ALL_PARTS is set: {self.get}", pytrace=False)
        pytest.skip(self.reason, allow_module_level=True)


def packages(name: str, *modules: str, get: str) -> Part:
    """A part that is so many importable modules, installed by pip."""
    return Part(name, lambda: all(find_spec(m) for m in modules), f"{PIP} {get}")


def latex() -> bool:
    if not (shutil.which("pdflatex") and shutil.which("kpsewhich")):
        return False
    found = subprocess.run(["kpsewhich", "mhchem.sty", "booktabs.sty"], capture_output=True, check=False)
    return found.returncode == 0


def mount() -> bool:
    user = ["unshare", "--map-root-user", "--mount", "true"]
    return bool(shutil.which("unshare")) and subprocess.run(user, capture_output=True, check=False).returncode == 0


def browser() -> bool:
    return bool(shutil.which("chromium")) and find_spec("playwright") is not None


LATEX = "texlive-latex-base texlive-latex-recommended texlive-science texlive-fonts-recommended"
PARTS = {
    "latex": Part("LaTeX", latex, f"apt-get install {LATEX}"),
    "browser": Part("Chromium and Playwright", browser, f"apt-get install chromium; {PIP} playwright"),
    "notebook": packages("nbclient and ipykernel", "nbclient", "ipykernel", get="nbclient ipykernel"),
    "distributed": packages("dask.distributed", "distributed", get="'nn2crn[cluster]'"),
    "torch": packages("PyTorch", "torch", get="torch"),
    "mypy": packages("mypy", "mypy", get="mypy"),
    "exporters": packages("onnxscript and Keras", "onnxscript", "keras", get="onnxscript keras"),
    "sklearn": packages("scikit-learn", "sklearn", "skl2onnx", get="scikit-learn skl2onnx"),
    "gillespy2": packages("GillesPy2", "gillespy2", get="gillespy2"),
    "pysces": packages("PySCeS", "pysces", get="pysces"),
    "peppercorn": packages("Peppercorn", "peppercornenumerator", "dsdobjects", get="peppercornenumerator"),
    "tellurium": packages("Tellurium", "tellurium", "six", get="tellurium six"),
    "bionetgen": packages("BioNetGen", "bionetgen", get="bionetgen"),
    "amici": Part("AMICI, which takes minutes to build", lambda: bool(AMICI), "make amici", installable=False),
    "mount": Part("private mounts", mount, "allow user namespaces", installable=False),
    "models": Part(
        "other people's models", lambda: bool(MODELS), "name their folder in NN2CRN_MODELS", installable=False
    ),
}


@cache
def is_here(name: str) -> bool:
    return PARTS[name].here()


def needs(*names: str) -> pytest.MarkDecorator:
    """Marks tests that run only where all of these parts are."""
    unknown = set(names) - set(PARTS)
    if unknown:
        raise KeyError(*unknown)
    return pytest.mark.needs(*names)


def require(names: Iterable[str]) -> None:
    """Goes on only where all of these parts are."""
    for name in names:
        if not is_here(name):
            PARTS[name].missing()


def load(name: str) -> ModuleType:
    """The package of this part, for a module of tests that has no use without it."""
    require([name])
    return importlib.import_module(name)


def models(stems: Collection[str] = ()) -> list[object]:
    """The ONNX files of NN2CRN_MODELS, or those of these stems, as parameters; without them the test is left out."""
    files = sorted(Path(MODELS).glob("*.onnx")) if MODELS else []
    found = [path for path in files if not stems or path.stem in stems]
    return found or [pytest.param(Path("NN2CRN_MODELS"), marks=needs("models"))]


def left_out(reasons: Iterable[str], *, slow: bool) -> str:
    """One line on the tests that were skipped for these reasons and on the slow ones; empty if there are none."""
    parts = {part.reason: part for part in PARTS.values()}
    said = []
    for reason, count in Counter(reasons).items():
        part = parts.get(reason)
        said.append(f"{count} without {part.name} ({part.get})" if part else f"{count}: {reason}")
    said += ["the slow ones (make test-all)"] if slow else []
    return f"tests left out: {'; '.join(said)}" if said else ""
