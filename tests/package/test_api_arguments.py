"""Arguments of Python's functions that cannot be: one clear error that says what would do."""

import inspect
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

import nn2crn
from nn2crn.errors import UsageError
from nn2crn.ir.equality import equal
from nn2crn.keywords import PLACES

ROOT = Path(__file__).parents[2]
IRIS, XOR = ROOT / "samples" / "iris" / "iris.onnx", ROOT / "samples" / "xor" / "xor.nn"
FLOWER = [5.1, 3.5, 1.4, 0.2]
NETWORK, REACTIONS = nn2crn.load(XOR), nn2crn.compile(nn2crn.load(XOR))
WRONG = {
    "a path to compile": lambda: nn2crn.compile("relu.onnx"),
    "options that are a word": lambda: nn2crn.compile(NETWORK, "relu"),
    "a variant": lambda: nn2crn.compile(NETWORK, nn2crn.Options(variants={"relu": "nope"})),
    "a setting": lambda: nn2crn.compile(NETWORK, nn2crn.Options(settings={"relu.q": 1})),
    "a setting in words": lambda: nn2crn.Options(settings={"relu.h": "small"}),
    "an encoding": lambda: nn2crn.compile(NETWORK, nn2crn.Options(encoding="dual")),
    "an array to load": lambda: nn2crn.load(np.zeros(3)),
    "an output": lambda: nn2crn.load(IRIS, outputs=["zz"]),
    "a domain that is a number": lambda: nn2crn.load(IRIS, domain={"X": 3}),
    "an empty domain": lambda: nn2crn.load(IRIS, domain={"X": (1, 0)}),
    "a network to write": lambda: nn2crn.write(NETWORK, "a.xml"),
    "a suffix": lambda: nn2crn.write(REACTIONS, "a.zzz"),
    "an option of a format": lambda: nn2crn.write(REACTIONS, "a.xml", nope=3),
    "the value of an option": lambda: nn2crn.write(REACTIONS, "a.xml", kinetics="zz"),
    "a shape": lambda: nn2crn.predict(REACTIONS, [1, 2, 3]),
    "a word for numbers": lambda: nn2crn.predict(REACTIONS, "abc"),
    "no input": lambda: nn2crn.predict(REACTIONS, None),
    "an engine": lambda: nn2crn.simulate(REACTIONS, [0, 1], engine="nope"),
    "a time below zero": lambda: nn2crn.simulate(REACTIONS, [0, 1], t_end=-1),
    "a time in words": lambda: nn2crn.simulate(REACTIONS, [0, 1], t_end="10"),
    "one point": lambda: nn2crn.simulate(REACTIONS, [0, 1], points=1),
    "a species": lambda: nn2crn.simulate(REACTIONS, [0, 1], species="zz*"),
    "reactions to verify": lambda: nn2crn.verify(REACTIONS, [0, 1]),
    "a tolerance": lambda: nn2crn.verify(NETWORK, [0, 1], tolerance=-1),
    "no samples": lambda: nn2crn.verify(NETWORK, samples=0),
    "a box of three": lambda: nn2crn.certify(NETWORK, box=(1, 2, 3)),
    "a tolerance to prove": lambda: nn2crn.certify(NETWORK, tolerance=0),
    "labels": lambda: nn2crn.robustness(NETWORK, [[0, 1]], labels=[1, 2]),
    "one error": lambda: nn2crn.robustness(NETWORK, [[0, 1]], cvs=0.2),
    "parts": lambda: nn2crn.robustness(NETWORK, [[0, 1]], by="node", tubes=2),
    "no tubes": lambda: nn2crn.robustness(NETWORK, [[0, 1]], tubes=0),
    "a network, and not its reactions": lambda: nn2crn.sensitivities(NETWORK, [0, 1]),
    "inputs without names": lambda: nn2crn.sensitivities(REACTIONS, [0, 1]),
    "targets": lambda: nn2crn.train(np.zeros((3, 2)), [0, 1]),
    "reactions to compress": lambda: nn2crn.compress(REACTIONS, nn2crn.Compression()),
    "a compression in a word": lambda: nn2crn.compress(NETWORK, "ternary"),
    "matrices": lambda: nn2crn.recurrent(np.eye(3), np.eye(2), np.zeros(3)),
    "a setting that is none": lambda: nn2crn.Options(settings=None),
    "a variant that is a number": lambda: nn2crn.Options(variants={"relu": 3}),
    "a tolerance past all": lambda: nn2crn.certify(NETWORK, tolerance=10**400),
    "a box in a word": lambda: nn2crn.certify(NETWORK, box="01"),
    "a box without an order": lambda: nn2crn.certify(NETWORK, box={0, 1}),
    "half a box": lambda: nn2crn.certify(NETWORK, box=(None, 1)),
    "a box in words": lambda: nn2crn.certify(NETWORK, box=("a", "b")),
    "a box of arrays that do not fit": lambda: nn2crn.certify(NETWORK, box={"x": ([0], [1, 2, 3])}),
    "options that are a mapping": lambda: nn2crn.certify(NETWORK, options={"encoding": "catalytic"}),
    "an engine that is a number": lambda: nn2crn.verify(NETWORK, [0, 1], engines=3),
    "labels in words": lambda: nn2crn.report(NETWORK, [[0, 1], [1, 1]], labels=["a", "b"]),
    "a report of no tubes": lambda: nn2crn.report(NETWORK, [[0, 1]], tubes=0),
    "complex numbers": lambda: nn2crn.predict(REACTIONS, np.array([1 + 2j, 0])),
    "a unit": lambda: nn2crn.Units("nm"),
    "a unit below zero": lambda: nn2crn.Units("nM", "h", -5),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_argument_is_refused_with_what_would_do(wrong):
    with pytest.raises(nn2crn.Nn2crnError) as e:
        WRONG[wrong]()
    assert e.value.message
    assert e.value.hint


@pytest.mark.parametrize("measure", ["certify", "verify", "robustness", "realise", "report"])
def test_reactions_are_refused_with_the_network_that_would_do(measure):
    """The hint was "give a path, bytes, ...", which a user who has a network in memory does not have."""
    arguments = () if measure == "certify" else ([[0, 1]],)
    with pytest.raises(nn2crn.Nn2crnError, match="this is a ReactionNetwork") as e:
        getattr(nn2crn, measure)(REACTIONS, *arguments)
    assert "nn2crn.load" in e.value.hint


def test_a_domain_may_be_two_numbers_for_all_inputs():
    """It was taken for names: "the model has no input 8"."""
    pair, named = (nn2crn.compile(nn2crn.load(IRIS, domain=d)) for d in ((0, 8), {"": (0, 8)}))
    assert equal(pair, named)
    assert nn2crn.load(IRIS, domain=[0, 8]).inputs[0].nonnegative
    with pytest.raises(nn2crn.Nn2crnError, match="the domain of the inputs cannot be 8"):
        nn2crn.load(IRIS, domain=8)


BOUNDED = nn2crn.load(IRIS, domain=(0, 8))


@pytest.mark.parametrize("measure", ["predict", "simulate", "verify", "robustness", "realise"])
@pytest.mark.parametrize(("value", "says"), [
    (-1.0, "'X' was declared non-negative, and has no rail for a negative value"),
    (np.nan, "'X': a value is NaN or infinite"),
    (np.inf, "'X': a value is NaN or infinite"),
])  # fmt: skip
def test_inputs_that_no_concentration_can_be_are_refused(measure, value, says):
    """NaN came back as NaN, and -1 was computed with, of which there is no concentration."""
    chemistry = [BOUNDED, nn2crn.compile(BOUNDED)] if measure in ("predict", "simulate") else [BOUNDED]
    for given in chemistry:
        with pytest.raises(nn2crn.Nn2crnError, match=says) as e:
            getattr(nn2crn, measure)(given, [[*FLOWER[:3], value]])
        assert e.value.hint
    with pytest.raises(nn2crn.Nn2crnError, match=says):
        nn2crn.sensitivities(nn2crn.compile(BOUNDED), {"X": [*FLOWER[:3], value]})


@pytest.mark.parametrize(("call", "hint"), [
    (lambda: nn2crn.verify(IRIS, [FLOWER], logits=True), "give logits=... to nn2crn.load"),
    (lambda: nn2crn.certify(IRIS, domain=(0, 8)), "give domain=... to nn2crn.load"),
    (lambda: nn2crn.compile(NETWORK, encoding="rate-independent"), "nn2crn.Options(encoding=...)"),
    (lambda: nn2crn.load(XOR, variants={}), "nn2crn.Options(variants=...)"),
    (lambda: nn2crn.compile(NETWORK, bits=3), 'nn2crn.Quantization("linear", 3, zero=True)'),
    (lambda: nn2crn.predict(NETWORK, [0, 1], kappa=2.0), "give kappa=... to nn2crn.compile"),
    (lambda: nn2crn.simulate(NETWORK, [0, 1], tend=1.0), "did you mean 't_end'?"),
    (lambda: nn2crn.robustness(NETWORK, [[0, 1]], cv=0.1), "did you mean 'cvs'?"),
    (lambda: nn2crn.sensitivities(REACTIONS, {"x": [0, 1]}, by="layer"), "its arguments: network, inputs"),
    (lambda: nn2crn.train([[0.0]], [0.0], layers=(3,)), "nn2crn.Options(layers=...)"),
], ids=lambda value: value if isinstance(value, str) else "")  # fmt: skip
def test_a_keyword_of_another_function_is_refused_with_where_it_goes(call, hint):
    """It was a bare TypeError."""
    with pytest.raises(nn2crn.Nn2crnError, match="has no argument") as e:
        call()
    assert hint in e.value.hint
    assert e.value.exit_code == 2


def test_the_places_of_keywords_are_those_of_the_functions():
    options, load, compile_, _ = PLACES.values()
    assert set(options) == {f.name for f in fields(nn2crn.Options)}
    assert {*load, "path", "library"} == {*inspect.signature(nn2crn.load).parameters}
    assert {*compile_} < {*inspect.signature(nn2crn.compile).parameters}


def test_whole_weights_of_three_bits_are_those_of_the_command(tmp_path):
    """--bits 3 had no counterpart that the documentation of `compile` names."""
    assert 'Quantization("linear", 3,' in nn2crn.compile.__doc__
    network = nn2crn.load(IRIS, logits=True, domain=(0, 10))
    whole = nn2crn.Compression(quantize=nn2crn.Quantization("linear", 3, zero=True))
    made = nn2crn.compile(nn2crn.compress(network, whole), nn2crn.Options(encoding="rate-independent"))
    nn2crn.write(made, tmp_path / "made.npz")
    how = ["--logits", "--domain", "0:10", "--encoding", "rate-independent", "--bits", "3", "-o", tmp_path / "cli.npz"]
    subprocess.run([sys.executable, "-m", "nn2crn.cli", "compile", IRIS, *how], check=True, capture_output=True)
    assert (tmp_path / "cli.npz").read_bytes() == (tmp_path / "made.npz").read_bytes()


@pytest.mark.parametrize(("call", "says"), [
    (nn2crn.compile, "nn2crn.compile: missing a required argument: 'network'"),
    (lambda: nn2crn.load("a.nn", None, ("y",)), "nn2crn.load: too many positional arguments"),
    (lambda: nn2crn.verify("a.nn", model="b.nn"), "nn2crn.verify: multiple values for argument 'model'"),
])  # fmt: skip
def test_missing_and_surplus_arguments_are_errors_that_say_what_there_is(call, says):
    """They were a bare TypeError."""
    with pytest.raises(UsageError) as e:
        call()
    assert e.value.message == says
    assert re.match(r"its arguments: [a-z_, ]+; by name only: [a-z_, ]+$", e.value.hint)
