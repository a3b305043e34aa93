"""Commands agree with each other: a configuration, a converted network and the options themselves say one chemistry."""

from __future__ import annotations

import ctypes
import json
from pathlib import Path
from random import Random

import numpy as np
import pytest
from driving import drive
from random_networks import random_case

import nn2crn
import nn2crn.compiler
from nn2crn.analysis.summary import summarise
from nn2crn.backends.common.rates import RateConstants
from nn2crn.certificates.certificate import certify, subject
from nn2crn.compiler import Options, passes
from nn2crn.engines.cvode.internal import SimulationError
from nn2crn.errors import ModelError, UsageError
from nn2crn.evaluate import case
from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term
from nn2crn.passes.compression.options import Pruning, Quantization
from nn2crn.passes.pipeline import PassPipeline, name_of
from nn2crn.training import Training


def compiled(folder, *args):
    outcome = drive("compile", *args, "--name", "net", "--to", "antimony", "-o", "-", "-q", folder=folder)
    assert outcome.kind == "done", outcome.err
    return outcome.out


@pytest.mark.parametrize("seed", range(12))
def test_a_configuration_says_what_the_options_said(seed, tmp_path):
    text, options, smaller = random_case(Random(seed))
    (tmp_path / "net.nn").write_text(text)
    said = drive("config", "net.nn", *options, *smaller, folder=tmp_path)
    assert said.kind == "done", said.err
    (tmp_path / "net.toml").write_bytes(said.out)
    given = compiled(tmp_path, "net.nn", *options, *smaller)
    assert compiled(tmp_path, "net.nn", "--config", "net.toml") == given
    again = drive("config", "net.nn", "--config", "net.toml", folder=tmp_path)
    assert again.out == said.out


def chemistry(text):
    """The lines that are no comments: those say which file the network is from."""
    lines = (line.partition("//")[0].rstrip() for line in text.decode().splitlines())
    return [line for line in lines if line]


@pytest.mark.parametrize("seed", range(12))
def test_a_converted_network_is_the_same_chemistry(seed, tmp_path):
    text, options, smaller = random_case(Random(seed))
    (tmp_path / "net.nn").write_text(text)
    assert drive("convert", "net.nn", *smaller, "-o", "other.nn", folder=tmp_path).kind == "done"
    given = chemistry(compiled(tmp_path, "net.nn", *options, *smaller))
    assert chemistry(compiled(tmp_path, "other.nn", *options)) == given


def test_a_configuration_has_no_layer_that_nothing_reads(tmp_path):
    (tmp_path / "net.nn").write_text("input x[1]\ng = relu(x)\noutput y = tanh(x)")
    said = drive("config", "net.nn", folder=tmp_path)
    assert b'"g"' not in said.out
    (tmp_path / "net.toml").write_bytes(said.out)
    assert drive("compile", "net.nn", "--config", "net.toml", "-o", "net.ant", folder=tmp_path).kind == "done"


@pytest.mark.parametrize("command", ["certify", "estimate"])
def test_what_asks_for_data_takes_them(command, tmp_path):
    (tmp_path / "net.nn").write_text("input x[2] in [0, 1]\noutput y = relu(dense(x, weight = [[1, 2], [3, 4]]))")
    (tmp_path / "d.csv").write_text("0.1,0.2\n0.5,0.1\n0.9,0.4\n")
    args = (command, "net.nn", "--data", "d.csv")
    assert drive(*args, "--prune", "magnitude:0.25", "--repair", folder=tmp_path).kind == "done"
    alone = drive(*args, folder=tmp_path)  # certify takes them for a box
    assert alone.kind == "done" if command == "certify" else "--data has no use here" in alone.err


def test_an_engine_without_courses_is_not_offered(tmp_path):
    (tmp_path / "net.nn").write_text("input x[1] in [0, 1]\noutput y = relu(x)")
    outcome = drive("simulate", "net.nn", "--input", "1", "--engine", "fixed-point", folder=tmp_path)
    assert "'fixed-point' is not one of 'internal', 'roadrunner', 'copasi'" in outcome.err


