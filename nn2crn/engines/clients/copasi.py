"""COPASI (its deterministic time course, LSODA) as an engine: it reads the written SBML file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np

from nn2crn.engines.clients.client import Client
from nn2crn.engines.cvode.internal import SimulationError
from nn2crn.errors import UsageError
from nn2crn.ir.arrays import Floats, Ints

_T = TypeVar("_T")
_MARK = re.compile(r">\w+ [\d:T-]+< ")  # kind and time of a message


def _reproducible(values: Floats) -> Floats:
    """Round to 12 significant digits: the last bits of what COPASI computes differ from run to run."""
    digits = 11 - np.floor(np.log10(np.abs(values, where=values != 0, out=np.ones_like(values))))
    scale = 10.0 ** np.clip(digits, -300, 300)
    return np.asarray(np.round(values * scale) / scale)


def _meaning(messages: str) -> str:
    """COPASI's messages on one line, without the kind and the time of each message."""
    return _MARK.sub("", " ".join(messages.split()))


class Copasi(Client):
    """One loaded model, run for each input from the file's start; see engine.Engine."""

    name = "copasi"

    def load(self, path: Path) -> None:
        """Reads the file; see Client.load."""
        try:
            import COPASI
        except ImportError:
            raise UsageError("COPASI is not installed", hint="pip install 'nn2crn[verify]'") from None
        self.copasi = COPASI
        COPASI.CCopasiMessage.clearDeque()
        self.data = COPASI.CRootContainer.addDatamodel()
        try:
            read = self.data.importSBML(str(path))
        except COPASI.CCopasiException:
            read = False
        if not read:
            raise SimulationError(f"COPASI cannot read it: {_meaning(COPASI.CCopasiMessage.getAllMessageText())}")
        self.messages = str(COPASI.CCopasiMessage.getAllMessageText()).strip()  # what importing it gave rise to
        self.model = self.data.getModel()
        quantities = (self.model.getModelValue(i) for i in range(self.model.getNumModelValues()))
        self.quantities = {q.getSBMLId(): q for q in quantities}
        metabolites = (self.model.getMetabolite(i) for i in range(self.model.getNumMetabs()))
        self.metabolites = {m.getSBMLId(): m for m in metabolites}
        method = self.data.getTask("Time-Course").getMethod()
        method.getParameter("Relative Tolerance").setDblValue(self.rtol)
        method.getParameter("Absolute Tolerance").setDblValue(self.atol)
        method.getParameter("Max Internal Steps").setIntValue(1_000_000)

    def course(self, values: Mapping[str, float], times: Floats, watch: Ints) -> Floats:
        """Concentrations and outputs (times, watched); see Client.course."""
        for name, value in values.items():
            if name in self.metabolites:
                self.metabolites[name].setInitialConcentration(value)
            else:
                self._known(self.quantities, name).setInitialValue(value)
        self.model.updateInitialValues(self.copasi.CCore.Framework_Concentration)
        task = self.data.getTask("Time-Course")
        problem = task.getProblem()
        problem.setUseValues(True)
        problem.setValues(" ".join(map(repr, map(float, times))))
        problem.setDuration(float(times[-1]))
        from_initial_values = True
        if not task.process(from_initial_values):
            raise SimulationError(_meaning(task.getProcessError()))
        series = task.getTimeSeries()
        rows = range(series.getRecordedSteps())
        columns = {series.getSBMLId(i, self.data): i for i in range(series.getNumVariables())}
        courses = {name: [value] * len(rows) for name, value in self._held(columns).items()}
        watched = [self.columns[i] for i in watch]
        for name in watched:
            if name not in courses:
                column = self._known(columns, name)
                courses[name] = [series.getConcentrationData(row, column) for row in rows]
        found = np.array([courses[name] for name in watched], dtype=np.float64).reshape(len(watched), len(rows)).T
        return _reproducible(found)

    def _held(self, columns: Collection[str]) -> dict[str, float]:
        """Parameters and species that nothing changes, as those of no reaction: time courses leave them out."""
        fixed = self.copasi.CModelEntity.Status_FIXED
        values = {i: q.getInitialValue() for i, q in self.quantities.items() if q.getStatus() == fixed}
        species = {i: m.getInitialConcentration() for i, m in self.metabolites.items() if i not in columns}
        return values | species

    def _known(self, found: Mapping[str, _T], name: str) -> _T:
        if name not in found:
            raise SimulationError(f"there is no {name} in the file", hint="compile the file again")
        return found[name]

    def rate_laws(self) -> Counter[str]:
        """Count the reactions by COPASI's own rate laws, `Mass action (irreversible)` or others."""
        functions = (self.model.getReaction(i).getFunction() for i in range(self.model.getNumReactions()))
        own = self.copasi.CFunction.PreDefined, self.copasi.CFunction.MassAction
        return Counter(f.getObjectName() if f.getType() in own else "rate laws of their own" for f in functions)
