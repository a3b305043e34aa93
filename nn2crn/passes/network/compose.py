"""A composition, written in a template as `compose u*sigmoid(u)`, as nodes of a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from nn2crn.errors import TemplateError
from nn2crn.ir.arrays import Floats, floats
from nn2crn.ir.formula import Call, Formula, Number, Symbol, calls, show
from nn2crn.ir.network import Activation, Affine, Node, Term, fresh
from nn2crn.passes.network.largest import largest
from nn2crn.passes.network.share_drives import worthwhile
from nn2crn.templates.registry import Library
from nn2crn.templates.template import Template


@dataclass(frozen=True)
class _Linear:
    """A vector as a combination of signals, component by component; a constant if there are none."""

    terms: Mapping[str, Floats]
    constant: Floats


def compose(
    node: Activation,
    template: Template,
    settings: Mapping[str, float],
    library: Library,
    network: Mapping[str, Node] | None = None,
) -> list[Node]:
    """The nodes that stand for `node`: activations whose templates are still to be chosen, and at last an affine map.

    They have names that no node of the `network`, by name, has.

    Raises:
        TemplateError: the composition is not made of sums, products and activations.
    """
    assert template.compose is not None  # noqa: S101  # the caller's condition
    composer = _Composer(node, template, settings, library, network or {})
    with np.errstate(all="ignore"):  # a node looks at its weights
        return [*composer.nodes_before(template.compose), composer.affine(node.name, composer.result, node.layer)]


class _Composer:
    def __init__(
        self,
        node: Activation,
        template: Template,
        settings: Mapping[str, float],
        library: Library,
        network: Mapping[str, Node],
    ) -> None:
        self.node, self.template, self.library, self.network = node, template, library, network
        self.compares = any(c.function == "largest" for c in calls(template.compose or Number(0.0)))
        self.nodes: list[Node] = []
        self.made: dict[Formula, _Linear] = {}
        self.known: dict[str, _Linear] = {}
        given: dict[str, float | Floats] = {**template.attributes, **node.attributes, **settings}
        for name, value in given.items():
            self.known[name] = self._constant(value)
        for drive, source in zip(template.drives, map(self._shared, node.sources), strict=True):
            for element in ("[i]", "[j]") if template.vector else ("",):
                self.known[drive.lower() + element] = self._signal(source)

    def nodes_before(self, formula: Formula) -> list[Node]:
        self.result = self._value(formula)
        return self.nodes

    def affine(self, name: str, value: _Linear, layer: str = "") -> Affine:
        """The combination as a node."""
        terms = tuple(Term(s, sparse.diags_array(c).tocsr()) for s, c in value.terms.items())
        return Affine(name, terms, floats(value.constant), self.node.origin, layer)

    def _shared(self, source: str) -> str:
        """A drive of many weights, which each of the comparisons of a group would repeat, becomes a signal."""
        drive = self.network.get(source)
        if not self.compares or not isinstance(drive, Affine) or not worthwhile(drive, [self.node] * 2, bilinear=False):
            return source
        name = fresh(f"{source} (drive)", self.network)
        whole = self.node.within or self.node.layer_name
        self.nodes.append(Activation(name, "identity", (source,), drive.size, origin=self.node.origin, within=whole))
        return name

    def _signal(self, name: str) -> _Linear:
        return _Linear({name: np.ones(self.node.size)}, np.zeros(self.node.size))

    def _constant(self, value: float | Floats) -> _Linear:
        return _Linear({}, np.broadcast_to(np.asarray(value, dtype=np.float64), self.node.size))

    def _value(self, formula: Formula) -> _Linear:
        """Equal subformulas are made once."""
        if formula not in self.made:
            self.made[formula] = self._made(formula)
        return self.made[formula]

    def _made(self, formula: Formula) -> _Linear:
        if isinstance(formula, Number):
            return self._constant(formula.value)
        if isinstance(formula, Symbol):
            return self.known[formula.key]
        if formula.function == "neg":
            return _scaled(self._value(formula.arguments[0]), np.float64(-1))
        if formula.function in ("+", "-", "*", "/", "^"):
            return self._operation(formula, *map(self._value, formula.arguments))
        if formula.function == "largest":
            return self._largest(*map(self._value, formula.arguments))
        return self._activation(formula)

    def _largest(self, value: _Linear) -> _Linear:
        self.nodes += largest(self._source(value), self.node, self.network)
        return self._signal(self.nodes[-1].name)

    def _operation(self, formula: Call, a: _Linear, b: _Linear) -> _Linear:
        if formula.function in ("+", "-"):
            return _sum(a, _scaled(b, np.float64(1 if formula.function == "+" else -1)))
        if formula.function == "*" and not (a.terms and b.terms):
            return _scaled(a, b.constant) if a.terms else _scaled(b, a.constant)
        if formula.function == "*":
            return self._new("product", (a, b), {}, {})
        if formula.function == "/" and not b.terms:
            return _scaled(a, 1 / b.constant)
        if formula.function == "/":
            return self._new("division", (a, b), {}, {})
        if not a.terms and not b.terms:
            return self._constant(a.constant**b.constant)
        raise TemplateError(f"{self.template.file}: {show(formula)} is not a sum, product or quotient of signals")

    def _activation(self, call: Call) -> _Linear:
        target = self.library.get(call.function)
        if len(call.arguments) != len(target.drives):
            raise TemplateError(f"{self.template.file}: {show(call)} has another number of signals than {target.name}")
        given = {name: self._value(f) for name, f in call.keywords}
        if any(v.terms for v in given.values()):
            raise TemplateError(f"{self.template.file}: a keyword in {show(call)} is not constant")
        attributes = {k: floats(v.constant) for k, v in given.items() if k in target.attributes}
        settings = {k: float(v.constant[0]) for k, v in given.items() if k not in target.attributes}
        named = target.name if "." in call.function else ""
        return self._new(target.activation, tuple(map(self._value, call.arguments)), attributes, settings, named)

    def _new(  # the parts of a node
        self,
        function: str,
        arguments: tuple[_Linear, ...],
        attributes: Mapping[str, Floats],
        settings: Mapping[str, float],
        template: str = "",
    ) -> _Linear:
        """An activation of its own, of arguments that are signals or affine nodes made for it."""
        sources = tuple(self._source(a) for a in arguments)
        name = fresh(f"{self.node.name}/{function}{len(self.nodes)}", self.network)
        whole = self.node.within or self.node.layer_name
        width = self.node.width if self.library.get(function).vector else 1
        self.nodes.append(
            Activation(
                name, function, sources, self.node.size, attributes, template, settings, self.node.origin, width, whole
            )
        )
        return _Linear({name: np.ones(self.node.size)}, np.zeros(self.node.size))

    def _source(self, value: _Linear) -> str:
        if len(value.terms) == 1 and not np.any(value.constant):
            ((source, coefficients),) = value.terms.items()
            if np.all(coefficients == 1):
                return source
        name = fresh(f"{self.node.name}/u{len(self.nodes)}", self.network)
        self.nodes.append(self.affine(name, value))
        return name


def _sum(a: _Linear, b: _Linear) -> _Linear:
    zero = np.zeros(len(a.constant))
    terms = {s: a.terms.get(s, zero) + b.terms.get(s, zero) for s in {**a.terms, **b.terms}}
    return _Linear(terms, a.constant + b.constant)


def _scaled(a: _Linear, factor: Floats | np.float64) -> _Linear:
    return _Linear({s: c * factor for s, c in a.terms.items()}, a.constant * factor)