# Names that passes make


def test_a_shared_drive_gets_a_name_that_is_free():
    drive_ = Affine("u", (Term("x", np.full((1, 9), 2.0)),), np.zeros(1))
    nodes = (
        Input("x", (9,)), drive_, Activation("u (drive)", "relu", ("u",), 1), Activation("z", "tanh", ("u",), 1),
    )  # fmt: skip
    network = Network("net", nodes, (Output("y", "u (drive)", (1,)), Output("z", "z", (1,))))
    names = [a.name for a in nn2crn.compiler.prepare(network, nn2crn.Options()).activations()]
    assert names == ["u (drive)'", "u (drive)", "z"]


def test_a_part_of_a_composition_gets_a_name_that_is_free():
    silu = Activation("y", "silu", ("y/sigmoid0",), 1, template="silu.product")
    nodes = (Input("x", (1,)), Activation("y/sigmoid0", "relu", ("x",), 1), silu)
    network = Network("net", nodes, (Output("y", "y", (1,)),))
    names = [a.name for a in nn2crn.compiler.prepare(network, nn2crn.Options()).activations()]
    assert "y/sigmoid0'" in names


# Failures


def test_a_failing_pass_is_named():
    network = Network("net", (Input("x", (1,)),), (Output("x", "x", (1,)),))

    def breaks(_):
        raise ZeroDivisionError

    def refuses(_):
        raise ModelError("no")

    reactions = nn2crn.compile(network)
    for step, error in ((breaks, ZeroDivisionError), (refuses, ModelError)):
        for run, given in ((PassPipeline().network, network), (PassPipeline().reactions, reactions)):
            with pytest.raises(error) as caught:
                run((step,), given)
            assert caught.value.__notes__ == [f"in the pass {step.__name__}"]


def test_the_command_line_names_the_pass(tmp_path):
    (tmp_path / "net.nn").write_text("input x[9]\noutput y = silu.product(x)")
    command = ("compile", "net.nn", "--max-reactions", "3", "-o", "-")
    names = [name_of(p) for p in passes(Options())]
    before = names[: names.index("expand_compositions")]
    assert drive(*command, folder=tmp_path).err.splitlines()[-1] == "in the pass expand_compositions"
    told = drive("--debug", *command, folder=tmp_path).err.splitlines()[-1]
    assert told == f"in the pass expand_compositions, after {', '.join(before)}"


# Values


