"""The network drawn layer by layer: a circle per neuron, a line per weight; large layers are folded.

The drawing is laid out here, without Graphviz, so that it is the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TextIO
from unicodedata import east_asian_width

import numpy as np

from nn2crn.analysis.layer_graph import LayerGraph, Link, Part
from nn2crn.backends.common import xml_text
from nn2crn.ir.arrays import dense, entries
from nn2crn.ir.formula import number
from nn2crn.ir.reactions import InputPort, Module, OutputPort, ReactionNetwork

_SHOWN = 16  # neurons of a layer; of a larger one, the first ones and the last
_COLUMN, _ROW, _RADIUS, _MARGIN = 210, 30, 9, 24  # pixels
_TITLE, _HEAD, _LEGEND = 46, 62, 44  # heights
_LONGEST = 30  # characters of a text in a column
_COLOURS = {"input": "#f2d7a0", "hidden": "#cfe3f3", "output": "#cdebc5"}
_POSITIVE, _NEGATIVE, _READ = "#2166ac", "#c0392b", "#9a9a9a"
_STYLE = """<style>
.nn2crn text { font-family: Helvetica, Arial, sans-serif; fill: #222 }
.nn2crn .small { font-size: 11px; fill: #555 }
.nn2crn .head { paint-order: stroke; stroke: white; stroke-width: 3px }
.nn2crn .node { stroke: #444; stroke-width: 1 }
</style>
"""  # of this drawing only, where it stands in a page

_ARROWS = (
    "<defs>"
    + "".join(
        f'<marker id="{name}" viewBox="0 0 6 6" refX="6" refY="3" markerWidth="7" markerHeight="7"'
        f' markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L6 3L0 6z" fill="{colour}"/></marker>'
        for name, colour in (("plus", _POSITIVE), ("minus", _NEGATIVE))
    )
    + "</defs>\n"
)


def emit(network: ReactionNetwork, out: TextIO) -> None:
    """Writes one picture."""
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    out.writelines(_Drawing(LayerGraph(network)).svg())


def drawing(network: ReactionNetwork) -> str:
    """The picture as an element of a page, without the declaration of a file."""
    return "".join(_Drawing(LayerGraph(network)).svg())


@dataclass(frozen=True)
class _Group:
    """A part of the network at its place, with the neurons shown, at (x, y[neuron])."""

    part: Part
    x: float
    top: float
    y: Mapping[int, float]


@dataclass(frozen=True)
class _Drawing:
    parts: LayerGraph

    @cached_property
    def columns(self) -> list[list[int]]:
        """Parts by number, of each depth."""
        depth = self.parts.depth
        return [[i for i, d in enumerate(depth) if d == column] for column in range(max(depth, default=-1) + 1)]

    @cached_property
    def height(self) -> float:
        """Return the height of the highest column."""
        return max((sum(_height(self.parts.all[i]) for i in column) for column in self.columns), default=0)

    @cached_property
    def groups(self) -> dict[int, _Group]:
        """Every part at its place, columns centred."""
        placed = {}
        for k, column in enumerate(self.columns):
            top = _TITLE + (self.height - sum(_height(self.parts.all[i]) for i in column)) / 2
            for i in column:
                part = self.parts.all[i]
                x = _MARGIN + (k + 0.5) * _COLUMN
                rows = _rows(_neurons(part))
                y = {n: top + _HEAD + (row + 0.5) * _ROW for row, n in rows.items()}
                placed[i] = _Group(part, x, top, y)
                top += _height(part)
        return placed

    def svg(self) -> Iterator[str]:
        width = 2 * _MARGIN + max(len(self.columns), 2) * _COLUMN
        height = _TITLE + self.height + _LEGEND
        yield f'<svg class="nn2crn" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:g}"'
        yield f' width="{width}" height="{height:g}">\n'
        yield _STYLE
        if self.parts.network.recurrent:
            yield _ARROWS
        yield f'<rect width="{width}" height="{height:g}" fill="white"/>\n'
        yield _name(_MARGIN, 28, self.parts.network.name, 'font-size="16" font-weight="bold"')
        for link in self.parts.links:
            yield from self._lines(link)
        for group in self.groups.values():
            yield from _group(group)
        yield from _legend(height - 16, recurrent=self.parts.network.recurrent)
        yield "</svg>\n"

    def _lines(self, link: Link) -> Iterator[str]:
        """The weights between neurons that are shown, the strongest on top."""
        source, target = self.groups[link.source], self.groups[link.target]
        drives = link.weights.shape[0] // _neurons(target.part)  # of each neuron, where a group has one output
        rows = [n * drives + d for n in target.y for d in range(drives)]
        columns = list(source.y)
        weights = dense(link.weights[rows])[:, columns]
        largest = float(np.max(np.abs(entries(link.weights)), initial=0.0))
        order = np.argsort(np.abs(weights), axis=None, kind="stable").tolist()
        for row, column in (divmod(k, len(columns)) for k in order):
            weight = float(weights[row, column])
            if weight:
                ends = (
                    source.x + _RADIUS,
                    source.y[columns[column]],
                    target.x - _RADIUS,
                    target.y[rows[row] // drives],
                )
                share = abs(weight) / largest
                if link.back:
                    yield _fed_back((source.x, ends[1]), (target.x, ends[3]), weight, share)
                else:
                    yield _line(ends, weight, share, read=isinstance(target.part, OutputPort))


def _line(ends: tuple[float, float, float, float], weight: float, share: float, *, read: bool) -> str:
    x1, y1, x2, y2 = ends
    bend = (x2 - x1) / 3
    colour = _READ if read else _POSITIVE if weight > 0 else _NEGATIVE
    thick = 1.0 if read else 0.4 + 2.4 * share
    look = f'stroke="{colour}" stroke-width="{thick:.2f}" stroke-opacity="{0.3 + 0.6 * share:.2f}"'
    path = f"M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}"
    return f'<path d="{path}" fill="none" {look}/>\n'


def _fed_back(source: tuple[float, float], target: tuple[float, float], weight: float, share: float) -> str:
    """A dashed arrow: beside a layer that drives itself, or from a later layer to an earlier one."""
    (x1, y1), (x2, y2) = source, target
    if x1 == x2:  # both ends to the right of the layer; a small circle where a neuron drives itself
        bow = x1 + _RADIUS + 26 + min(0.32 * abs(y2 - y1), 80) + (10 if y2 < y1 else 0)
        apart = 14 if y1 == y2 else 0
        ends = (x1 + _RADIUS, y1 - apart / 4), (x2 + _RADIUS, y2 + apart / 4)
        bends = (bow, y1 - apart), (bow, y2 + apart)
    else:
        bend = (x1 - x2) / 3
        ends = (x1 - _RADIUS, y1), (x2 + _RADIUS, y2)
        bends = (x1 - bend, y1 - 24), (x2 + bend, y2 - 24)
    start, *rest = (f"{x:g} {y:g}" for x, y in (ends[0], *bends, ends[1]))
    path = f"M{start}C{' '.join(rest)}"
    sign, colour = ("plus", _POSITIVE) if weight > 0 else ("minus", _NEGATIVE)
    look = f'stroke="{colour}" stroke-width="{0.4 + 2.4 * share:.2f}" stroke-opacity="{0.3 + 0.6 * share:.2f}"'
    return f'<path d="{path}" fill="none" {look} stroke-dasharray="5 3" marker-end="url(#{sign})"/>\n'


def _group(group: _Group) -> Iterator[str]:
    """The heading, and the neurons with their indices."""
    middle = 'text-anchor="middle"'
    yield _name(group.x, group.top + 18, group.part.name, f'class="head" font-size="13" font-weight="bold" {middle}')
    for k, line in enumerate(_about(group.part)):
        yield _name(group.x, group.top + 34 + 14 * k, line, f'class="small head" {middle}', longest=40)
    colour = _COLOURS[_role(group.part)]
    for neuron, y in group.y.items():
        name = f"{group.part.name}[{neuron}]"
        yield f'<circle class="node" cx="{group.x:g}" cy="{y:g}" r="{_RADIUS}" fill="{colour}">'
        yield f"<title>{xml_text.text(name)}</title></circle>\n"
        size = min(9, 28 // len(str(neuron)))
        yield _text(group.x, y + 3, str(neuron), f'class="index" font-size="{size}" {middle}')
    if len(group.y) < _neurons(group.part):
        y = group.top + _HEAD + (_SHOWN - 1.5) * _ROW
        yield _text(group.x, y + 6, "\N{VERTICAL ELLIPSIS}", f'font-size="18" {middle}')


def _about(part: Part) -> Iterator[str]:
    if isinstance(part, Module):
        settings = ", ".join(f"{k} = {number(v)}" for k, v in part.values.items() if isinstance(v, float))
        yield part.template + (f" ({settings})" if settings else "")
        species = sum(b.size for b in part.species.values())
        yield f"{_counted(_neurons(part), 'neuron')}, {species} species"
    elif isinstance(part, InputPort):
        yield "input" if part.minus is None else "input, two rails"
    else:
        yield "output"


def _legend(y: float, *, recurrent: bool) -> Iterator[str]:
    said = (
        (_POSITIVE, "positive weight: raises the target", 220),
        (_NEGATIVE, "negative weight: lowers it; width: its size within the layer", 0),
    )
    x = _MARGIN
    for colour, text, advance in said:
        yield f'<path d="M{x} {y - 4:g}h24" stroke="{colour}" stroke-width="2.5"/>\n'
        yield _text(x + 30, y, text, 'class="small"')
        x += advance
    if recurrent:
        yield _text(_MARGIN, y - 18, "dashed: fed back, in the direction of the arrow", 'class="small"')


def _rows(neurons: int) -> dict[int, int]:
    """Return the neuron of each row; the row before the last of a folded layer is empty."""
    if neurons <= _SHOWN:
        return {n: n for n in range(neurons)}
    return {n: n for n in range(_SHOWN - 2)} | {_SHOWN - 1: neurons - 1}


def _height(part: Part) -> float:
    return _HEAD + min(_neurons(part), _SHOWN) * _ROW + _ROW / 2


def _neurons(part: Part) -> int:
    return part.plus.size if isinstance(part, InputPort) else part.readout.size


def _role(part: Part) -> str:
    if isinstance(part, Module):
        return "hidden"
    return "input" if isinstance(part, InputPort) else "output"


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _name(x: float, y: float, text: str, look: str, longest: int = _LONGEST) -> str:
    """Write a text, cut if it is long, with the whole as a tooltip. East Asian characters are two wide."""
    widths = accumulate(2 if east_asian_width(c) in "WF" else 1 for c in text)
    fitting = sum(width <= longest for width in widths)
    if fitting == len(text):
        return _text(x, y, xml_text.text(text), look)
    cut = f"<title>{xml_text.text(text)}</title>{xml_text.text(text[:fitting])}\N{HORIZONTAL ELLIPSIS}"
    return _text(x, y, cut, look)


def _text(x: float, y: float, content: str, look: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" {look}>{content}</text>\n'
