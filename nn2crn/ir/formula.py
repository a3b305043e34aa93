"""Arithmetic formulas as data: rate constants, fixed points and bounds of templates.

A formula is evaluated over arrays by this module alone, from a closed table of functions; never by `eval`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from nn2crn.errors import NotationError
from nn2crn.ir.arrays import Floats


@dataclass(frozen=True)
class Number:
    """A literal."""

    value: float


@dataclass(frozen=True)
class Symbol:
    """A parameter, a drive (`u`, `U+`) or a species (`E[2]`, `Y-`), by its full name.

    Indices of a chain not yet unrolled are formulas; `resolve` turns them into part of the name.
    """

    name: str
    index: tuple[Formula, ...] = ()
    rail: str = ""

    def __str__(self) -> str:
        return self.key

    @property
    def key(self) -> str:
        """Return the name as it is written: `E[i,2]+`."""
        return _written(self.name, self.index, self.rail)

    @property
    def element(self) -> str:
        """`i` of `E[i,2]`, the element of a vector it belongs to; empty if it belongs to none, or to all of them."""
        first = self.index[0] if self.index else None
        return first.name if isinstance(first, Symbol) else ""

    @property
    def stem(self) -> str:
        """`E[2]+` of `E[i,2]+` and of `E[j,2]+`: in arrays the elements are an axis, whatever their index is called."""
        return _written(self.name, self.index[1:] if self.element else self.index, self.rail)

    def of(self, element: Formula) -> Symbol:
        """Return the same symbol of another element: `E[j,2]` for `E[i,2]`; itself if it has no element."""
        return replace(self, index=(element, *self.index[1:])) if self.element else self

    def indexed_by(self, variable: str) -> bool:
        """True for `E[i,2]` and the variable i."""
        return any(isinstance(i, Symbol) and i.name == variable for i in self.index)


@dataclass(frozen=True)
class Call:
    """An operator (`+ - * / ^ neg`) or a function of the table, applied to arguments.

    In a composition the function may be an activation, which takes keywords besides.
    """

    function: str
    arguments: tuple[Formula, ...]
    keywords: tuple[tuple[str, Formula], ...] = ()


Formula = Number | Symbol | Call


def _erf(x: Floats) -> Floats:
    """The error function; importing it takes a tenth of the time to compile a small network, which has none."""
    from scipy.special import erf

    return erf(x)


FUNCTIONS: Mapping[str, tuple[int, Callable[..., Floats]]] = {
    "exp": (1, np.exp),
    "log": (1, np.log),
    "sqrt": (1, np.sqrt),
    "abs": (1, np.abs),
    "sign": (1, np.sign),
    "sinh": (1, np.sinh),
    "asinh": (1, np.arcsinh),
    "tanh": (1, np.tanh),
    "erf": (1, _erf),
    "sum": (1, lambda x: np.sum(x, axis=-1, keepdims=True)),  # over the elements of a vector activation
    "largest": (1, lambda x: np.max(x, axis=-1, keepdims=True)),  # the same
    "min": (2, np.minimum),
    "max": (2, np.maximum),
}
OPERATORS: Mapping[str, Callable[..., Floats]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
    "neg": np.negative,
}
_EXACT = 1e15  # below it every whole number is a float of its own
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "neg": 3, "^": 4}


def evaluate(formula: Formula, values: Mapping[str, float | Floats]) -> Floats:
    """The formula's value for the given symbols, in double precision, broadcast over arrays.

    Values go by the stems of symbols: those of a vector's elements are an axis of the arrays.

    Raises:
        KeyError: a symbol has no value.
    """
    if isinstance(formula, Number):
        return np.float64(formula.value)  # type: ignore[return-value]  # a zero-dimensional array to numpy
    if isinstance(formula, Symbol):
        return np.asarray(values[formula.stem], dtype=np.float64)
    arguments = [evaluate(a, values) for a in formula.arguments]
    function = OPERATORS.get(formula.function) or FUNCTIONS[formula.function][1]
    return function(*arguments)


def scalar(formula: Formula, values: Mapping[str, float]) -> float:
    """The value of a formula of numbers and of names that stand for one number each; it may be NaN or infinite.

    Raises:
        NotationError: a name has no value.
    """
    unknown = next((s.key for s in symbols(formula) if s.key not in values), None)
    if unknown is not None:
        raise NotationError(f"{unknown!r} is not known here", hint=f"known: {', '.join(sorted(values)) or 'no name'}")
    with np.errstate(all="ignore"):  # what comes of it is looked at
        return float(evaluate(formula, values))


def resolve(formula: Formula, integers: Mapping[str, int], keep: tuple[str, ...] = ()) -> Formula:
    """The formula with chain indices evaluated, and the index variables themselves replaced by numbers.

    Indices named in `keep`, those of a vector's elements, stay as they are.

    Raises:
        NotationError: an index is not a number, or has an unknown name.
    """
    if isinstance(formula, Symbol):
        if not formula.index and not formula.rail and formula.name in integers:
            return Number(float(integers[formula.name]))
        return Symbol(formula.name, tuple(_index(i, integers, keep) for i in formula.index), formula.rail)
    if isinstance(formula, Call):
        keywords = tuple((k, resolve(f, integers, keep)) for k, f in formula.keywords)
        return Call(formula.function, tuple(resolve(a, integers, keep) for a in formula.arguments), keywords)
    return formula


def _index(formula: Formula, integers: Mapping[str, int], keep: tuple[str, ...]) -> Formula:
    if isinstance(formula, Symbol) and formula.name in keep:
        return formula
    value = scalar(formula, integers)
    if not np.isfinite(value):
        raise NotationError(f"the index {show(formula)} is not a number")
    return Number(float(round(value)))


def substitute(formula: Formula, values: Mapping[str, Formula]) -> Formula:
    """The formula with symbols, by their stems, replaced by formulas."""
    if isinstance(formula, Symbol):
        return values.get(formula.stem, formula)
    if isinstance(formula, Call):
        keywords = tuple((k, substitute(f, values)) for k, f in formula.keywords)
        return Call(formula.function, tuple(substitute(a, values) for a in formula.arguments), keywords)
    return formula


def calls(formula: Formula) -> Iterator[Call]:
    """Every operator and function in the formula, outermost first."""
    if isinstance(formula, Call):
        yield formula
        for a in (*formula.arguments, *(f for _, f in formula.keywords)):
            yield from calls(a)


def symbols(formula: Formula) -> Iterator[Symbol]:
    """Every symbol in the formula, in reading order, with repeats; those in indices aside."""
    if isinstance(formula, Symbol):
        yield formula
    elif isinstance(formula, Call):
        for a in (*formula.arguments, *(f for _, f in formula.keywords)):
            yield from symbols(a)


def show(formula: Formula) -> str:
    """The formula as text that parses back to it, with no more parentheses than needed."""
    if isinstance(formula, Number):
        return number(formula.value)
    if isinstance(formula, Symbol):
        return formula.key
    f, args = formula.function, formula.arguments
    if f not in OPERATORS:
        keywords = (f"{k} = {show(v)}" for k, v in formula.keywords)
        return f"{f}({', '.join([*map(show, args), *keywords])})"
    level = _PRECEDENCE[f]
    if f == "neg":
        return "-" + _bracketed(args[0], level)
    # - and / lean left, ^ leans right: the other side of an equal level needs its parentheses
    left, right = (level + 1, level) if f == "^" else (level, level + 1)
    tight = f in "*/^"
    return _bracketed(args[0], left) + (f if tight else f" {f} ") + _bracketed(args[1], right)


def _written(name: str, index: tuple[Formula, ...], rail: str) -> str:
    return f"{name}[{','.join(map(show, index))}]{rail}" if index else name + rail


def number(value: float) -> str:
    """A float as repr, integers without the point."""
    return str(int(value)) if float(value).is_integer() and abs(value) < _EXACT else repr(float(value))


def _bracketed(formula: Formula, level: int) -> str:
    own = _PRECEDENCE.get(formula.function, 9) if isinstance(formula, Call) else 9
    if isinstance(formula, Number) and formula.value < 0:
        own = _PRECEDENCE["neg"]
    return f"({show(formula)})" if own < level else show(formula)
