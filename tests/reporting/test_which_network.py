"""Which network a report speaks of, the model itself or what was compiled of it, and the command that compiles it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import command_line
import numpy as np
import pytest

import nn2crn
from nn2crn.engines.clients.copasi import _reproducible
from nn2crn.templates.options import Choice

ROOT = Path(__file__).parents[2]
XOR, IRIS, DATA = (ROOT / "samples" / f for f in ("xor/xor.nn", "iris/iris.onnx", "iris/iris.csv"))
FEW = ("--samples", "2", "--tubes", "2")
COARSE = ("--logits", "--encoding", "rate-independent", "--bits", "3")
SIX = """network six
input x[2] in [0, 1]
h = relu(dense(x, weight = [[1, -0.7], [0.3, 0.9]], bias = [0.1, 0]))
output y = dense(h, weight = [[1, -0.4], [-0.6, 2]], bias = [0, 0.2])
"""


def words(html):
    """The page's text."""
    return re.sub(r"\s+", " ", re.sub(r"<(svg|style|script).*?</\1>|<[^>]+>", " ", html, flags=re.DOTALL))


@pytest.fixture(scope="module")
def coarse(tmp_path_factory):
    """A report of a network of three bits: the status, the line, the figures and the page."""
    folder = tmp_path_factory.mktemp("coarse")
    done = command_line.nn2crn(
        "report", str(IRIS), *COARSE, "--data", str(DATA), "--samples", "9", "--tubes", "2", "-o", "r.html", "--json",
        cwd=folder,
    )  # fmt: skip
    return done, json.loads(done.stdout), (folder / "r.html").read_text(encoding="utf-8")


def test_a_report_says_both_how_far_the_chemistry_and_how_far_the_compiled_network_is(coarse):
    """The page said `within 0.01 of the network itself` beside a largest error of 3.9."""
    done, figures, html = coarse
    assert done.returncode == 0, done.stderr
    found = figures["verification"]
    assert found["compiled"]["rounding_error"] > 1
    assert max(e["from_compiled"] for e in found["measured"]) < found["tolerance"]
    far = f"{found['compiled']['rounding_error']:.1e}"
    line = done.stderr.splitlines()[-1]
    assert "chemistry against the network as compiled: within 0.01 on 9 samples" in line
    assert f"network as compiled against your model: at most {far}" in line
    cards = words(html[: html.index("<nav")])
    assert re.search(r"Chemistry against the network as compiled within 0\.01", cards)
    assert f"Network as compiled against your model at most {far}" in cards
    assert 'class="warn"' in html
    assert "network itself" not in cards
    assert not re.search(r"Largest error \d\.\de\+", cards)


def test_what_other_programs_end_at_is_the_compiled_network(coarse):
    """The page promised the values of the model before it was quantized."""
    _, figures, html = coarse
    network = nn2crn.load(IRIS, logits=True)
    made = nn2crn.compress(network, nn2crn.Compression(quantize=nn2crn.Quantization.parse("linear:3:zero")))
    options = nn2crn.Options(encoding="rate-independent")
    first = figures["elsewhere"]["sample_values"]
    (there,) = nn2crn.predict(made, [first], options=options).values()
    assert np.allclose(figures["elsewhere"]["expected_ends"], there[0], atol=1e-6)
    course = figures["settling"]["courses"][0]
    assert np.allclose(course["expected_ends"], course["course"][-1], atol=1e-2)
    assert "end at the values of the network as compiled" in words(html)


@pytest.fixture(scope="module")
def two():
    return nn2crn.report(XOR, [[0, 0], [0, 1]], tubes=2)


