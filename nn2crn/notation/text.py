"""Formulas and reactions: parse and show, each the other's inverse."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

from lark.lexer import Token
from lark.tree import Meta, Tree
from lark.visitors import Transformer, v_args

from nn2crn.errors import Location, NotationError
from nn2crn.ir.families.family import Reaction, Side
from nn2crn.ir.formula import FUNCTIONS, Call, Formula, Number, Symbol, number, resolve, scalar, show
from nn2crn.notation.grammar import errors_at, location, parse, unquoted

MAXIMAL_DEPTH = 100
MAXIMAL_PASSES = 1000
SymbolicSide = tuple[tuple[Symbol, int], ...]
_MANY = 1e6  # molecules on a side that no reaction has
_INDEX = r"(0|[1-9]\d{0,8})"
_BARE = re.compile(rf"[A-Za-z_]\w*(\.\w+)*(\[{_INDEX}(,{_INDEX})*\])?[+-]?")


@dataclass(frozen=True)
class Loop:
    """`for variable in first..last`, both ends included."""

    variable: str
    first: Formula
    last: Formula


@dataclass(frozen=True)
class SymbolicReaction:
    """A reaction as written: species may be indexed by the loop's variable, the rate is a formula."""

    reactants: SymbolicSide
    products: SymbolicSide
    rate: Formula
    loop: Loop | None
    location: Location

    def unrolled(
        self, integers: dict[str, int], keep: tuple[str, ...] = ()
    ) -> list[tuple[SymbolicSide, SymbolicSide, Formula]]:
        """The reactions the loop stands for, indices evaluated; `keep` as in `resolve`.

        Raises:
            NotationError: the loop is too long, or an index is not an integer.
        """
        out = []
        with errors_at(self.location):
            for env in environments(self.loop, integers):
                left, right = (tuple((placed(s, env, keep), n) for s, n in m) for m in (self.reactants, self.products))
                out.append((left, right, resolve(self.rate, env, keep)))
        return out


def environments(loop: Loop | None, integers: dict[str, int]) -> list[dict[str, int]]:
    """The values of the integers in each pass of the loop; one pass if there is none.

    Raises:
        NotationError: the loop is too long, or has no end.
    """
    if loop is None:
        return [integers]
    ends = [scalar(f, integers) for f in (loop.first, loop.last)]
    if not all(map(math.isfinite, ends)) or ends[1] - ends[0] >= MAXIMAL_PASSES:
        raise NotationError(
            f"a loop from {number(ends[0])} to {number(ends[1])} is longer than {MAXIMAL_PASSES} passes"
        )
    first, last = map(round, ends)
    return [{**integers, loop.variable: value} for value in range(first, last + 1)]


def placed(symbol: Symbol, integers: dict[str, int], keep: tuple[str, ...] = ()) -> Symbol:
    """The species, its indices evaluated."""
    resolved = resolve(symbol, integers, keep) if symbol.index else symbol
    assert isinstance(resolved, Symbol)  # noqa: S101  # resolve keeps an indexed symbol a symbol
    return resolved


@dataclass(frozen=True)
class Keyword:
    """`alpha = 0.1` in a call."""

    name: str
    value: Formula


