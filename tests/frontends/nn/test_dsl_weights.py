"""Files of weights named in .nn files: each kind, and everything that is refused."""

import os

import numpy as np
import pytest

from nn2crn.errors import NotationError
from nn2crn.frontends.nn.reader import parse_network


def read(text, folder):
    return parse_network(text, "net.nn", folder, "net")


def error(text, folder):
    with pytest.raises(NotationError) as caught:
        read(text, folder)
    return str(caught.value)


WEIGHT = np.array([[1.5, -2.0], [0.1, 1e-300], [3.0, 4.0]])


@pytest.fixture
def folder(tmp_path):
    """Files of weights, sound and not, in a model's folder; secret.npy is beside that folder."""
    np.save(tmp_path / "secret.npy", WEIGHT)
    home = tmp_path / "model"
    (home / "sub").mkdir(parents=True)
    np.save(home / "w.npy", WEIGHT)
    np.save(home / "sub" / "w32.npy", np.asfortranarray(WEIGHT, dtype=np.float32))
    np.save(home / "whole.npy", np.array([[1, 2]], dtype=np.int8))
    np.savez(home / "w.npz", W1=WEIGHT, b1=np.array([1.0, 2.0, 3.0]), pickled=np.array([{}], dtype=object))
    (home / "w.csv").write_text('\ufeff1.5, -2\n\n.1,1e-300\n3,"4"\n', encoding="utf-8")
    (home / "column.csv").write_text("1\n2\n3")
    (home / "row.csv").write_text("1,2,3")
    for name, array in {
        "nan": [[0, np.nan]],
        "inf": [[-np.inf, 0]],
        "complex": [[1j, 0]],
        "text": [["1", "2"]],
    }.items():
        np.save(home / f"{name}.npy", np.array(array))
    np.save(home / "empty.npy", np.zeros((0, 2)))
    np.save(home / "pickled.npy", np.array([[{}, 1]], dtype=object))
    (home / "cut.npy").write_bytes((home / "w.npy").read_bytes()[:-1])
    header = (home / "w.npy").read_bytes()
    (home / "huge.npy").write_bytes(header.replace(b"(3, 2), }         ", b"(9000000000000, 2), }", 1))
    for name in ("garbage.npy", "garbage.npz", "garbage.csv"):
        (home / name).write_bytes(b"\x80\x04garbage\n")
    (home / "ragged.csv").write_text("1,2\n\n1,2,3\n")
    (home / "words.csv").write_text("w1,w2\n1,2\n")
    (home / "folder.npy").mkdir()
    os.mkfifo(home / "pipe.npy")
    (home / "out.npy").symlink_to("../secret.npy")
    (home / "up").symlink_to("..")
    (home / "in.npy").symlink_to("sub/../w.npy")
    (home / "loop.npy").symlink_to("loop.npy")
    return home


@pytest.mark.parametrize(
    ("file", "exact"),
    [
        ('"w.npy"', True),
        ('"sub/w32.npy"', False),
        ('"sub/../w.npy"', True),
        ('"../model/w.npy"', True),
        ('"in.npy"', True),
        ('"w.npz", "W1"', True),
        ('"w.csv"', True),
    ],
)
def test_weights_from_files(folder, file, exact):
    net = read(f'input x[2] output y = dense(x, weight = load({file}), bias = load("w.npz", "b1"))', folder)
    weight = WEIGHT if exact else WEIGHT.astype(np.float32).astype(float)
    assert np.array_equal(net.by_name["y"].terms[0].weight, weight)
    assert net.by_name["y"].bias.tolist() == [1, 2, 3]


@pytest.mark.parametrize("file", ["row.csv", "column.csv"])
def test_a_bias_may_be_a_row_or_a_column_of_a_table(folder, file):
    net = read(f'input x[2] output y = dense(x, weight = load("w.npy"), bias = load("{file}"))', folder)
    assert net.by_name["y"].bias.tolist() == [1, 2, 3]


def test_whole_numbers_in_a_file_are_weights(folder):
    net = read('input x[2] output y = dense(x, weight = load("whole.npy"))', folder)
    assert net.by_name["y"].terms[0].weight.tolist() == [[1, 2]]


OUTSIDE = "is outside the folder of the model\n"
UNFIT = "is NaN or infinite\n"


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ('"/etc/passwd.npy"', f"'/etc/passwd.npy' {OUTSIDE}"),
        ('"../secret.npy"', f"'../secret.npy' {OUTSIDE}"),
        ('"sub/../../secret.npy"', f"'sub/../../secret.npy' {OUTSIDE}"),
        ('"out.npy"', f"'out.npy' {OUTSIDE}"),
        ('"up/secret.npy"', f"'up/secret.npy' {OUTSIDE}"),
        ('"../none.npy"', f"'../none.npy' {OUTSIDE}"),
        ('"none.npy"', "'none.npy' cannot be read: No such file or directory\n"),
        ('"none.npz", "W"', "'none.npz' cannot be read: No such file or directory\n"),
        ('"folder.npy"', "'folder.npy' is not a file\n"),
        ('"pipe.npy"', "'pipe.npy' is not a file\n"),
        ('"loop.npy"', "'loop.npy' cannot be read: "),
        ('"a\0.npy"', "'a\\x00.npy' cannot be read: "),
        ('"' + 300 * "a" + '.npy"', "cannot be read: File name too long\n"),
        ('"w.txt"', "'w.txt' is not a file of weights\n"),
        ('"w.npz"', "which array of 'w.npz'?\n"),
        ('"w.npz", "W2"', "'w.npz' has no array 'W2'\n"),
        ('"w.npy", "W1"', "'w.npy' holds one array and has no keys\n"),
        ('"w.npz", "pickled"', "'w.npz', 'pickled' has values of type object\n"),
        ('"pickled.npy"', "'pickled.npy' has values of type object\n"),
        ('"cut.npy"', "'cut.npy' is cut short: "),
        ('"huge.npy"', "'huge.npy' is cut short: "),
        ('"garbage.npy"', "'garbage.npy' cannot be read: "),
        ('"garbage.npz", "W1"', "'garbage.npz' cannot be read: "),
        ('"garbage.csv"', "'garbage.csv' cannot be read: "),
        ('"empty.npy"', "'empty.npy' is empty\n"),
        ('"nan.npy"', f"'nan.npy': the value at [0, 1] {UNFIT}"),
        ('"inf.npy"', f"'inf.npy': the value at [0, 0] {UNFIT}"),
        ('"complex.npy"', "'complex.npy' has values of type complex128\n"),
        ('"text.npy"', "'text.npy' has values of type <U1\n"),
        ('"words.csv"', "'words.csv', line 1: could not convert string to float: 'w1'\n"),
        ('"ragged.csv"', "'ragged.csv', line 3: 3 columns, but 2 in the first row\n"),
        ('"row.csv"', "a weight of shape (1, 3) does not fit a vector of size 2\n"),
    ],
)
def test_files_that_are_refused(folder, file, message):
    said = error(f"input x[2]\noutput y = dense(x, weight = load({file}))", folder)
    assert said.startswith("net.nn:2:30: ")
    assert message in said
    assert "\n" + 33 * " " + "^" in said


def test_the_keys_of_an_archive_are_listed(folder):
    assert error('input x[2] y = dense(x, weight = load("w.npz", "W"))', folder).endswith(
        "hint: its arrays: W1, b1, pickled"
    )
