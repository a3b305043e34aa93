"""The wheel, not the checkout: built, installed in an empty venv and used in another folder."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)], check=True, capture_output=True
    )
    (found,) = folder.glob("*.whl")
    return found


def test_the_wheel_carries_grammars_templates_and_types(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {"nn2crn/grammars/reactions.lark", "nn2crn/grammars/network.lark", "nn2crn/py.typed"} <= set(names)
    assert sum(n.endswith(".act") for n in names) == len(list((ROOT / "nn2crn" / "templates").glob("*.act")))
    assert not any(n.startswith(("tests/", "samples/")) for n in names)


def test_an_installed_wheel_compiles_the_iris_sample(wheel, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    binaries = tmp_path / "venv" / "bin"
    pip = [str(binaries / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    away = tmp_path / "away"
    away.mkdir()
    for sample in ("iris/iris.onnx", "xor/xor.nn"):
        source = away / Path(sample).name
        source.write_bytes((ROOT / "samples" / sample).read_bytes())
        done = subprocess.run(
            [str(binaries / "nn2crn"), "compile", source.name], cwd=away, capture_output=True, text=True, check=False,
            env={"PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert source.with_suffix(".xml").read_text().endswith("</sbml>\n")
