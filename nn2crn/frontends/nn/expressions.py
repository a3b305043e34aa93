"""The expressions of a .nn file: each becomes a node as soon as its parts are made."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
from lark.lexer import Token
from lark.tree import Meta
from lark.visitors import v_args
from scipy import sparse

from nn2crn.frontends.nn.literals import Literal, LiteralBuilder, Place
from nn2crn.ir.arrays import Floats, Matrix, entries, floats
from nn2crn.ir.network import Activation, Affine, Node, Term
from nn2crn.memory import refuse_larger
from nn2crn.templates import Library, Template

MAXIMAL_SIZE = 1 << 20  # of a vector; a few bytes of text could otherwise ask for any amount of memory
_BUILT_IN = ("dense", "concat", "constant")
_SHOWN_NAMES = 10


@dataclass(frozen=True)
class Value:
    """The value of an expression: the node that holds it, and its number of components."""

    node: str
    size: int


@dataclass(frozen=True, eq=False)
class Keyword:
    """`name = literal` among the arguments of a call."""

    name: str
    value: Literal
    place: Meta


@dataclass(frozen=True, eq=False)
class Call:
    """A function with the vectors it acts on, and its keywords."""

    function: str
    sources: list[Value]
    keywords: Mapping[str, Keyword]
    place: Meta


@v_args(meta=True)
class ExpressionBuilder(LiteralBuilder):
    """Makes the nodes of expressions, bottom-up and left to right.

    A node is called after its statement and a count, `h.1`, unless that is one of the `quoted` names of the text. The
    outermost node of a statement is made last; it takes the name of the statement afterwards.
    """

    def __init__(self, text: str, file: str, folder: Path, library: Library, quoted: AbstractSet[str]) -> None:
        super().__init__(text, file, folder)
        self.library, self.quoted = library, quoted
        self.nodes: list[Node] = []
        self.values: dict[str, Value] = {}
        self.unnamed: set[str] = set()
        self.statement, self.made = "", 0
        self.held = 0  # numbers, of all nodes so far

    def reference(self, meta: Meta, children: list[Token]) -> Value:
        return self.look_up(self.unquoted(children[0]), meta)

    def addition(self, meta: Meta, children: list[Any]) -> Value:
        size = children[0].size
        factors: dict[str, float] = {children[0].node: 1.0}
        for operator, value in zip(children[1::2], children[2::2], strict=True):
            if value.size != size:
                raise self.error(f"a vector of size {size} and one of size {value.size} do not add up", operator)
            factors[value.node] = factors.get(value.node, 0.0) + (1.0 if operator == "+" else -1.0)
        return self._affine(meta, {n: _identity(size, f) for n, f in factors.items()}, np.zeros(size))

    def scaling(self, meta: Meta, children: list[Any]) -> Value:
        *factors, value = children
        factor = math.prod(-1.0 if f == "-" else float(f) for f in factors)
        if not math.isfinite(factor):
            raise self.error("the factor is too large for double precision", meta)
        return self._affine(meta, {value.node: _identity(value.size, factor)}, np.zeros(value.size))

    def keyword(self, meta: Meta, children: list[Any]) -> Keyword:
        return Keyword(str(children[0]), children[1], meta)

    def call(self, meta: Meta, children: list[Any]) -> Value:
        keywords: dict[str, Keyword] = {}
        for k in children:
            if isinstance(k, Keyword) and keywords.setdefault(k.name, k) is not k:
                raise self.error(f"{k.name!r} is given twice", k.place)
        call = Call(str(children[0]), [c for c in children if isinstance(c, Value)], keywords, meta)
        if call.function == "dense":
            return self._dense(call)
        if call.function == "constant":
            return self._constant(call)
        return self._concat(call) if call.function == "concat" else self._activation(call)

    def _dense(self, call: Call) -> Value:
        self._check(call, 1, ["weight", "bias"])
        if "weight" not in call.keywords:
            raise self.error("dense needs a weight", call.place, "for instance: dense(x, weight = [[1, 2], [3, 4]])")
        source, weight = call.sources[0], call.keywords["weight"].value
        if weight.array.ndim != 2:  # noqa: PLR2004  # a matrix
            hint = "one row of weights per neuron, also when there is only one: [[1, -2]]"
            raise self.error(f"a weight is a matrix, but this is {weight.shape}", weight.place, hint)
        n_out, n_in = weight.array.shape
        if n_in != source.size:
            message = f"a weight {weight.shape} does not fit a vector of size {source.size}"
            raise self.error(message, weight.place, "the shape of a weight is (outputs, inputs)")
        self.remark(weight.array, f"the weight in line {weight.place.line}")
        bias = call.keywords.get("bias")
        constant = self.vector(bias.value, n_out, "bias") if bias else np.zeros(n_out)
        return self._affine(call.place, {source.node: weight.array}, constant)

    def _constant(self, call: Call) -> Value:
        self._check(call, 0, ["value"])
        if "value" not in call.keywords:
            raise self.error("constant needs a value", call.place, "for instance: constant(value = [1, 2])")
        value = call.keywords["value"].value
        return self._affine(call.place, {}, self.vector(value, max(value.array.shape, default=1), "value"))

    def _concat(self, call: Call) -> Value:
        self._check(call, None, [])
        size = sum(s.size for s in call.sources)
        self.check_size(size, call.place)
        starts: dict[Value, list[int]] = {}
        start = 0
        for s in call.sources:
            starts.setdefault(s, []).append(start)
            start += s.size
        weights = {s.node: _placement(s.size, at, size) for s, at in starts.items()}
        return self._affine(call.place, weights, np.zeros(size))

    def _activation(self, call: Call) -> Value:
        template = self._template(call)
        grouped = ["width"] if template.vector else []
        known = [*template.attributes, *(p.name for p in template.parameters), *grouped]
        self._check(call, len(template.drives), known)
        size = call.sources[0].size
        if any(s.size != size for s in call.sources):
            sizes = " and ".join(str(s.size) for s in call.sources)
            raise self.error(f"{call.function} acts on vectors of one size, not {sizes}", call.place)
        activation, _, variant = call.function.partition(".")
        named = call.function if variant else ""
        width = self._width(call, size) if template.vector else 1
        attributes = {n: self._attribute(k, size) for n, k in call.keywords.items() if n in template.attributes}
        if activation == "clip":
            self._refuse_reversed({**template.attributes, **attributes}, call.place)
        others = {n: k for n, k in call.keywords.items() if n not in (*template.attributes, *grouped)}
        settings = {n: self._setting(k, template) for n, k in others.items()}
        sources, origin = tuple(s.node for s in call.sources), self.origin(call.place)
        made = size // width if template.reduces else size
        node = Activation(self._name(), activation, sources, made, attributes, named, settings, origin, width)
        return self._add(node)

    def _refuse_reversed(self, bounds: Mapping[str, float | Floats], place: Meta) -> None:
        """Programs differ in what they clip to if low exceeds high."""
        low, high = (np.atleast_1d(bounds[name]) for name in ("low", "high"))
        reversed_ = np.flatnonzero(low > high)
        if len(reversed_):
            a, b = (float(np.broadcast_to(v, max(len(low), len(high)))[reversed_[0]]) for v in (low, high))
            raise self.error(f"clip: low = {a:g} is above high = {b:g}", place, "exchange them")

    def _width(self, call: Call, size: int) -> int:
        """The size of a group of a vector activation: the whole vector unless stated."""
        if "width" not in call.keywords:
            return size
        value = call.keywords["width"].value
        width = value.number or 0.0
        if width < 1 or size % width:
            raise self.error(f"a width must divide the size, {size}", value.place)
        return int(width)

    def _template(self, call: Call) -> Template:
        if not self.library.has(call.function.split(".", maxsplit=1)[0]):
            known = [*_BUILT_IN, *self.library.activations]
            near = get_close_matches(call.function, known) or known
            raise self.error(f"there is no function {call.function!r}", call.place, f"there is: {', '.join(near)}")
        with self.located(call.place):
            return self.library.get(call.function)

    def _attribute(self, keyword: Keyword, size: int) -> Floats:
        """A number, or one per neuron: () or (size,)."""
        number = keyword.value.number
        return self.vector(keyword.value, size, keyword.name) if number is None else floats(number)

    def _setting(self, keyword: Keyword, template: Template) -> float:
        value, number = keyword.value, keyword.value.number
        if number is None:
            raise self.error(f"{keyword.name} is a single number, but this is {value.shape}", value.place)
        with self.located(value.place):
            template.values({keyword.name: number})
        return number

    def _affine(self, meta: Meta, weights: Mapping[str, Matrix], bias: Floats) -> Value:
        terms = tuple(Term(source, weight) for source, weight in weights.items())
        return self._add(Affine(self._name(), terms, bias, self.origin(meta)))

    def _name(self) -> str:
        self.made += 1
        while f"{self.statement}.{self.made}" in self.quoted:
            self.made += 1
        return f"{self.statement}.{self.made}"

    def _add(self, node: Affine | Activation) -> Value:
        weights = [entries(t.weight).size for t in node.terms] if isinstance(node, Affine) else []
        self.held += node.size + sum(weights)
        refuse_larger(self.held, f"{node.origin}: with what comes before it, the network")
        self.nodes.append(node)
        self.unnamed.add(node.name)
        return Value(node.name, node.size)

    def _check(self, call: Call, count: int | None, allowed: list[str]) -> None:
        """Refuses another number of vectors than `count` (None: at least one), and keywords that are not allowed."""
        if count != len(call.sources) and (count is not None or not call.sources):
            wanted = "at least 1 vector" if count is None else f"{count or 'no'} vector{'s' if count > 1 else ''}"
            raise self.error(f"{call.function} takes {wanted}, not {len(call.sources)}", call.place)
        for k in call.keywords.values():
            if k.name not in allowed:
                raise self.error(f"{call.function} has no keyword {k.name!r}", k.place, f"it has: {_listed(allowed)}")

    def check_size(self, size: int, place: Place) -> None:
        if size > MAXIMAL_SIZE:
            raise self.error(f"a vector of size {size} is too large", place, f"the largest size is {MAXIMAL_SIZE}")

    def look_up(self, name: str, place: Place) -> Value:
        if name not in self.values:
            hint = f"so far: {_listed(list(self.values))}"
            later = re.search(rf'^\s*(output\s+)?"?{re.escape(name)}"?\s*=', self.text, re.MULTILINE)
            hint += f"; what is fed back is announced with its size: feedback {name}[2]" if later else ""
            raise self.error(f"there is no value {name!r} here", place, hint)
        return self.values[name]

    def origin(self, place: Place) -> str:
        return f"{self.file}:{place.line}:{place.column}"


def _listed(names: list[str]) -> str:
    """The last few names, which are the nearest ones."""
    return ", ".join([*(["..."] if len(names) > _SHOWN_NAMES else []), *names[-_SHOWN_NAMES:]]) or "none"


def _identity(size: int, factor: float) -> sparse.csr_array:
    return sparse.csr_array(factor * sparse.eye_array(size, format="csr"))


def _placement(size: int, starts: list[int], total: int) -> sparse.csr_array:
    """Copies a vector to each of the starts in a longer one: (total, size)."""
    rows = np.concatenate([np.arange(start, start + size) for start in starts])
    columns = np.tile(np.arange(size), len(starts))
    return sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(total, size))
