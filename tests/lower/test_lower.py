"""What lowering makes of a network, reaction by reaction."""

from __future__ import annotations

from pathlib import Path

import lowered
import numpy as np
import pytest
from nets import Mlp, random_mlp
from scipy import sparse

import nn2crn
from nn2crn import memory
from nn2crn.errors import ModelError, SizeError, TemplateError
from nn2crn.ir.arrays import dense
from nn2crn.ir.equality import equal
from nn2crn.ir.families.matrix import MatrixFamily
from nn2crn.ir.formula import Symbol
from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term
from nn2crn.lower.catalytic import lower as lower_
from nn2crn.notation.text import show_reaction
from nn2crn.passes.network.choose_templates import choose_templates
from nn2crn.templates.registry import read_template

TINY = Mlp([np.array([[1.5]]), np.array([[2.0]])], [np.array([-0.5]), np.array([-1.0])])


def test_one_reaction_per_weight_and_rail_and_no_pre_activation():
    """y = 2 relu(1.5 x - 0.5) - 1, as in the paper's construction."""
    assert [show_reaction(r) for r in nn2crn.compile(TINY.network()).reactions()] == [
        "0 -> layer1[0] @ 1e-06",
        "x[0]+ + layer1[0] -> x[0]+ + 2 layer1[0] @ 1.5",
        "x[0]- + layer1[0] -> x[0]- @ 1.5",
        "layer1[0] -> 0 @ 0.5",
        "2 layer1[0] -> layer1[0] @ 1",
        "layer1[0] -> layer1[0] + y[0]+ @ 2",
        "0 -> y[0]- @ 1",
        "y[0]+ -> 0 @ 1",
        "y[0]- -> 0 @ 1",
        "y[0]+ + y[0]- -> 0 @ 1",
    ]


def test_a_non_negative_input_is_one_rail():
    crn = nn2crn.compile(Mlp(TINY.weights, TINY.biases, lower=0.0).network())
    assert crn.labels()[0] == "x[0]"
    assert crn.species_count == 4


def test_zero_weights_make_no_reactions():
    crn = nn2crn.compile(Mlp([np.zeros((3, 2))], [np.array([0.0, 1.0, -1.0])]).network())
    made = [show_reaction(r) for r in crn.reactions() if "-> 0" not in show_reaction(r)]
    assert made == ["0 -> y[1]+ @ 1", "0 -> y[2]- @ 1"]


def test_weights_stay_matrices():
    """A layer's weights are one matrix however many reactions they stand for; rails share it."""
    crn = nn2crn.compile(random_mlp([30, 20, 10]).network())
    driven = [f for f in crn.modules[0].families if isinstance(f, MatrixFamily)]
    assert len(driven) == 4
    assert len({id(f.term.matrix) for f in driven}) == 1
    assert sum(f.count for f in driven) == 2 * 30 * 20


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("seed", range(8))
def test_what_takes_part_is_what_reactions_name(seed, form):
    rng = np.random.default_rng(seed)
    weight = rng.normal(size=(4, 5)) * (rng.random((4, 5)) < 0.2)
    affine = Affine("u", (Term("x", form(weight)),), np.zeros(4))
    nodes = (Input("x", (5,), -float(seed % 2), 1.0), affine, Activation("y", "relu", ("u",), 4))
    for family in nn2crn.compile(Network("net", nodes, (Output("y", "y", (4,)),))).families:
        named = {i for batch in family.batches() for i in batch.species.reshape(-1).tolist()}
        assert set(family.taking_part().tolist()) == named


def test_chunks_hold_a_bounded_number_of_reactions():
    crn = nn2crn.compile(random_mlp([500, 300, 10]).network())
    sizes = [batch.count for f in crn.families for batch in f.batches()]
    assert sum(sizes) == crn.reaction_count > 300_000
    assert max(sizes) <= 1 << 16


def test_consecutive_linear_maps_are_one():
    nodes = (
        Input("x", (2,)),
        Affine("a", (Term("x", np.array([[1.0, 2.0], [0.0, 1.0]])),), np.array([1.0, 0.0])),
        Affine("b", (Term("a", np.array([[0.0, 3.0], [1.0, 0.0]])),), np.array([0.0, -2.0])),
        Activation("y", "relu", ("b",), 2),
    )
    crn = nn2crn.compile(Network("two", nodes, (Output("y", "y", (2,)),)))
    one = Affine("b", (Term("x", np.array([[0.0, 3.0], [1.0, 2.0]])),), np.array([0.0, -1.0]))
    fused = Network("two", (nodes[0], one, nodes[3]), (Output("y", "y", (2,)),))
    assert equal(crn, nn2crn.compile(fused))
    assert not equal(crn, nn2crn.compile(TINY.network()))


