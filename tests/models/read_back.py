"""Files read back by themselves, by a program of their readers where there is one: what a state turns into."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import antimony
import numpy as np
import pytest
import roadrunner
import sympy
from clients import read_sbml
from scipy import sparse

State = Mapping[str, float]


@dataclass(frozen=True)
class Read:
    """What a file says: concentrations at time zero, and the derivatives and the outputs at any state, by ids."""

    start: State
    derivative: Callable[[State], State]
    outputs: Callable[[State], list[float]]


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
    parameters = [p.getId() for p in model.getListOfParameters()]
    outputs = [name for name in parameters if model.getAssignmentRuleByVariable(name) is not None]

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


def check(found, expected, state):
    """The file may leave out what takes part in nothing, and species whose concentrations are held."""
    assert found.start == pytest.approx({s: expected.start[s] for s in found.start}, rel=1e-12, abs=1e-15)
    theirs, ours = found.derivative(state), expected.derivative(state)
    scale = max(map(abs, ours.values()))
    assert theirs == pytest.approx({s: ours[s] for s in theirs}, rel=1e-9, abs=1e-11 * scale)
    assert all(abs(ours[s]) == 0 for s in set(ours) - set(theirs))
    assert found.outputs(state) == pytest.approx(expected.outputs(state), rel=1e-9, abs=1e-11)
