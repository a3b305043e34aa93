"""Text of an .act file -> Template, with every mistake reported at its place."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from lark.lexer import Token
from lark.tree import Meta
from lark.visitors import v_args

from nn2crn.errors import Location, TemplateError
from nn2crn.ir.formula import Formula, Number, Symbol, symbols
from nn2crn.notation.grammar import location, parse
from nn2crn.notation.text import Builder, SymbolicReaction
from nn2crn.templates.template import MAXIMAL_ORDER, Assignment, Parameter, Template

Statement = tuple[str, Any, Location]


def parse_template(text: str, file: str) -> Template:
    """The template in `text`.

    Raises:
        NotationError: it does not follow the grammar.
        TemplateError: it breaks a rule of templates, with the place.
    """
    template: Template = parse(
        text if text.endswith("\n") else text + "\n", "reactions.lark", "template", _TemplateBuilder(text, file), file
    )
    return template


@v_args(meta=True)
class _TemplateBuilder(Builder):
    def _statement(self, kind: str, value: object, meta: Meta) -> Statement:
        return kind, value, self.at(meta)

    def summary(self, meta: Meta, children: list[Token]) -> Statement:
        return self._statement("summary", json.loads(children[0]), meta)

    def source(self, meta: Meta, children: list[Token]) -> Statement:
        return self._statement("source", json.loads(children[0]), meta)

    def function(self, meta: Meta, children: list[Formula]) -> Statement:
        return self._statement("function", children[0], meta)

    def attribute(self, meta: Meta, children: list[Any]) -> Statement:
        return self._statement("attribute", (str(children[0]), children[1]), meta)

    def parameter(self, meta: Meta, children: list[Any]) -> Statement:
        name, default, limits = children
        parameter = Parameter(str(name), default, **limits)
        if not parameter.admits(default):
            raise TemplateError(f"the default of {name} is outside its range", location=self.at(meta))
        return self._statement("parameter", parameter, meta)

    def interval(self, meta: Meta, children: list[Any]) -> dict[str, object]:
        opened, low, high, closed = children
        return {"low": low, "high": high, "low_open": opened == "(", "high_open": closed == ")"}

    def whole(self, meta: Meta, children: list[float]) -> dict[str, object]:
        return {"low": children[0], "high": children[1], "whole": True}

    def drive(self, meta: Meta, children: list[Token]) -> Statement:
        return self._statement("drive", tuple(map(str, children)), meta)

    def output(self, meta: Meta, children: list[Formula]) -> Statement:
        return self._statement("output", children[0], meta)

    def initial(self, meta: Meta, children: list[Any]) -> Statement:
        return self._statement("initial", Assignment(children[0], children[1], (*children[2:], None)[0]), meta)

    def fixed(self, meta: Meta, children: list[Any]) -> Statement:
        return self._statement("fixed", Assignment(children[0], children[1], (*children[2:], None)[0]), meta)

    def error(self, meta: Meta, children: list[Formula]) -> Statement:
        return self._statement("error", children[0], meta)

    def rate(self, meta: Meta, children: list[Formula]) -> Statement:
        return self._statement("rate", children[0], meta)

    def range(self, meta: Meta, children: list[Any]) -> Statement:
        return self._statement("range", (children[1], children[2]), meta)

    def stability(self, meta: Meta, children: list[Token]) -> Statement:
        caution = json.loads(children[1]) if len(children) > 1 else ""
        if children[0] not in ("global", "neutral"):
            raise TemplateError("stability is global or neutral", location=self.at(meta))
        return self._statement("stability", (str(children[0]), caution), meta)

    def reaction(self, meta: Meta, children: list[object]) -> Any:
        return self._statement("reaction", super().reaction(meta, children), meta)

    def template(self, meta: Meta, children: list[Any]) -> Template:
        name, activation = str(children[0]), str(children[1])
        default = any(isinstance(c, Token) for c in children[2:])
        found = _Statements([c for c in children[2:] if not isinstance(c, Token)])
        start = location(self.text, self.file, meta.line, meta.column)
        found.check(name, activation, start)
        stability, caution = found.one("stability", None)
        template = Template(
            name=name, activation=activation, default=default, summary=found.one("summary", ""),
            source=found.one("source", ""), function=found.one("function", None),
            attributes=dict(found.every("attribute")), parameters=found.every("parameter"),
            drives=found.one("drive", ("U",)), reactions=found.every("reaction"), output=found.one("output", None),
            initial=found.every("initial"), fixed=found.every("fixed"), error=found.one("error", None),
            rate=found.one("rate", None), domain=found.one("range", None), stability=stability, caution=caution,
            text=self.text, file=self.file,
        )  # fmt: skip
        for reaction in template.reactions:
            _check_reaction(reaction, template)
        drives = {d.lower() for d in template.drives}
        _check_symbols(template.function, drives | set(template.attributes), found.place("function"))
        return template


_ONCE = ("summary", "source", "function", "output", "error", "rate", "range", "stability", "drive")
_NEEDED = {
    "function": "function = max(u, 0)",
    "reaction": "0 -> Y @ 1",
    "output": "output Y",
    "fixed": "fixed point Y = ...",
    "error": "error <= ...",
    "rate": "rate >= ...",
    "stability": "stability global",
}


class _Statements:
    """The statements of a template by kind, each with its place."""

    def __init__(self, statements: list[Statement]) -> None:
        self._found: dict[str, list[tuple[Any, Location]]] = defaultdict(list)
        for kind, value, where in statements:
            self._found[kind].append((value, where))

    def one(self, kind: str, otherwise: Any) -> Any:
        return self._found[kind][0][0] if self._found[kind] else otherwise

    def every(self, kind: str) -> tuple[Any, ...]:
        return tuple(value for value, _ in self._found[kind])

    def place(self, kind: str) -> Location:
        return self._found[kind][0][1]

    def check(self, name: str, activation: str, start: Location) -> None:
        """What is needed is there, and what may stand once stands once."""
        for kind in _ONCE:
            if len(self._found[kind]) > 1:
                raise TemplateError(f"{kind} is stated twice", location=self._found[kind][1][1])
        for kind, example in _NEEDED.items():
            if not self._found[kind]:
                raise TemplateError(f"template {name} has no {kind}", hint=f"for instance: {example}", location=start)
        if name.split(".", maxsplit=1)[0] != activation or name.count(".") != 1:
            raise TemplateError(f"the name must be {activation}.VARIANT", location=start)


def _check_reaction(reaction: SymbolicReaction, template: Template) -> None:
    if sum(n for _, n in reaction.reactants) > MAXIMAL_ORDER:
        raise TemplateError("a reaction may have two reactant molecules at most", location=reaction.location)
    catalysts = [s for s, _ in reaction.reactants if s.name in template.drives]
    for symbol in {s for s, _ in reaction.reactants + reaction.products if s.name in template.drives}:
        sides = [dict(reaction.reactants).get(symbol), dict(reaction.products).get(symbol)]
        if sides != [1, 1] or not symbol.rail:
            raise TemplateError(
                f"{symbol.key} is a drive: it must stand once on each side, as {symbol.name}+ or {symbol.name}-",
                hint="a drive is a catalyst and is never consumed", location=reaction.location,
            )  # fmt: skip
    if len({s.name for s in catalysts}) < len(catalysts):
        raise TemplateError("one drive may appear only once in a reaction", location=reaction.location)
    allowed = {p.name for p in template.parameters} | set(template.attributes)
    if reaction.loop:
        allowed.add(reaction.loop.variable)
    _check_symbols(reaction.rate, allowed, reaction.location)
    if isinstance(reaction.rate, Number) and reaction.rate.value <= 0:
        raise TemplateError("a rate constant must be positive", location=reaction.location)


def _check_symbols(formula: Formula, allowed: set[str], where: Location) -> None:
    for s in symbols(formula):
        if s.key not in allowed:
            raise TemplateError(
                f"{_plain(s)!r} is not known here", hint=f"known: {', '.join(sorted(allowed))}", location=where
            )


def _plain(symbol: Symbol) -> str:
    return symbol.name + symbol.rail
