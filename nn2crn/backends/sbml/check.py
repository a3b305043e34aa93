"""Check an SBML file: by libSBML, and by rules that libSBML does not have.

The rules are those that programs stumble on. A file is read as a stream (stream.py), so that only its ids are held.
"""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from operator import eq
from pathlib import Path
from xml.parsers import expat

from nn2crn.backends.sbml.formulas import Formulas
from nn2crn.backends.sbml.rows import Columns, Layout
from nn2crn.backends.sbml.stream import Stream
from nn2crn.errors import ModelError, UsageError
from nn2crn.files.reading import look_at

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LISTS = ("Reactants", "Products", "Modifiers")
_SIDES = {"listOfReactants": "reactant", "listOfProducts": "product"}
_DECLARING = {"compartment", "species", "parameter", "reaction", "functionDefinition", "event", "speciesReference"}
_MATHML = "http://www.w3.org/1998/Math/MathML"
_OWNERS = {"functionDefinition": "id", "assignmentRule": "variable", "initialAssignment": "symbol"}  # of formulas
_DEEPEST = 200  # elements in elements; libSBML, roadrunner and COPASI crash where some thousands are
_SHOWN = 20  # complaints of one kind of checks


def libsbml_complaints(path: Path) -> list[str]:
    """Return all complaints of libSBML, with units and modelling practice checked too."""
    import libsbml

    document = libsbml.readSBMLFromFile(str(path))
    for category in (libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, libsbml.LIBSBML_CAT_MODELING_PRACTICE):
        document.setConsistencyChecks(category, True)
    document.checkConsistency()
    found = (document.getError(i) for i in range(document.getNumErrors()))
    return shortened([f"line {e.getLine()}: {e.getSeverityAsString()}: {e.getShortMessage()}" for e in found])


def shortened(complaints: list[str]) -> list[str]:
    """The first of them, and how many there are besides."""
    more = len(complaints) - _SHOWN
    return [*complaints[:_SHOWN], f"and {more} more"] if more > 0 else complaints


