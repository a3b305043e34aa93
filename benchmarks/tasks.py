"""One measured task, in a process of its own: python benchmarks/tasks.py TASK ARGUMENT... prints seconds as JSON.

They are CPU seconds, from after the imports to the end, unless a task says otherwise; the caller measures memory.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from networks import inputs, model

import nn2crn
from nn2crn.compiler import Compression
from nn2crn.ir.network import Network
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.passes.compression.options import Quantization


def load(path: str) -> ReactionNetwork:
    """The chemistry of a model whose inputs are in [0, 1]."""
    return nn2crn.compile(nn2crn.load(path, domain={"": (0.0, 1.0)}))


def lower(path: str) -> float:
    """From the loaded network to reactions."""
    network = nn2crn.load(path, domain={"": (0.0, 1.0)})
    begun = time.process_time()
    nn2crn.compile(network)
    return time.process_time() - begun


def whole(path: str) -> Network:
    """The network in weights of four bits, for rate-independent chemistry."""
    network = nn2crn.load(path, domain={"": (0.0, 1.0)})
    return nn2crn.compiler.compress(network, Compression(quantize=Quantization("linear", 4, zero=True)))


def lower_whole(path: str, reduce: str) -> float:
    """From the loaded network of four bits to rate-independent reactions."""
    network = whole(path)
    begun = time.process_time()
    nn2crn.compile(network, nn2crn.Options(encoding="rate-independent", reduce=reduce))
    return time.process_time() - begun


def write_whole(path: str, target: str, reduce: str) -> float:
    """Writes rate-independent reactions that are lowered already."""
    reactions = nn2crn.compile(whole(path), nn2crn.Options(encoding="rate-independent", reduce=reduce))
    begun = time.process_time()
    nn2crn.write(reactions, target)
    return time.process_time() - begun


def settle(path: str, count: str) -> float:
    """Load, lower, and integrate to steady state, at the tolerances that roadrunner has by default."""
    from nn2crn.engines.cvode.internal import Internal

    x = inputs(Path(path).stem, int(count))
    begun = time.process_time()
    Internal(load(path), rtol=1e-6, atol=1e-9).settle({"x": x})
    return time.process_time() - begun


def fixed_point(path: str, count: str) -> float:
    """Closed forms only, the network loaded before."""
    from nn2crn.engines.steady_state.closed_form import FixedPoint

    engine, x = FixedPoint(load(path)), inputs(Path(path).stem, int(count))
    begun = time.process_time()
    engine.settle({"x": x})
    return time.process_time() - begun


def write(path: str, target: str) -> float:
    """Writes a network that is lowered already."""
    network = load(path)
    begun = time.process_time()
    nn2crn.write(network, target)
    return time.process_time() - begun


def roadrunner(sbml: str, count: str) -> float:
    """Loads the file and runs that many inputs to t = 10 000 s."""
    import roadrunner as program

    program.Config.setValue(program.Config.LLVM_BACKEND, program.Config.LLJIT)
    x = inputs(Path(sbml).stem, int(count))
    begun = time.process_time()
    runner = program.RoadRunner(sbml)
    names = [f"x_{i}" for i in range(x.shape[1])]
    for row in x:
        runner.reset()
        for name, value in zip(names, row, strict=True):
            runner[name] = value
        runner.simulate(0, 10_000, 2)
    return time.process_time() - begun


def copasi(sbml: str, count: str) -> float:
    """Loads the file and runs that many inputs to t = 10 000 s."""
    import COPASI

    x = inputs(Path(sbml).stem, int(count))
    begun = time.process_time()
    data = COPASI.CRootContainer.addDatamodel()
    data.importSBML(sbml)
    model = data.getModel()
    values = [model.getModelValue(i) for i in range(model.getNumModelValues())]
    place = {v.getSBMLId(): v for v in values}
    task = data.getTask("Time-Course")
    task.getProblem().setDuration(10_000)
    task.getProblem().setStepNumber(1)
    from_initial_values = True
    for row in x:
        for i, value in enumerate(row):
            place[f"x_{i}"].setInitialValue(float(value))
        model.updateInitialValues(COPASI.CCore.Framework_Concentration)
        task.process(from_initial_values)
    return time.process_time() - begun


def validate(sbml: str) -> float:
    """Checks the file by our own rules."""
    from nn2crn.backends.sbml.check import Reading

    begun = time.process_time()
    assert not Reading(Path(sbml)).complaints
    return time.process_time() - begun


def libsbml_objects(path: str, target: str) -> float:
    """The same reactions through libSBML's object model, as most programs write SBML."""
    import libsbml

    network = load(path)
    labels = [f"s{i}" for i in range(network.species_count)]
    begun = time.process_time()
    document = libsbml.SBMLDocument(3, 1)
    model = document.createModel()
    tube = model.createCompartment()
    tube.setId("tube")
    tube.setConstant(True)
    for label, value in zip(labels, network.initial.tolist(), strict=True):
        s = model.createSpecies()
        s.setId(label)
        s.setCompartment("tube")
        s.setInitialConcentration(value)
        s.setConstant(False)
        s.setBoundaryCondition(False)
        s.setHasOnlySubstanceUnits(False)
    number = 0
    for family in network.families:
        for batch in family.batches():
            slots = batch.scheme.slots
            for column, rate in zip(batch.species.T.tolist(), batch.rates.tolist(), strict=True):
                number += 1
                name = dict(zip(slots, (labels[i] for i in column), strict=True))
                reaction = model.createReaction()
                reaction.setId(f"r{number}")
                reaction.setReversible(False)
                reaction.setFast(False)
                for side, create in (
                    (batch.scheme.reactants, reaction.createReactant),
                    (batch.scheme.products, reaction.createProduct),
                ):
                    for slot, n in side:
                        reference = create()
                        reference.setSpecies(name[slot])
                        reference.setStoichiometry(n)
                        reference.setConstant(True)
                factors = [name[s] for s, n in batch.scheme.reactants for _ in range(n)]
                law = reaction.createKineticLaw()
                law.setMath(libsbml.parseL3Formula(" * ".join(["tube", repr(rate), *factors])))
    libsbml.writeSBMLToFile(document, target)
    return time.process_time() - begun


