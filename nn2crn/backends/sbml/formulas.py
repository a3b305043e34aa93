"""Sizes of the formulas of an SBML file once functions and rules are inlined: forty that double come to 10^12.

libSBML, roadrunner and COPASI put them in, and do not come to an end.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from nn2crn.errors import ModelError

_MOST_CALLED = 1000  # operations of a function, those of the functions that it calls put in
_MOST = 100_000  # operations of a rule, those of the rules that it refers to put in


@dataclass
class _Element:
    """An element of a formula: `apply`, `ci`, `cn`, ...; `name` is the target of a ci.

    It stands for `times` elements, one after the other, that differ in numbers and names of quantities only.
    """

    tag: str
    name: str = ""
    times: int = 1
    children: list[_Element] = field(default_factory=list)


class _Size(NamedTuple):
    """Operations of a formula, and how many of these are arguments of the function that it is in."""

    operations: int
    arguments: int


class Formulas:
    """The formulas of a file, element by element as they are read."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.owner = ""  # the function or the variable that the next formula is for
        self._open: list[_Element] = []
        self._functions: dict[str, _Size] = {}
        self._rules: dict[str, tuple[int, Counter[str]]] = {}
        self._names: Counter[str] = Counter()

    def start(self, tag: str) -> None:
        """An element begins."""
        element = _Element(tag)
        if self._open:
            self._open[-1].children.append(element)
        self._open.append(element)

    def end(self, text: str) -> None:
        """It ends, with this text in it.

        Raises:
            ModelError: it was a whole formula that is too large, or a function that calls a later one.
        """
        element = self._open.pop()
        if element.tag == "ci":
            element.name = text.strip()
            self._names[element.name] += 1
        if not self._open:
            self._whole(element)

    def repeat(self, names: list[list[str]]) -> bool:
        """More elements like the last one, with these names in each place; false if there is none."""
        if not (self._open and self._open[-1].children and names):
            return False
        self._open[-1].children[-1].times += len(names[0])
        for column in names:
            self._names.update(column)
        return True

    def _whole(self, formula: _Element) -> None:
        (content,) = formula.children[:1] or [formula]
        if content.tag == "lambda":
            bound = {c.name for b in content.children if b.tag == "bvar" for c in b.children}
            size = self._size(content, bound, inside=self.owner or "?")
            self._functions[self.owner] = size
            self._refuse_more(size.operations, _MOST_CALLED, f"the function {self.owner}")
        else:
            operations = self._size(content, set()).operations
            self._refuse_more(operations, _MOST, f"the formula of {self.owner or 'a reaction'}")
            if self.owner:
                self._rules[self.owner] = operations, self._names
        self.owner, self._names = "", Counter()

    def _size(self, element: _Element, bound: set[str], inside: str = "") -> _Size:
        """With the functions that it calls put in; `inside` is the function that it is in."""
        if element.tag == "ci":
            return _Size(1, int(element.name in bound))
        parts = [(self._size(c, bound, inside), c.times) for c in element.children if c.tag != "bvar"]
        operations, arguments = (sum(part[i] * times for part, times in parts) for i in (0, 1))
        head = element.children[0] if element.children else element
        if element.tag != "apply" or head.tag != "ci":
            return _Size(1 + operations, arguments)
        if inside and head.name not in self._functions:
            what = f"the function {inside} calls {head.name}, which is not a function defined before it"
            raise ModelError(f"{self.file}: {what}")
        called = self._functions.get(head.name, _Size(1, 1))
        return _Size(called.operations + called.arguments * operations, called.arguments * arguments)

    def close(self) -> None:
        """All has been read.

        Raises:
            ModelError: a rule is too large with the rules that it refers to, or these go round in a circle.
        """
        graph = {name: [n for n in names if n in self._rules] for name, (_, names) in self._rules.items()}
        sizes: dict[str, int] = {}
        try:
            for name in TopologicalSorter(graph).static_order():
                operations, names = self._rules[name]
                sizes[name] = operations + sum(count * sizes.get(other, 0) for other, count in names.items())
                self._refuse_more(sizes[name], _MOST, f"the rule for {name}")
        except CycleError as e:
            raise ModelError(f"{self.file}: rules refer to each other in a circle: {' -> '.join(e.args[1])}") from None

    def _refuse_more(self, size: int, most: int, what: str) -> None:
        if size > most:
            raise ModelError(f"{self.file}: {what} comes to more than {most:,} operations, all that it uses put in")
