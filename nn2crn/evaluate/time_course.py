"""Time courses: what the outputs, and any species, do on their way to the steady state; written and drawn."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nn2crn.arguments import at_least, names, positive
from nn2crn.engines.cluster import Cluster
from nn2crn.engines.cvode.pieces import samples_at_once
from nn2crn.engines.engine import SETTLED, Engine
from nn2crn.engines.settling import log_times, unsettled
from nn2crn.errors import UsageError
from nn2crn.evaluate import plots
from nn2crn.evaluate.case import engine, output_columns, outputs_of
from nn2crn.evaluate.spread import Spread
from nn2crn.files.atomic import write_bytes, write_text
from nn2crn.ir.arrays import Floats, Ints
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.notation.species_named import species_named

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LASTS = (1e6, 1e9)  # seconds: when even a ReLU at its kink with h = 1e-10 has settled, and when engines give up
_LOOKS = 200  # times at which a course is checked for change
_TOGETHER = 50  # samples between two looks at the progress
_PARTS = 16  # times as many on a cluster


@dataclass(frozen=True, repr=False)
class Run:
    """Courses `done` (times, samples, columns), outputs first; `expected` (samples, outputs) is the network's own.

    The times are in `unit`, and all values in `concentration` (the network's own numbers if that is empty).
    """

    times: Floats
    columns: tuple[str, ...]
    done: Floats
    expected: Floats
    interrupted: bool
    unit: str
    concentration: str = ""

    @property
    def samples(self) -> int:
        return len(self.expected)

    def __repr__(self) -> str:
        end, names = f"{self.times[-1]:.4g} {self.unit}", ", ".join(self.columns[:3])
        more = ", ..." if len(self.columns) > 3 else ""  # noqa: PLR2004  # as many as are named
        return f"<Run of {self.samples} sample{'s'[: self.samples != 1]} to {end}: {names}{more}>"

    def to_frame(self) -> Any:
        """A pandas DataFrame with a row per sample and time, and a column per output and species.

        Raises:
            UsageError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise UsageError("a DataFrame needs pandas", hint="pip install pandas") from None
        index = pd.MultiIndex.from_product([range(self.samples), self.times], names=["sample", f"time ({self.unit})"])
        rows = self.done.swapaxes(0, 1).reshape(-1, len(self.columns))
        return pd.DataFrame(rows, index=index, columns=list(self.columns))

    def plot(self, sample: int = 0, ax: Axes | None = None, *, linear: bool = False) -> Axes:
        """Draws the courses of one sample, what the network itself gives as thin lines; on axes of matplotlib.

        Raises:
            UsageError: matplotlib is not installed.
        """
        curves = dict(zip(self.columns, self.done[:, sample].T, strict=True))
        expected = dict(zip(self.columns, self.expected[sample].tolist(), strict=False))
        axes = ax or plots.new_axes()
        plots.draw_course(axes, self.times, curves, expected, (self.unit, self.concentration), linear=linear)
        return axes

    def ends(self) -> list[dict[str, Any]]:
        """Of each output and species the sample, name and value at the last time; of outputs, the network's own."""
        outputs = self.expected.shape[1]
        return [
            {"sample": i, "name": name, "value": value, "expected": float(self.expected[i, j]) if j < outputs else None}
            for i, row in enumerate(self.done[-1].tolist())
            for j, (name, value) in enumerate(zip(self.columns, row, strict=True))
        ]

    def as_json(self) -> dict[str, Any]:
        """How the courses end."""
        about = {"samples": self.samples, "t_end": float(self.times[-1]), "time_unit": self.unit}
        return {**about, "value_unit": self.concentration or None, "ends": self.ends(), "interrupted": self.interrupted}


def check_targets(target: str | None, plot: str | None) -> None:
    """Raises UsageError if a file to be written has a suffix that is not known."""
    if target and Path(target).suffix not in (".csv", ".npz"):
        raise UsageError(f"{target}: courses are written to .csv or .npz")
    if plot:
        plots.check_plot(plot)


class Subject(Protocol):
    """Chemistry with inputs (samples, size), and what the network itself gives for them (samples, outputs or none)."""

    @property
    def reactions(self) -> ReactionNetwork: ...

    @property
    def inputs(self) -> Mapping[str, Floats]: ...

    @property
    def expected(self) -> Floats: ...

    @property
    def samples(self) -> int: ...


def simulate(  # noqa: PLR0913  # what is run, and how
    case: Subject,
    name: str,
    *,
    t_end: float | None = None,
    points: int = 200,
    patterns: Sequence[str] = (),
    cluster: Cluster | None = None,
) -> Run:
    """Runs all samples; what is done when the user interrupts is kept.

    Args:
        case: the chemistry and its inputs.
        name: of the engine.
        t_end: in the network's unit of time; until nothing changes if None.
        points: how many times.
        patterns: of species' names, with * and ?.
        cluster: whose workers share the samples.

    Raises:
        UsageError: no species is called like that, or the engine has no time.
    """
    if t_end is not None:
        positive(t_end, "t_end")
    at_least(2, points, "points")
    reactions, patterns = case.reactions, names(patterns)
    labels = reactions.labels()
    shown = species_named(labels, patterns, "--species")
    columns = (
        *(f"{p.name}[{i}]" for p in reactions.outputs for i in range(p.readout.size)),
        *(labels[i] for i in shown),
    )
    with engine(name, reactions, cluster=cluster) as chosen:
        for last in (t_end,) if t_end else _LASTS:
            times = np.linspace(0, last, points) if t_end else _spread(last, _LOOKS)
            pieces, interrupted = _pieces(chosen, case, times, shown, ends=not t_end)
            if t_end or interrupted:
                break
            enough = _settled(np.concatenate([c for c, _ in pieces], axis=1), np.concatenate([e for _, e in pieces]))
            if enough <= _LOOKS or last == _LASTS[-1]:  # the time after which nothing changes is known
                times = _spread(float(times[min(enough, _LOOKS) - 1]), points)
                pieces, interrupted = _pieces(chosen, case, times, shown, ends=False)
                break
    done = np.concatenate([c for c, _ in pieces], axis=1) if pieces else np.zeros((len(times), 0, len(columns)))
    units = reactions.units
    expected = case.expected[: done.shape[1]] * units.one
    concentration = "" if units.dimensionless else units.concentration
    return Run(times, columns, done * units.one, expected, interrupted, units.time, concentration)


def _spread(last: float, count: int) -> Floats:
    """Times from 0 to the last, evenly on a logarithmic axis; only these two if there are no more."""
    return log_times(last, count) if count > 2 else np.array([0.0, last])  # noqa: PLR2004  # the start and the end


_Piece = tuple[Floats, Floats]  # courses (times, samples, columns), and where they settle (samples, columns)


def _pieces(chosen: Engine, case: Subject, times: Floats, shown: Ints, *, ends: bool) -> tuple[list[_Piece], bool]:
    """Courses of some samples at a time, with a bar on a terminal; and whether the user wanted no more."""
    done: list[_Piece] = []
    try:
        together = min(_TOGETHER, samples_at_once(case.reactions))
        if isinstance(chosen, Spread):
            chosen, together = chosen.in_pieces_of(together), together * _PARTS
        starts = range(0, case.samples, together)
        for part in _progress([np.arange(a, min(a + together, case.samples)) for a in starts]):
            inputs = {name: rows[part] for name, rows in case.inputs.items()}
            course = _columns(chosen, case.reactions, inputs, times, shown)
            done.append((course, _read(case.reactions, chosen.settle(inputs), shown) if ends else course[-1]))
    except KeyboardInterrupt:
        return done, True
    return done, False


def _columns(
    chosen: Engine, reactions: ReactionNetwork, inputs: dict[str, Floats], times: Floats, shown: Ints
) -> Floats:
    outputs, columns = output_columns(chosen, reactions)
    watch = np.union1d(outputs, shown)
    states = np.zeros((len(times), len(next(iter(inputs.values()))), columns))
    states[..., watch] = chosen.trajectories(inputs, times, watch)
    return _read(reactions, states, shown)


def _read(reactions: ReactionNetwork, states: Floats, shown: Ints) -> Floats:
    return np.concatenate([outputs_of(reactions, states), states[..., shown]], axis=-1)


def _progress(parts: list[Ints]) -> Iterator[Ints]:
    if not sys.stderr.isatty() or len(parts) == 1:
        yield from parts
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(parts, description="simulating", console=Console(stderr=True))


def _settled(done: Floats, ends: Floats) -> int:
    """How many times to show: until all are as near to where they settle as an engine says it is; one more if none."""
    return int(max(unsettled(done, ends, SETTLED, relative=True).max(initial=0), 1)) + 1


def write(run: Run, target: str) -> None:
    """Writes an .npz of arrays (times, columns, courses, expected), or a .csv of a row per sample and time.

    Raises:
        OutputError: the file cannot be written.
    """
    if target.endswith(".npz"):
        arrays = {"times": run.times, "columns": np.array(run.columns), "courses": run.done, "expected": run.expected}
        write_bytes(Path(target), lambda out: np.savez(out, allow_pickle=False, **arrays))
        return

    def rows() -> Iterator[list[object]]:
        for i in range(run.done.shape[1]):
            for t, row in zip(run.times.tolist(), run.done[:, i].tolist(), strict=True):
                yield [i, t, *row]

    head = ["sample", "time", *map(_inert, run.columns)]
    write_text(Path(target), lambda out: csv.writer(out, lineterminator="\n").writerows([head, *rows()]))


def draw(run: Run, path: str, sample: int = 0, *, linear: bool = False) -> bool:
    """Draws one sample against a logarithmic or an even axis of time; False if it was not run any more."""
    if sample >= run.done.shape[1]:
        return False
    expected = dict(zip(run.columns, run.expected[sample].tolist(), strict=False))
    curves = dict(zip(run.columns, run.done[:, sample].T, strict=True))
    plots.plot_course(path, run.times, curves, expected, (run.unit, run.concentration), linear=linear)
    return True


def _inert(name: str) -> str:
    """The name, unless a spreadsheet would take it for a formula: then after a quote, which makes it text."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@")) else name
