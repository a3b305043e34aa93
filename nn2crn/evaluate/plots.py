"""Pictures of simulations, by matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nn2crn.errors import OutputError, UsageError
from nn2crn.ir.arrays import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS, _DASHES = 10, ("-", (0, (4, 1)), (0, (1, 1)), (0, (5, 1, 1, 1)))
_CURVES = _COLOURS * len(_DASHES)  # as many as can be told apart
_COLUMN = 20  # names of a legend


def check_plot(path: str) -> None:
    """Raises UsageError unless matplotlib is there and can write a file of this suffix."""
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError:
        raise UsageError("--plot needs matplotlib", hint="pip install 'nn2crn[plot]'") from None
    known = FigureCanvasBase.get_supported_filetypes()
    if Path(path).suffix.lstrip(".") not in known:
        raise UsageError(f"{path}: a plot's suffix is one of {', '.join(f'.{k}' for k in sorted(known))}")


def plot_course(  # noqa: PLR0913  # what is drawn
    path: str,
    times: Floats,
    curves: Mapping[str, Floats],
    expected: Mapping[str, float],
    units: tuple[str, str],
    bands: Mapping[str, Floats] | None = None,
    *,
    linear: bool = False,
) -> None:
    """Draws concentrations or values against time, and what the network itself gives, as thin lines.

    Args:
        path: the file, .svg or .png or what else matplotlib writes.
        times: (n,), from zero.
        curves: values (n,) by label; the first forty are drawn.
        expected: the network's own value of some of them.
        units: of the times, as `s`, and of the values, as `nM`, or empty.
        bands: half the width (n,) of a band around a curve.
        linear: an even axis of time, not a logarithmic one.

    Raises:
        OutputError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    draw_course(axes, times, curves, expected, units, linear=linear)
    for label in list(curves)[: _CURVES if bands else 0]:
        low, high = (curves[label] + side * (bands or {})[label] for side in (-1, 1))
        axes.fill_between(times[1:], low[1:], high[1:], alpha=0.25)
    _save(figure, path)


def draw_course(  # noqa: PLR0913  # what is drawn
    axes: Axes,
    times: Floats,
    curves: Mapping[str, Floats],
    expected: Mapping[str, float],
    units: tuple[str, str],
    *,
    linear: bool = False,
) -> None:
    """Draw the picture of `plot_course` on given axes."""
    clock, concentration = units
    value = f"value ({concentration})" if concentration else "value"
    first = 0 if linear else 1  # a logarithmic axis has no zero
    for k, (label, values) in enumerate(list(curves.items())[:_CURVES]):
        dashes = _DASHES[k // _COLOURS]
        (line,) = axes.plot(times[first:], values[first:], label=label, color=f"C{k % _COLOURS}", linestyle=dashes)
        if label in expected:
            axes.axhline(expected[label], color=line.get_color(), linestyle="--", linewidth=0.6, alpha=0.7)
    scale = "linear" if linear else "log"
    axes.set(xscale=scale, xlabel=f"time ({clock})", ylabel=value, xlim=(times[first], times[-1]))
    title = "thin and dashed: the network's own value" if expected else ""
    more = f"the first {_CURVES} of {len(curves)}" if len(curves) > _CURVES else ""
    axes.set_title("; ".join(filter(None, [title, more])), fontsize="medium")
    axes.legend(
        loc="center left",
        bbox_to_anchor=(1.01, 0.5),
        frameon=False,
        ncols=1 + (min(len(curves), _CURVES) - 1) // _COLUMN,
    )


def new_axes() -> Axes:
    """Axes of a figure that a notebook shows.

    Raises:
        UsageError: matplotlib is not installed.
    """
    try:
        from matplotlib import pyplot as plt
    except ImportError:
        raise UsageError("a plot needs matplotlib", hint="pip install 'nn2crn[plot]'") from None
    return plt.subplots(figsize=(7, 4.5), layout="constrained")[1]


def plot_tradeoff(path: str, points: Sequence[tuple[int, float, int]], chosen: int) -> None:
    """Draws what compressed networks cost: accuracy against reactions, coloured by distinct rate constants.

    Args:
        path: the file, .svg or .png or what else matplotlib writes.
        points: (reactions, accuracy, distinct rate constants) of each network, the whole one first.
        chosen: which of them is marked.

    Raises:
        OutputError: the file cannot be written.
    """
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogFormatter

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    reactions, accuracy, constants = zip(*points, strict=True)
    dots = axes.scatter(reactions, accuracy, c=constants, norm=LogNorm(), s=30)
    for k, marker, label in ((chosen, "o", "chosen"), (0, "s", "the whole network")):
        axes.scatter(
            reactions[k], accuracy[k], s=150, marker=marker, facecolors="none", edgecolors="black", label=label
        )
    axes.set(xscale="log", xlabel="reactions", ylabel="accuracy")
    axes.legend(loc="lower right", frameon=False)
    bar = figure.colorbar(dots, label="distinct rate constants")
    for axis in (axes.xaxis, bar.ax.yaxis):  # 20 and 500, not powers of ten
        axis.set_major_formatter(LogFormatter())
        axis.set_minor_formatter(LogFormatter())
    _save(figure, path)


def plot_robustness(path: str, curves: Mapping[str, Sequence[tuple[float, float, float]]], measure: str) -> None:
    """Draws what is left of the accuracy when rate constants are off: the mean, and the 5 % quantile, dashed.

    Args:
        path: the file, .svg or .png or what else matplotlib writes.
        curves: (coefficient of variation, mean, 5 % quantile) by kind of error.
        measure: what the mean is of.

    Raises:
        OutputError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    for kind, points in curves.items():
        errors, mean, low = zip(*points, strict=True)
        (line,) = axes.plot(errors, mean, marker="o", label=kind)
        axes.plot(errors, low, color=line.get_color(), linestyle="--", linewidth=0.8)
    axes.set(xscale="log", xlabel="coefficient of variation of rate constants", ylabel=measure)
    axes.set_title("dashed: 5 % of the tubes stay below", fontsize="medium")
    axes.legend(loc="lower left")
    _save(figure, path)


def _save(figure: Figure, path: str) -> None:
    from matplotlib import rc_context

    try:
        with rc_context({"svg.hashsalt": "nn2crn", "svg.fonttype": "none"}):  # the same bytes; text as text
            figure.savefig(path, metadata={"Date": None} if path.endswith(".svg") else None)
    except OSError as e:
        raise OutputError(f"cannot write {path}: {e.strerror}") from None
