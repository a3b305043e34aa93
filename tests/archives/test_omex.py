"""The COMBINE archive opens, its experiment validates, and what it says to run ends at the network's outputs."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass

import COPASI
import libcombine
import libsedml
import numpy as np
import pytest
import roadrunner
from clients import HOSTILE, MODELS, SAMPLES, net_named, read_sbml
from hypothesis import given, settings
from reading import networks, probe, sample

import nn2crn
from nn2crn.backends.clients import options_in_archive
from nn2crn.backends.combine.archive import emit
from nn2crn.backends.registry import format_of
from nn2crn.backends.write import completed
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.steady_state.closed_form import fixed_point
from nn2crn.errors import UsageError
from nn2crn.ir.families.explicit import ExplicitFamily
from nn2crn.ir.families.family import Scheme
from nn2crn.ir.formula import Symbol
from nn2crn.ir.reactions import Module, OutputPort, ReactionNetwork, Readout, SpeciesBlock

CONTENTS = ["manifest.xml", "model.xml", "experiment.sedml", "model.ant", "model.tex", "metadata.rdf"]
OMEX = format_of("", "omex")
NEAR = 1e-5  # how far an output may be from its end when the outputs are said to have settled


def contents(network, **options):
    """The archive's members by name, as text."""
    out = io.BytesIO()
    emit(network, out, completed(OMEX, network, OMEX.chosen(options)))
    with zipfile.ZipFile(out) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


def experiment(text):
    """The SED-ML document, of which libSEDML must have nothing to say; keep it as long as anything of it."""
    document = libsedml.readSedMLFromString(text)
    assert document.getErrorLog().getNumErrors() == 0, document.getErrorLog().toString()
    return document


def parameter(target):
    """The id that an XPath names."""
    found = re.fullmatch(r"/sbml:sbml/sbml:model/sbml:listOfParameters/sbml:parameter\[@id='(\w+)'\]", target)
    return found[1]


@dataclass
class Runner:
    """Does with roadrunner what a SED-ML document says, no more than these archives need."""

    document: libsedml.SedDocument
    model: roadrunner.RoadRunner

    def quantities(self, task):
        """Parameters that the data generators want of a task, by data generator; none for time."""
        found = {}
        for generator in self.document.getListOfDataGenerators():
            variable = generator.getVariable(0)
            if variable.getTaskReference() == task:
                target = variable.getTarget()
                found[generator.getId()] = parameter(target) if target else "time"
        return found

    def uniform(self, simulation, selections):
        start, end = simulation.getOutputStartTime(), simulation.getOutputEndTime()
        if start > simulation.getInitialTime():
            self.model.simulate(simulation.getInitialTime(), start, 2)
        self.model.timeCourseSelections = selections
        return np.array(self.model.simulate(start, end, simulation.getNumberOfPoints() + 1))

    def course(self):
        """The time course (times, quantities), by data generator."""
        self.model.reset()
        wanted = self.quantities("course")
        task = self.document.getTask("course")
        simulation = self.document.getSimulation(task.getSimulationReference())
        rows = self.uniform(simulation, list(wanted.values()))
        return dict(zip(wanted, rows.T, strict=True))

    def scan(self):
        """The ends (values, quantities), by data generator."""
        self.model.reset()
        wanted = self.quantities("scan")
        task = self.document.getTask("scan")
        assert not task.getResetModel()
        changed = parameter(task.getTaskChange(0).getTarget())
        values = task.getRange(0)
        inner = self.document.getTask(task.getSubTask(0).getTask())
        simulation = self.document.getSimulation(inner.getSimulationReference())
        ends = []
        for value in np.linspace(values.getStart(), values.getEnd(), values.getNumberOfPoints() + 1):
            self.model[changed] = value
            rows = self.uniform(simulation, list(wanted.values()))
            np.testing.assert_allclose(rows[0], rows[-1], rtol=NEAR, atol=NEAR)
            ends.append(rows[-1])
        return dict(zip(wanted, np.array(ends).T, strict=True))


def run(files):
    return Runner(experiment(files["experiment.sedml"]), roadrunner.RoadRunner(files["model.xml"]))