def test_layers_no_output_needs_are_left_out():
    net = random_mlp([2, 3, 1]).network()
    extra = Activation("unused", "relu", (next(net.affines()).name,), 3)
    assert equal(nn2crn.compile(net), nn2crn.compile(net.replace(nodes=(*net.nodes, extra))))


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ((Input("x", (2,)), Input("x", (2,))), "used twice"),
        ((Affine("y", (Term("x", np.eye(2)),), np.zeros(2)),), "not an earlier node"),
        ((Input("x", (3,)), Affine("y", (Term("x", np.eye(2)),), np.zeros(2))), "does not fit"),
        ((Input("x", (2,)), Activation("y", "relu", ("x",), 3)), "sources of size 3"),
        ((Input("x", (2,)),), "missing or has another size"),
    ],
)
def test_an_inconsistent_network_cannot_be_made(nodes, message):
    with pytest.raises(ModelError, match=message):
        Network("bad", nodes, (Output("y", "y", (2,)),))


def test_weights_are_read_only():
    net = random_mlp([2, 3, 1]).network()
    affine = next(net.affines())
    with pytest.raises(ValueError, match="read-only"):
        affine.terms[0].weight[0, 0] = 1.0


@pytest.mark.parametrize("name", lowered.NAMES)
def test_what_is_lowered_is_what_it_was(name, golden):
    """Species, starts, labels, reactions and rate constants, to the letter; laws elsewhere say that they are right."""
    path = Path(__file__).parents[1] / "data" / "lowered.txt"
    _, head, rest = path.read_text(encoding="utf-8").partition(f"== {name}\n")
    made = "".join(f"{line}\n" for line in lowered.lines(lowered.LIBRARY.get(name)))
    golden(path, head + rest.partition("\n== ")[0].rstrip("\n") + "\n", made)


def production(crn, concentrations):
    """d/dt of every species by its label, from the reactions one by one."""
    change = dict.fromkeys(crn.labels(), 0.0)
    for r in crn.reactions():
        flux = r.rate * np.prod([concentrations[s] ** n for s, n in r.reactants])
        for side, sign in ((r.reactants, -1), (r.products, 1)):
            for s, n in side:
                change[s] += sign * n * flux
    return change


@pytest.mark.parametrize("lower", [None, 0.0])
def test_two_drives_meet_summand_by_summand(lower):
    """y = (A x + B z + a)(C x + c), neuron by neuron: from no y at all, y+ less y- is made at that rate."""
    weights = {
        "A": np.array([[2.0, -1.0], [0.5, 0.0], [0.0, 0.0]]), "B": np.array([[0.0], [3.0], [0.25]]),
        "C": np.array([[1.0, 4.0], [-0.5, 2.0], [0.0, -3.0]]),
    }  # fmt: skip
    a, c = np.array([0.5, 0.0, -1.0]), np.array([0.0, -2.0, 0.0])
    nodes = (
        Input("x", (2,), lower, None), Input("z", (1,)),
        Affine("u", (Term("x", weights["A"]), Term("z", weights["B"])), a), Affine("v", (Term("x", weights["C"]),), c),
        Activation("y", "product", ("u", "v"), 3),
    )  # fmt: skip
    network = Network("n", nodes, (Output("y", "y", (3,)),))
    crn = lower_(choose_templates(network, nn2crn.Options()), nn2crn.Library())  # no drive is made a signal before
    x, z = np.array([0.3, 0.7]) if lower is not None else np.array([0.3, -0.7]), np.array([-1.1])
    state = dict.fromkeys(crn.labels(), 0.0)
    for name, values in (("x", x), ("z", z)):
        for i, value in enumerate(values):
            if f"{name}[{i}]" in state:
                state[f"{name}[{i}]"] = value
            else:
                state |= {f"{name}[{i}]+": max(value, 0.0), f"{name}[{i}]-": max(-value, 0.0)}
    made = production(crn, state)
    (layer,) = (m.name for m in crn.modules)
    found = [made[f"{layer}[{i}]+"] - made[f"{layer}[{i}]-"] for i in range(3)]
    expected = (weights["A"] @ x + weights["B"] @ z + a) * (weights["C"] @ x + c)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    same = [r for r in crn.reactions() if ("x[0]" if lower is not None else "x[0]+", 2) in r.reactants]
    assert same, "a summand times itself is one species twice"


