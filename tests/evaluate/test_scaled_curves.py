"""Files of one run in real units: every format, by every program that simulates it, has the same curve.

Fifty random networks in `make test-all`, or as many as NN2CRN_SCALED says. Half are rate-independent, each
third has a unit that may be too large for its limit, which is then said.
"""

from __future__ import annotations

import os
import re
import subprocess
import zipfile
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import antimony
import COPASI
import numpy as np
import pytest
import roadrunner
import sympy
from driving import drive
from effort import examples
from icrn_programs import read as read_icrn
from parts import is_here
from scipy.integrate import solve_ivp
from scipy.sparse import csr_array

import nn2crn
from nn2crn.backends.common.names import make_ids
from nn2crn.engines.cvode.internal import Internal

NETWORKS = int(os.environ.get("NN2CRN_SCALED", examples(50)))
SIGNAL, FASTEST = 100.0, 1e6  # nM, /M/s
HOURS = np.array([0.3, 2.0, 15.0])  # over kappa: on the way, and near the end
CATALYTIC = ("a.xml", "a.ant", "a.omex", "a.crn", "a.dsd", "a.net", "a.npz", "a.py", "a.icrn.py")


def random_text(rng, whole):
    """A network as text, its weights multiples of a half if it is to be compiled to whole numbers."""
    sizes = [int(n) for n in rng.integers(1, 5, rng.integers(2, 4))]

    def numbers(*shape):
        return (rng.integers(-3, 4, shape) / 2 if whole else rng.normal(size=shape).round(3)).tolist()

    lines, last = [f"input x[{sizes[0]}] in [-2, 2]"], "x"
    for k, (n, m) in enumerate(pairwise(sizes)):
        dense = f"dense({last}, weight = {numbers(m, n)}, bias = {numbers(m)})"
        end = k == len(sizes) - 2
        lines.append(f"output y = {dense}" if end else f"h{k} = relu({dense})")
        last = f"h{k}"
    return "\n".join(lines) + "\n", sizes[0]


def literal(left, right, constants, start, hours):
    """Concentrations (times, species) of reactions as matrices (reactions, species), by SciPy's own integrator."""
    change = (right - left).T

    def flux(state):
        return constants * np.prod(np.power(np.maximum(state, 0), left), axis=1)

    run = solve_ivp(lambda _, s: change @ flux(s), (0, hours[-1]), start, "LSODA", hours, rtol=1e-9, atol=1e-11)
    return run.y.T


def of_reactions(start, reactions, hours):
    """Courses by id, of reactions as (left, right, rate constant), sides as lists of ids."""
    names = list(start)
    left, right = (np.array([[side.count(n) for n in names] for side in sides]) for sides in
                   ([r[0] for r in reactions], [r[1] for r in reactions]))  # fmt: skip
    course = literal(left, right, np.array([r[2] for r in reactions]), list(start.values()), hours)
    return dict(zip(names, course.T, strict=True))


def side(text):
    """Ids of a side, `A + 2 B`, each as often as it is there."""
    members = (m.split() for m in text.split("+") if m.strip())
    return [m[-1] for m in members for _ in range(int(m[0]) if len(m) > 1 else 1)]


def crn(path, hours):
    text = path.read_text()
    start = {s: float(v) for s, v in re.findall(r"^(\w+) @ initial (\S+)$", text, flags=re.MULTILINE)}
    lines = re.findall(r"^([^#\n]*)-> ?(.*) ?\[k = (\S+)\]$", text, flags=re.MULTILINE)
    return of_reactions(start, [(side(left), side(right), float(k)) for left, right, k in lines], hours)


def dsd(path, hours):
    text = path.read_text()
    constants = dict(re.findall(r"(k\d+) = ([^;\]]+)", text))
    start = {s: float(v) for s, v in re.findall(r"^\| init (\w+) (\S+)$", text, flags=re.MULTILINE)}
    lines = re.findall(r"^\| (?!init)(.*?)->\{(\w+)\} ?(.*)$", text, flags=re.MULTILINE)
    return of_reactions(start, [(side(a), side(b), float(constants[k])) for a, k, b in lines], hours)


