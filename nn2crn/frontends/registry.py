"""Which front end reads a model, and the operators it supports."""

from __future__ import annotations

from dataclasses import dataclass

from nn2crn.frontends.source import ModelFile, Reader


def reader_for(model: ModelFile) -> Reader:
    """The front end for a model."""
    if model.is_text:
        from nn2crn.frontends.nn import reader

        return reader.load
    if model.path.suffix == ".npz":
        from nn2crn.frontends import recurrent

        return recurrent.load
    from nn2crn.frontends.onnx import importer

    return importer.load


@dataclass(frozen=True)
class Operator:
    """An ONNX operator that is supported: what becomes of it, and how."""

    op: str
    kind: str
    how: str


def operators() -> list[Operator]:
    """The table behind `nn2crn ops`, made from the operators' own code."""
    from nn2crn.frontends.onnx import tables

    return [Operator(op, o.kind, o.how) for op, o in sorted(tables.operators().items())]
