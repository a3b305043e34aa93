"""Every format of one run describes the same chemistry, whatever the network and the options.

Each file is read back by itself, by a program of its readers where there is one, and says what a state turns into: the
concentrations it starts with, their rates of change elsewhere, and what the outputs are there. The reference is the
matrices of a run without `--kappa` and `--unit`.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest
from clients import read_sbml
from driving import drive
from effort import examples
from random_networks import random_case
from read_back import Read, as_sbml, check, crn, net, npz, odes, omex, sbml

import nn2crn

CASES = int(os.environ.get("NN2CRN_CHEMISTRIES", examples(6)))
TARGETS = ("a.xml", "a.ant", "a.omex", "a.crn", "a.net", "a.npz", "a.py")


def random_options(rng):
    """Units, a speed, values of the input, and a variant of SBML."""
    kappa = rng.choice([1.0, 10.0, 0.3])
    chosen = ["--kappa", kappa, "--t-end", 100, "--input", ",".join(f"{rng.uniform(-1, 1):.3f}" for _ in range(3))]
    unit = rng.choice([["--concentration-unit", "M"], ["--concentration-unit", "nM"], ["--unit", "50 nM"]])
    chosen += [*unit, "--time-unit", rng.choice(["s", "min"])]
    chosen += rng.choice([[], ["--pure"]]) + rng.choice([[], ["--kinetics", "lumped"], ["--profile", "compact"]])
    chosen += rng.choice([[], ["--sbml-level", "3.2"]]) + rng.choice([[], ["--rate-constants", "inline"]])
    return kappa, chosen


def one_of(chosen):
    """What a 1 of the network is in the unit of the files."""
    return 50.0 if "--unit" in chosen else 1.0


def scaled(read, one):
    """The chemistry in a unit of which `one` make up a 1: concentrations and outputs are so much higher."""

    def within(state):
        return {s: v / one for s, v in state.items()}

    return Read(
        {s: one * v for s, v in read.start.items()},
        lambda state: {s: one * v for s, v in read.derivative(within(state)).items()},
        lambda state: [one * v for v in read.outputs(within(state))],
    )


def run(folder, *args):
    outcome = drive("compile", "net.nn", *args, "-q", folder=folder)
    assert outcome.kind == "done", outcome.err


@pytest.mark.parametrize("seed", range(CASES))
def test_every_format_of_one_run_is_the_same_chemistry(seed, tmp_path: Path):
    rng = Random(seed)
    text, options, smaller = random_case(rng)
    options = smaller or options  # what is pruned away has no parameters
    kappa, chosen = random_options(rng)
    (tmp_path / "net.nn").write_text(text)
    run(tmp_path, *options, *chosen, *(part for t in TARGETS for part in ("-o", t)))
    run(tmp_path, *options, "--input", chosen[chosen.index("--input") + 1], "-o", "plain.npz")
    names = list(net(tmp_path / "a.net").start)
    expected = scaled(npz(tmp_path / "plain.npz", names, kappa), one_of(chosen))
    files = {
        "a.xml": lambda path: sbml(path.read_text()), "a.ant": lambda path: sbml(as_sbml(path)), "a.omex": omex,
        "a.crn": crn, "a.net": net, "a.npz": lambda path: npz(path, names), "a.py": odes,
    }  # fmt: skip
    state = {s: rng.uniform(0.1, 1) for s in names}
    state |= {s: expected.start[s] + 1e-300 for s in names if s.startswith("x_")}  # the input, as the files have it
    for name, reader in files.items():
        check(reader(tmp_path / name), expected, state)
    check_units(tmp_path, chosen)


def check_units(folder, chosen):
    time = chosen[chosen.index("--time-unit") + 1]
    concentration = "nM" if "--unit" in chosen else chosen[chosen.index("--concentration-unit") + 1]
    for name in ("a.crn", "a.net", "a.py"):
        assert str(nn2crn.Units(concentration, time, one_of(chosen))) in (folder / name).read_text()
    for name in ("a.xml", "a.ant"):
        text = (folder / name).read_text() if name == "a.xml" else as_sbml(folder / name)
        document = read_sbml(text)
        model = document.getModel()
        assert size(model, model.getTimeUnits()) == pytest.approx({"s": 1.0, "min": 60.0}[time])
        assert size(model, model.getSubstanceUnits()) == pytest.approx({"M": 1.0, "nM": 1e-9}[concentration])


def size(model, name):
    """A unit in seconds or moles."""
    definition = model.getUnitDefinition(name)
    if definition is None:
        return 1.0
    (unit,) = definition.getListOfUnits()
    return unit.getMultiplier() * 10.0 ** unit.getScale()
