"""nn2crn opt: single passes on networks and on reactions as text."""

from __future__ import annotations

import pytest
from driving import drive

import nn2crn
from nn2crn.compiler import Options, PassPipeline, passes
from nn2crn.ir.equality import equal
from nn2crn.notation.reaction_network import parse_network
from nn2crn.notation.show_network import show_network
from nn2crn.passes.pipeline import name_of
from nn2crn.passes.records import STANDARD

TEXT = "input x[1] in [0, 1]\noutput y = silu(dense(x, weight = [[2]]))\n"
PREPARE = "expand_compositions,materialise_affine,choose_templates,lower"


def opt(folder, *arguments):
    (folder / "net.nn").write_text(TEXT, encoding="utf-8")
    return drive("opt", *arguments, folder=folder)


def test_passes_one_by_one_make_what_compile_makes(tmp_path):
    whole = ",".join([*map(name_of, passes(Options())), "lower", "drop_idle"])
    assert opt(tmp_path, "net.nn", "--passes", whole, "-o", "net.rn").kind == "done"
    network = nn2crn.load(tmp_path / "net.nn")
    reactions = nn2crn.compile(network, steps=PassPipeline((*STANDARD, "drop_idle")))
    assert equal(parse_network((tmp_path / "net.rn").read_text(encoding="utf-8")), reactions)


def test_a_reaction_network_is_read_passed_on_and_printed(tmp_path):
    assert opt(tmp_path, "net.nn", "--passes", PREPARE, "-o", "net.rn").kind == "done"
    done = opt(tmp_path, "net.rn", "--passes", "merge_reactions,drop_idle", "--print-after", "all")
    assert [line for line in done.err.splitlines() if line.startswith("after ")] == [
        "after merge_reactions:", "after drop_idle:"
    ]  # fmt: skip
    back = parse_network(done.out.decode())
    assert "".join(show_network(back)) == done.out.decode()
    counts = f"{back.reaction_count} reactions of {back.species_count} species"
    assert back.remarks[-1] == f"drop_idle: {counts} became {counts}"


def test_no_pass_prints_the_network_itself(tmp_path):
    out = opt(tmp_path, "net.nn").out.decode()
    (tmp_path / "again.nn").write_text(out, encoding="utf-8")
    again = drive("opt", "again.nn", folder=tmp_path).out.decode()
    assert out.startswith("network net\n")
    assert "output y = silu(h1)" in out
    assert "output y = silu(h1)" in again


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["net.nn", "--passes", "lower"], "cannot be lowered: 'y' has no template"),
        (["net.nn", "--passes", "drop_idle"], "the pass 'drop_idle' is for reactions, which 'lower' makes"),
        (["net.nn", "--passes", "optimise"], "there is no pass 'optimise'"),
        (["net.nn", "--print-after", "optimise"], "--print-after: there is no pass 'optimise'"),
        (["net.nn", "--passes", PREPARE, "-o", "net.xml"], "net.xml: a reaction network is written as a .rn file"),
        (["net.nn", "-o", "net.rn"], "a network is written as a .nn file"),
        (["missing.rn"], "cannot read missing.rn"),
    ],
)
def test_what_cannot_be_run_is_refused(arguments, message, tmp_path):
    done = opt(tmp_path, *arguments)
    assert done.status == 2
    assert message in done.err
    assert not (tmp_path / "net.rn").exists()


def test_a_text_that_is_no_reaction_network_is_refused_at_its_line(tmp_path):
    (tmp_path / "bad.rn").write_text('network "net"\nkapa 1.0\n', encoding="utf-8")
    done = opt(tmp_path, "bad.rn")
    assert done.status == 1
    assert "bad.rn:2:1: 'kapa' is not a statement that can stand here" in done.err


def test_a_network_that_is_lowered_is_not_lowered_again(tmp_path):
    assert opt(tmp_path, "net.nn", "--passes", PREPARE, "-o", "net.rn").kind == "done"
    done = opt(tmp_path, "net.rn", "--passes", "lower")
    assert "the pass 'lower' is for networks that are not yet lowered" in done.err


CONSUMED = """\
input x[2] in [-1, 1]
h = leaky_relu(dense(x, weight = [[2, -1], [1, 0.5]], bias = [0.5, 0]))
output y = relu6(dense(h, weight = [[1, -3]]))
"""


def test_passes_of_the_rate_independent_encoding_make_what_compile_makes(tmp_path):
    """`opt` knew the passes of the catalytic encoding only."""
    (tmp_path / "net.nn").write_text(CONSUMED, encoding="utf-8")
    options = Options(encoding="rate-independent", max_products=3)
    whole = ",".join([*map(name_of, passes(options)), "lower"])
    made = drive("opt", "net.nn", "--encoding", "rate-independent", "--passes", whole, "-o", "a.rn", folder=tmp_path)
    assert made.kind == "done"
    after = ("--passes", "substitute_unimolecular,split_products", "--max-products", "3", "--print-after", "all")
    done = drive("opt", "a.rn", "--encoding", "rate-independent", *after, "-o", "b.rn", folder=tmp_path)
    said = [line for line in done.err.splitlines() if line.startswith("after ")]
    assert said == ["after substitute_unimolecular:", "after split_products:"]
    expected = nn2crn.compile(nn2crn.load(tmp_path / "net.nn"), options)
    assert equal(parse_network((tmp_path / "b.rn").read_text(encoding="utf-8")), expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--encoding", "rate-independent", "--passes", "lower"], "'y' is a relu6, not of two slopes"),
        (["--passes", "whole_weights"], "the pass 'whole_weights' is of another encoding"),
        (["--encoding", "rate-independent", "--passes", "choose_templates"], "is of another encoding"),
    ],
)
def test_passes_that_do_not_fit_the_encoding_are_refused(arguments, message, tmp_path):
    (tmp_path / "net.nn").write_text(CONSUMED, encoding="utf-8")
    done = drive("opt", "net.nn", *arguments, folder=tmp_path)
    assert done.status == 2
    assert message in done.err
