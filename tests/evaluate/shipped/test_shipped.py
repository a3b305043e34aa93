"""verify --file: the clients run the file that ships, and a file that is not what its record names is found out."""

from __future__ import annotations

import gzip
import json
import re
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from strangers import smoothed_relu

import nn2crn
from nn2crn.backends.record import read_record, show_record
from nn2crn.backends.registry import formats
from nn2crn.cli import cli
from nn2crn.engines.registry import engines
from nn2crn.errors import Nn2crnError

SAMPLES = Path(__file__).parents[3] / "samples"
XOR = SAMPLES / "xor" / "xor.nn"
IRIS = SAMPLES / "iris" / "iris.onnx"
CLIENTS = [e.name for e in engines() if e.reads_file and not e.asked]
CLIENT = [word for name in CLIENTS for word in ("--engine", name)]


def run(*args, check=True):
    done = CliRunner().invoke(cli, [str(a) for a in args])
    if check and done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def verify(model, file, *more, samples=3):
    """The exit status, and the report."""
    done = run("verify", model, "--file", file, *more, "--samples", samples, "--json")
    return done.exit_code, json.loads(done.stdout)


@pytest.mark.parametrize("name", ["m.xml", "m.ant", "m.omex", "m.xml.gz", "m.ant.gz"])
@pytest.mark.parametrize("model", [XOR, IRIS], ids=lambda p: p.stem)
def test_a_file_that_was_written_is_what_it_says_it_is(tmp_path, model, name):
    path = tmp_path / name
    run("compile", model, *["--logits"] * (model == IRIS), "-o", path)
    status, report = verify(model, path, *CLIENT)
    assert status == 0, report
    assert report["file"] == str(path)
    assert report["difference"] == ""
    assert [e["engine"] for e in report["engines"]] == CLIENTS


def every_option():
    """Each option of the formats that can be verified, with a value other than the default."""
    given = {"t_end": "3000", "t_scan": "3000"}
    for f in formats():
        if f.name in ("sbml", "antimony", "omex"):
            for o in f.declared:
                value = [o.choices[-1]] if o.choices else [given[o.name]] if o.value else []
                yield pytest.param(f.suffixes[0], [f"--{o.name.replace('_', '-')}", *value], id=f"{f.name}-{o.name}")


@pytest.mark.parametrize(("suffix", "options"), [*every_option()])
def test_whoever_adds_an_option_to_a_format_has_it_recorded(tmp_path, suffix, options):
    path = tmp_path / f"m{suffix}"
    run("compile", XOR, *options, "-o", path)
    status, report = verify(XOR, path, "--engine", "fixed-point", "--engine", "roadrunner")
    assert status == 0, report
    assert not report["difference"]
    assert report["disagreement"] < 1e-5


CHOICES = {
    "template and parameter": ["--relu", "annihilation", "--set", "relu.k=12345.678"],
    "accuracy": ["--accuracy", "3e-3"],
    "domain": ["--domain", "-1:2"],
    "passes": ["--passes", "drop_dead,merge_reactions,drop_idle"],
    "name": ["--name", "other"],
    "values at the start": ["--input", "0.25,0.75"],
    "kappa": ["--kappa", "60"],
    "units": ["--concentration-unit", "nM", "--time-unit", "min"],
    "identity": ["--set", "identity.k=3"],
}


@pytest.mark.parametrize("what", CHOICES)
@pytest.mark.parametrize("name", ["m.xml", "m.ant"])
def test_what_was_chosen_is_read_back_from_the_file(tmp_path, what, name):
    run("compile", XOR, *CHOICES[what], "-o", tmp_path / name)
    status, report = verify(XOR, tmp_path / name, "--engine", "fixed-point", "--tolerance", "0.1")
    assert status == 0, report
    assert not report["difference"]


def test_layers_of_compositions_are_read_back_exactly(tmp_path):
    (tmp_path / "n.nn").write_text("input x[2] in [-1, 1]\noutput y = silu.product(x)\n")
    (tmp_path / "c.toml").write_text(
        '[layers."layer1.sigmoid"]\nk = 7\n[layers."layer1.product"]\nk = 2.000000000000001\n'
    )
    options = ["--config", tmp_path / "c.toml"]
    run("compile", tmp_path / "n.nn", *options, "-o", tmp_path / "n.xml")
    status, report = verify(tmp_path / "n.nn", tmp_path / "n.xml", "--engine", "internal", "--tolerance", 0.1)
    assert status == 0, report
    assert report["layer_templates"]["layer1.sigmoid"]["parameters"]["k"] == 7
    assert report["layer_templates"]["layer1.product"]["parameters"]["k"] == 2.000000000000001


def other(digits, place):
    """The number with one digit changed."""
    places = [i for i, c in enumerate(digits.partition("e")[0]) if c.isdigit()]
    i = places[place]
    return digits[:i] + str((int(digits[i]) + 5) % 10) + digits[i + 1 :]


