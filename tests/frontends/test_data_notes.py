"""What is said of data files: which columns are left out, what weights of few bits keep, and how few samples are."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import command_line
import numpy as np
import pytest

import nn2crn
from nn2crn.errors import DataWarning
from nn2crn.frontends.samples import read_data

SAMPLES = Path(__file__).parents[2] / "samples"
IRIS, FLOWERS = SAMPLES / "iris" / "iris.onnx", SAMPLES / "iris" / "iris.csv"
FIVE = "network five\ninput x[5]\noutput y = relu(dense(x, weight = [[1, 2, 3, 4, 5], [5, -4, 3, -2, 1]]))\n"
WHOLE = ("--logits", "--encoding", "rate-independent")


@pytest.fixture
def five(tmp_path):
    (tmp_path / "five.nn").write_text(FIVE)
    return tmp_path / "five.nn"


def table(folder, text):
    path = folder / "d.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(("text", "read", "said"), [
    ("class,temp,pH,glucose,salt,light\n9,1,2,3,4,5\n", [1, 2, 3, 4, 5],
     "column 'class' is left out, by name; inputs are temp, pH, glucose, salt, light"),
    ("a,temp,pH,glucose,salt,light\n9,1,2,3,4,5\n", [9, 1, 2, 3, 4],
     "column 'light' is taken for labels; inputs are a, temp, pH, glucose, salt"),
    ("Id,a,b,c,d,e,Species\n7,1,2,3,4,5,setosa\n", [1, 2, 3, 4, 5],
     "columns 'Id', 'Species' are left out, by name; inputs are a, b, c, d, e"),
    ("a,b,y,d,e,z\n1,2,3,4,5,6\n", [1, 2, 3, 4, 5], "column 'z' is taken for labels; inputs are a, b, y, d, e"),
    ("class,a,b,c,d,label\n9,1,2,3,4,5\n", [9, 1, 2, 3, 4], "column 'label' is taken for labels; inputs are class,"),
    ("9,1,2,3,4,5\n", [9, 1, 2, 3, 4], "the last column is taken for labels"),
])  # fmt: skip
def test_a_column_that_is_left_over_is_named(five, tmp_path, text, read, said):
    with pytest.warns(DataWarning) as warned:
        found = read_data(table(tmp_path, text), nn2crn.load(five))
    assert found["x"].tolist() == [read]
    assert [said in str(w.message) for w in warned] == [True]


def test_labels_in_the_middle_are_not_taken_for_an_input(five, tmp_path):
    """They were, and the last input was left out for them."""
    path = table(tmp_path, "a,b,class,c,d,e\n1,2,9,3,4,5\n")
    with pytest.raises(nn2crn.Nn2crnError, match=r"'class' may be the labels\nhint: name it \(--labels class\)"):
        read_data(path, nn2crn.load(five))
    assert read_data(path, nn2crn.load(five), "class")["x"].tolist() == [[1, 2, 3, 4, 5]]
    path = table(tmp_path, "a,b,kind,c,d,e\n1,2,setosa,3,4,5\n")
    said = r"line 2: 'setosa' is not a number\nhint: if column 'kind' is the labels, name it \(--labels\)"
    with pytest.warns(DataWarning), pytest.raises(nn2crn.Nn2crnError, match=said):
        read_data(path, nn2crn.load(five))


@pytest.mark.parametrize(("head", "column"), [("a,b,kind,c,d,e\n", "'kind'"), ("", "3")])
def test_a_column_that_looks_like_labels_is_pointed_out(five, tmp_path, head, column):
    rows = [f"1.5,2,{n % 3},3,4,{n}.5\n" for n in range(6)]
    with pytest.warns(DataWarning, match=f"column {column} has whole numbers from 0, as labels have"):
        read_data(table(tmp_path, head + "".join(rows)), nn2crn.load(five))
    labelled = [f"1.5,2,{n % 2},3,4,{n % 3}\n" for n in range(6)]  # the last column is as likely
    with pytest.warns(DataWarning) as warned:
        read_data(table(tmp_path, head + "".join(labelled)), nn2crn.load(five))
    assert len(warned) == 1


@pytest.mark.parametrize("head", ["", "class,b,c,d,e\n"])
def test_nothing_is_said_where_no_column_is_left_over(five, tmp_path, head):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read_data(table(tmp_path, f"{head}1,2,3,4,5\n"), nn2crn.load(five))
    assert found["x"].tolist() == [[1, 2, 3, 4, 5]]


@pytest.mark.parametrize("command", ["verify", "simulate", "realise", "certify", "sensitivities", "robustness"])
def test_commands_note_the_column_that_is_left_over(five, tmp_path, command):
    data = table(tmp_path, "class,temp,pH,glucose,salt,light\n9,.1,.2,.3,.4,.5\n")
    few = {"realise": ["--alone"], "robustness": ["--tubes", "2", "--cv", "1"], "verify": ["--engine", "fixed-point"]}
    done = command_line.nn2crn(command, five, "--data", data, *few.get(command, []), "--json")
    assert done.returncode == 0, done.stderr
    notes = [line for line in done.stderr.splitlines() if line.startswith("note: ")]
    assert notes == [f"note: {data}: column 'class' is left out, by name; inputs are temp, pH, glucose, salt, light"]
    json.loads(done.stdout)


@pytest.mark.parametrize("command", ["compile", "convert"])
def test_json_has_the_note_on_the_column(tmp_path, command):
    target = tmp_path / ("net.xml" if command == "compile" else "net.nn")
    options = ("--logits", "--prune", "magnitude:0.2", "--repair", "--data", FLOWERS, "-o", target)
    done = command_line.nn2crn(command, IRIS, *options, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    notes = said["models"][0]["notes"] if command == "compile" else said["notes"]
    assert sum("column 'label' is left out, by name" in n for n in notes) == 1
    assert "column 'label'" not in done.stderr
    loud = command_line.nn2crn(command, IRIS, *options)
    assert loud.stderr.count("column 'label' is left out, by name") == 1


def test_bits_with_data_say_what_they_keep(tmp_path):
    done = command_line.nn2crn("compile", IRIS, *WHOLE, "--bits", "3", "--data", FLOWERS, "-o", tmp_path / "x.xml")
    assert done.returncode == 0, done.stderr
    assert "note: weights of 3 bits keep 98.7% of what the network makes of --data" in done.stderr
    alone = command_line.nn2crn("compile", IRIS, *WHOLE, "--bits", "3", "-o", tmp_path / "y.xml")
    assert alone.returncode == 0, alone.stderr
    assert "note: weights of 3 bits: nn2crn verify says what this costs; with --data and no --bits, " in alone.stderr
    assert (tmp_path / "x.xml").exists()


@pytest.mark.parametrize("count", [1, 10])
def test_few_samples_are_not_a_measure_of_accuracy(tmp_path, count):
    np.savez(tmp_path / "few.npz", np.genfromtxt(FLOWERS, delimiter=",", skip_header=1)[::15, :4][:count])
    options = ("--logits", "--data", tmp_path / "few.npz", "--scheme", "soloveichik2010")
    done = command_line.nn2crn("realise", IRIS, *options)
    assert done.returncode == 0, done.stderr
    few = f"{count} sample{'s'[: count != 1]}: too few to measure accuracy"
    assert (few in done.stdout, "as right and" in done.stdout) == (count < 10, count >= 10)