def at_rest(network, first=None):
    """All outputs by the templates' closed forms, with the file's inputs but for the first one's values (n,)."""
    count = 1 if first is None else len(first)
    inputs = {p.name: np.tile(p.values, (count, 1)) for p in network.inputs}
    if first is not None:
        inputs[network.inputs[0].name][:, 0] = first
    return np.concatenate(list(read_outputs(network, fixed_point(network, inputs)).values()), axis=1)


def check_course(network, files):
    course = run(files).course()
    ends = [values[-1] for name, values in course.items() if name != "course0"]
    np.testing.assert_allclose(ends, at_rest(network)[0], rtol=NEAR, atol=NEAR)
    assert course["course0"][0] == 0


def check_scan(network, files):
    scan = run(files).scan()
    values = scan.pop("scan0")
    assert len(values) == 21
    assert values[0] == (-1 if network.inputs[0].minus else 0)
    np.testing.assert_allclose(np.array(list(scan.values())).T, at_rest(network, values), rtol=NEAR, atol=NEAR)


@pytest.mark.parametrize("name", ["iris", "sine", "xor"])
def test_in_roadrunner_the_curves_end_at_the_networks_outputs(name):
    network = sample(name)
    files = contents(network)
    check_course(network, files)
    check_scan(network, files)


def test_several_inputs_and_outputs(tmp_path):
    network = probe(tmp_path)
    files = contents(network)
    check_course(network, files)
    check_scan(network, files)
    document = experiment(files["experiment.sedml"])
    names = [o.getName() for o in document.getListOfOutputs()]
    assert names == ["Outputs over time"] * 2 + ["Outputs at the end, by a[0]"] * 2


@pytest.mark.parametrize("variant", ["chain", "algebraic", "exact"])
def test_a_scan_goes_on_where_it_was_whatever_a_template_conserves(tmp_path, variant):
    (tmp_path / "net.nn").write_text("input x[1]\noutput y = tanh(dense(x, weight = [[2]], bias = [0.5]))\n")
    options = nn2crn.Options(variants={"tanh": variant})
    network = nn2crn.compile(nn2crn.load(tmp_path / "net.nn"), options)
    check_scan(network, contents(network))


@settings(max_examples=15, deadline=None)
@given(networks())
def test_random_networks(network):
    check_course(network, contents(network))


@pytest.mark.parametrize("name", ["iris", "xor"])
def test_copasi_opens_the_archive_without_a_message_and_runs_it(tmp_path, name):
    network = sample(name)
    nn2crn.write(network, tmp_path / "net.omex")
    COPASI.CCopasiMessage.clearDeque()
    data = COPASI.CRootContainer.addDatamodel()
    assert data.openCombineArchive(str(tmp_path / "net.omex"))
    assert COPASI.CCopasiMessage.getAllMessageText().strip() == ""
    task = data.getTask("Time-Course")
    assert task.getProblem().getStepNumber() == 200
    assert data.getPlotDefinitionList().size() == 2
    assert data.getTask("Scan").getProblem().getNumberOfScanItems() == 1
    from_initial_values = True
    assert task.process(from_initial_values)
    series = task.getTimeSeries()
    last = series.getRecordedSteps() - 1
    titles = {series.getTitle(i): i for i in range(series.getNumVariables())}
    shown = [f"Values[{p.name}[{i}]]" for p in network.outputs for i in range(p.readout.size)]
    ends = [series.getConcentrationData(last, titles[t]) for t in shown]
    np.testing.assert_allclose(ends, at_rest(network)[0], rtol=NEAR, atol=NEAR)


@pytest.mark.parametrize("name", MODELS)
def test_the_archive_opens_and_its_parts_are_what_the_back_ends_write(tmp_path, name):
    network = sample(name)
    nn2crn.write(network, tmp_path / "net.omex")
    archive = libcombine.CombineArchive()
    assert archive.initializeFromArchive(str(tmp_path / "net.omex"))
    locations = {archive.getEntry(i).getLocation() for i in range(archive.getNumEntries())}
    assert locations == {f"./{c}" for c in CONTENTS if c != "metadata.rdf"}
    assert archive.getMasterFile().getLocation() == "./experiment.sedml"
    said = archive.getMetadataForLocation(".").getDescription()
    form = options_in_archive(network)
    assert ("reactions are lumped" in said) == bool(form)
    assert said.startswith(
        f"The neural network {network.name}, compiled to a chemical reaction network by nn2crn {nn2crn.__version__}."
    )
    experiment(archive.extractEntryToString("./experiment.sedml"))
    for part, options in (("model.xml", form), ("model.ant", {}), ("model.tex", {"standalone": True})):
        nn2crn.write(network, tmp_path / part, **options)
        assert archive.extractEntryToString(f"./{part}") == (tmp_path / part).read_text(encoding="utf-8")
    archive.cleanUp()


