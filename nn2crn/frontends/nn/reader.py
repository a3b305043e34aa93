""".nn -> Network: the language of grammars/network.lark, with every mistake reported at its place."""

from __future__ import annotations

import hashlib
import math
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from lark.lexer import Token
from lark.tree import Meta
from lark.visitors import v_args

from nn2crn.errors import NotationError, UsageError, choose_from
from nn2crn.frontends.nn.expressions import ExpressionBuilder, Value
from nn2crn.frontends.nn.literals import Literal
from nn2crn.frontends.source import ModelFile, Request
from nn2crn.ir.arrays import Floats, dense, floats
from nn2crn.ir.network import Activation, Affine, Feedback, Input, Network, Output
from nn2crn.notation.grammar import location, parse, unquoted
from nn2crn.templates import Library

MAXIMAL_DEPTH = 200
_BRACKETS = re.compile(r'#[^\n]*|"[^"\\\n]*(?:\\.[^"\\\n]*)*"|[()\[\]]')  # those in comments and strings are skipped


def load(model: ModelFile, request: Request) -> Network:
    """The network of a .nn file; its outputs, or the values named.

    Raises:
        NotationError: the text, or a file of weights it names, is wrong; with the place.
        UsageError: a value named is not there.
    """
    try:
        text = model.data.decode("utf-8")
    except UnicodeDecodeError:
        raise NotationError(f"{model.path} is not a UTF-8 text file") from None
    network = parse_network(text, str(model.path), model.folder, model.path.stem, request.library)
    network = _choose(network, request.outputs, model.path) if request.outputs else network
    return _without_tails(network) if request.logits else network


_TAILS = ("softmax", "sigmoid")


def _without_tails(network: Network) -> Network:
    """An output that is a softmax or a sigmoid is compiled up to what goes into that."""
    outputs, remarks = [], list(network.remarks)
    for output in network.outputs:
        node = network.by_name[output.source]
        if isinstance(node, Activation) and node.function in _TAILS:
            logits = node.sources[0]
            remarks.append(f"output {output.name!r} is compiled up to its logits: apply {node.function} to them")
            outputs.append(replace(output, source=logits, shape=(network.by_name[logits].size,)))
        else:
            remarks.append(f"logits: output {output.name!r} does not end with a softmax or sigmoid")
            outputs.append(output)
    return network.replace(outputs=tuple(outputs), remarks=tuple(remarks))


def parse_network(text: str, file: str, folder: Path, stem: str, library: Library | None = None) -> Network:
    """The network written in `text`.

    Args:
        text: a network in the .nn language.
        file: how errors and origins call the text.
        folder: where its files of weights are.
        stem: the network's name, unless the text gives one.
        library: the templates; those of the package if None.

    Raises:
        NotationError: the text, or a file of weights it names, is wrong; with the place.
    """
    _check_nesting(text, file)
    builder = _NetworkBuilder(text, file, folder, stem, library or Library())
    try:
        network: Network = parse(text, "network.lark", "network", builder, file)
    except NotationError as e:
        hint = f"{e.hint}; numbers to add are constant(value = [1, 2])" if e.hint == "expected '*'" else e.hint
        raise NotationError(e.message, hint=hint, location=e.location) from None
    return network


def _choose(network: Network, names: tuple[str, ...], path: Path) -> Network:
    declared = {o.name: o for o in network.outputs}
    chosen = []
    for name in dict.fromkeys(names):
        if name not in declared and name not in network.by_name:
            hint = choose_from(name, declared, "its outputs")
            raise UsageError(f"{path}: there is no output {name!r}", hint=hint)
        chosen.append(declared.get(name) or Output(name, name, (network.by_name[name].size,)))
    return network.replace(outputs=tuple(chosen))


def _quoted(text: str) -> frozenset[str]:
    """All that stands in quotes, faulty escapes aside, which are reported when they are read."""
    names = set()
    for quoted in _BRACKETS.findall(text):
        if quoted.startswith('"'):
            with suppress(ValueError):
                names.add(unquoted(quoted))
    return frozenset(names)


def _check_nesting(text: str, file: str) -> None:
    depth = 0
    for bracket in _BRACKETS.finditer(text):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(bracket[0], 0)
        if depth > MAXIMAL_DEPTH:
            before = text[: bracket.start()]
            place = location(text, file, before.count("\n") + 1, len(before) - before.rfind("\n"))
            message = f"brackets nest more than {MAXIMAL_DEPTH} deep"
            raise NotationError(message, hint="give the inner expressions names", location=place)


