"""Comparison of two SBML documents: species, parameters, rules and reactions, number for number.

What people and programs may change without changing the model does not count: layout, notes, annotations, names, SBO
terms, how a number is written, and in which order things are listed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from xml.parsers import expat

from nn2crn.errors import ModelError

_DEEPEST = 100  # elements within each other; what nn2crn writes has 12
_LEFT_OUT = {"metaid", "sboTerm", "name", "fast", "type"}
_SKIPPED = {"notes", "annotation"}
_KEPT = (2, 4)  # how deep the model is, and the elements of its lists
_START = {"value", "initialConcentration", "initialAmount"}
_ROUNDED = ", which is the same to 15 digits: another program has written the file"
_NAMED = ("id", "variable", "symbol")

Token = str | float
Element = tuple[Token, ...]


def first_difference(found: bytes, expected: bytes, free: Collection[str], where: str) -> str:
    """The first thing of `found` that is not as in `expected`, in words; empty if there is none.

    Args:
        found: a document.
        expected: another.
        free: ids of what users set: their values at the start do not count.
        where: what `found` is called.

    Raises:
        ModelError: `found` is not XML, or nests too deep.
    """
    here, there = (_Elements(document, free, where).found for document in (found, expected))
    for key, element in here.items():
        if key not in there:
            return f"{_name(key)} should not be there"
        if element != there[key]:
            return f"{_name(key)}: {_differing(element, there[key])}"
    missing = next((key for key in there if key not in here), None)
    return f"{_name(missing)} is missing" if missing else ""


Key = tuple[str, str]


def _name(key: Key) -> str:
    return f"{key[0]} {key[1]}".strip()


def _differing(found: Element, expected: Element) -> str:
    for a, b in zip(found, expected, strict=False):
        if a != b:
            return f"{_show(a)} instead of {_show(b)}{_ROUNDED * _rounded(a, b)}"
    longer = found if len(found) > len(expected) else expected
    surplus = _show(longer[min(len(found), len(expected))])
    return f"{surplus} is {'too much' if longer is found else 'missing'}"


def _rounded(found: Token, expected: Token) -> bool:
    """True if a number is the expected one at 15 digits, which is how libSBML writes it."""
    numbers = isinstance(found, float) and isinstance(expected, float)
    return numbers and found == float(f"{expected:.15g}")


def _show(token: Token) -> str:
    return token if isinstance(token, str) else repr(token)


class _Elements:
    """The elements of all lists of a model by kind and id, each as what stands in it."""

    def __init__(self, document: bytes, free: Collection[str], where: str) -> None:
        self.found: dict[Key, Element] = {}
        self._free, self._where = free, where
        self._path: list[str] = []
        self._skipping = 0
        self._tokens: list[Token] = []
        self._key: Key = ("", "")
        self._text = ""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._doctype
        try:
            parser.Parse(document, True)
        except expat.ExpatError as e:
            raise ModelError(f"{where}:{e.lineno}: not XML: {expat.ErrorString(e.code)}") from None

    def _doctype(self, *_: object) -> None:
        raise ModelError(f"{self._where}: a document type, which SBML has no use for")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(" ")[2]
        self._path.append(tag)
        if len(self._path) > _DEEPEST:
            raise ModelError(f"{self._where}: elements nested more than {_DEEPEST} deep")
        if self._skipping or tag in _SKIPPED:
            self._skipping += 1
            return
        if tag == "sep":
            self._text += "e"  # the number goes on: mantissa, <sep/>, exponent
            return
        if len(self._path) in _KEPT:
            self._key = self._named(tag, attributes)
            self._tokens = []
        if len(self._path) >= min(_KEPT):
            self._tokens += [tag, *self._attributes(attributes)]
        if len(self._path) == min(_KEPT):
            self.found[self._key] = tuple(self._tokens)
        self._text = ""

    def _named(self, tag: str, attributes: dict[str, str]) -> Key:
        """Return a distinct key for each element, even if an id occurs twice."""
        identifier = next((attributes[a] for a in _NAMED if a in attributes), "")
        key = (tag, identifier)
        return key if identifier and key not in self.found else (tag, f"{identifier} number {len(self.found)}".strip())

    def _attributes(self, attributes: dict[str, str]) -> Iterator[Token]:
        set_by_users = attributes.get("id") in self._free
        for name in sorted(attributes):
            plain = name.rpartition(" ")[2]
            if plain in _LEFT_OUT or (set_by_users and plain in _START):
                continue
            yield f"{plain} ="
            yield _token(attributes[name])

    def _characters(self, data: str) -> None:
        if not self._skipping:
            self._text += data

    def _end(self, name: str) -> None:
        tag = name.rpartition(" ")[2]
        if self._skipping:
            self._skipping -= 1
        elif len(self._path) >= max(_KEPT) and tag != "sep":
            if self._text.strip():
                self._tokens.append(_token("".join(self._text.split())))
            if len(self._path) == max(_KEPT):
                self.found[self._key] = tuple(self._tokens)
            self._text = ""
        self._path.pop()


def _token(text: str) -> Token:
    """A number as such, however it is written."""
    try:
        return float(text) if text[-1:].isdigit() or text.endswith(".") else text
    except ValueError:
        return text
