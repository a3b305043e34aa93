"""Data for the inputs, from CSV and NPZ: the forms that people have, and what is said of faulty ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import nn2crn
from nn2crn.frontends.samples import read_data
from nn2crn.training.table import read_table

SAMPLES = Path(__file__).parents[2] / "samples"


def network():
    return nn2crn.load(SAMPLES / "xor" / "xor.nn")


FAULTY = {
    "text.csv": ("1,b\n", "line 1: 'b' is not a number"),
    "short.csv": ("a,b\n1,2\n3\n", "line 3: 1 values, where the first line has 2"),
    "long.csv": ("1,2,0,0\n", "line 1: 4 values, where the inputs take 2\nhint: the inputs' columns come first"),
    "semicolon.csv": ("a;b\n1;2\n", "line 2: 1 value, where the inputs take 2\nhint: columns are separated by commas"),
    "tabs.csv": ("a\tb\n1\t2\n", "hint: columns are separated by commas"),
    "nan.csv": ("1,nan\n", "sample 0 of input 'x' has a value that is NaN"),
    "empty.csv": ("", "there are no samples"),
    "head.csv": ("a,b\n", "there are no samples"),
    "below.csv": ("1,-2\n", "declared non-negative"),
}


@pytest.mark.parametrize("name", FAULTY)
def test_faulty_csv_is_refused_with_its_line(tmp_path, name):
    text, message = FAULTY[name]
    (tmp_path / name).write_text(text)
    with pytest.raises(nn2crn.Nn2crnError, match=message):
        read_data(tmp_path / name, network())


@pytest.mark.parametrize("read", [
    lambda path: read_data(path, network()), lambda path: read_table(path, task="regression"),
])  # fmt: skip
@pytest.mark.parametrize(("text", "line"), [
    ("a,b\n\n1,2\n\n  \nthree,4\n", 6), ("\n1,2\n\r\n3\n", 4), ('"a\nname",b\n1,2\nx,4\n', 4),
])  # fmt: skip
def test_lines_are_counted_as_an_editor_counts_them(tmp_path, read, text, line):
    """Those with nothing on them were not, so that errors named a line before the faulty one."""
    (tmp_path / "d.csv").write_text(text)
    with pytest.raises(nn2crn.Nn2crnError, match=f"line {line}: "):
        read(tmp_path / "d.csv")


def test_a_column_of_labels_is_left_out_wherever_it_stands(tmp_path):
    (tmp_path / "d.csv").write_text("kind,a,b,more\n7,1,2,3\n7,4,5,6\n")
    assert read_data(tmp_path / "d.csv", network(), "kind")["x"].tolist() == [[1, 2], [4, 5]]
    with pytest.raises(nn2crn.Nn2crnError, match="4 values, where the inputs take 2"):
        read_data(tmp_path / "d.csv", network(), "")


def test_faulty_npz_is_refused(tmp_path):
    path = tmp_path / "d.npz"
    for arrays, message in (
        ({"x": np.zeros((3, 5))}, "each sample of this input has 2 numbers"),
        ({"x": np.array(["a", "b"])}, "has values of type <U1"),
        ({"x": np.full((3, 2), np.inf)}, "NaN or infinite"),
        ({}, "no array in it"),
    ):
        np.savez(path, **arrays)
        with pytest.raises(nn2crn.Nn2crnError, match=message):
            read_data(path, network())
    path.write_bytes(b"no archive")
    with pytest.raises(nn2crn.Nn2crnError, match="is no"):
        read_data(path, network())
    np.savez(path, x=np.array([[{}, {}]], dtype=object))
    with pytest.raises(nn2crn.Nn2crnError, match="has values of type object"):
        read_data(path, network())


def test_samples_may_come_in_batches_of_the_models_size(tmp_path):
    """As for a model that was exported with a batch of three, of which one sample is compiled."""
    x = np.random.default_rng(0).uniform(size=(4, 3, 2))
    np.savez(tmp_path / "d.npz", x=x)
    assert np.array_equal(read_data(tmp_path / "d.npz", network())["x"], x.reshape(-1, 2))
    np.savez(tmp_path / "d.npz", x=x.reshape(4, 2, 3))
    with pytest.raises(nn2crn.Nn2crnError, match="each sample of this input has 2 numbers"):
        read_data(tmp_path / "d.npz", network())


def test_data_are_read_in_the_forms_that_people_have(tmp_path):
    x = np.array([[0.0, 1.0], [0.5, 0.25]])
    np.savetxt(tmp_path / "plain.csv", x, delimiter=",")
    np.savetxt(tmp_path / "head.csv", np.c_[x, [7, 8]], delimiter=",", header="a,b,label", comments="")
    np.savez(tmp_path / "named.npz", x=x.reshape(2, 2, 1).astype(np.float32))
    np.savez(tmp_path / "other.npz", label=np.array([1, 2]), features=x)
    np.savez(tmp_path / "numbered.npz", x0=x)
    for name in ("plain.csv", "head.csv", "named.npz", "other.npz", "numbered.npz"):
        np.testing.assert_array_equal(read_data(tmp_path / name, network())["x"], x)
