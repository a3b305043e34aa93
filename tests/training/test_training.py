"""Training: what its steps must keep, and that what was trained is what the chemistry computes.

Without PyTorch, an optional dependency, only what needs none is tested.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parts import load, needs

import nn2crn
from nn2crn.analysis.forward import forward
from nn2crn.engines.cvode.internal import Internal
from nn2crn.engines.ports import read_outputs
from nn2crn.errors import DataError, Nn2crnError, UnsupportedError, UsageError
from nn2crn.ir.arrays import dense
from nn2crn.training import Evolution, Training, train
from nn2crn.training.harden import harden
from nn2crn.training.table import Table, read_table
from nn2crn.training.tolerance import accuracy
from nn2crn.training.topology import evolved, random_masks

RULES = [(removal, regrowth) for removal in ("magnitude", "cosine") for regrowth in ("random", "highest", "likely")]


@given(st.lists(st.integers(1, 30), min_size=2, max_size=5), st.floats(0, 1), st.integers(0, 9))
def test_masks_have_the_density_asked_for(sizes, density, seed):
    masks = random_masks(sizes, density, np.random.default_rng(seed))
    assert [m.shape for m in masks] == list(zip(sizes[1:], sizes[:-1], strict=True))
    whole = sum(m.size for m in masks)
    assert sum(int(m.sum()) for m in masks) == pytest.approx(density * whole, abs=len(masks))


def test_small_layers_are_denser():
    """An Erdos-Renyi graph with e = 2: 2 (n + m)/(n m)."""
    sizes = [100, 50, 10]
    masks = random_masks(sizes, 2 * (150 + 60) / 5500, np.random.default_rng(0))
    assert [int(m.sum()) for m in masks] == [300, 120]


@given(st.sampled_from(RULES), st.floats(0, 1), st.floats(0, 1), st.integers(0, 99))
def test_a_step_keeps_the_number_of_connections_and_brings_none_back_at_once(rule, density, fraction, seed):
    rng = np.random.default_rng(seed)
    mask = rng.random((6, 7)) < density
    weight, cosine = rng.normal(size=mask.shape) * mask, rng.random(mask.shape)
    removal, regrowth = rule
    new = evolved(mask, weight, cosine, fraction, rng, removal=removal, regrowth=regrowth)
    assert new.sum() == mask.sum()
    changed = int((mask & ~new).sum())
    assert changed == int((new & ~mask).sum())
    assert abs(changed - min(fraction * mask.sum(), (~mask).sum())) <= 1


def test_what_goes_and_what_comes_is_by_the_rule():
    mask = np.array([[True, True, True, True, False, False, False]])
    weight = np.array([[0.1, 3.0, -0.2, -5.0, 0.0, 0.0, 0.0]])
    cosine = np.array([[0.9, 0.1, 0.2, 0.8, 0.3, 0.7, 0.5]])
    rng = np.random.default_rng(0)
    by_size = evolved(mask, weight, cosine, 0.5, rng, removal="magnitude", regrowth="highest")
    assert np.flatnonzero(by_size).tolist() == [1, 3, 5, 6]  # the smallest positive and the largest negative weight go
    by_cosine = evolved(mask, weight, cosine, 0.5, rng, removal="cosine", regrowth="highest")
    assert np.flatnonzero(by_cosine).tolist() == [0, 3, 5, 6]
    likely = [evolved(mask, weight, cosine, 0.25, rng, removal="cosine", regrowth="likely") for _ in range(3000)]
    grown = np.mean(likely, axis=0)[0, 4:]
    np.testing.assert_allclose(grown, cosine[0, 4:] / cosine[0, 4:].sum(), atol=0.03)


RINGS = np.random.default_rng(0).uniform(-1, 1, (400, 2))
INSIDE = (np.sum(RINGS**2, axis=1) < 0.5).astype(int)


def counted(network):
    """Of each layer, the connections that are not zero."""
    return [np.count_nonzero(dense(a.terms[0].weight)) for a in network.affines()]


def settled(network, x):
    reactions = nn2crn.compile(network)
    return read_outputs(reactions, Internal(reactions).settle({"x": x}))["y"]


@needs("torch")
@pytest.mark.parametrize("rule", RULES)
def test_an_evolved_network_classifies_as_chemistry_and_has_its_connections(rule):
    how = Training(density=0.6, evolution=Evolution(*rule, every=25), steps=300, rate=0.02)
    done = train(RINGS, INSIDE, (12,), how)
    expected = forward(done.network, {"x": RINGS}, nn2crn.Library())["y"]
    found = settled(done.network, RINGS[:40])
    np.testing.assert_allclose(found, expected[:40], rtol=0, atol=1e-6)  # what was trained is what is computed
    assert done.score > 0.8
    assert sum(counted(done.network)) <= round(0.6 * (2 + 2) * 12) + 1


@needs("torch")
def test_training_again_gives_the_same_network():
    for how in (Training(density=0.5, evolution=Evolution("magnitude", "likely", every=5), steps=20, seed=4),
                Training(noise=0.2, density=0.5, quantize=nn2crn.Quantization.parse("ternary"), steps=20)):  # fmt: skip
        a, b = (train(RINGS, INSIDE, (8, 4), how).network for _ in range(2))
        for one, other in zip(a.affines(), b.affines(), strict=True):
            assert np.array_equal(dense(one.terms[0].weight), dense(other.terms[0].weight))
            assert np.array_equal(one.bias, other.bias)


@needs("torch")
@pytest.mark.parametrize("activation", ["smoothed_relu", "relu.annihilation", "sigmoid.bounded", "tanh.chain", "silu"])
def test_what_was_trained_is_what_the_chemistry_computes(activation):
    """The trained tensors, float by float, against the engine; the template's own error is not in it."""
    done = train(RINGS, INSIDE, (6,), Training(steps=60, rate=0.02), activation=activation)
    from nn2crn.training.tensors import TensorNetwork

    tensors = TensorNetwork(done.network, nn2crn.Options())
    x = load("torch").tensor(RINGS[:20], dtype=load("torch").float32)
    trained = tensors.forward({"x": x})["y"].detach().numpy()
    np.testing.assert_allclose(settled(done.network, RINGS[:20]), trained, rtol=1e-4, atol=1e-4)


