"""A report: its figures, and the page that is a function of them."""

from __future__ import annotations

import ast
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import command_line
import numpy as np
import pytest

import nn2crn
from nn2crn.reporting import browser, page

ROOT = Path(__file__).parents[2]
XOR = ROOT / "samples" / "xor" / "xor.nn"
HOSTILE = """network hostile
input x[1] in [0, 1]
output "</script><b>&amp;/~y" = relu(dense(x, weight = [[1]], bias = [0]))
"""


@pytest.fixture(scope="module")
def report():
    return nn2crn.report(XOR, [[0, 0], [0, 1], [1, 0], [1, 1]], tubes=3)


def embedded(html):
    (data,) = re.findall(r'<script type="application/json" id="figures">(.*?)</script>', html, re.DOTALL)
    return json.loads(data)


def shown(html):
    """(path, format, value, text) of each figure that the page shows."""
    found = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag == "data":
                found.append([*(dict(attrs)[k] for k in ("data-figure", "data-format", "value")), ""])
                self.reading = True

        def handle_endtag(self, tag):
            self.reading &= tag != "data"

        def handle_data(self, data):
            if self.reading:
                found[-1][3] += data

    reader = Reader()
    reader.reading = False
    reader.feed(html)
    return found


@pytest.mark.slow
def test_the_page_is_a_function_of_its_figures(report):
    """What it shows, charts too, is made of what JSON says and of nothing else."""
    figures = json.loads(json.dumps(report.as_json(), allow_nan=False))
    assert embedded(report.html) == figures
    assert page.page(figures, report.drawing) == report.html
    changed = json.loads(json.dumps(figures))
    changed["verification"]["measured"][0]["output_errors"][0][0] += 1
    assert page.page(changed, report.drawing) != report.html


def test_every_figure_shown_is_one_of_the_json_rounded_for_print(report):
    figures, found = report.as_json(), shown(report.html)
    assert len(found) > 50
    for path, kind, value, text in found:
        there = page.at(figures, path)
        assert json.loads(value) == there
        assert text == ("\N{EN DASH}" if there is None else page.FORMATS[kind](there))


def test_a_report_says_what_verify_certify_and_robustness_say(report):
    figures = report.as_json()
    engines = {e["engine"]: e for e in figures["verification"]["measured"]}
    inputs = [[0, 0], [0, 1], [1, 0], [1, 1]]
    for found in nn2crn.verify(XOR, inputs).engines:
        assert engines[found.engine]["max_error"] == found.max_error
        assert engines[found.engine]["settling_time"] == found.settling_time
        errors = np.array(engines[found.engine]["output_errors"])
        assert errors.shape == (4, 1)
        assert np.abs(errors).max() == found.max_error
    assert figures["certificate"]["error_bound"] == nn2crn.certify(XOR, box=(0, 1)).error_bound
    outcomes = nn2crn.robustness(XOR, inputs, tubes=3, amounts=0.05).as_json()["outcomes"]
    assert figures["robustness"]["outcomes"] == list(outcomes)
    assert figures["realisation"]["unit"] == nn2crn.realise(XOR, inputs).unit
    assert figures["cost"]["reactions"] == nn2crn.compile(nn2crn.load(XOR)).reaction_count
    assert sum(sum(order["counts"]) for order in figures["rate_histograms"]) == figures["cost"]["reactions"]


@pytest.mark.slow
def test_the_same_model_gives_the_same_page(report):
    again = nn2crn.report(XOR, [[0, 0], [0, 1], [1, 0], [1, 1]], tubes=3)
    assert again.html == report.html
    assert repr(again) == "<ReportPage of xor: within 0.01 on 4 samples>"


@pytest.mark.slow
def test_the_certificate_is_for_all_samples_given_not_only_for_those_run(tmp_path):
    """The box was that of the samples that were run: others of the same file lay outside of what was called proved."""
    (tmp_path / "net.nn").write_text("input x[1]\noutput y = relu(x)\n")
    found = nn2crn.report(tmp_path / "net.nn", [[0.0], [3.0], [0.5], [0.25], [1.0]], samples=3, tubes=2)
    assert found.figures["samples"] == 3
    assert found.figures["sample_numbers"] == [0, 2, 4]
    assert found.figures["certificate"]["box"] == {"x": [0.0, 3.0]}


@pytest.mark.slow
def test_without_data_the_page_says_that_inputs_are_random():
    found = nn2crn.report(XOR, samples=3, tubes=2)
    assert "random samples of x in [0, 1]" in re.sub(r"<[^>]*>|\s+", " ", found.html).replace("  ", " ")
    assert found.figures["drawn"] == "random samples of x in [0, 1]"
    assert (found.figures["samples"], found.figures["sample_numbers"]) == (3, [0, 1, 2])


@pytest.mark.slow
def test_names_are_text_and_never_markup(tmp_path):
    (tmp_path / "hostile.nn").write_text(HOSTILE)
    found = nn2crn.report(tmp_path / "hostile.nn", samples=2, tubes=2)
    assert "<b>" not in found.html
    assert found.html.count("<script") == found.html.count("</script>") == 1
    assert embedded(found.html) == found.as_json()


