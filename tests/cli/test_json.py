"""--json: every command's output and every error follow the schemas, in which a name means one thing."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import command_line
import numpy as np
import pytest
from jsonschema import Draft202012Validator
from parts import needs
from referencing import Registry, Resource

from nn2crn.cli import COMMANDS, cli

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples"
XOR, IRIS, LASSO = SAMPLES / "xor/xor.nn", SAMPLES / "iris/iris.onnx", SAMPLES / "lasso/lasso.nn"
SCHEMAS = {f.stem: json.loads(f.read_text(encoding="utf-8")) for f in (ROOT / "nn2crn/schemas").glob("*.json")}
REGISTRY = Registry().with_resources((s["$id"], Resource.from_contents(s)) for s in SCHEMAS.values())
ONE = ("--input", "1,0")

# A case is a command, what it is run on, and its exit status; files that it writes go to the folder of the test.
RUNS = {
    "compile": [(XOR, 0), ((XOR, "no.onnx", "-o", "out"), 1), ((XOR, "-o", "a.ant", "--accuracy", "0.01"), 0)],
    "inspect": [(XOR, 0), ((XOR, "--reactions", "layer1[0]*"), 0), ((IRIS, "--logits"), 0), (LASSO, 0)],
    "estimate": [(XOR, 0)],
    "check": [(XOR, 0), ("bad.onnx", 1), ((XOR, "bad.onnx", "no.onnx"), 1)],
    "convert": [((IRIS, "-o", "iris.nn"), 0)],
    "simulate": [
        ((XOR, *ONE), 0), ((XOR, *ONE, "--starts", "3"), 0), ((XOR, *ONE, "-o", "a.csv", "--species", "layer1*"), 0),
        ((XOR, *ONE, "--engine", "stochastic", "--molecules", "20", "--runs", "2", "--t-end", "1"), 0),
    ],
    "verify": [
        ((XOR, "--samples", "2", "--engine", "fixed-point", "--layerwise"), 0),
        ((IRIS, "--engine", "fixed-point", "--data", SAMPLES / "iris/iris.csv", "--labels", "label"), 0),
        ((XOR, "--engine", "fixed-point", "--tolerance", "1e-9", "--samples", "2"), 3),
        ((IRIS, "--encoding", "rate-independent", "--logits", "--bits", "3", "--engine", "exact", "--samples", "2"), 0),
    ],
    "sensitivities": [((XOR, *ONE), 0), ((XOR, "--data", SAMPLES / "xor/xor.csv"), 0)],
    "validate": [("xor.xml", 0)],
    "robustness": [
        ((XOR, "--data", SAMPLES / "xor/xor.csv", "--tubes", "3", "--by", by), 0) for by in ("layer", "reaction")
    ],
    "certify": [(XOR, 0), (LASSO, 0), ((XOR, "--unit", "50 nM"), 0), ((XOR, "--encoding", "rate-independent"), 0)],
    "templates": [((), 0), ("relu", 0), (("relu", "--check"), 0)],
    "config": [((IRIS, "--logits"), 0)],
    "formats": [((), 0)],
    "opt": [((XOR, "--passes", "drop_dead"), 0), ((XOR, "--passes", "drop_dead", "-o", "out.nn"), 0)],
    "ops": [((), 0)],
    "docs": [((), 0), ("start", 0)],
    "doctor": [((), 0)],
    "train": [(("d.csv", "--method", "equilibrium", "--steps", "3", "--hidden", "2", "-o", "t.nn"), 0)],
    "learner": [
        (("--inputs", "2", "--outputs", "1", "-o", "l.xml"), 0), (("--inputs", "2", "--outputs", "1", "-o", "s.nn"), 0)
    ],
}  # fmt: skip
SLOW = {
    "report": [
        ((XOR, "--samples", "2", "--tubes", "2"), 0),
        ((LASSO, "--samples", "2", "--tubes", "2"), 0),
        ((XOR, "--encoding", "rate-independent", "--samples", "2", "--tubes", "2"), 0),
    ],
    "realise": [
        ((XOR, "--data", SAMPLES / "xor/xor.csv"), 0),
        ((XOR, "--data", SAMPLES / "xor/xor.csv", "--alone", "--leak", "1 /M/s"), 0),
    ],
    "compress": [((IRIS, "--logits", "--data", SAMPLES / "iris/iris.csv", "-o", "small.nn"), 0)],
    "teach": [(("s.nn", "--data", "d.csv", "--presentations", "10", "-o", "taught.nn"), 0)],
}
TRAINED = {"harden": [((IRIS, "--data", "labelled.npz", "--steps", "3", "--tubes", "2", "-o", "h.nn"), 0)]}
WITHOUT = {"docs", "doctor", "formats", "ops", "templates"}  # commands that take no file


@pytest.fixture
def folder(tmp_path):
    """A table, a model that is none, SBML, a network to be taught, and labelled samples."""
    rng = np.random.default_rng(0)
    rows = "\n".join(f"{a!r},{b!r},{'over' if a > b else 'under'}" for a, b in rng.uniform(size=(40, 2)).tolist())
    (tmp_path / "d.csv").write_text(f"a,b,side\n{rows}\n")
    command_line.nn2crn("compile", XOR, cwd=tmp_path)
    flowers = np.loadtxt(SAMPLES / "iris/iris.csv", delimiter=",", skiprows=1)[:, :4]
    np.savez(tmp_path / "labelled.npz", X=flowers, label=np.arange(len(flowers)) // 50)
    return tmp_path


def validated(text, command):
    """The JSON, which is one object of that command's schema."""
    found = json.loads(text)
    Draft202012Validator(SCHEMAS[command], registry=REGISTRY).validate(found)
    return found


