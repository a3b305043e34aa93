"""Reads what `show_network` writes: the inverse, and one clear error for any other text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import numpy as np
from scipy import sparse

from nn2crn.errors import Location, NotationError
from nn2crn.ir.arrays import Floats, Ints, Matrix, as_matrix, floats, ints
from nn2crn.ir.families.explicit import ExplicitFamily
from nn2crn.ir.families.family import Family, Scheme, Side
from nn2crn.ir.families.matrix import DriveTerm, MatrixFamily
from nn2crn.ir.families.product import ProductFamily, as_counts
from nn2crn.ir.formula import Formula, Symbol
from nn2crn.ir.reactions import Drive, InputPort, Module, OutputPort, ReactionNetwork, Readout, SpeciesBlock
from nn2crn.ir.units import Units
from nn2crn.notation.grammar import parse
from nn2crn.notation.statements import Builder, Statement, fitting
from nn2crn.notation.text import parse_formula, parse_reactions


def parse_network(text: str, file: str = "<network>") -> ReactionNetwork:
    """The reaction network written in `text`.

    Raises:
        NotationError: the text is not a reaction network, at the place shown.
    """
    statements = parse(text, "reaction_network.lark", "statements", Builder(text, file), file)
    reader, place = _Reader(), Location(file, 1, 1, text.partition("\n")[0])
    for statement in statements:
        place = statement.place
        with fitting(place):
            reader.read(statement)
    with fitting(place):
        return reader.network()


def _ints(values: list[str]) -> Ints:
    return ints(np.array(values, dtype=np.intp) if values else np.zeros(0, dtype=np.intp))


def _floats(values: list[str]) -> Floats:
    found = floats(np.array(values, dtype=np.float64))
    if not np.all(np.isfinite(found)):
        raise ValueError("a number is too large for double precision")
    return found


def _scheme(text: str) -> Scheme:
    (reaction,) = parse_reactions(f"{text} @ 1")
    return Scheme(reaction.reactants, reaction.products)


def _symbol(text: str) -> Symbol:
    symbol = parse_formula(text)
    if not isinstance(symbol, Symbol):
        raise TypeError(f"{text!r} is not a species")
    return symbol


@dataclass
class _Parts:
    """Read a module's block."""

    facts: dict[str, Any] = field(default_factory=dict)
    values: dict[str, float | Floats] = field(default_factory=dict)
    species: dict[Symbol, SpeciesBlock] = field(default_factory=dict)
    drives: dict[str, Drive] = field(default_factory=dict)
    families: list[Family] = field(default_factory=list)
    steady: list[tuple[Symbol, Formula]] = field(default_factory=list)
    conserved: list[tuple[Formula, Formula]] = field(default_factory=list)
    readout: Readout | None = None