def test_products_of_drives_past_double_precision_are_refused():
    def network(first, second):
        nodes = (
            Input("x", (1,)), Affine("u", (Term("x", np.array([[first]])),), np.zeros(1)),
            Affine("v", (Term("x", np.array([[second]])),), np.zeros(1)), Activation("y", "product", ("u", "v"), 1),
        )  # fmt: skip
        return Network("n", nodes, (Output("y", "y", (1,)),))

    for pair in ((1e200, 1e200), (1e-200, 1e-200)):
        with pytest.raises(TemplateError, match="make rate constants beyond double precision"):
            nn2crn.compile(network(*pair))
    assert nn2crn.compile(network(1e200, 1e-200)).reaction_count


MINE = """template relu.mine for relu
  "Read with a factor, though nothing asks for one"
  source "a test"
  function = max(u, 0)
  parameter h = 1e-6 in (0, 1]

  0       -> Y            @ h
  U+ + Y  -> U+ + 2 Y     @ 1
  U- + Y  -> U-           @ 1
  2 Y     -> Y            @ 1

  output 3*Y - 2
  initial Y = h
  fixed point Y = (u + sqrt(u^2 + 4*h))/2
  error <= 1000
  rate >= sqrt(u^2 + 4*h)
  stability global
"""


def test_factors_and_constants_of_what_is_read_go_into_the_next_layer(tmp_path):
    """W (3 Y - 2) + b is 3 W Y + (b - 2 W 1)."""
    (tmp_path / "mine.act").write_text(MINE)
    library = nn2crn.Library((read_template(tmp_path / "mine.act"),))
    text = "input x[2] in [0, 1]\nh = relu.mine(x, h = 0.5)\noutput y = dense(h, weight = [[1, -2]], bias = [0.5])\n"
    (tmp_path / "net.nn").write_text(text)
    network = nn2crn.load(tmp_path / "net.nn", library=library)
    made = nn2crn.compile(network, nn2crn.Options(library=library))
    hidden, last = made.modules
    assert hidden.species[Symbol("Y")].initial.tolist() == [0.5, 0.5]
    assert [c.tolist() for _, c in hidden.readout.terms] == [[3.0, 3.0]]
    assert hidden.readout.constant.tolist() == [-2.0, -2.0]
    (drive,) = last.drives.values()
    assert drive.bias.tolist() == [0.5 - 2 * (1 - 2)]
    (term,) = drive.terms
    assert term.sources.tolist() == hidden.species[Symbol("Y")].indices.tolist()
    assert dense(term.matrix).tolist() == [[3.0, -6.0]]


def refused(text, allowed, folder, monkeypatch):
    """What a network is refused with if it may hold that many numbers; nothing if it is not."""
    (folder / "net.nn").write_text(text)
    network = nn2crn.load(folder / "net.nn")
    monkeypatch.setattr(memory, "allowed", lambda: allowed * 32)
    try:
        nn2crn.compile(network)
    except SizeError as e:
        return e.message
    return ""


def test_numbers_are_counted_layer_by_layer(tmp_path, monkeypatch):
    """A ReLU has one species and four reactions: three neurons in two layers are 30 numbers, before any weights."""
    text = "input x[3] in [0, 1]\nh = relu(x)\noutput y = relu(h)\n"
    assert refused(text, 30, tmp_path, monkeypatch) == ""
    said = refused(text, 29, tmp_path, monkeypatch)
    assert "net.nn:3:12: with the layers before it, the chemistry would hold 30 numbers, for which" in said


def test_pairs_of_elements_are_counted(tmp_path, monkeypatch):
    text = "input x[30] in [0, 1]\noutput y = winner_take_all(x)\n"
    said = refused(text, 869, tmp_path, monkeypatch)
    assert said.startswith("layer1: all pairs of elements in winner_take_all.lotka_volterra would hold 870 numbers")
    assert refused(text, 870, tmp_path, monkeypatch) == ""