def hold(command, cases, folder):
    for arguments, status in cases:
        given = arguments if isinstance(arguments, tuple) else (arguments,)
        done = command_line.nn2crn(command, *given, "--json", cwd=folder)
        assert done.returncode == status, (given, done.stderr, done.stdout)
        validated(done.stdout, command)


@pytest.mark.parametrize("command", RUNS)
def test_the_output_follows_the_schema(command, folder):
    if command == "check":
        (folder / "bad.onnx").write_bytes(_unsupported())
    hold(command, RUNS[command], folder)


@pytest.mark.slow
@pytest.mark.parametrize("command", SLOW)
def test_the_output_of_slow_commands_follows_the_schema(command, folder):
    if command == "teach":
        command_line.nn2crn("learner", "--inputs", "2", "--outputs", "1", "-o", "s.nn", cwd=folder)
    hold(command, SLOW[command], folder)


@pytest.mark.slow
@needs("torch")
def test_the_output_of_harden_follows_the_schema(folder):
    hold("harden", TRAINED["harden"], folder)


def test_every_command_has_json_a_schema_and_a_run():
    assert set(COMMANDS) == {*RUNS, *SLOW, *TRAINED}
    assert {*COMMANDS, "error", "names"} == set(SCHEMAS)
    for name in COMMANDS:
        (option,) = (p for p in cli.get_command(None, name).params if "--json" in p.opts)
        assert option.is_flag


@pytest.mark.parametrize("command", COMMANDS)
def test_an_error_follows_its_schema(command, tmp_path):
    """Wrong usage of every command, and of those that read a file one that is not there."""
    done = command_line.nn2crn(command, "--no-such-option", "--json", cwd=tmp_path)
    found = validated(done.stdout, "error")
    assert (found["error"]["code"], found["exit_status"], done.returncode) == ("usage", 2, 2)
    if command not in WITHOUT:
        done = command_line.nn2crn(command, *_missing(command), "--json", cwd=tmp_path)
        found = validated(done.stdout, "error")
        assert found["exit_status"] == done.returncode in (1, 2)
        assert "no-such" in found["error"]["message"]
        assert found["error"]["message"].splitlines()[0] in done.stderr


def _missing(command):
    data = ("--data", "no-such.csv")
    return {
        "convert": ("no-such.nn", "-o", "a.nn"),
        "train": ("no-such.csv", "-o", "a.nn"),
        "harden": ("no-such.nn", *data, "-o", "a.nn"),
        "teach": ("no-such.nn", *data, "-o", "a.nn"),
        "learner": ("--from", "no-such.nn", "-o", "a.xml"),
        "compress": ("no-such.nn", *data),
        "realise": ("no-such.nn", *data),
        "robustness": ("no-such.nn", *data),
        "simulate": ("no-such.nn", *ONE),
        "sensitivities": ("no-such.nn", *ONE),
    }.get(command, ("no-such.nn",))


def test_one_of_many_models_fails_by_the_same_names(folder):
    done = command_line.nn2crn("compile", XOR, "no-such.nn", "-o", "out", "--json", cwd=folder)
    good, bad = validated(done.stdout, "compile")["models"]
    alone = command_line.nn2crn("compile", XOR, "-o", "xor.xml", "--json", cwd=folder)
    (single,) = validated(alone.stdout, "compile")["models"]
    assert {**good, "files": (), "summary": ()} == {**single, "files": (), "summary": ()}
    said = [[line.replace("out/", "") for line in one["summary"]] for one in (good, single)]
    assert said[0] == said[1] != []
    assert (bad["ok"], bad["error"]["code"]) == (False, "usage")


@pytest.mark.parametrize("command", [
    ("compile", XOR, "-o", "-"), ("convert", XOR, "-o", "-"), ("opt", XOR, "-o", "-"),
    ("learner", "--inputs", "1", "--outputs", "1", "-o", "-"),
])  # fmt: skip
def test_json_and_a_file_are_not_both_standard_output(command, tmp_path):
    done = command_line.nn2crn(*command, "--json", cwd=tmp_path)
    assert validated(done.stdout, "error")["error"]["message"] == "--json and -o - exclude each other"


def test_a_name_is_defined_once_and_used():
    """Properties of all schemas are references to names.json, so that none means two things."""
    names = SCHEMAS["names"]["$defs"]
    used = set()
    for schema in SCHEMAS.values():
        Draft202012Validator.check_schema(schema)
        for name, value in _properties(schema):
            if name != "schema":
                assert value["$ref"].rpartition("/")[2] == name
                used.add(name)
    assert used == set(names) - {"schema"}
    for name, value in names.items():
        assert value["description"].endswith("."), name


def _properties(schema):
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            assert schema["additionalProperties"] is False
            yield from schema["properties"].items()
        for key, value in schema.items():
            if key != "properties":
                yield from _properties(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _properties(value)


def test_the_page_lists_them():
    spec = importlib.util.spec_from_file_location("json_names", ROOT / "docs/json_names.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = module.document()
    assert (ROOT / "docs/json.md").read_text(encoding="utf-8") == page
    for name in SCHEMAS["names"]["$defs"]:
        assert page.count(f"\n| `{name}` |") == 1


def _unsupported():
    from onnx_models import model, node

    return model([node("Hardmax", "x", "y")]).SerializeToString()
