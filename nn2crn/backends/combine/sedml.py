"""SED-ML: what to simulate of the SBML file, for tellurium, COPASI and web services.

Two tasks: a time course with a curve per output, and a scan of the first input that shows where the outputs end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from nn2crn.backends.common.names import make_ids
from nn2crn.backends.common.rails import Rails, one_line
from nn2crn.backends.common.xml_text import quote
from nn2crn.ir.reactions import ReactionNetwork

NAMESPACE = "http://sed-ml.org/sed-ml/level1/version3"
_MATH = '<math xmlns="http://www.w3.org/1998/Math/MathML">'
_POINTS, _STEPS = 200, 20  # of the time course, of the scan
# LSODA, for which tellurium takes CVODE and COPASI its own; its relative and its absolute tolerance
_ALGORITHM = """<algorithm kisaoID="KISAO:0000560"><listOfAlgorithmParameters>
<algorithmParameter kisaoID="KISAO:0000209" value="1e-08"/>
<algorithmParameter kisaoID="KISAO:0000211" value="1e-12"/>
</listOfAlgorithmParameters></algorithm>
"""


@dataclass(frozen=True)
class _Quantity:
    """Something to plot: `id` of the data generator, display name, and the parameter of the model; none is time."""

    id: str
    name: str
    task: str
    parameter: str


def scanned(network: ReactionNetwork) -> list[float]:
    """The values of the first scalar input in the scan: from -1, or 0 if it cannot be negative, to 1."""
    return [float(v) for v in np.linspace(_lowest(network), 1.0, _STEPS + 1)] if network.inputs else []


def _lowest(network: ReactionNetwork) -> float:
    return -1.0 if network.inputs[0].minus else 0.0


def document(network: ReactionNetwork, source: str, namespace: str, course: float, scan: float) -> Iterator[str]:
    """The document, in pieces.

    Args:
        network: the model.
        source: name of the SBML file beside it.
        namespace: of SBML, as in that file.
        course: end of the time course, in seconds.
        scan: how long each value of the scan is held.
    """
    ids, rails = make_ids(network), Rails(network)
    inputs = [name for port in ids.inputs for name in port]
    outputs = list(zip([name for port in ids.outputs for name in port], rails.outputs, strict=True))
    courses = [_Quantity(f"course{i}", label, "course", name) for i, (name, label) in enumerate(outputs, 1)]
    ends = [_Quantity(f"scan{i}", label, "scan", name) for i, (name, label) in enumerate(outputs, 1) if inputs]
    time = _Quantity("course0", "time", "course", "")
    varied = [_Quantity("scan0", rails.inputs[0], "scan", inputs[0])] if inputs else []
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<sedML xmlns="{NAMESPACE}" xmlns:sbml="{namespace}" level="1" version="3">\n'
    yield from _simulations(course, scan if inputs else None)
    yield f'<listOfModels>\n<model id="model" language="urn:sedml:language:sbml" source="{source}"/>\n</listOfModels>\n'
    yield "<listOfTasks>\n"
    if inputs:
        yield from _scan(inputs[0], _lowest(network))
    yield '<task id="course" modelReference="model" simulationReference="to_the_end"/>\n'  # COPASI keeps the last one
    yield "</listOfTasks>\n<listOfDataGenerators>\n"
    for quantity in (time, *courses, *varied, *ends):
        yield from _generator(quantity)
    yield "</listOfDataGenerators>\n<listOfOutputs>\n"
    yield from _plot("Outputs over time", time, courses)
    for x in varied:
        yield from _plot(f"Outputs at the end, by {one_line(x.name)}", x, ends)
    yield "</listOfOutputs>\n</sedML>\n"


def _simulations(course: float, scan: float | None) -> Iterator[str]:
    """Define the time course, and the scan at `scan` seconds by two equal points."""
    spans = [("to_the_end", 0.0, course, _POINTS)] + ([("at_the_end", scan, 2 * scan, 1)] if scan else [])
    yield "<listOfSimulations>\n"
    for name, start, end, points in spans:
        yield f'<uniformTimeCourse id="{name}" initialTime="0" outputStartTime="{start!r}" outputEndTime="{end!r}"'
        yield f' numberOfPoints="{points}">\n{_ALGORITHM}</uniformTimeCourse>\n'
    yield "</listOfSimulations>\n"


def _scan(parameter: str, low: float) -> Iterator[str]:
    """The first input from `low` to 1, the others as in the file.

    Each value starts where the last one ended, which tellurium draws as one curve. It makes no difference to the end:
    what a network conserves stays the same.
    """
    yield '<task id="settle" modelReference="model" simulationReference="at_the_end"/>\n'
    yield '<repeatedTask id="scan" range="values" resetModel="false">\n'
    yield f'<listOfRanges><uniformRange id="values" start="{low}" end="1.0" numberOfPoints="{_STEPS}" type="linear"/>'
    yield f'</listOfRanges>\n<listOfChanges><setValue modelReference="model" target="{_target(parameter)}"'
    yield f' range="values">{_MATH}<ci>values</ci></math></setValue></listOfChanges>\n'
    yield '<listOfSubTasks><subTask order="1" task="settle"/></listOfSubTasks>\n</repeatedTask>\n'


def _generator(quantity: _Quantity) -> Iterator[str]:
    what = f'target="{_target(quantity.parameter)}"' if quantity.parameter else 'symbol="urn:sedml:symbol:time"'
    name = quote(quantity.name)
    yield f'<dataGenerator id="{quantity.id}" name={name}><listOfVariables>'
    yield f'<variable id="{quantity.id}_v" name={name} taskReference="{quantity.task}" {what}/></listOfVariables>'
    yield f"{_MATH}<ci>{quantity.id}_v</ci></math></dataGenerator>\n"


def _plot(title: str, x: _Quantity, ys: Sequence[_Quantity]) -> Iterator[str]:
    """Write a plot, and a report of the same numbers."""
    yield f'<plot2D id="plot_{x.task}" name={quote(title)}><listOfCurves>\n'
    for y in ys:
        yield f'<curve id="{y.id}_curve" name={quote(y.name)} logX="false" logY="false"'
        yield f' xDataReference="{x.id}" yDataReference="{y.id}"/>\n'
    yield f'</listOfCurves></plot2D>\n<report id="report_{x.task}" name={quote(title)}><listOfDataSets>\n'
    for q in (x, *ys):
        yield f'<dataSet id="{q.id}_data" label={quote(q.name)} dataReference="{q.id}"/>\n'
    yield "</listOfDataSets></report>\n"


def _target(parameter: str) -> str:
    """The XPath of a parameter in the SBML file."""
    return f"/sbml:sbml/sbml:model/sbml:listOfParameters/sbml:parameter[@id='{parameter}']"
