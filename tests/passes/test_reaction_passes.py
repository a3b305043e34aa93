"""The laws of the passes on reactions, and how the pipeline and its options are refused."""

from __future__ import annotations

import numpy as np
import pytest
from compressed_nets import DATA, DENSE, FRACTIONS, LIBRARY, PRUNINGS, SPACINGS, pruning, single
from hypothesis import given
from hypothesis import strategies as st

import nn2crn
from nn2crn.compiler import PassPipeline
from nn2crn.engines.cvode.internal import Internal
from nn2crn.engines.mass_action import MassAction
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.steady_state.closed_form import fixed_point
from nn2crn.errors import UsageError
from nn2crn.ir.arrays import dense
from nn2crn.passes.compression.options import Compression, LayerChoice, Pruning, Quantization
from nn2crn.passes.compression.prune import prune
from nn2crn.passes.compression.quantize import quantize
from nn2crn.passes.reactions.drop_idle import drop_idle
from nn2crn.passes.reactions.merge_reactions import merge_reactions
from nn2crn.passes.records import OPTIONAL


def compiled(text, folder):
    (folder / "net.nn").write_text(text, encoding="utf-8")
    return nn2crn.compile(nn2crn.load(folder / "net.nn"))


ACTIVATIONS = ("relu", "tanh", "gelu", "square", "elu", "sigmoid", "leaky_relu", "softmax")


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_merging_reactions_leaves_all_derivatives_as_they_are(activation, tmp_path):
    weights = "weight = [[1, -2], [0.5, 1]], bias = [-1, 2]"
    before = compiled(f"input x[2]\noutput y = {activation}(dense(x, {weights}))", tmp_path)
    after = merge_reactions(before)
    assert after.reaction_count <= before.reaction_count
    for state in np.random.default_rng(0).uniform(0, 2, (5, before.species_count)):
        a, b = (MassAction(n).derivative(state) for n in (before, after))
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_dropping_what_never_happens_leaves_the_outputs_as_they_are(activation, tmp_path):
    first, second = "weight = [[1, 2], [-0.5, 1]], bias = [0, 2]", "weight = [[1, 2], [0.5, -1]], bias = [0, -2]"
    hidden = f"input x[2] in [0, 1]\nh = {activation}(dense(x, {first}))\n"
    before = compiled(f"{hidden}output y = dense(h, {second})\noutput z = dense(h, weight = [[1, 1]])", tmp_path)
    after = drop_idle(before)
    saved = before.reaction_count - after.reaction_count
    assert saved > 0 if activation in ("relu", "sigmoid", "softmax") else saved >= 0  # which are never negative
    assert (len(after.blocks) < len(before.blocks)) == (activation in ("relu", "sigmoid", "softmax"))
    x = {"x": np.array([[0.2, 0.9], [0.0, 0.0]])}
    a, b = (read_outputs(n, Internal(n).settle(x))["y"] for n in (before, after))
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-9)
    c = read_outputs(after, fixed_point(after, x))["y"]
    np.testing.assert_allclose(c, read_outputs(before, fixed_point(before, x))["y"], rtol=0, atol=1e-9)


def test_reaction_passes_say_what_they_have_saved():
    reactions = nn2crn.compile(single([2.0], 1.0), steps=PassPipeline(OPTIONAL))
    assert reactions.remarks[-1] == "drop_idle: 6 reactions of 4 species became 6 reactions of 4 species"


def test_passes_are_run_in_order_and_shown_by_name():
    seen = []
    nn2crn.compile(DENSE, steps=PassPipeline(("drop_dead", "drop_idle"), lambda name, _: seen.append(name)))
    named = ["drop_dead", "drop_dead", "name_layers"]
    assert seen == [*named, "expand_compositions", "drop_dead", "materialise_affine", "choose_templates", "drop_idle"]


def test_an_optional_pass_that_is_not_there_is_refused():
    with pytest.raises(UsageError, match="there is no optional pass 'expand_compositions'"):
        PassPipeline(("expand_compositions",))


@pytest.mark.parametrize(
    "text",
    ["exponential", "exponential:0", "exponential:x", "linear:3:one", "cubic:3", "exponential:1:zero", "linear:99"],
)
def test_a_quantization_that_is_none_is_refused(text):
    with pytest.raises(UsageError, match="is not a quantization"):
        Quantization.parse(text)


@pytest.mark.parametrize(
    "text", ["magnitude", "magnitude:2", "magnitude:-0.1", "magnitude:nan", "size:0.5", "set:0.5:all"]
)
def test_a_pruning_that_is_none_is_refused(text):
    with pytest.raises(UsageError, match="is not a pruning"):
        Pruning.parse(text)


@given(SPACINGS, st.integers(1, 8), st.booleans())
def test_a_quantization_reads_back_as_it_is_shown(spacing, bits, zero):
    how = Quantization(spacing, bits, zero and bits > 1)
    assert Quantization.parse(str(how)) == how


@given(PRUNINGS, FRACTIONS)
def test_a_pruning_reads_back_as_it_is_shown(kind, fraction):
    how = pruning(kind, fraction)
    assert Pruning.parse(str(how)) == how


def test_what_needs_data_is_refused_without():
    for wrong in ({"prune": Pruning.parse("cosine:0.5")}, {"prune": Pruning.parse("set:0.5"), "repair": True}):
        with pytest.raises(UsageError, match="samples to calibrate on"):
            Compression(**wrong)
    with pytest.raises(UsageError, match="nothing to repair"):
        Compression(repair=True, data=DATA)


def test_a_layers_own_choice_goes_before_that_of_all():
    first, *others = [layer.name for layer in DENSE.affines()]
    own = {first: LayerChoice("none", Quantization.parse("binary"))}
    how = Compression(Pruning.parse("magnitude:0.9"), Quantization.parse("exponential:4"), layers=own)
    done = {layer.name: dense(layer.terms[0].weight) for layer in quantize(prune(DENSE, how, LIBRARY), how).affines()}
    assert np.count_nonzero(done[first]) == done[first].size
    assert len(np.unique(np.abs(done[first]))) == 1
    assert all(np.count_nonzero(done[name]) < done[name].size for name in others)


def test_a_choice_for_a_layer_that_is_not_there_is_refused():
    own = {"fc7": LayerChoice(quantize=Quantization.parse("binary"))}
    with pytest.raises(UsageError, match="the network has no weights 'fc7'"):
        nn2crn.compress(DENSE, Compression(layers=own))
