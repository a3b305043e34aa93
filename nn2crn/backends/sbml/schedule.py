"""A schedule in an SBML file: parameters take the values of one row after the other, so that programs run it alone.

One event, whenever a row's time is up, sets the parameters to the next row and the time of the event after it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from nn2crn.backends.sbml.mathml import apply, math, number

_TIME = '<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time">time</csymbol>'


def with_schedule(text: str, rows: Mapping[str, Sequence[float]], seconds: float) -> str:
    """The document with its parameters set row by row, again from the first when all rows were.

    Args:
        text: SBML as this back end writes it, without events and with values of parameters in their own tags.
        rows: values by id of an input's parameter; all are equally many.
        seconds: how long each row lasts, in the document's unit of time.
    """
    count = len(next(iter(rows.values())))
    namespace, clock = (re.search(f'{name}="([^"]*)"', text) for name in ("<sbml xmlns", "timeUnits"))
    assert namespace  # noqa: S101  # this back end has written it
    assert clock  # noqa: S101  # the same
    space, unit = namespace[1], clock[1]
    added = (
        '<parameter id="lesson" name="row of the schedule" value="0" units="dimensionless" constant="false"/>\n'
        f'<parameter id="lesson_end" name="when it ends" value="{seconds!r}" units="{unit}" constant="false"/>\n'
    )
    following = {
        "lesson": _after([float((k + 1) % count) for k in range(count)], "dimensionless"),
        "lesson_end": apply("plus", "<ci>lesson_end</ci>", number(seconds, unit)),
        **{name: _after([*values[1:], values[0]], "concentration") for name, values in rows.items()},
    }
    assignments = "".join(
        f'<eventAssignment variable="{name}">{math(value, space)}</eventAssignment>\n'
        for name, value in following.items()
    )
    event = (
        '<listOfEvents>\n<event id="next_lesson" useValuesFromTriggerTime="true">\n'
        '<trigger initialValue="false" persistent="true">'
        f"{math(apply('geq', _TIME, '<ci>lesson_end</ci>'), space)}</trigger>\n"
        f"<listOfEventAssignments>\n{assignments}</listOfEventAssignments>\n</event>\n</listOfEvents>\n"
    )
    for name, values in rows.items():
        before, found, after = text.partition(f'<parameter id="{name}" ')
        head, _, tail = after.partition('value="')
        text = f'{before}{found}{head}value="{float(values[0])!r}"{tail.partition(chr(34))[2]}'
    text = text.replace("</listOfParameters>\n", f"{added}</listOfParameters>\n", 1)
    return text.replace("</model>", f"{event}</model>", 1)


def _after(values: Sequence[float], units: str) -> str:
    """values[k] where k is the number of the row that is on, `lesson`."""
    pieces = "".join(
        f"<piece>{number(v, units)}{apply('lt', '<ci>lesson</ci>', number(k + 0.5, 'dimensionless'))}</piece>"
        for k, v in enumerate(map(float, values[:-1]))
    )
    last = number(float(values[-1]), units)
    return f"<piecewise>{pieces}<otherwise>{last}</otherwise></piecewise>" if pieces else last
