"""Reaction networks as text, whole: what `parse_network` reads back equal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2crn.ir.arrays import Matrix
from nn2crn.ir.families.explicit import ExplicitFamily
from nn2crn.ir.families.family import Family, Scheme
from nn2crn.ir.families.matrix import DriveTerm, MatrixFamily
from nn2crn.ir.families.product import ProductFamily
from nn2crn.ir.formula import show as show_formula
from nn2crn.ir.reactions import Drive, InputPort, Module, OutputPort, ReactionNetwork, Readout, SpeciesBlock
from nn2crn.notation.text import show_reaction, show_side


def show_network(network: ReactionNetwork, *, reactions: bool = False) -> Iterator[str]:
    """The lines of the network: parse_network("".join(show_network(r))) has the same species, reactions and ports.

    Floats are written by repr. A matrix that several drives and families share is written once. How the network was
    compiled (`recipe`) is left out.

    Args:
        network: what lowering or a pass has made.
        reactions: add the single reactions as comments.

    >>> from nn2crn.ir.reactions import SpeciesBlock
    >>> print(*show_network(ReactionNetwork("net", (SpeciesBlock("x", "+", "hidden", 0, np.ones(2)),), (), (), ())))
    network "net"
     encoding "catalytic"
     units "M" "s"
     kappa 1.0
     species 0 "x" "+" hidden [1.0, 1.0]
    <BLANKLINE>
    """
    yield from (f"{line}\n" for line in _Writer(network).lines())
    if reactions:
        yield from (f"# {show_reaction(r)}\n" for r in network.reactions())


def quoted(text: str) -> str:
    """Quote a text, with JSON's escapes."""
    return json.dumps(text)


def numbers(values: NDArray[Any]) -> str:
    """A flat list of numbers, floats by repr."""
    return "[" + ", ".join(map(repr, np.asarray(values).reshape(-1).tolist())) + "]"


def scheme_text(scheme: Scheme) -> str:
    """`X + Y -> X + 2 Y`, by slots, in quotes."""
    return quoted(f"{show_side(scheme.reactants)} -> {show_side(scheme.products)}")


def _key(block: SpeciesBlock) -> tuple[int, str, str]:
    """Blocks are equal that a pass has made anew."""
    return block.start, block.name, block.rail


class _Writer:
    """Numbers blocks and matrices in the order in which they are met."""

    def __init__(self, network: ReactionNetwork) -> None:
        self.network = network
        self.block = {_key(b): k for k, b in enumerate(network.blocks)}
        self.matrices: dict[int, int] = {}

    def lines(self) -> Iterator[str]:
        n = self.network
        yield f"network {quoted(n.name)}"
        if n.source:
            yield f"source {quoted(n.source)}"
        yield f"encoding {quoted(n.encoding)}"
        one = "" if n.units.one == 1 and not n.units.molecules else f" {n.units.one!r}"
        molecules = f" {n.units.molecules}" if n.units.molecules else ""
        yield f"units {quoted(n.units.concentration)} {quoted(n.units.time)}{one}{molecules}"
        yield f"kappa {n.kappa!r}"
        if n.recurrent:
            yield "recurrent"
        yield from (f"remark {quoted(r)}" for r in n.remarks)
        for k, b in enumerate(n.blocks):
            yield f"species {k} {quoted(b.name)} {quoted(b.rail)} {b.role} {numbers(b.initial)}"
        yield from map(self._input, n.inputs)
        for module in n.modules:
            yield from self._module(module)
        for output in n.outputs:
            yield from self._output(output)

    def _input(self, port: InputPort) -> str:
        kept = "held" if port.held else "consumed"
        rails = numbers(np.array([self.block[_key(b)] for b in port.blocks]))
        return f"input {quoted(port.name)} {numbers(np.array(port.shape, int))} {kept} {rails} {numbers(port.values)}"

    def _output(self, port: OutputPort) -> Iterator[str]:
        yield f"output {quoted(port.name)} {numbers(np.array(port.shape, int))} {{"
        yield from self._readout(port.readout)
        yield "}"

    def _readout(self, readout: Readout) -> Iterator[str]:
        yield f"  readout {numbers(readout.constant)} {{"
        for indices, coefficients in readout.terms:
            yield f"    term {numbers(indices)} {numbers(coefficients)}"
        yield "  }"

    def _module(self, m: Module) -> Iterator[str]:
        terms = [t for d in m.drives.values() for t in d.terms]
        terms += [f.term for f in m.families if isinstance(f, MatrixFamily)]
        for term in terms:
            yield from self._matrix(term.matrix)
        yield f"module {quoted(m.name)} {quoted(m.activation)} {quoted(m.template)} {m.size} {m.width} {{"
        texts = (("origin", m.origin), ("provenance", m.provenance), ("node", m.node))
        if m.weights:
            yield f"  weights {m.weights}"
        yield from (f"  {word} {quoted(text)}" for word, text in texts if text)
        yield from self._parts(m)
        yield from self._readout(m.readout)
        yield "}"

    def _parts(self, m: Module) -> Iterator[str]:
        for name, value in m.values.items():
            one = np.ndim(value) == 0
            yield f"  value {quoted(name)} {repr(float(value)) if one else numbers(np.asarray(value, dtype=float))}"
        for symbol, block in m.species.items():
            yield f"  species {quoted(symbol.key)} {self.block[_key(block)]}"
        for name, drive in m.drives.items():
            yield from self._drive(name, drive)
        for family in m.families:
            yield self._family(family)
        for symbol, formula in m.steady:
            yield f"  steady {quoted(symbol.key)} {quoted(show_formula(formula))}"
        for left, right in m.conserved:
            yield f"  conserved {quoted(show_formula(left))} {quoted(show_formula(right))}"

    def _matrix(self, matrix: Matrix) -> Iterator[str]:
        """Written before it is first used."""
        if id(matrix) in self.matrices:
            return
        self.matrices[id(matrix)] = k = len(self.matrices)
        rows, columns = matrix.shape
        if isinstance(matrix, np.ndarray):
            yield f"matrix {k} {rows} {columns} dense {numbers(matrix)}"
        else:
            parts = " ".join(numbers(part) for part in (matrix.indptr, matrix.indices, matrix.data))
            yield f"matrix {k} {rows} {columns} sparse {parts}"

    def _drive(self, name: str, drive: Drive) -> Iterator[str]:
        yield f"  drive {quoted(name)} {numbers(drive.bias)} {{"
        yield from (f"    {self._term(t)}" for t in drive.terms)
        yield "  }"

    def _term(self, term: DriveTerm) -> str:
        return f"term {self.matrices[id(term.matrix)]} {term.sign} {numbers(term.sources)}"

    def _family(self, family: Family) -> str:
        if isinstance(family, MatrixFamily):
            head = f"driven {scheme_text(family.scheme)} {quoted(family.label)} {family.rail}"
            term = family.term
            weights = f"{self.matrices[id(term.matrix)]} {term.sign} {numbers(term.sources)}"
            return f"  {head} {weights} {numbers(family.targets)} {numbers(family.constants)}"
        if isinstance(family, ProductFamily):
            head = f"products {quoted(show_side(family.left))} {quoted(family.label)}"
            p = family.products
            made = " ".join(numbers(part) for part in (p.indptr, p.indices, p.data))
            return f"  {head} {numbers(family.species)} {made} {family.products.shape[1]} {numbers(family.rates)}"
        assert isinstance(family, ExplicitFamily)  # noqa: S101  # there are three kinds
        head = f"explicit {scheme_text(family.scheme)} {quoted(family.label)}"
        return f"  {head} {numbers(family.species)} {numbers(family.rates)}"