def npz(path, hours):
    data = np.load(path)
    used, change = (
        csr_array((data[f"{p}.data"], data[f"{p}.indices"], data[f"{p}.indptr"]), shape=data[f"{p}.shape"]).toarray()
        for p in ("reactants", "stoichiometry")
    )
    course = literal(used, used + change, data["rates"], data["initial"], hours)
    return dict(enumerate(course.T))


def icrn(path, hours):
    starts, reactions = read_icrn(path.read_text())
    start = {(name, i): float(v) for name, values in starts.items() for i, v in enumerate(values)}
    found = of_reactions(start, [(list(a), list(b), float(k)) for a, b, k in reactions], hours)

    def name(stem, i):
        base, _, rail = stem.rpartition("_")
        return f"{base}_{i}_{rail}" if rail in ("p", "m", "s") else f"{stem}_{i}"

    return {name(*key): values for key, values in found.items()}


def odes(path, hours):
    program: dict = {}
    exec(compile(path.read_text(), path.name, "exec"), program)  # noqa: S102  # our own text
    symbols = list(program["initial"])
    moving = [program["derivatives"].get(s, sympy.Integer(0)) for s in symbols]
    rates = sympy.lambdify(symbols, moving, "math")
    run = solve_ivp(lambda _, s: rates(*s), (0, hours[-1]), [float(program["initial"][s]) for s in symbols],
                    "LSODA", hours, rtol=1e-9, atol=1e-11)  # fmt: skip
    return dict(zip(map(str, symbols), run.y, strict=True))


def by_roadrunner(text, hours):
    runner = roadrunner.RoadRunner(text)
    runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = 1e-9, 1e-11
    species = runner.model.getFloatingSpeciesIds()
    runner.timeCourseSelections = [f"[{s}]" for s in species]
    return dict(zip(species, np.array(runner.simulate(times=[0.0, *hours]))[1:].T, strict=True))


def ant(path, hours):
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyFile(str(path)) >= 0, antimony.getLastError()
    return by_roadrunner(antimony.getSBMLString(antimony.getMainModuleName()), hours)


def omex(path, hours):
    with zipfile.ZipFile(path) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".xml") and not n.startswith(("manifest", "metadata")))
        return by_roadrunner(archive.read(name).decode(), hours)


def copasi(path, hours):
    data = COPASI.CRootContainer.addDatamodel()
    assert data.importSBML(str(path)), COPASI.CCopasiMessage.getAllMessageText()
    task = data.getTask("Time-Course")
    task.getMethod().getParameter("Relative Tolerance").setDblValue(1e-9)
    task.getMethod().getParameter("Absolute Tolerance").setDblValue(1e-12)
    task.getMethod().getParameter("Max Internal Steps").setUIntValue(1_000_000)
    found: dict = {}
    for t in hours.tolist():
        task.getProblem().setDuration(t)
        task.getProblem().setStepNumber(1)
        from_initial_values = True
        assert task.process(from_initial_values), task.getProcessError()
        series = task.getTimeSeries()
        for i in range(1, series.getNumVariables()):
            found.setdefault(series.getSBMLId(i, data), []).append(series.getConcentrationData(1, i))
    COPASI.CRootContainer.removeDatamodel(data)
    return {name: np.array(values) for name, values in found.items()}


def run_network(path, hours):
    home = Path(find_spec("bionetgen").submodule_search_locations[0])  # type: ignore[union-attr]
    program = home / "bng-linux" / "bin" / "run_network"
    command = [str(program), "-o", "run", "-p", "cvode", "-a", "1e-11", "-r", "1e-9", "-g", path.name,
               path.name, *map(repr, [0.0, *hours.tolist()])]  # fmt: skip
    subprocess.run(command, cwd=path.parent, check=True, capture_output=True)
    names = re.findall(r"^\d+ (\w+)\(\) \S+$", path.read_text().partition("begin species")[2], flags=re.MULTILINE)
    rows = np.loadtxt(path.parent / "run.cdat")
    return dict(zip(names, rows[1:, 1:].T, strict=True))


