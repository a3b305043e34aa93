"""Text of an .act file -> Template, with every mistake reported at its place."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

from lark.lexer import Token
from lark.tree import Meta
from lark.visitors import v_args

from nn2crn.errors import Location, TemplateError
from nn2crn.ir.formula import FUNCTIONS, OPERATORS, Formula, Number, Symbol, calls, show, symbols
from nn2crn.notation.grammar import location, parse
from nn2crn.notation.text import MAXIMAL_PASSES, Builder, SymbolicReaction
from nn2crn.templates.template import MAXIMAL_ORDER, PYTHON, Assignment, Parameter, Template

Statement = tuple[str, Any, Location]


def parse_template(text: str, file: str, origin: str = PYTHON) -> Template:
    """The template in `text`.

    Args:
        text: of an .act file.
        file: its name, for messages.
        origin: where it is from, for certificates and written files.

    Raises:
        NotationError: it does not follow the grammar.
        TemplateError: it breaks a rule of templates, with the place.
    """
    template: Template = parse(
        text if text.endswith("\n") else text + "\n", "reactions.lark", "template", _TemplateBuilder(text, file), file
    )
    return replace(template, origin=origin)


@v_args(meta=True)
class _TemplateBuilder(Builder):
    def _statement(self, kind: str, value: object, meta: Meta) -> Statement:
        return kind, value, self.at(meta)

    def summary(self, meta: Meta, children: list[Token]) -> Statement:
        return self._statement("summary", self.unquoted(meta, children[0]), meta)

    def source(self, meta: Meta, children: list[Token]) -> Statement:
        return self._statement("source", self.unquoted(meta, children[0]), meta)

    def function(self, meta: Meta, children: list[Formula]) -> Statement:
        return self._statement("function", children[0], meta)

    def attribute(self, meta: Meta, children: list[Any]) -> Statement:
        return self._statement("attribute", (str(children[0]), children[1]), meta)

    def parameter(self, meta: Meta, children: list[Any]) -> Statement:
        name, default, limits, accuracy = (*children, None)[:4]
        parameter = Parameter(str(name), default, **limits, accuracy=accuracy)
        if not parameter.admits(default):
            raise TemplateError(f"the default of {name} is outside its range", location=self.at(meta))
        if accuracy and not all(parameter.admits(end) and end > 0 for end in accuracy):
            message = f"the accuracy of {name} goes from one positive number of its range to another"
            raise TemplateError(message, location=self.at(meta))
        if accuracy and parameter.whole and abs(accuracy[1] - accuracy[0]) >= MAXIMAL_PASSES:
            raise TemplateError(f"no chain is longer than {MAXIMAL_PASSES}", location=self.at(meta))
        return self._statement("parameter", parameter, meta)

    def accuracy(self, meta: Meta, children: list[float]) -> tuple[float, ...]:
        return tuple(children)

    def interval(self, meta: Meta, children: list[Any]) -> dict[str, object]:
        opened, low, high, closed = children
        return {"low": low, "high": high, "low_open": opened == "(", "high_open": closed == ")"}

    def whole(self, meta: Meta, children: list[float]) -> dict[str, object]:
        return {"low": children[0], "high": children[1], "whole": True}

    def check_call(self, meta: Meta, name: str, count: int, keywords: object) -> None:
        """Postponed: a composition may call activations; see `_check_symbols`."""

    def drive(self, meta: Meta, children: list[Symbol]) -> Statement:
        if any(s.rail or s.index not in ((), (Symbol("i"),)) for s in children):
            raise TemplateError("a drive is declared as U, or as U[i] for a vector", location=self.at(meta))
        return self._statement("drive", tuple(children), meta)

    def compose(self, meta: Meta, children: list[Formula]) -> Statement:
        return self._statement("compose", children[0], meta)

    def conserved(self, meta: Meta, children: list[Formula]) -> Statement:
        return self._statement("conserved", (children[0], children[1]), meta)

    def output(self, meta: Meta, children: list[Formula]) -> Statement:
        return self._statement("output", children[0], meta)

    def initial(self, meta: Meta, children: list[Any]) -> Statement:
        return self._statement("initial", self._assignment(meta, children), meta)

    def fixed(self, meta: Meta, children: list[Any]) -> Statement:
        return self._statement("fixed", self._assignment(meta, children), meta)

    def _assignment(self, meta: Meta, children: list[Any]) -> Assignment:
        target, formula, loop = (*children, None)[:3]
        return Assignment(target, formula, loop, self.at(meta))

    def error(self, meta: Meta, children: list[Formula]) -> Statement:
        return self._statement("error", children[0], meta)

    def rate(self, meta: Meta, children: list[Formula]) -> Statement:
        return self._statement("rate", children[0], meta)

    def range(self, meta: Meta, children: list[Any]) -> Statement:
        if not children[1] < children[2]:
            raise TemplateError("a range goes from a smaller to a larger number", location=self.at(meta))
        return self._statement("range", (show(children[0]), (children[1], children[2])), meta)

    def lipschitz(self, meta: Meta, children: list[Formula]) -> Statement:
        return self._statement("lipschitz", children[0], meta)

    def values(self, meta: Meta, children: list[float]) -> Statement:
        if not children[0] < children[1]:
            raise TemplateError("values go from a smaller to a larger number", location=self.at(meta))
        return self._statement("values", (children[0], children[1]), meta)

    def stability(self, meta: Meta, children: list[Token]) -> Statement:
        caution = self.unquoted(meta, children[1]) if len(children) > 1 else ""
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
        drives: tuple[Symbol, ...] = found.one("drive", (Symbol("U"),))
        stability, caution = found.one("stability", ("", ""))
        template = Template(
            name=name, activation=activation, default=default, summary=found.one("summary", ""),
            source=found.one("source", ""), function=found.one("function", None),
            attributes=dict(found.every("attribute")), parameters=found.every("parameter"),
            drives=tuple(d.name for d in drives), vector=any(d.index for d in drives),
            reactions=found.every("reaction"), output=found.one("output", Number(0.0)),
            compose=found.one("compose", None), initial=found.every("initial"), fixed=found.every("fixed"),
            conserved=found.every("conserved"), error=found.one("error", None), rate=found.one("rate", Number(0.0)),
            domain=dict(found.every("range")), lipschitz=found.one("lipschitz", None),
            values_in=found.one("values", None), stability=stability, caution=caution, text=self.text, file=self.file,
        )  # fmt: skip
        _check_template(template, found)
        return template


_READABLE = {"fixed": "fixed point"}
_ONCE = (
    "summary",
    "source",
    "function",
    "output",
    "compose",
    "error",
    "rate",
    "lipschitz",
    "values",
    "stability",
    "drive",
)
_ALWAYS = {"function": "function = max(u, 0)", "error": "error <= sqrt(h)"}
_WITH_REACTIONS = {
    "reaction": "0 -> Y @ 1",
    "output": "output Y",
    "fixed": "fixed point Y = ...",
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
        """Check that required statements are there, and that none is repeated that may stand once."""
        for kind in _ONCE:
            if len(self._found[kind]) > 1:
                raise TemplateError(f"{kind} is stated twice", location=self._found[kind][1][1])
        composed = bool(self._found["compose"])
        for kind in _WITH_REACTIONS if composed else ():
            if self._found[kind]:
                raise TemplateError(f"a composition has no {kind} of its own", location=self._found[kind][0][1])
        for kind, example in (_ALWAYS if composed else _ALWAYS | _WITH_REACTIONS).items():
            if not self._found[kind]:
                raise TemplateError(
                    f"template {name} has no {_READABLE.get(kind, kind)}",
                    hint=f"for instance: {example}",
                    location=start,
                )
        if name.split(".", maxsplit=1)[0] != activation or name.count(".") != 1:
            raise TemplateError(f"the name must be {activation}.VARIANT", location=start)


def _check_template(template: Template, found: _Statements) -> None:
    for reaction in template.reactions:
        _check_reaction(reaction, template)
    known = {p.name for p in template.parameters} | set(template.attributes)
    elements = ("", "[i]", "[j]") if template.vector else ("",)
    rails = {d + e + r for d in template.drives for e in elements for r in "+-"}
    drives = {d.lower() + e for d in template.drives for e in elements}
    _check_symbols(template.function, drives | set(template.attributes), found.place("function"))
    _check_symbols(template.error, drives | rails | known, found.place("error"))
    if template.lipschitz:
        _check_symbols(template.lipschitz, set(template.attributes), found.place("lipschitz"))
    if template.compose:
        _check_symbols(template.compose, drives | known, found.place("compose"), functions=False)
    else:
        _check_symbols(template.rate, drives | rails | known, found.place("rate"))
    tops = {f"largest({d}[j])" for d in drives} if template.vector else set()
    for name in template.domain:
        if name not in drives | tops:
            raise TemplateError(f"{name!r} is not a drive of this template", location=found.place("range"))


def _check_reaction(reaction: SymbolicReaction, template: Template) -> None:
    if sum(n for _, n in reaction.reactants) > MAXIMAL_ORDER:
        raise TemplateError("a reaction may have two reactant molecules at most", location=reaction.location)
    catalysts = [s for s, _ in reaction.reactants if s.name in template.drives]
    element = (Symbol("i"),) if template.vector else ()
    for symbol in {s for s, _ in reaction.reactants + reaction.products if s.name in template.drives}:
        sides = [dict(reaction.reactants).get(symbol), dict(reaction.products).get(symbol)]
        if sides != [1, 1] or not symbol.rail or symbol.index != element:
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


def _check_symbols(formula: Formula, allowed: set[str], where: Location, *, functions: bool = True) -> None:
    """Every name is known, and every function with its number of arguments (a composition's are activations)."""
    for s in symbols(formula):
        if s.key not in allowed:
            known = f"known: {', '.join(sorted(allowed))}"
            raise TemplateError(f"{s.key!r} is not known here", hint=known, location=where)
    for call in calls(formula) if functions else ():
        if call.function not in OPERATORS and FUNCTIONS.get(call.function, (0,))[0] != len(call.arguments):
            hint = "functions: " + ", ".join(FUNCTIONS)
            raise TemplateError(f"there is no function {call.function!r} of this form", hint=hint, location=where)
