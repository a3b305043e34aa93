"""The Python interface: what the commands do, on models and chemistry in memory."""

import re
import subprocess
import sys
from io import BytesIO, StringIO
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
from parts import needs

import nn2crn
from nn2crn import api
from nn2crn.ir.equality import equal

ROOT = Path(__file__).parents[2]
IRIS, XOR = ROOT / "samples" / "iris" / "iris.onnx", ROOT / "samples" / "xor" / "xor.nn"
FLOWER = [5.1, 3.5, 1.4, 0.2]


@pytest.mark.parametrize("model", [
    str(IRIS), IRIS.read_bytes(), BytesIO(IRIS.read_bytes()), onnx.load(IRIS), bytearray(IRIS.read_bytes()),
], ids=["str", "bytes", "open file", "ModelProto", "bytearray"])  # fmt: skip
def test_a_model_is_a_path_or_what_is_in_it(model):
    assert same(nn2crn.load(model), nn2crn.load(IRIS))


def test_a_network_as_text_in_memory():
    assert same(nn2crn.load(XOR.read_bytes()), nn2crn.load(XOR))


def same(one, other):
    return equal(*(nn2crn.compile(network, name="it") for network in (one, other)))


@pytest.mark.parametrize(("model", "says"), [
    (StringIO("x"), "a file that is open as text is not a model"),
    (3, "a int is not a model"),
    (nn2crn.Options(), "a Options is not a model"),
])  # fmt: skip
def test_what_is_no_model_is_refused_with_what_is_one(model, says):
    with pytest.raises(nn2crn.Nn2crnError, match=says) as e:
        nn2crn.load(model)
    assert "onnx.ModelProto" in e.value.hint


def test_predictions_are_the_networks_outputs():
    reactions = nn2crn.compile(nn2crn.load(IRIS, logits=True))
    (one,) = nn2crn.predict(reactions, FLOWER).values()
    (many,) = nn2crn.predict(nn2crn.load(IRIS, logits=True), {"X": [FLOWER, FLOWER]}).values()
    np.testing.assert_array_equal(many, np.vstack([one, one]))
    assert many.shape == (2, 3)
    assert many.argmax(axis=1).tolist() == [0, 0]


@pytest.mark.parametrize(("inputs", "says"), [
    ([1.0, 2.0], r"has the shape \(2,\), not \(samples, 4\)"),
    ({"Y": [FLOWER]}, "the inputs are X, not Y"),
    ({"X": [FLOWER], "Y": [FLOWER]}, "the inputs are X, not X, Y"),
    ([["a"] * 4], "these are not numbers"),
    ([[1.0], [1.0, 2.0]], "rows of different lengths"),
])  # fmt: skip
def test_inputs_that_do_not_fit_are_refused_with_what_would(inputs, says):
    with pytest.raises(nn2crn.Nn2crnError, match=says):
        nn2crn.predict(nn2crn.load(IRIS), inputs)


def test_options_are_for_a_network():
    with pytest.raises(nn2crn.Nn2crnError, match="compiled already"):
        nn2crn.predict(nn2crn.compile(nn2crn.load(XOR)), [0, 1], options=nn2crn.Options())
    with pytest.raises(nn2crn.Nn2crnError, match="this is a str"):
        nn2crn.predict(str(XOR), [0, 1])


def test_a_file_is_loaded_before_it_is_compiled():
    with pytest.raises(nn2crn.Nn2crnError, match="this is a str, not a network") as e:
        nn2crn.compile(str(XOR))
    assert "nn2crn.load" in e.value.hint


def test_a_course_ends_where_it_is_predicted_and_is_a_table():
    reactions = nn2crn.compile(nn2crn.load(XOR))
    run = api.simulate(reactions, [[0, 1], [1, 1]], species=["layer1*"])
    (ends,) = nn2crn.predict(reactions, [[0, 1], [1, 1]]).values()
    np.testing.assert_allclose(run.done[-1, :, :1], ends, atol=1e-5)
    assert repr(run).startswith("<Run of 2 samples to ")
    table = run.to_frame()
    assert isinstance(table, pd.DataFrame)
    assert table.shape == (2 * len(run.times), len(run.columns))
    np.testing.assert_array_equal(table.loc[1].to_numpy(), run.done[:, 1])


