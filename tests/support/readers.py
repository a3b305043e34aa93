"""Other people's programs, each in a process of its own: what one makes of a written file by the end of a time course.

    python readers.py CLIENT FILE TIME

The names are those of nn2crn/backends/clients.py. The last line printed is JSON: values by id, of species and of what
else the program has.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path


def tellurium(path, time):
    import roadrunner

    return _roadrunner(roadrunner.RoadRunner(str(path)), time)


def antimony(path, time):
    import antimony as library
    import roadrunner

    assert library.loadAntimonyFile(str(path)) >= 0, library.getLastError()
    return _roadrunner(roadrunner.RoadRunner(library.getSBMLString(library.getMainModuleName())), time)


def _roadrunner(runner, time):
    species = runner.model.getFloatingSpeciesIds()
    parameters = runner.model.getGlobalParameterIds()
    runner.timeCourseSelections = [*(f"[{s}]" for s in species), *parameters]
    return dict(zip([*species, *parameters], runner.simulate(0, time, 2)[-1].tolist(), strict=True))


def copasi(path, time):
    import COPASI

    data = COPASI.CRootContainer.addDatamodel()
    assert data.importSBML(str(path)), COPASI.CCopasiMessage.getAllMessageText()
    task = data.getTask("Time-Course")
    task.getProblem().setDuration(time)
    task.getProblem().setStepNumber(1)
    from_initial_values = True
    assert task.process(from_initial_values), task.getProcessError()
    series = task.getTimeSeries()
    return {series.getSBMLId(i, data): series.getConcentrationData(1, i) for i in range(1, series.getNumVariables())}


def gillespy2(path, time):
    import gillespy2 as library
    import numpy as np

    model, errors = library.import_SBML(str(path))
    assert not errors, errors
    model.timespan(library.TimeSpan(np.array([0.0, time])))
    (run,) = model.run(solver=library.ODESolver(model=model))
    return {name: float(values[-1]) for name, values in run.data.items()}


def pysces(path, time):
    import pysces as library

    folder = str(path.parent)
    library.interface.convertSBML2PSC(path.name, sbmldir=folder, pscfile="model.psc", pscdir=folder)
    model = library.model("model.psc", dir=folder)
    model.sim_start, model.sim_end, model.sim_points = 0, time, 2
    model.mode_integrator = "LSODA"
    model.Simulate()
    values, names = model.data_sim.getAllSimData(lbls=True)
    by_rule = {name: float(getattr(model, name)) for name in model.__rules__}
    return {**by_rule, **dict(zip(names, values[-1].tolist(), strict=True))}


def amici(path, time):
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # it wants its own swig
    import amici.sim.sundials  # where the module of a model looks for it
    from amici.importers.sbml import SbmlImporter

    model = SbmlImporter(path).sbml2amici(
        "compiled", output_dir=path.parent / "amici", generate_sensitivity_code=False, verbose=False
    )
    solver = model.create_solver()
    solver.set_absolute_tolerance(1e-12)
    solver.set_max_steps(100_000)
    model.set_timepoints([time])
    run = model.simulate(solver=solver)
    assert run.status == amici.sim.sundials.AMICI_SUCCESS, run.status
    return dict(zip(model.get_state_ids(), map(float, run.x[-1]), strict=True))


def bionetgen(path, time):
    import bionetgen as library

    home = Path(library.__file__).parent / "bng-linux"
    simulate = f'method=>"ode",t_end=>{time},n_steps=>1,print_functions=>1'
    (path.parent / "run.bngl").write_text(f'readFile({{file=>"{path.name}"}})\nsimulate({{{simulate}}})\n')
    command = ["perl", str(home / "BNG2.pl"), "run.bngl"]
    environment = {**os.environ, "BNGPATH": str(home)}
    done = subprocess.run(command, cwd=path.parent, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-500:]
    head, *_, last = (path.parent / "run.gdat").read_text().splitlines()
    return dict(zip(head.removeprefix("#").split(), map(float, last.split()), strict=True))


def crnsimulator(path, time):
    program = [sys.executable, "-c", "from crnsimulator.simulator import main; main()", "-o", "run"]
    with path.open() as text:
        subprocess.run(program, stdin=text, cwd=path.parent, check=True, capture_output=True)
    command = f"run.py --t8 {time} -r 1e-8 -a 1e-10 --mxstep 100000 --nxy --header".split()
    done = subprocess.run([sys.executable, *command], cwd=path.parent, check=True, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line]
    names = next(line for line in lines if "time" in line).removeprefix("#").split()
    return dict(zip(names, map(float, lines[-1].split()), strict=True))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    client, file, end = sys.argv[1:]
    sys.stdout.write("\n" + json.dumps(globals()[client](Path(file).resolve(), float(end))) + "\n")