@v_args(meta=True)
class _NetworkBuilder(ExpressionBuilder):
    """Makes the network, statement by statement."""

    def __init__(self, text: str, file: str, folder: Path, stem: str, library: Library) -> None:
        super().__init__(text, file, folder, library, _quoted(text))
        self.name = stem
        self.outputs: dict[str, Output] = {}
        self.announced: dict[str, tuple[int, Token]] = {}  # names that are fed back and still to be defined: which node

    def network(self, _meta: Meta, _children: list[None]) -> Network:
        if not self.outputs:
            lines = self.text.splitlines() or [""]
            end = location(self.text, self.file, len(lines), len(lines[-1]) + 1)
            raise NotationError("the network has no output", hint="name one: output y", location=end)
        for name, (_, place) in self.announced.items():
            raise self.error(f"{name!r} is fed back, and never defined", place, f"for instance: {name} = relu(...)")
        source = hashlib.sha256(self.text.encode()).hexdigest()
        fed = {n.name: n.source for n in self.nodes if isinstance(n, Feedback)}
        outputs = tuple(replace(o, source=fed.get(o.source, o.source)) for o in self.outputs.values())
        return Network(self.name, tuple(self.nodes), outputs, tuple(self.remarks), source)

    def title(self, _meta: Meta, children: list[Token]) -> None:
        self.name = self.unquoted(children[0])

    def input(self, meta: Meta, children: list[Any]) -> None:
        name, sizes, *domain = children
        self._check_new(name)
        shape = self._shape(sizes)
        value = Value(self.unquoted(name), math.prod(shape))
        lower, upper = self._bounds(domain[0], value.size) if domain else (None, None)
        self.nodes.append(Input(value.node, shape, lower, upper, self.origin(meta)))
        self.values[value.node] = value

    def feedback(self, meta: Meta, children: list[Any]) -> None:
        """A value that is defined later, and may be read before."""
        token, sizes = children
        self._check_new(token)
        name, size = self.unquoted(token), math.prod(self._shape(sizes))
        node = f"{name}.feedback"
        while node in self.quoted:
            node += "'"
        self.announced[name] = len(self.nodes), token
        self.nodes.append(Feedback(node, size, name, self.origin(meta)))
        self.values[name] = Value(node, size)

    def domain(self, _meta: Meta, children: list[Literal]) -> list[Literal]:
        return children

    def target(self, _meta: Meta, children: list[Token]) -> Token:
        """Comes before the expression it is the target of, whose nodes are named after it."""
        if self.unquoted(children[0]) not in self.announced:
            self._check_new(children[0])
        self.statement, self.made = self.unquoted(children[0]), 0
        return children[0]

    def assignment(self, _meta: Meta, children: list[Any]) -> None:
        self._bind(*children)

    def output(self, meta: Meta, children: list[Any]) -> None:
        name = self.unquoted(children[0])
        value = self._bind(*children) if len(children) > 1 else self.look_up(name, children[0])
        if name in self.outputs:
            raise self.error(f"output {name!r} is stated twice", children[0])
        self.outputs[name] = Output(name, value.node, (value.size,), self.origin(meta))

    def _bind(self, target: Token, value: Value) -> Value:
        """The value under the statement's name; another name for a node that has one makes no node."""
        name = self.unquoted(target)
        if value.node in self.unnamed:
            self.unnamed.remove(value.node)
            self.nodes[-1] = replace(self.nodes[-1], name=name)
            value = Value(name, value.size)
        if name in self.announced:
            self._close(target, value)
        self.values[name] = value
        return value

    def _close(self, target: Token, value: Value) -> None:
        """Resolve an announced feedback to this value."""
        name = self.unquoted(target)
        place, _ = self.announced.pop(name)
        node = self.nodes[place]
        assert isinstance(node, Feedback)  # noqa: S101  # as announced
        if value.size != node.size:
            raise self.error(f"{name!r} has size {value.size}, and was announced with size {node.size}", target)
        if not any(n.name == value.node and isinstance(n, Affine | Activation) for n in self.nodes[place:]):
            hint = "feed back what is computed after the announcement"
            raise self.error(f"{name!r} is fed back, but is only another name for {value.node!r}", target, hint)
        self.nodes[place] = replace(node, source=value.node)

    def _check_new(self, token: Token) -> None:
        name = self.unquoted(token)
        if token.type == "NAME" and "." in name:
            raise self.error(f"the name {name!r} has a dot", token, "only a function has one, before its variant")
        if name in self.values:
            raise self.error(f"the name {name!r} is defined twice", token, "give each value a name of its own")

    def _shape(self, sizes: Literal) -> tuple[int, ...]:
        numbers = dense(sizes.array).reshape(-1).tolist()
        if sizes.array.ndim != 1 or not all(n >= 1 and n.is_integer() for n in numbers):
            hint = "for instance: input x[1, 28, 28]"
            raise self.error("a shape is a list of positive whole numbers", sizes.place, hint)
        shape = tuple(map(int, numbers))
        self.check_size(math.prod(shape), sizes.place)
        return shape

    def _bounds(self, domain: list[Literal], size: int) -> tuple[Floats, Floats]:
        """The domain's lower and upper bound, each () or (size,)."""
        lower, upper = (self.vector(b, size, "bound") if b.number is None else floats(b.number) for b in domain)
        if np.any(lower == np.inf) or np.any(upper == -np.inf):
            raise self.error("no number lies between these bounds", domain[0].place, "the widest domain is [-inf, inf]")
        wrong = np.flatnonzero(np.broadcast_to(lower > upper, size))
        if wrong.size:
            low, high = (float(np.broadcast_to(b, size)[wrong[0]]) for b in (lower, upper))
            message = f"component {wrong[0]}: the lower bound {low!r} exceeds the upper bound {high!r}"
            raise self.error(message, domain[0].place)
        return lower, upper
