"""Numbers of molecules: exact runs, and the written files in other programs' stochastic methods."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from driving import drive
from stochastic_programs import PROGRAMS

import nn2crn
from nn2crn.engines.extents import Extents
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.stochastic import Stochastic, ends
from nn2crn.errors import UsageError
from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term
from nn2crn.ir.remarks import RangeWarning

FULL = "NN2CRN_RANDOM" in os.environ
SEEDS, RUNS = (range(20), 50) if FULL else (range(4), 8)
MOLECULES = 100


def network(seed=0, size=3):
    """Two layers of ReLUs, whole weights."""
    rng = np.random.default_rng(seed)
    nodes, last = [Input("x", (2,), -2.0, 2.0)], "x"
    for k, (a, b) in enumerate(((2, size), (size, size), (size, 2))):
        nodes.append(Affine(f"u{k}", (Term(last, rng.integers(-2, 3, (b, a)) * 1.0),), rng.integers(-1, 2, b) * 1.0))
        last = f"u{k}"
        if k < 2:
            nodes.append(Activation(f"h{k}", "relu", (last,), b))
            last = f"h{k}"
    return Network("net", tuple(nodes), (Output("y", last, (2,)),))


def consumed(seed=0, **options):
    return nn2crn.compile(
        network(seed), nn2crn.Options(encoding="rate-independent", **options), units=nn2crn.Units(molecules=MOLECULES)
    )


def catalytic():
    """One ReLU of two inputs, with an h that keeps it from dying out."""
    u = Affine("u", (Term("x", np.array([[1.0, -1.0]])),), np.array([0.5]))
    net = Network("net", (Input("x", (2,), 0.0, 2.0), u, Activation("y", "relu", ("u",), 1)), (Output("y", "y", (1,)),))
    options = nn2crn.Options(settings={"relu.h": 0.05})
    return nn2crn.compile(net, options, units=nn2crn.Units(molecules=MOLECULES))


def with_random_rates(reactions, rng):
    """Rate constants of 1e-3 to 1e3."""
    modules = tuple(
        replace(m, families=tuple(replace(f, rates=10 ** rng.uniform(-3, 3, f.count)) for f in m.families))
        for m in reactions.modules
    )
    return replace(reactions, modules=modules)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_run_ends_at_the_network_whatever_the_rates(seed):
    rng = np.random.default_rng(seed)
    reactions = consumed(seed, reduce="none" if seed % 2 else "inputs")
    inputs = {"x": rng.uniform(-2, 2, (RUNS, 2))}
    expected = read_outputs(reactions, Extents(reactions).settle(inputs))["y"]
    found = read_outputs(reactions, Stochastic(with_random_rates(reactions, rng)).settle(inputs))["y"]
    np.testing.assert_array_equal(found, expected)


def test_molecules_that_meet_their_own_kind_are_one_fewer():
    """2 Y -> Y @ k has the propensity k n (n - 1)/N: one molecule alone stays."""
    reactions = catalytic()
    quiet = replace(reactions, blocks=tuple(replace(b, initial=np.minimum(b.initial, 1.0)) for b in reactions.blocks))
    texts = {tuple(r.reactants): r.rate for r in quiet.reactions()}
    assert any(dict(r) == {"y[0]": 2} for r in map(dict, texts)) or any(("layer1[0]", 2) in r for r in texts)
    assert not ends(reactions)


def test_concentrations_are_no_numbers_of_molecules():
    reactions = nn2crn.compile(network(), nn2crn.Options(encoding="rate-independent"))
    with pytest.raises(UsageError, match="molecules"):
        Stochastic(reactions)


def test_a_neuron_that_may_die_out_is_warned_of():
    units = nn2crn.Units(molecules=MOLECULES)
    faint = nn2crn.compile(network(), nn2crn.Options(settings={"relu.h": 1e-3}), units=units)
    assert [r for r in faint.remarks if isinstance(r, RangeWarning) and "die out" in r]
    bold = nn2crn.compile(network(), nn2crn.Options(settings={"relu.h": 1e-2}), units=units)
    assert not [r for r in bold.remarks if "die out" in r]


def test_the_antimony_file_is_the_sbml_file(tmp_path):
    import antimony

    for reactions in (consumed(), catalytic()):
        nn2crn.write(reactions, tmp_path / "net.ant")
        antimony.clearPreviousLoads()
        assert antimony.loadAntimonyString((tmp_path / "net.ant").read_text()) >= 0, antimony.getLastError()
        text = antimony.getSBMLString(antimony.getMainModuleName())
        assert 'hasOnlySubstanceUnits="true"' in text
        assert "initialAssignment" in text


@pytest.mark.parametrize("run", PROGRAMS)
def test_other_programs_have_the_same_mean_from_the_written_file(run, tmp_path):
    """Chemistry that never ends: a ReLU of 0.5 + x0 - x1, after ten seconds."""
    reactions, runs, x = catalytic(), 200 if FULL else 60, [1.5, 0.5]
    nn2crn.write(reactions, tmp_path / "net.xml")
    found = run(tmp_path / "net.xml", reactions, x, 10.0, runs)
    times, every = np.array([0.0, 10.0]), np.arange(reactions.species_count)
    own = Stochastic(reactions).trajectories({"x": np.tile(x, (runs, 1))}, times, every)[-1]
    own = read_outputs(reactions, own)["y"]
    error = np.sqrt((own.var(axis=0, ddof=1) + found.var(axis=0, ddof=1)) / runs)
    assert np.all(np.abs(own.mean(axis=0) - found.mean(axis=0)) <= 4 * error)
    assert abs(own.mean() - 1.5) < 0.1


@pytest.mark.parametrize("run", PROGRAMS)
def test_other_programs_end_where_the_network_does_from_the_written_file(run, tmp_path):
    reactions, x = consumed(2), [1.31, -0.57]
    nn2crn.write(reactions, tmp_path / "net.xml")
    expected = read_outputs(reactions, Extents(reactions).settle({"x": np.array([x])}))["y"]
    found = run(tmp_path / "net.xml", reactions, x, 1e5, 2)
    np.testing.assert_allclose(found, np.repeat(expected, 2, axis=0), atol=1e-9)


def test_h_is_chosen_from_the_number_of_molecules_where_it_is_less(tmp_path):
    common = ("--set", "relu.h=1e-6", "--molecules", "1000")
    sample = Path(__file__).parents[3] / "samples/xor/xor.nn"
    faint = drive("compile", sample, *common, "-o", "faint.xml", folder=tmp_path)
    assert "neurons near zero die out" in faint.err
    bold = drive("compile", sample, *common, "--h-from-molecules", "-o", "bold.xml", folder=tmp_path)
    assert bold.kind == "done"
    assert "die out" not in bold.err
    assert "h = 0.001" in bold.err
    alone = drive("compile", sample, "--h-from-molecules", "-o", "alone.xml", folder=tmp_path)
    assert alone.status == 2