@pytest.mark.parametrize("place", [0, 1, -1])
@pytest.mark.parametrize("name", ["m.xml", "m.ant"])
def test_one_digit_of_one_rate_constant_is_found_whether_outputs_feel_it_or_not(tmp_path, name, place):
    """Other parameters were compiled for the tolerance, and passed; the file was not looked at."""
    path = tmp_path / name
    run("compile", IRIS, "--logits", "-o", path)
    text = path.read_text()
    pattern = r'(<parameter id="(k\d+)" value=")([^"]*)' if name == "m.xml" else r"(\n  (k\d+) = )([^;]*)"
    found = [m for m in re.finditer(pattern, text) if len(m[3]) > 6]
    for match in found[:: len(found) // 4]:
        changed = other(match[3], place)
        assert float(changed) != float(match[3])
        path.write_text(text[: match.start()] + match[1] + changed + text[match.end() :])
        status, report = verify(IRIS, path, "--engine", "fixed-point")
        assert status == 3
        where, _, said = report["difference"].replace(f"{match[2]} = ", "").partition(": ")
        assert where in (f"parameter {match[2]}", f"line {text[: match.end()].count(chr(10)) + 1}")
        assert [*map(float, said.split(" instead of "))] == [float(changed), float(match[3])]
        assert not report["ok"]


def test_the_clients_run_the_file_itself(tmp_path):
    """What is wrong in the file is measured by them, and not by our own engines, which run what it names."""
    path = tmp_path / "m.xml"
    run("compile", XOR, "-o", path)
    text = path.read_text()
    broken = text.replace('value="2.0"', 'value="3.0"')
    assert broken != text
    path.write_text(broken)
    status, report = verify(XOR, path, "--engine", "fixed-point", *CLIENT, samples=10)
    assert status == 3
    errors = {e["engine"]: e["max_error"] for e in report["engines"]}
    assert errors["fixed-point"] < 1e-2
    assert min(errors["roadrunner"], errors["copasi"]) > 1e-2
    said = run("verify", XOR, "--file", path, "--samples", 2, "--engine", "fixed-point").stdout
    assert "within 0.01 of the network\nNOT what it says it is:" in said


REFUSED = {
    "another model": (IRIS, "m.xml", lambda t: t, "was made from another model"),
    "no record": (XOR, "m.xml", lambda t: re.sub("<record>.*</record>", "", t), "does not say what it was made from"),
    "no comment": (XOR, "m.ant", lambda t: re.sub("// compiled.*\n", "\n", t), "does not say what it was made from"),
    "no JSON": (XOR, "m.xml", lambda t: t.replace('{"model', "{model"), "is not what nn2crn writes"),
    "deep JSON": (XOR, "m.xml", lambda t: re.sub("<record>.*</record>", f"<record>{'[' * 9**6}</record>", t), "is not"),
    "no layers": (XOR, "m.xml", lambda t: t.replace('"layers": {', '"layers": 3, "l": {'), "is not what nn2crn writes"),
    "no such layer": (XOR, "m.xml", lambda t: t.replace('"layers": {"', '"layers": {"no', 1), "of how it was made"),
    "no such template": (XOR, "m.xml", lambda t: t.replace('anderson2021", "p', 'x", "p'), "of how it was made"),
    "no such pass": (XOR, "m.xml", lambda t: t.replace('"drop_dead"', '"drop"'), "there is no optional pass"),
    "no such encoding": (XOR, "m.xml", lambda t: t.replace('"catalytic"', '"none"'), "of how it was made"),
    "no such option": (XOR, "m.xml", lambda t: t.replace('"pure": false', '"sure": false'), "of its format"),
    "no XML": (XOR, "m.xml", lambda t: t[:-20], "not XML"),
    "entities": (XOR, "m.xml", lambda t: t.replace("?>", "?><!DOCTYPE a>", 1), "a document type"),
    "no Antimony": (XOR, "m.ant", lambda t: t.replace("\nmodel ", "\nmodell ", 1), "libAntimony cannot read it"),
    "no archive": (XOR, "m.omex", lambda t: t, "not an archive"),
    "no file": (XOR, "n.xml", lambda t: t, "No such file"),
    "no format": (XOR, "m.tex", lambda t: t, "--file takes SBML"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_a_file_that_says_nothing_or_something_else_is_refused(tmp_path, what):
    model, name, change, message = REFUSED[what]
    written = tmp_path / ("m.ant" if name == "m.ant" else "m.xml")
    run("compile", XOR, "-o", written)
    changed = change(written.read_text())
    if name != "n.xml":
        (tmp_path / name).write_text(changed)
    with pytest.raises(Nn2crnError, match=message):
        run("verify", model, "--file", tmp_path / name, "--engine", "fixed-point")


def test_the_antimony_in_an_archive_is_looked_at_too(tmp_path):
    """Only the SBML was."""
    run("compile", XOR, "-o", tmp_path / "m.omex")
    with zipfile.ZipFile(tmp_path / "m.omex") as whole, zipfile.ZipFile(tmp_path / "n.omex", "w") as other:
        for name in whole.namelist():
            text = whole.read(name)
            changed = text.replace(b" = 2.0;", b" = 2.5;", 1) if name == "model.ant" else text
            assert name != "model.ant" or changed != text
            other.writestr(name, changed)
    assert verify(XOR, tmp_path / "m.omex", "--engine", "fixed-point")[0] == 0
    status, report = verify(XOR, tmp_path / "n.omex", "--engine", "fixed-point")
    assert status == 3
    assert report["difference"].startswith("its Antimony: line ")


def test_a_file_says_itself_which_parameters(tmp_path):
    run("compile", XOR, "-o", tmp_path / "m.xml")
    for options in (["--set", "relu.h=1e-3"], ["--accuracy", "0.1"], ["--relu", "annihilation"]):
        with pytest.raises(Nn2crnError, match="--file says itself"):
            run("verify", XOR, "--file", tmp_path / "m.xml", *options)


ENGINE = ["--engine", "fixed-point", "--tolerance", 99]  # pruning is far off


@pytest.mark.parametrize("options", [["--prune", "magnitude:0.3"], ["--quantize", "linear:4"],
                                     ["--prune", "set:0.3", "--quantize", "ternary"]])  # fmt: skip
@pytest.mark.parametrize("name", ["m.xml", "m.ant"])
def test_a_file_says_itself_how_it_was_pruned_and_quantized(tmp_path, options, name):
    """It said nothing of that, and without the same options it was said not to be what it is."""
    run("compile", IRIS, "--logits", *options, "-o", tmp_path / name)
    status, report = verify(IRIS, tmp_path / name, *ENGINE)
    assert status == 0
    assert not report["difference"]
    assert verify(IRIS, tmp_path / name, *options, *ENGINE)[0] == 0
    with pytest.raises(
        Nn2crnError, match=f"was compiled from .* with {' '.join(options[:2])}.*, not with --prune magn.*:0.6"
    ):
        run("verify", IRIS, "--file", tmp_path / name, "--prune", "magnitude:0.6", *ENGINE)
    run("compile", IRIS, "--logits", "-o", tmp_path / name)
    with pytest.raises(Nn2crnError, match=f"with all weights, not with {' '.join(options[:2])}"):
        run("verify", IRIS, "--file", tmp_path / name, *options, *ENGINE)


def test_what_was_repaired_wants_the_same_data_and_layers_the_same_configuration(tmp_path):
    """Both are said, and nothing is taken for a difference of the file."""
    (tmp_path / "c.toml").write_text('[weights.add_result1]\nquantize = "linear:4"\n')
    data = ["--data", IRIS.with_suffix(".csv")]
    for options in (["--prune", "magnitude:0.3", "--repair", *data], ["--prune", "cosine:0.3", *data],
                    ["--config", tmp_path / "c.toml"]):  # fmt: skip
        run("compile", IRIS, "--logits", *options, "-o", tmp_path / "m.xml")
        assert verify(IRIS, tmp_path / "m.xml", *options, *ENGINE)[0] == 0
        with pytest.raises(Nn2crnError, match="not with all weights") as refused:
            run("verify", IRIS, "--file", tmp_path / "m.xml", *ENGINE)
        assert "with the same --data and --config" in refused.value.hint


OWN = smoothed_relu("relu.smooth")


def test_a_template_of_ones_own_must_have_the_same_text(tmp_path):
    """Another text of the same name was compiled, and said to be a difference of the file, if any."""
    own = tmp_path / "relu.smooth.act"
    own.write_text(OWN)
    run("compile", XOR, "--template", own, "--relu", "smooth", "-o", tmp_path / "m.xml")
    assert verify(XOR, tmp_path / "m.xml", "--template", own, *ENGINE)[0] == 0
    with pytest.raises(Nn2crnError, match=r"a template relu\.smooth whose text has the SHA-256 .*, which is not here"):
        run("verify", XOR, "--file", tmp_path / "m.xml", *ENGINE)
    own.write_text(OWN.replace("rate >=", "rate  >="))
    with pytest.raises(Nn2crnError, match=r"whose text has the SHA-256 .*; that of the one given is"):
        run("verify", XOR, "--file", tmp_path / "m.xml", "--template", own, *ENGINE)


def test_a_record_is_read_back_as_it_was_written():
    network = nn2crn.compile(nn2crn.load(XOR), nn2crn.Options(settings={"relu.h": 0.1 + 0.2}))
    record = read_record(show_record(network, {"kappa": 0.1}), "x")
    assert record.recipe == network.recipe
    assert (record.source, record.name, record.options) == (network.source, network.name, {"kappa": 0.1})


def test_a_compressed_file_cut_short_is_said(tmp_path):
    (tmp_path / "m.xml.gz").write_bytes(gzip.compress(b"<sbml/>" * 99)[:-9])
    with pytest.raises(Nn2crnError, match="cut short"):
        run("verify", XOR, "--file", tmp_path / "m.xml.gz")