def test_a_course_is_drawn_on_axes_of_matplotlib():
    import matplotlib as mpl

    mpl.use("Agg")
    axes = api.simulate(nn2crn.load(XOR), [[0, 1]]).plot()
    assert [line.get_label() for line in axes.get_lines()] == ["y[0]"]


def test_what_is_measured_and_proved_is_said_in_a_line():
    report = nn2crn.verify(XOR, engines=["fixed-point", "internal"])
    assert report.ok
    assert "<Report: within 0.01 on 100 samples in fixed-point, internal (at most " in repr(report)
    assert not nn2crn.verify(XOR, [[0, 0]], engines=["fixed-point"], tolerance=1e-9).ok
    proved = api.certify(XOR, box=(0, 1))
    assert proved.error_bound["y"] < 0.01
    assert repr(proved).startswith("<Certificate of xor: error y <= ")
    assert repr(proved).endswith("; for x in [0, 1]>")
    by_default = nn2crn.certify(nn2crn.load(IRIS, logits=True))
    assert repr(by_default).endswith("; for X in [-1, 1]>")  # which nobody gave


def test_the_bounds_in_a_line_are_rounded_outward():
    """The peak of 1.001 mol/l was `<= 1` there, and what is proved is not that."""
    proved = nn2crn.certify(nn2crn.load(ROOT / "samples" / "winner" / "winner.nn"))
    shown = re.search(r"error y <= (\S+); settling <= (\S+) s; peak <= (\S+) mol/l", repr(proved))
    values = (proved.error_bound["y"], proved.settling_time, proved.peak)
    assert all(float(text) >= value for text, value in zip(shown.groups(), values, strict=True))


def test_a_report_in_python_is_printed_as_by_the_command():
    """print() had one line of it; what the engines took is another time each time."""
    found = nn2crn.verify(XOR, samples=2, engines=["fixed-point", "internal"])
    command = [sys.executable, "-m", "nn2crn.cli", "verify", XOR, "--engine", "fixed-point", "--engine", "internal"]
    said = subprocess.run([*command, "--samples", "2"], check=True, capture_output=True, text=True).stdout
    here, there = str(found).splitlines(), said.splitlines()
    assert here[0] == f"{XOR}: 2 random samples of x in [0, 1] against {found.reference}"
    before = [[line.rsplit("  ", 1)[0].rstrip() for line in lines] for lines in (here, there)]
    assert before[0] == before[1]
    assert here[-1] == "within 0.01 of the network"
    assert "\n" not in repr(found)


@pytest.mark.parametrize("options", [(), ("--encoding", "rate-independent")], ids=["catalytic", "rate-independent"])
def test_a_proof_in_python_is_printed_as_by_the_command(options):
    """print() had one line of it."""
    asked = nn2crn.Options(encoding=options[1]) if options else nn2crn.Options()
    proved = nn2crn.certify(XOR, box=(0, 1), options=asked)
    command = [sys.executable, "-m", "nn2crn.cli", "certify", XOR, "--box", "0:1", *options]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert str(proved) == said.rstrip("\n")
    assert len(list(proved.statements())) == len(said.splitlines())
    assert "\n" not in repr(proved)


def test_what_is_proved_follows_from_the_encoding():
    whole = nn2crn.Compression(quantize=nn2crn.Quantization("linear", 3, zero=True))
    network = nn2crn.compress(nn2crn.load(IRIS, logits=True), whole)
    proved = nn2crn.certify(network, options=nn2crn.Options(encoding="rate-independent"))
    assert isinstance(proved, nn2crn.RateIndependence)
    assert proved.holds
    assert repr(proved).startswith("<RateIndependence of iris: holds for all inputs and positive rates; ")