@needs("torch")
def test_pruning_and_levels_hold_when_training_ends():
    how = Training(density=0.3, quantize=nn2crn.Quantization.parse("ternary"), steps=200, rate=0.02)
    network = train(RINGS, INSIDE, (20,), how).network
    assert sum(counted(network)) <= 0.3 * 80 + 1
    for layer in network.affines():
        assert len(np.unique(np.abs(dense(layer.terms[0].weight)))) <= 2  # zero and one level


@needs("torch")
def test_a_regression_is_in_the_units_of_the_data():
    x = 300 + np.random.default_rng(0).uniform(-1, 1, (300, 1))
    done = train(x, 5000 + 100 * np.sin(2 * (x[:, 0] - 300)), (12,), Training(steps=800))
    assert done.score > 0.99
    assert done.centred == (0,)
    assert abs(settled(done.network, x[:1])[0, 0] - (5000 + 100 * np.sin(2 * (x[0, 0] - 300)))) < 20


@needs("torch")
def test_an_interrupt_keeps_the_best_network_so_far():
    def stop(step, _steps, _loss):
        if step >= 100:
            raise KeyboardInterrupt

    done = train(RINGS, INSIDE, (12,), Training(steps=1000, rate=0.02), report=stop)
    assert done.interrupted
    assert done.fit.losses[-1][0] == 100
    assert done.score > 0.7


def test_samples_that_do_not_fit_are_refused():
    wrong = (
        (RINGS, INSIDE[:3], "samples are"),
        (RINGS, INSIDE * 0, "one class"),
        (RINGS, np.full(400, np.nan), "NaN"),
        (np.full((4, 1), np.inf), [0, 1, 0, 1], "infinite"),
    )
    for x, target, said in wrong:
        with pytest.raises(Nn2crnError, match=said):
            train(x, target)


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"density": 0}, {"noise": -1}, {"validation": 1}, {"method": "magic"}])
def test_a_training_that_cannot_be_is_refused(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        Training(**wrong)


def test_words_are_classes_and_the_split_takes_of_each_alike(tmp_path):
    (tmp_path / "d.csv").write_text("a,b,kind\n" + "".join(f"{i},{2 * i},{'xy'[i % 4 == 0]}\n" for i in range(80)))
    table = read_table(tmp_path / "d.csv")
    assert table.classes == ("x", "y")
    rest, held_out = table.split(0.25, np.random.default_rng(0))
    assert (len(rest.x), len(held_out.x)) == (60, 20)
    assert np.bincount(held_out.y).tolist() == [15, 5]
    assert not set(map(tuple, rest.x)) & set(map(tuple, held_out.x))
    with pytest.raises(DataError, match=r"d\.csv: there is no column 'c'"):
        read_table(tmp_path / "d.csv", "c")
    (tmp_path / "d.csv").write_text("a,b\n1,x\ntwo,y\n")
    with pytest.raises(DataError, match=r"line 3: 'two' is not a number"):
        read_table(tmp_path / "d.csv")
    (tmp_path / "d.csv").write_text("a,b\n1,2\n2,much\n")
    with pytest.raises(UsageError, match=r"a target is 'much'"):  # it named the first one, which is a number
        read_table(tmp_path / "d.csv", task="regression")
    (tmp_path / "d.csv").write_text("a,b\n" + "".join(f"{i},{i / 7}\n" for i in range(9)))
    assert read_table(tmp_path / "d.csv", "b").classes == ()  # a quantity


@pytest.mark.slow
@needs("torch")
def test_training_with_noise_makes_a_classifier_that_bears_it():
    x = np.random.default_rng(0).uniform(0, 1, (600, 3))
    label = (x[:, 0] + 0.7 * x[:, 1] ** 2 > x[:, 2]).astype(int)
    found = []
    for noise in (0.0, 0.35):
        done = train(x, label, (12,), Training(noise=noise, steps=800))
        reactions = nn2crn.compile(done.network)
        found.append(accuracy(reactions, {"x": done.test.x}, done.test.y, 0.3, tubes=60).mean)
    assert found[1] > found[0] + 0.01


@needs("torch")
def test_noise_is_refused_where_no_closed_form_is_known():
    with pytest.raises(UnsupportedError, match=r"knows smoothed ReLUs, not tanh\.chain"):
        train(RINGS, INSIDE, (4,), Training(noise=0.2, steps=5), activation="tanh.chain")


@needs("torch")
def test_a_hardened_network_keeps_its_connections_and_its_shape():
    before = train(RINGS, INSIDE, (16,), Training(density=0.6, steps=300, rate=0.02)).network
    table = Table.of(RINGS, INSIDE)
    done = harden(before, table, Training(noise=0.2, steps=200), tubes=10)
    assert [a.cv for a in done.after] == [0.0, 0.1, 0.2, 0.5]
    for one, other in zip(before.affines(), done.network.affines(), strict=True):
        assert not np.any((dense(one.terms[0].weight) == 0) & (dense(other.terms[0].weight) != 0))
    with pytest.raises(UsageError, match="2 inputs and 2 classes"):
        harden(before, Table.of(RINGS[:, :1], INSIDE), Training(noise=0.2, steps=1))
