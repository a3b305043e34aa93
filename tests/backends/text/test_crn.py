"""The .crn file, read by crnsimulator, is the network."""

from __future__ import annotations

import json
import subprocess
import sys

import lark
import pytest
from clients import HOSTILE, MODELS
from effort import examples
from hypothesis import given, settings
from reading import expected, hostile, networks, probe, sample, text

import nn2crn
from nn2crn.backends.crn import emit

# crnsimulator changes pyparsing for everyone in its process, so it gets one of its own: a text a line, as JSON.
READER = """
import json, sys, warnings
warnings.simplefilter("ignore")
from crnsimulator.crn_parser import parse_crn_string
for line in sys.stdin:
    reactions, species = parse_crn_string(json.loads(line))
    print(json.dumps([species, reactions]), flush=True)
"""


@pytest.fixture(scope="module")
def read():
    """Species as {name: (kind, concentration)} and reactions as [left, right, [rate constant]]."""
    command = [sys.executable, "-c", READER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:

        def ask(written):
            reader.stdin.write(json.dumps(written) + "\n")
            reader.stdin.flush()
            return json.loads(reader.stdout.readline())

        yield ask
        reader.stdin.close()


def check(read, network):
    found, reactions = read(text(emit, network))
    species, rates = expected(network, "fiw")
    there = {name for left, right, _ in rates for name in (*left, *right)}
    assert {name: value for name, (_, value) in found.items()} == {n: v for n, v in species.items() if n in there}
    assert not {name[0] for name in found} & set("fiw")
    assert {kind for kind, _ in found.values()} == {"initial"}
    assert [(left, right, float(k)) for left, right, (k,) in reactions] == rates


@pytest.mark.parametrize("name", MODELS)
def test_samples(read, name):
    check(read, sample(name))


def test_many_kinds_of_layers(read, tmp_path):
    check(read, probe(tmp_path))


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names(read, name):
    check(read, hostile([name], name))


def test_all_hostile_names_together(read):
    check(read, hostile())


@settings(max_examples=examples(50), deadline=None)
@given(networks())
def test_random_networks(read, network):
    check(read, network)


def test_the_file_says_how_inputs_are_set_and_outputs_read(tmp_path):
    said = text(emit, probe(tmp_path))
    assert "# input a[1]: a_1_p is its positive part, a_1_m its negative part (one is 0)\n" in said
    assert "# input b[0]: the concentration of b_0_s\n" in said
    assert "# output y[0] = y_0_p - y_0_m at steady state\n" in said
    assert "\na_0_p @ initial 0.5\na_1_p @ initial 0\na_0_m @ initial 0\na_1_m @ initial 0.75\n" in said


def compiled(folder, text):
    (folder / "net.nn").write_text(text)
    return nn2crn.compile(nn2crn.load(folder / "net.nn"))


def test_an_input_that_nothing_reads_is_said_and_has_no_species(read, tmp_path):
    """crnsimulator wants every species with an initial concentration to take part in a reaction."""
    network = compiled(tmp_path, "input x[2]\noutput y = relu(dense(x, weight = [[1, 0]]))\n")
    said = text(emit, network)
    assert "# input x[1]: nothing reads it\n" in said
    assert "x_1" not in said
    check(read, network)


def test_whole_numbers_have_neither_a_point_nor_an_exponent(read, tmp_path):
    """`e+16` is not read by Nuskell's parser."""
    network = compiled(tmp_path, "input x[2]\noutput y = relu(dense(x, weight = [[3, 2e17], [0.5, 1e-7]]))\n")
    said = text(emit, network)
    assert "[k = 3]\n" in said
    assert "[k = 200000000000000000]\n" in said
    assert "e+" not in said
    check(read, network)


def test_no_name_begins_as_a_key_word_of_nuskell_does(read, tmp_path):
    weights = "weight = [[1]]"
    network = compiled(
        tmp_path,
        f"input input[1]\ninput ninput[1]\ninput f[1]\nw = relu(dense(f, {weights}) + dense(ninput, {weights}))\n"
        f"output y = dense(w, {weights}) + dense(input, {weights})\n",
    )
    check(read, network)


# The grammar of Nuskell 0.8, which is not on PyPI, written down: its reader takes a number that is whole by `int`, so
# that a whole number may have neither a point nor an exponent; nor may a name begin with f, i or w.
NUSKELL = lark.Lark(
    r"""
    start: (line? _NEWLINE)*
    line: species "@" "initial" NUMBER -> initial
        | [side] "->" [side] "[" "k" "=" NUMBER "]" -> reaction
    side: species ("+" species)*
    species: [MULTIPLIER] NAME
    MULTIPLIER: /\d+/
    NAME: /(?![fiw])[A-Za-z][A-Za-z0-9_]*/
    NUMBER: /\d+(?![\d.e])/ | /\d+\.\d+(e[-+]?\d+)?/ | /\d+e-\d+/
    COMMENT: /#[^\n]*/
    _NEWLINE: /\n/
    %ignore COMMENT
    %ignore " "
    """
)


def nuskell_reads(network):
    return nuskell_reads_text(text(emit, network))


def nuskell_reads_text(written):
    tokens = NUSKELL.parse(written).scan_values(lambda v: isinstance(v, lark.Token) and v.type == "NUMBER")
    return all(str(int(token)) == token for token in tokens if float(token).is_integer())


@pytest.mark.parametrize("name", [n for n in MODELS if n != "digits"])
def test_samples_follow_the_grammar_of_nuskell(name):
    assert nuskell_reads(sample(name))


@pytest.mark.slow
def test_many_kinds_of_layers_and_hostile_names_follow_the_grammar_of_nuskell(tmp_path):
    assert nuskell_reads(probe(tmp_path))
    assert nuskell_reads(hostile())


@settings(max_examples=examples(20), deadline=None)
@given(networks())
def test_random_networks_follow_the_grammar_of_nuskell(network):
    assert nuskell_reads(network)


@pytest.mark.parametrize("line", ["f_0 @ initial 1", "x_0 @ initial 1.0", "x -> y [k = 1e+16]", "x -> y [k = 2e5]"])
def test_what_nuskell_does_not_read(line):
    with pytest.raises((lark.exceptions.LarkError, ValueError)):
        nuskell_reads_text(f"{line}\n")
