"""The pages of iris, digits, a recurrent and a rate-independent sample in Chromium, narrow and wide, light and dark.

The pages and the pictures that are taken of them stay in build/reports, to be looked at.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import command_line
import pytest
from parts import needs

from nn2crn.reporting import page

pytestmark = [pytest.mark.slow, needs("browser")]

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples"
MADE = ROOT / "build" / "reports"
MODELS = {
    "iris": ["iris/iris.onnx", "--logits", "--domain", "0:8", "--data", "iris/iris.csv", "--labels", "label"],
    "digits": ["digits/digits.onnx", "--logits", "--domain", "0:1", "--data", "digits/digits.npz", "--labels", "label"],
    "recurrent": ["lasso/lasso.nn"],
    "rate-independent": [
        *("digits/digits_ternary.nn", "--encoding", "rate-independent"),
        *("--data", "digits/digits.npz", "--labels", "label"),
    ],
}
LARGEST = 5_000_000  # bytes
# every figure as the page shows it, and every place where something stands out of the page
SEEN = """() => ({
  figures: [...document.querySelectorAll("data[data-figure]")].map(
    d => [d.dataset.figure, d.dataset.format, JSON.parse(d.value), d.textContent, d.getClientRects().length]),
  json: JSON.parse(document.getElementById("figures").textContent),
  wide: document.documentElement.scrollWidth, window: document.documentElement.clientWidth,
  cut: [...document.querySelectorAll("figure svg text")].filter(t => {
    const box = t.getBoundingClientRect(), svg = t.ownerSVGElement.getBoundingClientRect();
    return box.left < svg.left - 2 || box.right > svg.right + 2;
  }).map(t => t.textContent),
})"""


@cache
def made(name):
    """The page, and what --json printed."""
    MADE.mkdir(parents=True, exist_ok=True)
    target = MADE / f"{name}.html"
    done = command_line.nn2crn("report", *MODELS[name], "-o", str(target), "--json", cwd=SAMPLES)
    assert done.returncode == 0, done.stderr
    return target, json.loads(done.stdout)


@contextmanager
def opened(target, width, scheme):
    """The page in Chromium, and everything that it says or asks for."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        seen, said = context.new_page(), []
        seen.on("console", lambda message: said.append(message.text))
        seen.on("pageerror", lambda error: said.append(str(error)))
        seen.on("request", lambda request: said.append(request.url) if request.url != target.as_uri() else None)
        seen.goto(target.as_uri())
        yield seen, said
        chromium.close()


@pytest.mark.parametrize("name", MODELS)
def test_a_report_opens_in_chromium_and_shows_the_figures_of_its_json(name):
    target, figures = made(name)
    assert target.stat().st_size < LARGEST
    for width in (400, 1280):
        for scheme in ("light", "dark"):
            with opened(target, width, scheme) as (seen, said):
                found = seen.evaluate(SEEN)
                seen.screenshot(path=MADE / f"{name}-{width}-{scheme}.png", full_page=True)
            assert said == []
            assert found["json"] == figures
            assert found["wide"] <= found["window"] == width
            assert found["cut"] == []
            assert len(found["figures"]) > 50
            for path, kind, value, text, boxes in found["figures"]:
                there = page.at(figures, path)
                assert value == there
                assert text == ("\N{EN DASH}" if there is None else page.FORMATS[kind](there))
                assert boxes


@pytest.mark.parametrize("name", MODELS)
def test_what_a_report_shows_is_good(name):
    """All engines ran, and agree; each part of the page is there, or says why not."""
    _, figures = made(name)
    found = figures["verification"]
    assert found["ok"]
    assert found["failures"] == found["skipped"] == []
    first = "exact" if name == "rate-independent" else "fixed-point"
    assert [e["engine"] for e in found["measured"]] == [first, "internal", "roadrunner", "copasi"]
    assert found["disagreement"] < 1e-5
    assert len(figures["settling"]["courses"]) == 2
    assert figures["realisation"] is not None
    assert list(figures["missing"]) == ["robustness"] * (name == "recurrent")


def test_the_script_on_the_page_computes_what_the_page_says(tmp_path):
    for folder in ("iris", "digits"):
        (tmp_path / folder).symlink_to(SAMPLES / folder)
    for name in ("iris", "rate-independent"):
        _, figures = made(name)
        how = figures["elsewhere"]
        written = command_line.nn2crn(*how["command"].split()[1:], "-q", cwd=tmp_path)
        assert written.returncode == 0, written.stderr
        found = json.loads(subprocess.check_output([sys.executable, "-c", how["script"]], cwd=tmp_path, text=True))
        assert found == pytest.approx(how["expected_ends"], abs=1e-3)


def test_a_pdf_has_every_part_of_the_page(tmp_path):
    done = command_line.nn2crn("report", "xor/xor.nn", "--samples", "4", "--pdf", str(tmp_path / "x.pdf"), cwd=SAMPLES)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "x.pdf").read_bytes().startswith(b"%PDF-")
    text = subprocess.check_output(["pdftotext", "-layout", tmp_path / "x.pdf", "-"], encoding="utf-8")
    for heading in ("Certificate", "Verification", "Settling", "Robustness", "In a tube", "Provenance"):
        assert f"\n{heading}\n" in text or f"\f{heading}\n" in text