class Reading:
    """Check a file while it is read.

    Attributes:
        reactions: how many there are.
        complaints: what is wrong, a line each.

    Raises:
        UsageError: it cannot be opened, or is not a regular file.
        ModelError: it is not XML or not SBML Level 3, declares entities, which SBML does not use, or nests too deep; or
            its formulas are too large once functions and rules are put in.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.reactions = path, 0
        self.complaints: list[str] = []
        self._declared: set[str] = set()
        self._species: set[str] = set()
        self._used: dict[str, int] = {}  # names in formulas that have not been declared yet, and where
        self._sides: dict[str, Counter[str]] = {}
        self._law: set[str] = set()
        self._local: set[str] = set()
        self._root = self._within = self._reaction = self._side = self._text = ""
        self._depth = 0
        self._formulas = Formulas(str(path))
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._stream = Stream(self._parser, self._accept)
        self._read()
        self._formulas.close()
        unknown = sorted(set(self._used) - self._declared)
        self.complaints += [f"line {self._used[name]}: {name} is not declared" for name in unknown]

    def _read(self) -> None:
        look_at(self.path)
        try:
            with self.path.open("rb") as file:
                self._stream.read(file)
        except OSError as e:
            raise UsageError(f"cannot read {self.path}: {e.strerror}") from None
        except expat.ExpatError as e:
            raise ModelError(
                f"{self.path}:{self._stream.skipped + e.lineno}: not XML: {expat.ErrorString(e.code)}",
                hint="validate takes SBML, as nn2crn compile writes it to an .xml",
            ) from None

    def _accept(self, layout: Layout, columns: Columns) -> bool:
        """Takes note of elements of one layout, unless there is anything to be said of one of them."""
        kinds = list(zip(layout.roles, columns, strict=True))
        names = [column for role, column in kinds if role == "name"]
        if layout.tag == "apply":
            return self._accept_summands(names)
        if layout.tag == "modifierSpeciesReference":
            self._sides.setdefault("modifier", Counter()).update(*columns)
            return True
        ids = [column for role, column in kinds if role == "id"]
        sides = [[column for role, column in kinds if role == side] for side in _LISTS]
        referenced = [column for side in sides for column in side]
        new = set().union(*ids)
        fine = (
            len(new) == sum(map(len, ids))
            and self._declared.isdisjoint(new)
            and not any(map(keyword.iskeyword, new))
            and all(map(str.isidentifier, new))
            and all(map(self._species.issuperset, referenced))
            and all(map(self._declared.issuperset, names))
            and all(column in referenced or self._species.isdisjoint(column) for column in names)
            and not any(any(map(eq, a, b)) for side in sides for a, b in combinations(side, 2))
        )
        if fine:
            self._declared |= new
            self.reactions += len(columns[0]) if layout.tag == "reaction" else 0
        return fine

    def _accept_summands(self, names: Columns) -> bool:
        if self._within == "functionDefinition" or not all(map(self._declared.issuperset, names)):
            return False
        if self._within:
            self._law.update(*names)
        return self._formulas.repeat(names)

    def _doctype(self, *_: object) -> None:
        raise ModelError(f"{self.path}:{self._line}: a document type, which SBML has no use for")

    @property
    def _line(self) -> int:
        return self._stream.skipped + self._parser.CurrentLineNumber

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, tag = name.rpartition(" ")
        if not self._root:
            self._root = tag
            if tag != "sbml" or "/sbml/level3/" not in namespace:
                raise ModelError(f"{self.path}: not SBML Level 3, but {tag} of {namespace or 'no namespace'}")
        self._text = ""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ModelError(f"{self.path}:{self._line}: elements nest more than {_DEEPEST} deep")
        if namespace == _MATHML:
            self._formulas.start(tag)
        if "/sbml/" in namespace:
            self._enter(tag, attributes)

    def _enter(self, tag: str, attributes: dict[str, str]) -> None:
        """An element of SBML begins."""
        identifier, species = attributes.get("id", ""), attributes.get("species", "")
        if tag in _DECLARING and identifier:
            self._declare(identifier)
        if tag in _OWNERS:
            self._formulas.owner = attributes.get(_OWNERS[tag], "")
        match tag:
            case "species":
                self._species.add(identifier)
            case "reaction":
                self.reactions += 1
                self._reaction, self._sides, self._law, self._local = identifier, {}, set(), set()
            case "listOfReactants" | "listOfProducts":
                self._side = _SIDES[tag]
            case "speciesReference":
                self._sides.setdefault(self._side, Counter())[species] += 1
            case "modifierSpeciesReference":
                self._sides.setdefault("modifier", Counter())[species] += 1
            case "localParameter":
                self._local.add(identifier)
            case "kineticLaw" | "functionDefinition":
                self._within = tag

    def _characters(self, data: str) -> None:
        self._text += data

    def _end(self, name: str) -> None:
        namespace, _, tag = name.rpartition(" ")
        self._stream.ended()
        self._depth -= 1
        if namespace == _MATHML:
            self._formulas.end(self._text)
        if tag == "ci" and self._within != "functionDefinition":  # whose names are its own
            self._named(self._text.strip())
        elif tag == self._within:
            self._within = ""
        elif tag == "reaction":
            for symbol in self._law - self._local - self._declared:
                self._use(symbol)
            self.complaints += self._wrong()

    def _declare(self, identifier: str) -> None:
        if identifier in self._declared:
            self.complaints.append(f"line {self._line}: the id {identifier} is there twice")
        if not _IDENTIFIER.fullmatch(identifier):
            self.complaints.append(f"line {self._line}: {identifier!r} is not an id")
        elif keyword.iskeyword(identifier):
            self.complaints.append(
                f"line {self._line}: {identifier} is a keyword of Python: code made of this will not run"
            )
        self._declared.add(identifier)

    def _named(self, symbol: str) -> None:
        if self._within == "kineticLaw":  # local parameters may come later
            self._law.add(symbol)
        else:
            self._use(symbol)

    def _use(self, symbol: str) -> None:
        if symbol not in self._declared:  # yet
            self._used.setdefault(symbol, self._line)

    def _wrong(self) -> Iterator[str]:
        """Faults of the reaction that has just ended."""
        where = f"line {self._line}: reaction {self._reaction}"
        referenced = {species for side in self._sides.values() for species in side}
        for side, members in self._sides.items():
            yield from (f"{where}: {s} is a {side} twice" for s, n in members.items() if n > 1)
            yield from (f"{where}: the {side} {s} is not a species" for s in members if s not in self._species)
        for species in sorted((self._law & self._species) - referenced - self._local):
            yield f"{where}: {species} is in the rate law, but neither reactant, product nor modifier"