@v_args(meta=True)
class Builder(Transformer[Token, object]):
    """Builds formulas and reactions; the template and network languages extend it."""

    def __init__(self, text: str, file: str) -> None:
        super().__init__()
        self.text, self.file = text, file

    def transform(self, tree: Tree[Token]) -> object:
        """Parse the text; formulas are read recursively ever after, so one that nests deeper is refused here."""
        level = [tree]
        for _ in range(MAXIMAL_DEPTH):
            level = [c for t in level for c in t.children if isinstance(c, Tree)]
            if not level:
                return super().transform(tree)
        hint = "brackets, signs, and terms of a sum count"
        raise NotationError(
            f"a formula nests more than {MAXIMAL_DEPTH} deep", hint=hint, location=self.at(level[0].meta)
        )

    def at(self, meta: Meta) -> Location:
        return location(self.text, self.file, meta.line, meta.column)

    def literal(self, meta: Meta, children: list[Token]) -> Formula:
        return Number(self.signed(meta, children))

    def signed(self, meta: Meta, children: list[Token]) -> float:
        value = float("".join(children))
        if not math.isfinite(value):
            raise NotationError("a number is too large for double precision", location=self.at(meta))
        return value

    def unquoted(self, meta: Meta, string: Token) -> str:
        """Return a name unquoted: one in quotes has JSON's escapes."""
        try:
            return unquoted(string)
        except ValueError:
            hint = r"escapes are those of JSON: \" \\ \n \t \u03bb"
            message = f"{string} has an escape that means nothing"
            raise NotationError(message, hint=hint, location=self.at(meta)) from None

    def symbol(self, meta: Meta, children: list[object]) -> Symbol:
        index = next((c for c in children if isinstance(c, tuple)), ())
        rail = str(children[-1]) if isinstance(children[-1], Token) and children[-1].type == "RAIL" else ""
        return Symbol(str(children[0]), index, rail)

    def index(self, meta: Meta, children: list[Formula]) -> tuple[Formula, ...]:
        return tuple(children)

    def binary(self, meta: Meta, children: list[object]) -> Formula:
        left, operator, right = children
        return Call(str(operator), (left, right))  # type: ignore[arg-type]  # formulas by the grammar

    def negative(self, meta: Meta, children: list[object]) -> Formula:
        return Call("neg", (children[1],))  # type: ignore[arg-type]  # a formula by the grammar

    def call(self, meta: Meta, children: list[Any]) -> Formula:
        name, arguments = str(children[0]), [c for c in children[1:] if not isinstance(c, Keyword)]
        keywords = tuple((c.name, c.value) for c in children[1:] if isinstance(c, Keyword))
        self.check_call(meta, name, len(arguments), keywords)
        return Call(name, tuple(arguments), keywords)

    def check_call(self, meta: Meta, name: str, count: int, keywords: tuple[tuple[str, Formula], ...]) -> None:
        """Formulas may use the functions of the table only."""
        known = FUNCTIONS.get(name)
        if known is None or known[0] != count or keywords:
            what = f"there is no function {name!r}" if known is None else f"{name} takes {known[0]} argument(s)"
            raise NotationError(what, hint="functions: " + ", ".join(FUNCTIONS), location=self.at(meta))

    def keyword(self, meta: Meta, children: list[Any]) -> Keyword:
        return Keyword(str(children[0]), children[1])

    def only_formula(self, meta: Meta, children: list[Formula]) -> Formula:
        return children[0]

    def loop(self, meta: Meta, children: list[object]) -> Loop:
        return Loop(str(children[0]), children[1], children[2])  # type: ignore[arg-type]  # formulas by the grammar

    def member(self, meta: Meta, children: list[object]) -> tuple[Symbol | None, int]:
        count = 1
        if isinstance(children[0], Token) and children[0].type == "NUMBER":
            written = float(str(children[0]))
            count = int(written) if written < _MANY else -1
            if count != written or (len(children) > 1) != (count > 0):
                raise NotationError(f"{children[0]} is not a stoichiometric coefficient", location=self.at(meta))
        if count == 0:
            return None, 0
        species = children[-1]
        return (
            species if isinstance(species, Symbol) else Symbol(self.unquoted(meta, Token("STRING", str(species))))
        ), count

    def side(self, meta: Meta, children: list[object]) -> tuple[tuple[Symbol, int], ...]:
        members = [c for c in children if isinstance(c, tuple)]
        present = [(s, n) for s, n in members if s is not None]
        names = [s for s, _ in present]
        if (len(members) > 1 and len(present) < len(members)) or len(set(names)) < len(names):
            raise NotationError("write 0 alone, and each species once per side", location=self.at(meta))
        return tuple(present)

    def reaction(self, meta: Meta, children: list[object]) -> SymbolicReaction:
        left, right, rate = children[:3]
        loop = children[3] if len(children) > 3 else None  # noqa: PLR2004  # the optional fourth part
        return SymbolicReaction(left, right, rate, loop, self.at(meta))  # type: ignore[arg-type]  # by the grammar

    def reactions(self, meta: Meta, children: list[SymbolicReaction]) -> list[SymbolicReaction]:
        return children


def parse_formula(text: str, file: str = "<formula>") -> Formula:
    """The formula written in `text`; raises NotationError with the place."""
    formula: Formula = parse(text, "reactions.lark", "only_formula", Builder(text, file), file)
    return formula


def parse_reactions(text: str, file: str = "<reactions>") -> list[Reaction]:
    """Reactions, one per line; the inverse of `show_reaction` joined by newlines. Raises NotationError."""
    symbolic: list[SymbolicReaction] = parse(text, "reactions.lark", "reactions", Builder(text, file), file)
    found = []
    for line in symbolic:
        with errors_at(line.location):
            for left, right, rate in line.unrolled({}):
                found.append(Reaction(named(left), named(right), scalar(rate, {})))
    return found


def named(side: SymbolicSide) -> Side:
    """The side with species by their names."""
    return tuple((s.key, n) for s, n in side)


def show_reaction(reaction: Reaction) -> str:
    """The reaction in our notation: `x[0]+ + layer1[0] -> x[0]+ + 2 layer1[0] @ 0.5`."""
    return f"{show_side(reaction.reactants)} -> {show_side(reaction.products)} @ {number(reaction.rate)}"


def show_side(side: Side) -> str:
    """One side of a reaction, `0` when empty; names that are not plain are quoted."""
    return " + ".join(f"{n} {_name(s)}" if n > 1 else _name(s) for s, n in side) or "0"


def _name(species: str) -> str:
    return species if _BARE.fullmatch(species) and species.isascii() else json.dumps(species)


__all__ = ["Builder", "Loop", "SymbolicReaction", "parse_formula", "parse_reactions", "placed", "show", "show_reaction"]