@pytest.mark.parametrize(
    ("target", "option"),
    [
        ("a.xml", {"profile": "foo"}),
        ("a.xml", {"sbml_level": "9"}),
        ("a.xml", {"pure": "yes"}),
        ("a.dot", {"graph": "x"}),
        ("a.omex", {"t_end": "long"}),
        ("a.ant", {"profile": "compact"}),
    ],
)
def test_an_option_of_a_format_cannot_have_any_value(target, option, tmp_path):
    reactions = nn2crn.compile(Network("net", (Input("x", (1,)),), (Output("x", "x", (1,)),)))
    with pytest.raises(UsageError, match=f"{next(iter(option))}"):
        nn2crn.write(reactions, tmp_path / target, **option)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "make",
    [
        lambda: Pruning("foo", 0.5),
        lambda: Pruning("magnitude", 2.0),
        lambda: Pruning("magnitude", float("nan")),
        lambda: Quantization("foo", 3),
        lambda: Quantization("linear", 0),
        lambda: Quantization("linear", 1, zero=True),
        lambda: Quantization("linear", 99),
        lambda: Training(density=5),
        lambda: Training(noise=-1),
        lambda: Training(steps=0),
        lambda: Training(method="foo"),
        lambda: Training(rate=float("nan")),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(make):
    with pytest.raises(UsageError):
        make()


def test_a_layer_of_binary_weights_is_trained():
    weight = np.random.default_rng(0).choice([-1.0, 1.0], (4, 6))
    nodes = (Input("x", (6,)), Affine("u", (Term("x", weight),), np.zeros(4)), Activation("y", "relu", ("u",), 4))
    network = Network("net", nodes, (Output("y", "y", (4,)),))
    assert [layer.name for layer in nn2crn.compiler.weights(network)] == ["u"]
    half = nn2crn.compiler.compress(network, nn2crn.compiler.Compression(prune=Pruning("set", 0.5)))
    assert sum(np.count_nonzero(a.terms[0].weight.toarray()) for a in half.affines()) == 12


def test_quiet_does_not_hide_that_drives_leave_a_range(tmp_path):
    """`compile -q` printed nothing of them."""
    (tmp_path / "net.nn").write_text("input x[1] in [-9, 9]\noutput y = tanh.chain(2*x)")
    loud, quiet = (drive("compile", "net.nn", "-o", "net.ant", *q, folder=tmp_path).err for q in ((), ("-q",)))
    (said,) = quiet.splitlines()
    assert said.startswith("warning: net.nn:2:")
    assert "drives may reach [-18, 18], beyond the [-8, 8]" in said
    assert said in loud.splitlines()
    (tmp_path / "net.nn").write_text("input x[1] in [-1, 1]\noutput y = tanh.chain(2*x)")
    assert drive("compile", "net.nn", "-o", "net.ant", "-q", folder=tmp_path).err == ""


@pytest.mark.parametrize("engine", ["internal", "roadrunner"])
def test_solvers_print_nothing_of_their_own(engine, tmp_path, capfd):
    """CVODE and roadrunner wrote to the standard streams where they failed."""
    (tmp_path / "net.nn").write_text("input x[1]\noutput y = tanh(2*x)")
    reactions = nn2crn.compile(nn2crn.load(tmp_path / "net.nn"))
    with case.engine(engine, reactions) as chosen, pytest.raises(SimulationError):
        chosen.settle({"x": np.array([[1e300]])})
    ctypes.CDLL(None).fflush(None)
    assert capfd.readouterr() == ("", "")


def test_an_engine_whose_concentrations_overflow_has_failed(tmp_path):
    """`verify` had a row of nan, and said that it is not within the tolerance."""
    (tmp_path / "net.nn").write_text("input x[1]\noutput y = tanh(2*x)")
    (tmp_path / "x.csv").write_text("x\n1e300\n")
    outcome = drive("verify", "net.nn", "--data", "x.csv", "--engine", "fixed-point", folder=tmp_path)
    assert b"concentrations past double precision" in outcome.out
    assert b"nan" not in outcome.out
    assert outcome.status == 1


@pytest.mark.parametrize("sample", ["iris/iris.onnx", "sine/sine.onnx", "xor/xor.nn", "digits/digits_sparse.nn"])
def test_rate_constants_are_counted_alike(sample):
    """The summary, the certificate and the writers each counted in their own way."""
    network = nn2crn.load(Path(__file__).parents[2] / "samples" / sample, logits=True)
    reactions = nn2crn.compile(network)
    counted = summarise(reactions).rate_constants
    assert len(list(RateConstants(reactions))) == counted
    proved = certify(subject(network, nn2crn.Options()))
    assert sum(count for _, _, count in proved.rate_constants.values()) == counted


def test_verify_compares_a_pruned_network_with_the_original_in_every_language(tmp_path):
    """Of a .nn, it compared with the pruned network, and so found no error."""
    iris = Path(__file__).parents[2] / "samples/iris/iris.onnx"
    drive("convert", iris, "--logits", "-o", "iris.nn", folder=tmp_path)
    options = ("--prune", "magnitude:0.5", "--engine", "fixed-point", "--samples", "20", "--json")
    nn, onnx = (json.loads(drive("verify", m, *options, "--logits", folder=tmp_path).out) for m in ("iris.nn", iris))
    assert nn["reference"].endswith(", before it was pruned and quantized")
    assert onnx["reference"].endswith(", before it was pruned and quantized")
    errors = [report["engines"][0]["max_error"] for report in (nn, onnx)]
    assert errors[0] > 0.1
    assert np.isclose(*errors, rtol=1e-3)
