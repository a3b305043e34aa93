"""What errors do to iris and digits, against the measured table and against literal simulations."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path

import command_line
import numpy as np
import pytest
from nets import random_mlp
from tubes import with_factors

import nn2crn
from nn2crn.backends.common.names import make_ids
from nn2crn.engines.cvode.internal import Internal
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.steady_state.tubes import Tubes, draw, tube_outputs
from nn2crn.engines.stochastic import Stochastic
from nn2crn.errors import UnsupportedError, UsageError
from nn2crn.evaluate.tube.robustness import _slopes, robustness
from nn2crn.evaluate.tube.study import Errors, Study
from nn2crn.passes.compression.options import Quantization

SAMPLES = Path(__file__).parents[3] / "samples"
TUBES = 400


def iris(tubes=TUBES, samples=150, seed=0):
    rows = np.genfromtxt(SAMPLES / "iris" / "iris.csv", delimiter=",", skip_header=1)
    return study("iris", rows[:, :4], rows[:, 4].astype(int), (0.0, 8.0), tubes, samples, seed)


def digits(tubes=TUBES, samples=200, seed=0):
    data = np.load(SAMPLES / "digits" / "digits.npz")
    return study("digits", data["x"].astype(float), data["label"], (0.0, 1.0), tubes, samples, seed)


def study(name, x, labels, domain, tubes, samples, seed):  # noqa: PLR0913  # what a study is made of
    network = nn2crn.load(SAMPLES / name / f"{name}.onnx", logits=True, domain={"": domain})
    reactions = nn2crn.compile(network)
    inputs = {reactions.inputs[0].name: x[:samples]}
    expected = tube_outputs(reactions, inputs, draw(reactions, 1))[0]
    return Study(name, reactions, inputs, expected, labels[:samples], tubes=tubes, seed=seed)


# by a program of its own, closed form by closed form: mean, 5 % quantile
ERRORS = (0.01, 0.05, 0.1, 0.2, 0.5)
TABLE = {
    "iris": ((0.984, 0.973), (0.966, 0.933), (0.930, 0.820), (0.832, 0.653), (0.629, 0.333)),
    "digits": ((0.982, 0.980), (0.976, 0.960), (0.953, 0.915), (0.835, 0.645), (0.422, 0.130)),
}


@pytest.mark.parametrize("name", ["iris", pytest.param("digits", marks=pytest.mark.slow)])
def test_accuracies_are_those_of_the_table_within_the_sampling_error(name):
    given = iris() if name == "iris" else digits()
    for cv, (mean, low) in zip(ERRORS, TABLE[name], strict=True):
        tubes = draw(given.reactions, given.tubes, cv=cv)
        each = given.accuracies(tube_outputs(given.reactions, given.inputs, tubes))
        spread = np.sqrt(2 * each.var() / TUBES)  # of the difference of two means of 400
        assert abs(each.mean() - mean) < 4 * spread + 5e-4
        around = np.quantile(each, [0.02, 0.09])  # four times the sampling error of a 5 % quantile lies outside
        assert around[0] - 5e-4 <= low <= around[1] + 5e-4


@pytest.mark.slow
def test_tubes_of_iris_are_those_of_a_literal_monte_carlo(tmp_path):
    import roadrunner

    given = iris(tubes=12)
    ids = make_ids(given.reactions)
    for cv in (0.05, 0.5):
        tubes = draw(given.reactions, 12, cv=cv, seed=1)
        found = tube_outputs(given.reactions, given.inputs, tubes)
        (x,) = given.inputs.values()
        for outputs, factors in zip(found, tubes.rates, strict=True):
            nn2crn.write(with_factors(given.reactions, factors), tmp_path / "tube.xml")
            runner = roadrunner.RoadRunner(str(tmp_path / "tube.xml"))
            runner.timeCourseSelections = ids.outputs[0]
            for values, expected in list(zip(x, outputs, strict=True))[::5]:
                runner.reset()
                for name, value in zip(ids.inputs[0], values, strict=True):
                    runner[name] = value
                end = runner.simulate(0, 1e5, 2)[-1]
                np.testing.assert_allclose(end, expected, atol=2e-3 * max(1, np.abs(expected).max()))


def test_derivatives_rank_reactions_as_tubes_of_which_one_is_off_do():
    given = iris(samples=5)
    count = given.reactions.reaction_count
    rates = np.ones((count, count)) + 1e-3 * np.eye(count)
    moved = tube_outputs(given.reactions, given.inputs, Tubes(rates, np.ones((count, given.reactions.species_count))))
    measured = np.sqrt(((moved - given.base) ** 2).mean(axis=(1, 2))) / np.log(1.001)
    np.testing.assert_allclose(np.sqrt(_slopes(given)), measured, rtol=2e-2, atol=1e-4)


def test_the_linear_error_is_that_of_the_tubes_while_it_is_small():
    report = robustness(digits(tubes=200, samples=12), [0.05], by="layer")
    alone = next(o for o in report.outcomes if o.errors == Errors(0.05))
    assert report.predicted[0.05] == pytest.approx(alone.error, rel=0.1)
    assert sum(p.share for p in report.parts) == pytest.approx(1)
    assert sum(p.reactions for p in report.parts) == digits().reactions.reaction_count


def whole_weights(tubes):
    """Iris in the rate-independent encoding, with weights of three bits."""
    network = nn2crn.load(SAMPLES / "iris" / "iris.onnx", logits=True, domain={"": (0.0, 8.0)})
    network = nn2crn.compress(network, nn2crn.Compression(quantize=Quantization.parse("linear:3:zero")))
    reactions = nn2crn.compile(network, nn2crn.Options(encoding="rate-independent"))
    rows = np.genfromtxt(SAMPLES / "iris" / "iris.csv", delimiter=",", skip_header=1)
    inputs = {reactions.inputs[0].name: rows[:, :4]}
    expected = tube_outputs(reactions, inputs, draw(reactions, 1))[0]
    return Study("iris", reactions, inputs, expected, rows[:, 4].astype(int), tubes=tubes)


def test_no_class_changes_with_the_rates_of_rate_independent_chemistry():
    """At a coefficient of variation of 100 %; and in a simulation of some of these tubes. Amounts do matter."""
    given = whole_weights(tubes=400)
    report = robustness(given, [1.0], amounts=0.1)
    off = next(o for o in report.outcomes if o.errors == Errors(1.0))
    assert (off.same_class, off.error) == (1.0, 0.0)
    amounts = next(o for o in report.outcomes if o.errors == Errors(amounts=0.1))
    assert 0.8 < amounts.accuracy < report.outcomes[0].accuracy
    few = {name: rows[::10] for name, rows in given.inputs.items()}
    for factors in draw(given.reactions, 3, cv=1.0, seed=5).rates:
        ends = read_outputs(given.reactions, Internal(with_factors(given.reactions, factors)).settle(few))
        (values,) = ends.values()
        assert np.array_equal(values.argmax(1), given.base[::10].argmax(1))


def test_outputs_stray_the_more_the_fewer_molecules_there_are():
    """As one over their root; and where a neuron would die out, nothing is said of it."""
    network = nn2crn.load(SAMPLES / "iris" / "iris.onnx", logits=True, domain={"": (0.0, 8.0)})
    reactions = nn2crn.compile(network, nn2crn.Options(settings={"relu.h": 1e-2}))
    given = replace(iris(tubes=200, samples=30), reactions=reactions)
    report = robustness(given, [], molecules=[10, 100, 10000])
    assert [str(o.errors) for o in report.outcomes] == ["none", "100 molecules for a 1", "10000 molecules for a 1"]
    many, few = (o.error for o in report.outcomes[:0:-1])
    assert few == pytest.approx(10 * many, rel=1e-6)
    (warning,) = report.warnings
    assert warning.startswith("no figure for 10 molecules: relu.anderson2021: h = 0.01 is less than one of them")


def test_chemistry_that_ends_has_no_spread_but_that_of_whole_inputs():
    """Of every exact stochastic run, molecule by molecule."""
    given = whole_weights(tubes=1)
    few = replace(given, inputs={n: rows[:3] for n, rows in given.inputs.items()}, labels=given.labels[:3],
                  expected=given.expected[:3])  # fmt: skip
    (_, found) = robustness(few, [], molecules=[20]).outcomes
    runs = [
        Stochastic(few.counted(20), seed).settle({n: rows[i : i + 1] for n, rows in few.inputs.items()})
        for i in range(3) for seed in (1, 2)
    ]  # fmt: skip
    ends = [np.concatenate(list(read_outputs(few.counted(20), r).values()), axis=-1)[0] for r in runs]
    own = np.sqrt(np.mean((np.array(ends[::2]) - few.base) ** 2))
    np.testing.assert_array_equal(ends[::2], ends[1::2])
    assert found.error == pytest.approx(own, rel=1e-9)


def test_amounts_of_inputs_that_are_consumed_are_what_is_pipetted():
    given = whole_weights(tubes=1)
    ones = np.ones((1, given.reactions.reaction_count))
    whole = Tubes(ones, np.full((1, given.reactions.species_count), 1.2))
    got = tube_outputs(given.reactions, given.inputs, whole)
    np.testing.assert_allclose(got[0], 1.2 * given.base, rtol=1e-9)  # homogeneous: biases are amounts, too


def test_a_leak_into_chemistry_that_ends_and_a_ranking_of_its_rates_are_refused():
    given = whole_weights(tubes=1)
    with pytest.raises(UnsupportedError, match="has no steady state"):
        robustness(given, [0.1], leak=1e-3)
    with pytest.raises(UsageError, match="depends on no rate constant"):
        robustness(given, [0.1], by="layer")


def test_families_and_reactions():
    given = iris(tubes=20, samples=6)
    families = robustness(given, [0.1], by="family")
    assert {p.name for p in families.parts} == {f.label for f in given.reactions.families}
    reactions = robustness(given, [0.1], by="reaction")
    assert len(reactions.influences) == given.reactions.reaction_count
    assert [i.influence for i in reactions.influences] == sorted(
        (i.influence for i in reactions.influences), reverse=True
    )


def test_one_number_is_judged_by_its_variance():
    reactions = nn2crn.compile(random_mlp([2, 4, 1], seed=2).network())
    x = {"x": np.random.default_rng(0).uniform(-1, 1, (30, 2))}
    expected = tube_outputs(reactions, x, draw(reactions, 1))[0]
    report = robustness(Study("net", reactions, x, expected, None, tubes=50), [0.1], amounts=0.1, leak=1e-3)
    assert report.measure == "share of variance"
    assert [str(o.errors) for o in report.outcomes] == [
        "none", "rate constants 10 %", "rate constants 10 % (shared)", "amounts 10 %", "leak 0.001",
        "rate constants 10 %, amounts 10 %, leak 0.001",
    ]  # fmt: skip
    assert report.outcomes[0].accuracy == 1
    assert 0.5 < report.outcomes[1].accuracy < 1
    assert report.outcomes[1].same_class is None


def run(*args):
    return command_line.nn2crn("robustness", "samples/iris/iris.onnx", "--logits", *args, cwd=SAMPLES.parent)


@pytest.mark.slow
def test_the_command(tmp_path):
    data = ("--data", "samples/iris/iris.csv", "--labels", "label", "--samples", "8", "--tubes", "20")
    done = run(*data, "--cv", "1,20", "--by", "layer", "--plot", str(tmp_path / "r.svg"))
    assert done.returncode == 0, done.stderr
    assert "8 samples, 20 tubes for each error" in done.stdout
    assert "only one layer is off, by 20%" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert (tmp_path / "r.svg").read_text(encoding="utf-8").startswith("<?xml")
    report = json.loads(run(*data, "--cv", "5", "--by", "reaction", "--json").stdout)
    assert report["predicted"][0]["rates"] == 0.05
    assert len(report["influences"]) > 100


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--cv", "1,x"), "--cv 1,x: these are not numbers"),
        (("--cv", "0"), "more than zero percent"),
        (("--plot", "r.txt"), "a plot's suffix"),
        (("--molecules", "10,x"), "--molecules 10,x: these are not numbers of molecules"),
        (("--molecules", "0"), "these are not numbers of molecules"),
    ],
)
def test_what_cannot_be(args, said):
    done = run("--data", "samples/iris/iris.csv", *args)
    assert done.returncode == 2
    assert said in done.stderr


def test_an_output_that_is_the_same_for_all_samples_warns_of_nothing(tmp_path):
    """Its share of variance is -inf in every tube: NumPy warned of the difference of two of them."""
    text = "h = relu(dense(x, weight = [[1]], bias = [-3]))\noutput y = dense(h, weight = [[1000]], bias = [0])\n"
    (tmp_path / "net.nn").write_text(f"input x[1] in [0, 1]\n{text}")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rough = nn2crn.Options(settings={"relu.h": 1.0})
        found = nn2crn.robustness(nn2crn.load(tmp_path / "net.nn"), [[0.1], [0.2], [0.3]], tubes=3, options=rough)
    assert {o.low_accuracy for o in found.outcomes} == {-np.inf}
