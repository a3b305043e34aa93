"""Every format of one run describes the same chemistry, whatever the network and the options.

Each file is read back by itself, by a program of its readers where there is one, and says what a state turns into: the
concentrations it starts with, their rates of change elsewhere, and what the outputs are there. The reference is the
matrices of a run without `--kappa` and `--unit`.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

import antimony
import numpy as np
import pytest
import roadrunner
import sympy
from clients import read_sbml
from driving import drive
from effort import examples
from scipy import sparse
from test_consistent import random_case

import nn2crn

CASES = int(os.environ.get("NN2CRN_CHEMISTRIES", examples(6)))
TARGETS = ("a.xml", "a.ant", "a.omex", "a.crn", "a.net", "a.npz", "a.py")
State = Mapping[str, float]


@dataclass(frozen=True)
class Read:
    """What a file says: concentrations at time zero, and the derivatives and the outputs at any state, by ids."""

    start: State
    derivative: Callable[[State], State]
    outputs: Callable[[State], list[float]]


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


def said(text):
    """The outputs as formulas of species, from a file's comments."""
    formulas = re.findall(r"output \S+ = (.*?) at steady state", text)
    assert formulas
    return lambda state: [eval(f, {}, dict(state)) for f in formulas]  # noqa: S307  # ids are no keywords


def mass_action(start, reactions, outputs):
    """Of reactions as (left, right, rate constant), sides as {species: coefficient}."""

    def derivative(state):
        found = dict.fromkeys(start, 0.0)
        for left, right, k in reactions:
            flux = k * np.prod([state[s] ** n for s, n in left.items()])
            for side, sign in ((left, -1), (right, 1)):
                for s, n in side.items():
                    found[s] += sign * n * flux
        return found

    return Read(start, derivative, outputs)


def sbml(text):
    """As roadrunner has it. Outputs are parameters, or in a file without rules what its notes say."""
    runner = roadrunner.RoadRunner(text)
    model = read_sbml(text).getModel()
    species = list(runner.model.getFloatingSpeciesIds())
    everything = [*species, *runner.model.getBoundarySpeciesIds()]
    outputs = [p.getId() for p in model.getListOfParameters() if re.fullmatch(r"y\[\d+\]", p.getName())]

    def put(state):
        for s in species:
            runner[f"[{s}]"] = state[s]

    def derivative(state):
        put(state)
        return dict(zip(species, runner.getRatesOfChange().tolist(), strict=True))

    def values(state):
        put(state)
        return [runner[name] for name in outputs]

    start = {s: runner[f"[{s}]"] for s in everything}
    return Read(start, derivative, values if outputs else said(text))


def as_sbml(path):
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyFile(str(path)) >= 0, antimony.getLastError()
    return antimony.getSBMLString(antimony.getMainModuleName())


def omex(path):
    with zipfile.ZipFile(path) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".xml") and not n.startswith(("manifest", "metadata")))
        return sbml(archive.read(name).decode())


def crn(path):
    text = path.read_text()
    start = {s: float(v) for s, v in re.findall(r"^(\w+) @ initial (\S+)$", text, flags=re.MULTILINE)}

    def side(written):
        members = (m.split() for m in written.split(" + ") if m.strip())
        return {m[-1]: int(m[0]) if len(m) > 1 else 1 for m in members}

    lines = re.findall(r"^([^#\n]*)-> ?(.*) ?\[k = (\S+)\]$", text, flags=re.MULTILINE)
    return mass_action(start, [(side(left), side(right), float(k)) for left, right, k in lines], said(text))


def net(path):
    text = path.read_text()
    blocks = dict(re.findall(r"^begin (\w+)\n(.*?)^end \1$", text, flags=re.MULTILINE | re.DOTALL))
    rows = {name: [line.partition("#")[0].split()[1:] for line in body.splitlines()] for name, body in blocks.items()}
    constants = {name: float(value) for name, value in rows["parameters"]}
    start = {name.removesuffix("()"): float(value) for name, value in rows["species"]}
    names = list(start)

    def side(members):
        found = [names[int(i) - 1] for i in members.split(",") if i != "0"]
        return {s: found.count(s) for s in found}

    reactions = [(side(left), side(right), constants[k]) for left, right, k in rows["reactions"]]
    return mass_action(start, reactions, said(text))


def npz(path, names, kappa=1.0):
    data = np.load(path)
    parts = ("reactants", "stoichiometry", "readout")
    reactants, change, readout = (
        sparse.csr_array((data[f"{p}.data"], data[f"{p}.indices"], data[f"{p}.indptr"]), shape=data[f"{p}.shape"])
        for p in parts
    )

    def derivative(state):
        vector = np.array([state[n] for n in names])
        flux = kappa * data["rates"] * np.exp(reactants @ np.log(vector))
        return dict(zip(names, (change.T @ flux).tolist(), strict=True))

    def outputs(state):
        return (readout @ np.array([state[n] for n in names]) + data["readout_constant"]).tolist()

    start = dict(zip(names, data["initial"].tolist(), strict=True))
    return Read(start, derivative, outputs)


def odes(path):
    found: dict = {}
    exec(compile(path.read_text(), path.name, "exec"), found)  # noqa: S102  # our own text
    symbols = {str(s): s for s in found["initial"]}

    def values(formulas, state):
        point = [state[name] for name in symbols]
        return [float(v) for v in sympy.lambdify(list(symbols.values()), list(formulas))(*point)]

    def derivative(state):
        moving = found["derivatives"]
        return dict(zip(map(str, moving), values(moving.values(), state), strict=True))

    start = {str(s): float(v) for s, v in found["initial"].items()}
    return Read(start, derivative, lambda state: values(found["outputs"].values(), state))


def run(folder, *args):
    outcome = drive("compile", "net.nn", *args, "-q", folder=folder)
    assert outcome.kind == "done", outcome.err


def check(found, expected, state):
    """The file may leave out what takes part in nothing, and species whose concentrations are held."""
    assert found.start == pytest.approx({s: expected.start[s] for s in found.start}, rel=1e-12, abs=1e-15)
    theirs, ours = found.derivative(state), expected.derivative(state)
    scale = max(map(abs, ours.values()))
    assert theirs == pytest.approx({s: ours[s] for s in theirs}, rel=1e-9, abs=1e-11 * scale)
    assert all(abs(ours[s]) == 0 for s in set(ours) - set(theirs))
    assert found.outputs(state) == pytest.approx(expected.outputs(state), rel=1e-9, abs=1e-11)


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
