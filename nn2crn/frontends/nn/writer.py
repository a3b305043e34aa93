"""Network -> .nn: the language of grammars/network.lark, with weights of any size in an .npz file beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from nn2crn.errors import UnsupportedError
from nn2crn.ir.arrays import Floats, Matrix, floats
from nn2crn.ir.network import Activation, Affine, Feedback, Input, Network, Node, Output, Term, numbered
from nn2crn.templates import Library

_INLINE = 16  # numbers that are written in the text
_PLAIN = re.compile(r"(?!(?:network|input|feedback|output|in|inf|load)$)[A-Za-z_]\w*")


def emit(network: Network, out: TextIO, weights: str, library: Library | None = None) -> dict[str, NDArray[Any]]:
    """Writes the text; what it says of weights is true once the arrays returned are in the file.

    Read back, the network compiles to the same reactions. Inputs and outputs keep their names; other nodes are called
    h1, h2, ..., and their origin is a comment.

    Args:
        network: as a front end gives it.
        out: the text.
        weights: name of the .npz file, which the text refers to.
        library: the templates the network names; those of the package if None.

    Returns:
        The arrays of that file by key, in the order of the text; a sparse matrix is its four CSR parts.

    Raises:
        UnsupportedError: the language has no words for a part of the network.
    """
    return _Writer(network, weights, library or Library()).write(out)


class _Writer:
    """Writes statement by statement, in the order of the nodes; keeps the arrays."""

    def __init__(self, network: Network, weights: str, library: Library) -> None:
        self.network, self.weights, self.library = network, weights, library
        self.arrays: dict[str, NDArray[Any]] = {}
        outputs = _resolved(network)
        self.names = _names(network, outputs)
        self.pending = list(outputs)
        self.announced: set[str] = set()

    def write(self, out: TextIO) -> dict[str, NDArray[Any]]:
        out.writelines(f"# {_one_line(remark)}\n" for remark in self.network.remarks)
        out.write(f"network {_quoted(self.network.name)}\n")
        out.writelines(self._statement(node, f"h{k}") for k, node in enumerate(self.network.nodes))
        for output in self.pending:
            name = self.names[output.source]
            out.write(f"output {_quoted(output.name)}{'' if name == output.name else f' = {_quoted(name)}'}\n")
        return self.arrays

    def _input(self, node: Input) -> str:
        domain = ""
        if node.lower is not None or node.upper is not None:
            low, high = (_bound(node, b) for b in (_or(node.lower, -np.inf), _or(node.upper, np.inf)))
            domain = f" in [{low}, {high}]"
        return f"input {_quoted(node.name)}{list(node.shape) or [1]}{domain}\n"

    def _statement(self, node: Node, key: str) -> str:
        """The node under its name; one that is the next output is declared so at once."""
        if isinstance(node, Input):
            return self._input(node)
        if isinstance(node, Feedback):
            return self._feedback(node)
        name = self.names[node.name]
        output = bool(self.pending) and (self.pending[0].source, self.pending[0].name) == (node.name, name)
        if output:
            del self.pending[0]
        said = self._affine(node, key) if isinstance(node, Affine) else self._activation(node, key)
        origin = f"  # {_one_line(node.origin)}" if node.origin else ""
        return f"{'output ' if output else ''}{_quoted(name)} = {said}{origin}\n"

    def _feedback(self, node: Feedback) -> str:
        """An announcement of the source, by whose name it goes."""
        if node.source in self.announced:
            return ""
        self.announced.add(node.source)
        return f"feedback {_quoted(self.names[node.source])}[{node.size}]\n"

    def _affine(self, node: Affine, key: str) -> str:
        """A sum of terms. The bias comes first, so that rounding is the same when it is read back."""
        terms = [self._term(t, f"{key}.weight{k or ''}") for k, t in enumerate(node.terms)]
        if node.terms and not np.any(node.bias):
            # a lone term of factor 1 would be another name for its source
            alias = len(terms) == 1 and terms[0] == self._name(node.terms[0].source)
            return f"1.0*{terms[0]}" if alias else " + ".join(terms)
        bias = self._array(node.bias, f"{key}.bias")
        if terms and terms[0].startswith("dense("):
            return " + ".join([f"{terms[0][:-1]}, bias = {bias})", *terms[1:]])
        return " + ".join([f"constant(value = {bias})", *terms])

    def _term(self, term: Term, key: str) -> str:
        """A multiple of a vector is written as one; both are sparse."""
        source, factor = self._name(term.source), _factor(term.weight)
        if factor is None:
            return f"dense({source}, weight = {self._array(term.weight, key)})"
        return source if factor == 1 else f"{factor!r}*{source}"

    def _activation(self, node: Activation, key: str) -> str:
        given = [f"{k} = {self._attribute(node, k, v, key)}" for k, v in node.attributes.items()]
        given += [f"{k} = {_number(node, v)}" for k, v in node.settings.items()]
        function = node.template or node.function
        size = self.network.by_name[node.sources[0]].size
        if node.width != size and self.library.get(function).vector:
            given.append(f"width = {node.width}")
        return f"{function}({', '.join([*map(self._name, node.sources), *given])})"

    def _attribute(self, node: Activation, name: str, value: Floats, key: str) -> str:
        if np.size(value) == 1:
            return _number(node, np.asarray(value).item())
        return self._array(floats(value), f"{key}.{name}")

    def _array(self, array: Matrix, key: str) -> str:
        """A short list of numbers, or where they are in the file."""
        if isinstance(array, sparse.csr_array):
            parts = {"data": array.data, "indices": array.indices, "indptr": array.indptr, "shape": array.shape}
            whole = {f"{key}.{part}": np.asarray(values) for part, values in parts.items()}
            self.arrays.update(whole)
        elif array.size <= _INLINE:
            return json.dumps(array.tolist())  # floats by repr
        else:
            self.arrays[key] = array
        return f"load({_string(self.weights)}, {json.dumps(key)})"

    def _name(self, node: str) -> str:
        return _quoted(self.names[node])


def _resolved(network: Network) -> tuple[Output, ...]:
    """The outputs; one that reads what is fed back reads it from where it is made."""
    fed = {f.name: f.source for f in network.feedbacks()}
    return tuple(replace(o, source=fed.get(o.source, o.source)) for o in network.outputs)


def _names(network: Network, outputs: Sequence[Output]) -> dict[str, str]:
    """The name in the text of each node: an input's own, that of an output which reads the node, or h1, h2, ...

    What is fed back has the name of its source.
    """
    inputs = {n.name for n in network.inputs}
    for output in outputs:
        if output.name in inputs and output.source != output.name:
            raise UnsupportedError(f"an input and an output are both called {output.name!r}")
    names = {o.source: o.name for o in reversed(outputs)} | {name: name for name in inputs}
    fresh = numbered("h", inputs | {o.name for o in outputs})
    made = (n for n in network.nodes if not isinstance(n, Feedback))
    found = {n.name: names[n.name] if n.name in names else next(fresh) for n in made}
    return found | {f.name: found[f.source] for f in network.feedbacks()}


def _factor(weight: Matrix) -> float | None:
    """c of a sparse matrix that is c times the identity, every entry of the diagonal stored; None for any other."""
    rows, columns = weight.shape
    if not isinstance(weight, sparse.csr_array) or rows != columns or weight.nnz != rows:
        return None
    diagonal = np.array_equal(weight.indices, np.arange(rows)) and np.array_equal(weight.indptr, np.arange(rows + 1))
    return float(weight.data[0]) if diagonal and rows and np.all(weight.data == weight.data[0]) else None


def _or(bound: Floats | None, value: float) -> Floats:
    return floats(value) if bound is None else bound


def _bound(node: Input, bound: Floats) -> str:
    """One number, or one per component."""
    if np.all(bound == bound.flat[0]):
        return repr(float(bound.flat[0]))
    if not np.all(np.isfinite(bound)):
        raise UnsupportedError(f"input {node.name!r}: a list of bounds cannot be written if some are infinite")
    return json.dumps(bound.tolist())


def _number(node: Node, value: float) -> str:
    if not np.isfinite(value):
        raise UnsupportedError(f"{node.origin or node.name}: a parameter is NaN or infinite")
    return repr(float(value))


def _quoted(name: str) -> str:
    """The name as it is if it is a plain word, else in quotes."""
    return name if _PLAIN.fullmatch(name) else _string(name)


def _string(text: str) -> str:
    """In quotes; what is not to be seen, or turns text round, is escaped."""
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in json.dumps(text, ensure_ascii=False))


def _one_line(text: str) -> str:
    """Fit for a comment, whatever a node in the model is called."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in " ".join(text.split()))