def test_what_becomes_of_it_in_tubes_is_said_in_a_line():
    network = nn2crn.load(IRIS, logits=True, domain={"": (0.0, 8.0)})
    rows = [FLOWER, [6.3, 3.3, 6.0, 2.5]]
    found = nn2crn.robustness(network, rows, labels=[0, 2], cvs=[0.1], tubes=20)
    assert repr(found).startswith("<Robustness of iris: accuracy (and its 5 % quantile) 1.000, ")
    assert repr(found).endswith("for rate constants 10 % (shared)>")
    assert [o.accuracy for o in nn2crn.robustness(network, rows, cvs=[0.1], tubes=20).outcomes] == [
        o.accuracy for o in found.outcomes
    ]
    with pytest.raises(nn2crn.Nn2crnError, match=r"the labels have the shape \(3,\), not \(2,\)"):
        nn2crn.robustness(network, rows, labels=[0, 1, 2])


def test_what_it_takes_in_a_tube_is_said_in_a_line():
    network = nn2crn.load(IRIS, logits=True, domain={"": (0.0, 8.0)})
    found = nn2crn.realise(network, FLOWER, limits=nn2crn.Limits(signal=50e-9), schemes=["soloveichik2010"])
    assert found.peak == pytest.approx(50e-9)
    assert [p.scheme for p in found.parts] == ["soloveichik2010"]
    assert repr(found).startswith("<Realisation, catalytic: 92 reactions, settles in ")
    with pytest.raises(nn2crn.Nn2crnError, match="there is no scheme 'foo'"):
        nn2crn.realise(network, FLOWER, schemes=["foo"])


@needs("mypy")
@pytest.mark.slow
def test_a_type_checker_notices_a_name_that_is_not_there(tmp_path):
    script = tmp_path / "use.py"
    lines = "import nn2crn", "nn2crn.predict(nn2crn.load('m.onnx'), [1.0])", "nn2crn.Options()", "nn2crn.predikt"
    script.write_text("\n".join([*lines, "nn2crn.Options(settings=3)\n"]))
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(script)]
    said = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT).stdout
    assert 'use.py:4: error: Module has no attribute "predikt"' in said
    assert 'use.py:5: error: Argument "settings"' in said
    assert "use.py:2" not in said
    assert "use.py:3" not in said


NETWORK, REACTIONS = nn2crn.load(XOR), nn2crn.compile(nn2crn.load(XOR))


def test_one_pattern_of_species_and_one_engine_may_come_alone():
    columns = nn2crn.simulate(REACTIONS, [0, 1], species="layer1*", points=2).columns
    assert columns == ("y[0]", "layer1[0]", "layer1[1]")
    assert nn2crn.verify(NETWORK, [0, 1], engines="fixed-point").ok


@needs("sklearn")
def test_an_estimator_of_scikit_learn_is_a_model():
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 3))
    how = {"hidden_layer_sizes": (3,), "solver": "lbfgs", "max_iter": 500, "random_state": 0}
    regressor = MLPRegressor(**how).fit(x, x[:, 0])
    (found,) = nn2crn.predict(nn2crn.load(regressor), x).values()
    np.testing.assert_allclose(found.reshape(-1), regressor.predict(x), atol=5e-3)
    classifier = make_pipeline(StandardScaler(), MLPClassifier(**how)).fit(x, x[:, 0] > 0)
    (found,) = nn2crn.predict(nn2crn.load(classifier), x).values()
    assert np.array_equal(found.reshape(30, -1)[:, -1] > 0.5, classifier.predict(x))
    with pytest.raises(nn2crn.Nn2crnError, match="is not fitted"):
        nn2crn.load(MLPClassifier())


@needs("exporters")
@pytest.mark.slow
def test_a_model_of_keras_and_a_module_without_an_example():
    code = """if True:
        import os
        os.environ["KERAS_BACKEND"] = "torch"
        import keras, numpy as np, torch, nn2crn
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, "relu"), keras.layers.Dense(1)])
        (found,) = nn2crn.predict(nn2crn.load(model), [[0.5, -1.0]]).values()
        wanted = keras.ops.convert_to_numpy(model(np.array([[0.5, -1.0]], dtype=np.float32)))
        assert np.allclose(found, wanted, atol=5e-3), (found, wanted)
        try:
            nn2crn.load(torch.nn.Linear(2, 1))
        except nn2crn.Nn2crnError as e:
            print(e.message)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "a module of PyTorch needs an example of its inputs", done.stderr