class _Reader:
    """Builds the network statement by statement."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {
            "name": "",
            "source": "",
            "encoding": "catalytic",
            "kappa": 1.0,
            "units": Units(),
            "recurrent": False,
        }
        self.remarks: list[str] = []
        self.blocks: list[SpeciesBlock] = []
        self.inputs: list[InputPort] = []
        self.outputs: list[OutputPort] = []
        self.modules: list[Module] = []
        self.matrices: list[Matrix] = []

    def network(self) -> ReactionNetwork:
        return ReactionNetwork(
            blocks=tuple(self.blocks), modules=tuple(self.modules), inputs=tuple(self.inputs),
            outputs=tuple(self.outputs), remarks=tuple(self.remarks), **self.fields,
        )  # fmt: skip

    def read(self, s: Statement) -> None:
        if s.word in ("network", "source", "encoding", "units", "kappa", "recurrent", "remark"):
            self._header(s)
        else:
            self._content(s)

    def _header(self, s: Statement) -> None:
        match s.word, s.values:
            case ("network", [str(name)]):
                self.fields["name"] = name
            case ("source" | "encoding" as word, [str(text)]):
                self.fields[word] = text
            case ("units", [str(concentration), str(time)]):
                self.fields["units"] = Units(concentration, time)
            case ("units", [str(concentration), str(time), str(one), *molecules]):
                self.fields["units"] = Units(concentration, time, float(one), *map(int, molecules))
            case ("kappa", [str(kappa)]):
                self.fields["kappa"] = float(kappa)
            case ("recurrent", []):
                self.fields["recurrent"] = True
            case ("remark", [str(text)]):
                self.remarks.append(text)
            case _:
                raise _unknown(s)

    def _content(self, s: Statement) -> None:
        match s.word, s.values:
            case ("species", [str(number), str(name), str(rail), str(role), list(initial)]):
                self._species(number, name, rail, role, _floats(initial))
            case ("input", [str(name), list(shape), "held" | "consumed" as kept, list(rails), list(values)]):
                plus, *minus = (self.blocks[k] for k in _ints(rails))
                port = InputPort(name, tuple(map(int, shape)), plus, minus[0] if minus else None, _floats(values))
                self.inputs.append(port if kept == "held" else _consumed(port))
            case ("output", [str(name), list(shape)]):
                (readout,) = s.block
                self.outputs.append(OutputPort(name, tuple(map(int, shape)), _readout(readout)))
            case ("matrix", [str(number), str(rows), str(columns), "dense" | "sparse", *parts]):
                _expected(number, len(self.matrices))
                self.matrices.append(_matrix((int(rows), int(columns)), parts))
            case ("module", [str(name), str(activation), str(template), str(size), str(width)]):
                self.modules.append(self._module((name, activation, template), int(size), int(width), s.block))
            case _:
                raise _unknown(s)

    def _species(self, number: str, name: str, rail: str, role: str, initial: Floats) -> None:
        _expected(number, len(self.blocks))
        if rail not in ("", "+", "-") or role not in ("input", "hidden", "output"):
            raise ValueError(f"{rail!r} is not a rail, or {role!r} not a role")
        start = self.blocks[-1].stop if self.blocks else 0
        self.blocks.append(SpeciesBlock(name, cast(Any, rail), cast(Any, role), start, initial))

    def _module(self, names: tuple[str, str, str], size: int, width: int, block: list[Statement]) -> Module:
        parts = _Parts()
        for s in block:
            with fitting(s.place):
                self._part(parts, s)
        if parts.readout is None:
            raise ValueError("a module needs a readout")
        name, activation, template = names
        return Module(
            name=name, activation=activation, template=template, size=size, width=width, values=parts.values,
            drives=parts.drives, species=parts.species, families=tuple(parts.families), steady=tuple(parts.steady),
            conserved=tuple(parts.conserved), readout=parts.readout, **parts.facts,
        )  # fmt: skip

    def _part(self, parts: _Parts, s: Statement) -> None:
        match s.word, s.values:
            case ("origin" | "provenance" | "node" | "weights" as word, [str(text)]):
                parts.facts[word] = int(text) if word == "weights" else text
            case ("value", [str(name), str(value)]):
                parts.values[name] = float(value)
            case ("value", [str(name), list(values)]):
                parts.values[name] = _floats(values)
            case ("species", [str(symbol), str(number)]):
                parts.species[_symbol(symbol)] = self.blocks[int(number)]
            case ("drive", [str(name), list(bias)]):
                parts.drives[name] = Drive(tuple(self._terms(s.block)), _floats(bias))
            case ("driven" | "explicit" | "products", _):
                parts.families.append(self._family(s))
            case ("steady", [str(symbol), str(formula)]):
                parts.steady.append((_symbol(symbol), parse_formula(formula)))
            case ("conserved", [str(left), str(right)]):
                parts.conserved.append((parse_formula(left), parse_formula(right)))
            case ("readout", _):
                parts.readout = _readout(s)
            case _:
                raise _unknown(s)

    def _terms(self, block: list[Statement]) -> Iterator[DriveTerm]:
        for s in block:
            match s.word, s.values:
                case ("term", [str(matrix), "1" | "-1" as sign, list(sources)]):
                    yield self._term(matrix, sign, sources)
                case _:
                    raise _unknown(s)

    def _term(self, matrix: str, sign: str, sources: list[str]) -> DriveTerm:
        term = DriveTerm(_ints(sources), self.matrices[int(matrix)], int(sign))
        if term.matrix.shape[1] != len(term.sources):
            raise ValueError(f"{len(term.sources)} sources for a matrix of shape {term.matrix.shape}")
        return term

    def _family(self, s: Statement) -> Family:
        match s.word, s.values:
            case ("explicit", [str(text), str(label), list(species), list(constants)]):
                return ExplicitFamily(_scheme(text), _ints(species), _floats(constants), label)
            case ("products", [str(text), str(label), *arrays]):
                return _products(_scheme(f"{text} -> 0").reactants, label, arrays)
            case ("driven", [str(text), str(label), "1" | "-1" as rail, str(matrix), "1" | "-1" as sign,
                             list(sources), list(targets), list(factors)]):  # fmt: skip
                scheme, term = _scheme(text), self._term(matrix, sign, sources)
                rates = _floats(factors)
                if len(rates) != term.matrix.shape[0] or np.any(rates < 0):
                    raise ValueError("one constant for each row of the matrix is needed, none below zero")
                where = _ints(targets).reshape(len(scheme.slots) - 1, len(rates))
                return MatrixFamily(scheme, term, cast(Literal[1, -1], int(rail)), where, rates, label)
            case _:
                raise _unknown(s)


def _products(left: Side, label: str, arrays: list[Any]) -> ProductFamily:
    """Species, the three parts of a sparse matrix, how many species there are, and rate constants."""
    species, starts, indices, data, width, constants = arrays
    parts = tuple(np.array(part, dtype=np.int64) for part in (data, indices, starts))
    matrix = sparse.csr_array(parts, shape=(len(constants), int(width)))
    return ProductFamily(left, _ints(species), as_counts(matrix), _floats(constants), label)


def _consumed(port: InputPort) -> InputPort:
    return InputPort(port.name, port.shape, port.plus, port.minus, port.values, held=False)


def _expected(number: str, next_: int) -> None:
    if int(number) != next_:
        raise ValueError(f"number {next_} is next, not {number}")


def _matrix(shape: tuple[int, int], parts: list[Any]) -> Matrix:
    if len(parts) == 1:
        return as_matrix(_floats(parts[0]).reshape(shape))
    indptr, indices, data = parts
    return as_matrix(sparse.csr_array((_floats(data), _ints(indices), _ints(indptr)), shape=shape))


def _readout(s: Statement) -> Readout:
    match s.word, s.values:
        case ("readout", [list(constant)]):
            terms = []
            for t in s.block:
                indices, coefficients = t.values
                terms.append((_ints(indices), _floats(coefficients)))
            return Readout(tuple(terms), _floats(constant))
        case _:
            raise _unknown(s)


def _unknown(s: Statement) -> NotationError:
    return NotationError(f"{s.word!r} is not a statement that can stand here, or takes other values", location=s.place)
