"""The charts of a report, drawn by matplotlib as SVG that takes its colours from the page, light or dark."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nn2crn.evaluate.tube.robustness import curves

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Figures = Mapping[str, Any]

_SIZE, _SMALL = (4.6, 3.0), (3.0, 2.1)  # inches: what a telephone shows at a readable size
COLOURS = 10  # that the page's style defines, as --c0 and so on
_INK = "#fe00ff"  # stands for the page's own colour of text
_CURVES = [f"#fe00{k:02x}" for k in range(COLOURS)]
_MARKERS = "os^Dvp"
_LINE, _HANDLE = 62, 6  # characters of a line of names, and what each mark takes
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text as text
    "svg.hashsalt": "nn2crn",  # the same bytes
    "font.size": 9,
    "axes.edgecolor": _INK, "axes.labelcolor": _INK, "axes.titlecolor": _INK, "text.color": _INK,
    "xtick.color": _INK, "ytick.color": _INK, "grid.color": _INK, "grid.alpha": 0.15, "axes.grid": True,
    "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True,
    "legend.frameon": False, "legend.fontsize": 8, "axes.formatter.use_mathtext": False,
}  # fmt: skip


def residuals(figures: Figures, engine: int) -> str:
    """The error of every output against the network's own value, in one engine."""
    found = figures["verification"]
    errors = np.array(found["measured"][engine]["output_errors"])
    expected = np.array(found["expected_values"])[: len(errors)]

    def draw(axes: Axes) -> None:
        for k, name in enumerate(found["output_names"]):
            look: dict[str, Any] = {"color": _CURVES[k % COLOURS], "marker": _MARKERS[k // COLOURS]}
            axes.plot(expected[:, k], errors[:, k], linestyle="", markersize=3, alpha=0.7, label=_short(name), **look)
        axes.axhline(0, color=_INK, linewidth=0.8)
        axes.set(xlabel="value of the network", ylabel="chemistry \N{MINUS SIGN} network")
        _small_numbers(axes)
        _legend(axes)

    return _drawn(f"residuals{engine}", draw)


def courses(figures: Figures, sample: int) -> str:
    """The outputs of one sample against time, and the network's own values, dashed."""
    found = figures["settling"]
    times, values = np.array(found["times"]), np.array(found["courses"][sample]["course"])

    def draw(axes: Axes) -> None:
        for k, name in enumerate(found["output_names"]):
            look: dict[str, Any] = {"color": _CURVES[k % COLOURS], "linestyle": ("-", (0, (1, 1)))[k // COLOURS % 2]}
            axes.plot(times[1:], values[1:, k], label=_short(name), linewidth=1.3, **look)
            expected = found["courses"][sample]["expected_ends"][k]
            axes.axhline(expected, color=_CURVES[k % COLOURS], linestyle="--", linewidth=0.7, alpha=0.8)
        value = f"value ({found['value_unit']})" if found["value_unit"] else "value"
        axes.set(xscale="log", xlabel=f"time ({found['time_unit']})", ylabel=value, xlim=(times[1], times[-1]))
        _plain_powers(axes, "x")
        _legend(axes)

    return _drawn(f"courses{sample}", draw)


def rate_histogram(figures: Figures) -> str:
    """How many reactions have a rate constant of which size, by order."""

    def draw(axes: Axes) -> None:
        for k, found in enumerate(figures["rate_histograms"]):
            label = f"order {found['order']}"
            edges, counts = found["edges"], found["counts"]
            if len(counts) == 1:  # all are equal
                axes.plot([edges[0]] * 2, [0, counts[0]], color=_CURVES[k], linewidth=3, label=label)
            else:
                axes.stairs(counts, edges, color=_CURVES[k], fill=True, alpha=0.5, label=label)
        axes.set(xscale="log", xlabel="rate constant", ylabel="reactions")
        _plain_powers(axes, "x")
        _legend(axes)

    return _drawn("rates", draw)


def weight_histogram(figures: Figures, layer: int) -> str:
    """The weights of one layer."""
    found = figures["weight_histograms"][layer]

    def draw(axes: Axes) -> None:
        if len(found["counts"]) == 1:
            axes.plot([found["edges"][0]] * 2, [0, found["counts"][0]], color=_CURVES[0], linewidth=3)
        else:
            axes.stairs(found["counts"], found["edges"], color=_CURVES[0], fill=True, alpha=0.6)
        axes.axvline(0, color=_INK, linewidth=0.8)
        axes.set(xlabel=f"weights of {found['layer']}", ylabel="connections")

    return _drawn(f"weights{layer}", draw, _SMALL)


def robustness(figures: Figures) -> str:
    """What is left against the error of the rate constants: the mean, and what 5 % of the tubes stay below, dashed."""
    report = figures["robustness"]
    by_kind = curves(report["outcomes"])

    def draw(axes: Axes) -> None:
        for k, (kind, label) in enumerate((("independent", "each reaction"), ("shared", "each distinct constant"))):
            errors = [100 * cv for cv, _, _ in by_kind[kind]]
            mean, low = [m for _, m, _ in by_kind[kind]], [q for _, _, q in by_kind[kind]]
            axes.plot(errors, mean, color=_CURVES[k], marker=_MARKERS[k], label=label)
            axes.plot(errors, low, color=_CURVES[k], marker=_MARKERS[k], linestyle="--", markersize=3, linewidth=0.8)
        axes.set(xlabel="rate constants off by (%)", ylabel=report["measure"])
        _legend(axes)

    return _drawn("robustness", draw)


def _drawn(name: str, draw: Callable[[Axes], None], size: tuple[float, float] = _SIZE) -> str:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=size, layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.subplots()
        axes.patch.set_alpha(0)
        draw(axes)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    return _in_page(name, out.getvalue())


def _in_page(name: str, svg: str) -> str:
    """The element without what a file needs, its ids apart from those of other charts, in the page's colours."""
    element = re.sub(r"\s*<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    view = re.search(r'viewBox="[^"]*"', element)
    assert view  # noqa: S101  # matplotlib writes one
    element = f'<svg xmlns:xlink="http://www.w3.org/1999/xlink" {view[0]}>' + element[element.index(">") + 1 :]
    element = re.sub(r'\bid="', f'id="{name}-', element)
    element = re.sub(r'(url\(|href=")#', rf"\1#{name}-", element)
    for colour, variable in _variables():
        element = element.replace(colour, f"var({variable})")
    return re.sub(r'<style type="text/css">.*?</style>', "", element, flags=re.DOTALL)


def _variables() -> Iterator[tuple[str, str]]:
    yield _INK, "--ink"
    for k, colour in enumerate(_CURVES):
        yield colour, f"--c{k}"


def _legend(axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) > 1:
        columns = max(1, _LINE // (max(map(len, labels)) + _HANDLE))
        axes.figure.legend(handles, labels, loc="outside lower center", ncols=columns, columnspacing=1.0)


def _short(name: str, most: int = 14) -> str:
    """A long name loses its middle, not the index at its end."""
    return name if len(name) <= most else f"{name[: most - 6]}\N{HORIZONTAL ELLIPSIS}{name[-5:]}"


def _small_numbers(axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter

    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))


def _plain_powers(axes: Axes, which: str) -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
