"""A model as it was found: its bytes, and what is wanted of it."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from nn2crn.errors import UsageError
from nn2crn.files.reading import read_file, refuse_longer
from nn2crn.ir.network import Network
from nn2crn.templates.registry import Library

_CHUNK = 1 << 20  # bytes read at a time
_MODELS = "give a path, bytes, a file open in binary, an onnx.ModelProto, or a model of PyTorch, Keras or scikit-learn"
_UNNAMED = "model"  # what a model without a file is called


@dataclass(frozen=True)
class ModelFile:
    """A model as it was found: its bytes, a path for messages and names, and the folder of files it refers to."""

    path: Path
    data: bytes
    folder: Path = Path()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def is_text(self) -> bool:
        """True for the network language: .nn by name, or, from a pipe, free of control characters."""
        if self.path.suffix in (".onnx", ".nn", ".npz"):
            return self.path.suffix == ".nn"
        return bool(self.data) and not any(b < 9 or 13 < b < 32 for b in self.data[:4096])  # noqa: PLR2004  # ASCII controls


@dataclass(frozen=True)
class Request:
    """The request for a model.

    Attributes:
        outputs: by name; all if empty.
        logits: leave out a softmax or sigmoid at the very end.
        library: the templates.
        settle_loops: an ONNX Loop stands for the limit of its steps.
        domain: bounds of inputs by name, "" for all others, for what is said of that limit.
    """

    outputs: tuple[str, ...] = ()
    logits: bool = False
    library: Library = field(default_factory=Library)
    settle_loops: bool = False
    domain: Mapping[str, tuple[float, float]] = field(default_factory=dict)


class Readable(Protocol):
    """An open file, in binary."""

    def read(self) -> bytes: ...


class Serialisable(Protocol):
    """A message of protocol buffers, such as onnx.ModelProto."""

    def SerializeToString(self) -> bytes: ...  # noqa: N802  # the name they have


Model = str | Path | bytes | Readable | Serialisable
"""A model: the path of a file, its bytes, the open file, or an onnx.ModelProto."""


class Reader(Protocol):
    """A front end: reads what is wanted of a model."""

    def __call__(self, model: ModelFile, request: Request) -> Network: ...


def open_model(model: Model) -> ModelFile:
    """Reads a file, or standard input for `-`; or takes the bytes of one.

    Raises:
        UsageError: it cannot be read, is not a regular file, or its suffix is not a model's; or it is not a model.
        SizeError: it is larger than memory.
    """
    if not isinstance(model, str | Path):
        return ModelFile(Path(_UNNAMED), _bytes(model))
    path = Path(model)
    if str(path) == "-":
        if sys.stdin is None:
            raise UsageError("cannot read standard input: it is closed")
        return ModelFile(Path("stdin"), _bounded(sys.stdin.buffer, "standard input"))
    if path.suffix not in (".onnx", ".nn", ".npz"):
        raise _no_model(path)
    return ModelFile(_as_text(path), read_file(path), path.parent)


def _no_model(path: Path) -> UsageError:
    """The error that says what to do with a file whose suffix is not a model's."""
    with suppress(OSError):  # as of a name that is too long
        if path.is_dir():
            return UsageError(f"{path} is a folder", hint=f"give the models in it, as {path}/*.onnx")
    if path.suffix in (".pt", ".pth"):
        what = "PyTorch's own files cannot be read without the module's code"
        how = "nn2crn.load(module, example), or torch.onnx.export(module, (example,), 'net.onnx')"
        return UsageError(f"{path}: {what}", hint=f"in Python: {how}")
    what = "a model is an .onnx or a .nn file, or an .npz with W, V and b"
    return UsageError(f"{path}: {what}", hint="export it to ONNX, or write it as .nn")


def _bytes(model: Model) -> bytes:
    if isinstance(model, bytes | bytearray | memoryview):
        return bytes(model)
    if hasattr(model, "SerializeToString"):
        return bytes(model.SerializeToString())
    data = model.read() if hasattr(model, "read") else None
    if not isinstance(data, bytes):
        kind = "a file that is open as text" if isinstance(data, str) else f"a {type(model).__name__}"
        raise UsageError(f"{kind} is not a model", hint=_MODELS)
    return data


def _as_text(path: Path) -> Path:
    """The path with what is no text in it replaced: names are made of it, and files must hold them."""
    return Path(str(path).encode(errors="replace").decode())


def _bounded(file: BinaryIO, what: str) -> bytes:
    """All that there is, unless it has no end, as a pipe may have none."""
    data = bytearray()
    while chunk := file.read(_CHUNK):
        data += chunk
        refuse_longer(len(data), what)
    return bytes(data)