def antimony_converter(path: str, target: str) -> float:
    """The same reactions as Antimony text, converted to SBML by the antimony library."""
    import antimony

    ant = Path(target).with_suffix(".ant")
    nn2crn.write(load(path), ant)
    begun = time.process_time()
    antimony.loadAntimonyFile(str(ant))
    antimony.writeSBMLFile(target, antimony.getMainModuleName())
    return time.process_time() - begun


TASKS: dict[str, Callable[..., float]] = {
    f.__name__: f
    for f in (
        *(lower, lower_whole, settle, fixed_point, write, write_whole),
        *(roadrunner, copasi, validate, libsbml_objects, antimony_converter),
    )
}

# Starting is not what is measured, but by rows of its own: what a task of ours needs is here before the clock starts.
NEEDED = (
    *(
        "nn2crn.compiler",
        "nn2crn.frontends.onnx.importer",
        "nn2crn.backends.sbml.writer",
        "nn2crn.backends.antimony.writer",
    ),
    *("nn2crn.engines.cvode.internal", "sksundae.cvode", "scipy.sparse.csgraph"),
)

if __name__ == "__main__":
    for module in NEEDED:
        import_module(module)
    with TemporaryDirectory() as folder:  # what a process finds once: tables of grammars, what is installed, libraries
        small = str(model("1-1-1", Path(folder)))
        settle(small, "1")
        write(small, f"{folder}/small.xml")
    print(json.dumps({"seconds": TASKS[sys.argv[1]](*sys.argv[2:])}))