PROGRAMS = {
    "roadrunner": ("a.xml", lambda path, hours: by_roadrunner(path.read_text(), hours)),
    "COPASI": ("a.xml", copasi),
    "run_network": ("a.net", run_network),
    "roadrunner on Antimony": ("a.ant", ant),
    "roadrunner on an archive": ("a.omex", omex),
    ".crn": ("a.crn", crn),
    ".dsd": ("a.dsd", dsd),
    ".npz": ("a.npz", npz),
    "sympy": ("a.py", odes),
    "icrn": ("a.icrn.py", icrn),
}


def scale_of(folder, reactions):
    """What a 1 is in nM, and kappa, by the numbers in the file alone."""
    text = (folder / "a.crn").read_text()
    one = float(re.findall(r"a 1 of the network is (\S+) nM", text)[0])
    constants = np.array([float(k) for k in re.findall(r"\[k = (\S+)\]", text)])
    plain = list(reactions.reactions())
    orders = np.array([sum(n for _, n in r.reactants) for r in plain])
    kappas = constants / (np.array([r.rate for r in plain]) * one ** (1.0 - orders))
    np.testing.assert_allclose(kappas, kappas[0], rtol=1e-9)
    return one, float(kappas[0]), constants, orders


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(NETWORKS))
def test_all_formats_of_one_run_have_one_curve_in_real_units(seed, tmp_path):
    rng = np.random.default_rng(seed)
    ended = seed % 2 == 1
    text, size = random_text(rng, ended)
    (tmp_path / "net.nn").write_text(text)
    rows = rng.uniform(-2, 2, (5, size)).round(3)
    np.savez(tmp_path / "x.npz", x=rows)
    options = ["--encoding", "rate-independent"] if ended else []
    limits = ["--max-signal", f"{SIGNAL} nM", "--max-rate", f"{FASTEST} /M/s", "--time-unit", "h"]
    unit = ["--unit", f"{float(rng.choice([2, 200]))} nM"] if seed % 3 == 0 else []
    given = ["--data", "x.npz", "--input", ",".join(map(repr, rows[0].tolist()))]
    targets = [t for t in CATALYTIC if not ended or t != "a.icrn.py"]
    outs = [part for t in targets for part in ("-o", t)]
    done = drive("compile", "net.nn", *options, *limits, *unit, *given, "--t-end", 1, *outs, "-q", folder=tmp_path)
    network = nn2crn.load(tmp_path / "net.nn")
    chosen = nn2crn.Options(encoding="rate-independent" if ended else "catalytic")
    reactions = nn2crn.compile(network, chosen, inputs={"x": rows[0].tolist()})
    if done.kind != "done":
        peak = Internal(reactions).trajectories(
            {"x": rows}, np.array([0, *np.geomspace(0.01, 1e6, 241)]), np.arange(reactions.species_count)
        ).max()  # fmt: skip
        assert "more than --max-signal" in done.err, done.err
        assert peak * float(unit[1].split()[0]) > SIGNAL * 0.99
        return
    check(tmp_path, targets, reactions, rows[0])


def changing(reactions):
    """How many species there are that a reaction changes."""
    return len({s for r in reactions.reactions() for s, _ in {*r.reactants} ^ {*r.products}})


def check(folder, targets, reactions, row):
    one, kappa, constants, orders = scale_of(folder, reactions)
    seconds = constants * (1e-9 ** (1.0 - orders)) / 3600  # nM and h to M and s
    assert seconds[orders == 2].max(initial=0) <= FASTEST * (1 + 1e-9)
    hours = HOURS / kappa
    watch, times = np.arange(reactions.species_count), np.array([0.0, *HOURS])
    ours = one * Internal(reactions).trajectories({"x": row[None]}, times, watch)[1:, 0].T
    expected = dict(zip(make_ids(reactions).species, ours, strict=True)) | dict(enumerate(ours))
    assert max(v.max() for v in expected.values()) <= SIGNAL * (1 + 1e-4)
    for program, (file, run) in PROGRAMS.items():
        if file not in targets or (program == "run_network" and not is_here("bionetgen")):
            continue
        found = run(folder / file, hours)
        shared = set(found) & set(expected)
        assert len(shared) >= changing(reactions), f"{program}: {sorted(found)}"
        for name in shared:
            np.testing.assert_allclose(
                found[name], expected[name], rtol=1e-4, atol=1e-5 * SIGNAL, err_msg=f"{program}: {name}"
            )
