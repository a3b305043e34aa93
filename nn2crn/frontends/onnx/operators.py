"""The values of the ONNX front end, and the table of its operators: what each does, costs and may mix.

To add an operator, write a function and decorate it with its op type: `moved`, `affine` or `chemistry` says its kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import helper

from nn2crn.frontends.network_builder import WireGraph
from nn2crn.ir.arrays import Ints

FLOAT_TYPES = (1, 10, 11, 16)  # TensorProto: FLOAT, FLOAT16, DOUBLE, BFLOAT16


@dataclass(frozen=True)
class Signal:
    """A tensor that depends on the inputs: its wires, in the tensor's shape; an infinite element is a negative wire."""

    wires: Ints

    @property
    def shape(self) -> tuple[int, ...]:
        return self.wires.shape

    @property
    def is_finite(self) -> bool:
        return not self.wires.size or bool(self.wires.min() >= 0)


@dataclass(frozen=True)
class Guard:
    """A comparison of a signal with a constant: no signal itself, but an activation may be guarded by it."""

    wires: Ints
    threshold: NDArray[Any]
    above: bool

    @property
    def shape(self) -> tuple[int, ...]:
        return self.wires.shape


Constant = NDArray[Any]
Value = Signal | Guard | Constant | None  # None: an optional input that is left out


class Refusal(Exception):  # noqa: N818  # collected and reported as one UnsupportedError
    """This node cannot be compiled; `remedy` is what the user can do."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason, self.remedy = reason, remedy


_NUMPY_BROADCASTING = 7  # the opset from which shapes are broadcast as in numpy


@dataclass(frozen=True)
class OpNode:
    """An ONNX node as the operators see it."""

    op: str
    name: str
    inputs: tuple[Value, ...]
    attributes: Mapping[str, Any]
    opset: int
    origin: str
    outputs: int = 1  # up to the last one that has a name
    proto: Any = None  # the node as ONNX has it, for the reference implementation

    def signal(self, i: int) -> Signal:
        """Input i, which must depend on the network's inputs."""
        value = self.input(i)
        if not isinstance(value, Signal):
            raise Refusal("its first input does not depend on the network's inputs")
        return value

    def integers(self, i: int, what: str) -> list[int]:
        """Input i as a list of integers."""
        values = self.constant(i, what)
        if values.dtype.kind not in "iu":
            raise Refusal(f"its {what} is not of integers, but {values.dtype}")
        return [int(n) for n in values.reshape(-1)]

    def with_attributes(self, attributes: Mapping[str, Any]) -> OpNode:
        return replace(self, attributes=attributes)

    def remade(self, op: str, inputs: list[str], **attributes: Any) -> Any:
        """An ONNX node of another kind with this one's outputs."""
        return helper.make_node(op, inputs, list(self.proto.output), **attributes)

    def input(self, i: int) -> Value:
        return self.inputs[i] if i < len(self.inputs) else None

    def constant(self, i: int, what: str) -> Constant:
        """Input i, which must not depend on the network's inputs."""
        value = self.input(i)
        if not isinstance(value, np.ndarray):
            raise Refusal(f"its {what} is computed from the inputs", "only constant ones can be compiled")
        return value

    def operands(self) -> tuple[Value, Value]:
        """Two operands; before opset 7 the second's first axis may be aligned with axis `axis` of the first."""
        a, b = self.input(0), self.input(1)
        if self.opset >= _NUMPY_BROADCASTING or "axis" not in self.attributes:
            return a, b
        if not isinstance(a, Signal | np.ndarray) or not isinstance(b, Signal | np.ndarray):
            raise Refusal("an operand is missing")
        rank, own = len(a.shape), len(b.shape)
        shape = (*b.shape, *[1] * (rank - self.attributes["axis"] % rank - own))
        return a, Signal(b.wires.reshape(shape)) if isinstance(b, Signal) else b.reshape(shape)

    def axes(self) -> list[int] | None:
        """`axes`, an attribute before opset 13 and an input since."""
        if "axes" in self.attributes:
            return [int(a) for a in self.attributes["axes"]]
        return None if self.input(1) is None else self.integers(1, "list of axes")


Move = Callable[[NDArray[Any], OpNode], NDArray[Any]]
Build = Callable[[WireGraph, OpNode], Value | tuple[Value, ...]]


def _one(node: OpNode) -> int:
    del node
    return 1


@dataclass(frozen=True)
class Operator:
    """An ONNX operator: what becomes of it, and all that is to be known of it beforehand."""

    build: Build
    kind: str  # affine, chemistry or data movement
    how: str
    mixes: bool = False  # it can make one sample of a batch depend on another
    entries: Callable[[OpNode], int] = _one  # of the matrix behind one element of its result
    infinities: bool = False  # it knows what becomes of infinite operands
    recognised: bool = False  # only in the company of what comes before it
    origin: str = ""  # the package it is from, if it is not built in


OPERATORS: dict[str, Operator] = {}


def _add(
    kind: str, *ops: str, mixes: bool = False, entries: Callable[[OpNode], int] = _one, infinities: bool = False,
    recognised: bool = False,
) -> Callable[[Build], Build]:  # fmt: skip
    def register(build: Build) -> Build:
        how = (build.__doc__ or "").partition("\n")[0]
        for op in ops:
            OPERATORS[op] = Operator(build, kind, how, mixes, entries, infinities, recognised)
        return build

    return register


affine = partial(_add, "affine")
chemistry = partial(_add, "chemistry")
rearranged = partial(_add, "data movement", infinities=True)


def moved(*ops: str, mixes: bool = False) -> Callable[[Move], Move]:
    """Registers a function that moves the elements of any array, of wires as of constants."""

    def register(move: Move) -> Move:
        def build(graph: WireGraph, node: OpNode) -> Value:
            del graph
            first = node.input(0)
            if isinstance(first, Signal):
                return Signal(move(first.wires, node))
            return move(node.constant(0, "first input"), node)

        build.__doc__ = move.__doc__
        rearranged(*ops, mixes=mixes)(build)
        return move

    return register


def is_real(values: Constant) -> bool:
    """True for floating-point numbers of any width."""
    return values.dtype.kind == "f" or (
        values.dtype.kind == "V" and helper.np_dtype_to_tensor_dtype(values.dtype) in FLOAT_TYPES
    )


def widened(value: Value) -> Value:
    """Real constants in double precision, as operators compute with them; all else as it is."""
    return value.astype(np.float64) if isinstance(value, np.ndarray) and is_real(value) else value