def test_a_large_model_is_lumped_and_says_so(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "net.npz", w=rng.normal(size=(40, 30)) / 6)
    text = 'input x[30]\noutput y = relu(dense(x, weight = load("net.npz", "w")))\n'
    (tmp_path / "net.nn").write_text(text)
    network = nn2crn.compile(nn2crn.load(tmp_path / "net.nn"))
    files = contents(network, t_end=1000.0)
    nn2crn.write(network, tmp_path / "net.xml", kinetics="lumped", rate_constants="inline")
    assert files["model.xml"] == (tmp_path / "net.xml").read_text(encoding="utf-8")
    assert files["model.ant"].count("\n  r") >= network.reaction_count
    assert f"its {network.reaction_count} reactions are lumped" in files["metadata.rdf"]
    document = experiment(files["experiment.sedml"])
    targets = [g.getVariable(0).getTarget() for g in document.getListOfDataGenerators()]
    assert {parameter(t) for t in targets if t} <= set(re.findall(r'<parameter id="([^"]*)"', files["model.xml"]))


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names(name):
    network = nn2crn.compile(net_named([name], [name + "!"], name))
    files = contents(network, t_end=10.0)
    assert list(files) == CONTENTS
    document = experiment(files["experiment.sedml"])
    labels = [d.getLabel() for d in document.getOutput(1).getListOfDataSets()]
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
    assert labels == ["time", f"{shown}![0]", f"{shown}![1]"]
    model = read_sbml(files["model.xml"])
    parameters = {p.getId() for p in model.getModel().getListOfParameters()}
    targets = [g.getVariable(0).getTarget() for g in document.getListOfDataGenerators()]
    assert {parameter(t) for t in targets if t} <= parameters


def test_a_network_without_inputs_has_no_scan(tmp_path):
    (tmp_path / "fixed.nn").write_text("input x[1]\noutput y = relu(dense(x, weight = [[1]], bias = [2]))\n")
    network = nn2crn.compile(nn2crn.load(tmp_path / "fixed.nn"))
    document = experiment(contents(network)["experiment.sedml"])
    assert document.getNumTasks() == 3


def test_the_time_can_be_given():
    document = experiment(contents(sample("xor"), t_end=50.0)["experiment.sedml"])
    ends = {s.getId(): (s.getOutputStartTime(), s.getOutputEndTime()) for s in document.getListOfSimulations()}
    assert ends == {"to_the_end": (0, 50), "at_the_end": (50, 100)}


@pytest.mark.parametrize("time", [0.0, -1.0, float("nan"), float("inf")])
def test_a_time_that_is_none_is_refused(tmp_path, time):
    with pytest.raises(UsageError, match="must take some time"):
        nn2crn.write(sample("xor"), tmp_path / "net.omex", t_end=time)
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_does_not_settle_needs_a_time():
    """0 -> Y grows for ever."""
    block = SpeciesBlock("Y", "", "output", 0, np.zeros(1))
    source = ExplicitFamily(Scheme((), (("Y", 1),)), block.indices, np.ones(1), "source")
    readout = Readout(((block.indices, np.ones(1)),), np.zeros(1))
    module = Module("source", "constant", "constant.one", 1, {}, {}, {Symbol("Y"): block}, (source,), (), readout)
    network = ReactionNetwork("one", (block,), (module,), (), (OutputPort("Y", (), readout),))
    with pytest.raises(UsageError, match="say it with --t-end"):
        contents(network)
    assert list(contents(network, t_end=10.0)) == CONTENTS


def test_the_same_bytes_in_every_process(tmp_path):
    script = "import sys, nn2crn; nn2crn.write(nn2crn.compile(nn2crn.load(sys.argv[1])), sys.argv[2])"
    written = []
    for seed in ("1", "2"):
        target = tmp_path / f"{seed}.omex"
        command = [sys.executable, "-c", script, str(SAMPLES / "iris" / "iris.onnx"), str(target)]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": seed, "TZ": f"UTC{seed}"})
        written.append(target.read_bytes())
    assert written[0] == written[1]