def test_headings_tables_and_pictures_can_be_read_aloud(report):
    html = report.html
    levels = [int(n) for n in re.findall(r"<h([1-6])", html)]
    assert levels[0] == levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    assert len(re.findall(r"<table", html)) == len(re.findall(r"<caption>", html))
    assert not re.findall(r"<th(?![^>]*scope=)[ >]", html)
    svgs = re.findall(r"<(div|figure)[^>]*>\s*<svg|<svg", html)
    assert len(re.findall(r'role="img"\s+aria-label="[^"]{20,}', html)) == len(svgs)
    ids = re.findall(r'\bid="([^"]*)"', html)
    assert len(ids) == len(set(ids))


def test_the_page_has_no_address_that_a_browser_would_load(report):
    assert "default-src &#39;none&#39;" in report.html or "default-src 'none'" in report.html
    loaded = re.findall(r'(?:src|href)="([^"#][^"]*)"', report.html)
    assert all(address.startswith("data:") for address in loaded), loaded
    assert not re.findall(r"url\((?!#)", report.html)


@pytest.mark.slow
def test_the_command_writes_the_page_and_prints_the_figures(tmp_path):
    done = command_line.nn2crn(
        "report", str(XOR), "--samples", "2", "--tubes", "2", "-o", "x.html", "--json", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["schema"] == "nn2crn report 1"
    assert embedded((tmp_path / "x.html").read_text(encoding="utf-8")) == figures
    assert done.stderr.startswith("x.html: within 0.01 on 2 samples")


@pytest.mark.parametrize(("arguments", "says"), [
    (["--labels", "label"], "give --data"),
    (["-o", "nowhere/x.html"], "there is no folder nowhere"),
    pytest.param(["--tolerance", "1e-9", "--samples", "2", "--tubes", "2"], "NOT within 1e-09", marks=pytest.mark.slow),
])  # fmt: skip
def test_what_the_command_refuses_and_what_is_not_good(tmp_path, arguments, says):
    done = command_line.nn2crn("report", str(XOR), *arguments, cwd=tmp_path)
    assert done.returncode == {"give --data": 2, "NOT within 1e-09": 3}.get(says, 1)
    assert says in done.stderr


def test_the_page_is_not_written_into_a_pdf(tmp_path):
    """It was, over one that was there: `-o` is for HTML."""
    (tmp_path / "r.pdf").write_bytes(b"%PDF-1.7")
    done = command_line.nn2crn("report", str(XOR), "-o", "r.pdf", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "nn2crn: r.pdf: -o writes HTML\nhint: --pdf r.pdf\n"
    assert (tmp_path / "r.pdf").read_bytes() == b"%PDF-1.7"


def test_a_pdf_without_a_browser_is_refused_with_what_it_needs(monkeypatch, report, tmp_path):
    monkeypatch.setattr(browser.shutil, "which", lambda _: None)
    with pytest.raises(nn2crn.Nn2crnError, match="Chromium, Chrome or Edge") as e:
        report.write_pdf(tmp_path / "x.pdf")
    assert "apt-get install chromium" in e.value.hint
    assert not (tmp_path / "x.pdf").exists()


def test_a_report_without_its_packages_says_which(monkeypatch):
    monkeypatch.setattr(page, "find_spec", lambda name: None if name == "jinja2" else name)
    with pytest.raises(nn2crn.Nn2crnError, match="needs jinja2") as e:
        nn2crn.report(XOR)
    assert "nn2crn[report]" in e.value.hint


def test_a_name_of_a_file_is_no_code_in_the_script(tmp_path):
    """A quote in it ended the string that the page's script opens."""
    name = """x"); print("INJECTED") #.nn"""
    (tmp_path / name).write_text(XOR.read_text(encoding="utf-8"), encoding="utf-8")
    done = command_line.nn2crn("report", name, "--samples", "1", "--tubes", "1", "--json", "-o", "x.html", cwd=tmp_path)
    script = json.loads(done.stdout)["elsewhere"]["script"]
    calls = [c for c in ast.walk(ast.parse(script)) if isinstance(c, ast.Call)]
    assert [c.args[0].value for c in calls if getattr(c.func, "attr", "") == "RoadRunner"] == [
        name.replace(".nn", ".xml")
    ]
    assert "INJECTED" not in {getattr(c.args[0], "value", "") for c in calls if c.args}


@pytest.mark.parametrize("in_python", [True, False])
def test_the_command_to_copy_takes_a_file_whose_name_begins_with_a_hyphen(tmp_path, monkeypatch, in_python):
    """It was taken for options: `compile -xor.nn`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-xor.nn").write_text(XOR.read_text(encoding="utf-8"), encoding="utf-8")
    if in_python:
        command = nn2crn.report("-xor.nn", samples=1, tubes=1).as_json()["elsewhere"]["command"]
    else:
        few = ("--samples", "1", "--tubes", "1", "--json", "-o", "x.html", "--", "-xor.nn")
        done = command_line.nn2crn("report", *few, cwd=tmp_path)
        command = json.loads(done.stdout)["elsewhere"]["command"]
    assert (command.startswith("nn2crn compile ./-xor.nn "), command.endswith(" -o ./-xor.xml")) == (True, True)
    done = command_line.nn2crn(*command.split()[1:], cwd=tmp_path)
    assert (done.returncode, (tmp_path / "-xor.xml").exists()) == (0, True), done.stderr