@pytest.mark.slow
def test_a_proved_error_says_from_which_network(tmp_path):
    done = command_line.nn2crn(
        "report", str(IRIS), "--logits", "--prune", "magnitude:0.5", "--data", str(DATA), *FEW, "-o", "r.html",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert re.search(r"Proved error, at most \S+ of \w+, from the network as compiled", words(html))


def test_a_verification_says_in_python_how_far_the_compiled_network_is():
    report = nn2crn.evaluate.verification.Report(
        "x", 1, 0.01, "the forward pass",
        (nn2crn.evaluate.verification.EngineReport("exact", 3.9, 1.0, 0.77, 0, None, 0, 0.1, 0.1, 1e-12),),
        (), None, 0.0,
        compiled=nn2crn.evaluate.verification.Compiled(3.9, 1.1, 0.77),
    )  # fmt: skip
    assert "chemistry against the network as compiled: within 0.01 on 1 sample in exact" in repr(report)
    assert "network as compiled against your model: at most 3.9e+00 (77.0% same class)" in repr(report)


def test_the_help_of_reports_says_what_the_status_covers():
    text = " ".join(command_line.nn2crn("report", "--help").stdout.split())
    assert "Exit status 3: in some engine, the chemistry is past the tolerance from the network as compiled" in text


def printed(folder, *arguments):
    """The file that the command on the page writes, and the one of `compile` with the report's own options."""
    done = command_line.nn2crn("report", "six.nn", *arguments, *FEW, "-o", "r.html", "--json", cwd=folder)
    assert done.returncode in (0, 3), done.stderr
    command = json.loads(done.stdout)["elsewhere"]["command"]
    program, *pasted = shlex.split(command)
    assert program == "nn2crn"
    done = command_line.nn2crn(*pasted, cwd=folder)
    assert done.returncode == 0, done.stderr
    done = command_line.nn2crn("compile", "six.nn", *arguments, "-o", "direct.xml", cwd=folder)
    assert done.returncode == 0, done.stderr
    return command, (folder / "six.xml").read_bytes(), (folder / "direct.xml").read_bytes()


@pytest.mark.parametrize("arguments", [
    ("--quantize", "linear:3:zero", "--set", "relu.h=1e-3", "--domain", "x=-1:2", "--name", "a_name"),
    pytest.param(("--config", "own file.toml"), marks=pytest.mark.slow),
    pytest.param(("--encoding", "rate-independent", "--bits", "3", "--max-products", "3"), marks=pytest.mark.slow),
    pytest.param(("--accuracy", "0.05", "--data", "six.csv"), marks=pytest.mark.slow),
    pytest.param(("--template", "mine.act", "--activation", "relu=mine"), marks=pytest.mark.slow),
], ids=lambda a: a[0].strip("-"))  # fmt: skip
def test_the_command_on_the_page_runs_when_pasted_and_makes_the_same_file(tmp_path, arguments):
    """It quoted `--quantize linear:3:zero` as one word, and left out --set."""
    (tmp_path / "six.nn").write_text(SIX)
    (tmp_path / "six.csv").write_text("0,0\n0.5,1\n1,0.25\n")
    (tmp_path / "own file.toml").write_text('[layers.layer1]\ntemplate = "relu.anderson2021"\nh = 1e-4\n')
    shipped = (ROOT / "nn2crn/templates/library/relu.anderson2021.act").read_text(encoding="utf-8")
    (tmp_path / "mine.act").write_text(shipped.replace("relu.anderson2021", "relu.mine"))
    command, pasted, direct = printed(tmp_path, *arguments)
    assert pasted == direct
    assert all(shlex.quote(word) in command for word in arguments)


def test_the_command_of_a_report_in_python_has_its_settings(tmp_path):
    options = nn2crn.Options(settings={"relu.h": 1e-3}, variants={"relu": "anderson2021"})
    (tmp_path / "six.nn").write_text(SIX)
    figures = nn2crn.report(tmp_path / "six.nn", samples=2, tubes=2, options=options).figures
    assert not figures["elsewhere"]["own_templates"]
    done = command_line.nn2crn(*shlex.split(figures["elsewhere"]["command"])[1:], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    again = nn2crn.compile(nn2crn.load(tmp_path / "six.nn"), options)
    nn2crn.write(again, tmp_path / "direct.xml")
    assert (tmp_path / "six.xml").read_bytes() == (tmp_path / "direct.xml").read_bytes()
    chosen = nn2crn.Options(layers={"layer1": Choice("anderson2021", {"h": 1e-3})})
    assert nn2crn.report(XOR, samples=1, tubes=1, options=chosen).figures["elsewhere"]["own_templates"]


def test_the_page_says_which_time_is_for_what_and_when_gates_do_not_last(two):
    page = words(two.html)
    assert "Which time is for what: simulate for" in page
    for said in ("at least ten times as long", "of its end;", "that is proved;", "in a tube, where rate constants"):
        assert said in page[page.index("Which time") :]
    assert "The gates last less than it takes to settle" in page


def test_the_accuracy_with_errors_has_the_one_without_beside_it(two):
    exact = f"{two.figures['robustness']['outcomes'][0]['accuracy']:.1%}"
    assert re.search(rf"With rate constants off by 10 % .*without errors {exact}", words(two.html))


def test_one_sample_is_no_samples():
    found = nn2crn.report(XOR, [[0, 1]], tubes=1)
    assert "1 samples" not in words(found.html)
    assert repr(found) == "<ReportPage of xor: within 0.01 on 1 sample>"
    said = command_line.nn2crn("verify", str(XOR), "--samples", "1", "--engine", "fixed-point").stdout
    assert "1 random sample of x in [0, 1]" in said


def test_what_copasi_computes_is_the_same_in_every_run():
    """Its last bits differ from run to run, so that two pages of a model did, now and then."""
    values = np.array([0.0, 1 - 2e-6, -3.3e-30, np.inf])
    nearly = values * (1 + 2e-16)
    assert np.array_equal(_reproducible(values), _reproducible(nearly))
    assert np.allclose(_reproducible(values)[:3], values[:3], rtol=1e-11, atol=0)
