"""What must not be there, counted: objects per reaction, memory that grows with reactions, imports nobody needs."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from nets import random_mlp

import nn2crn
from nn2crn.engines.cvode.internal import Internal
from nn2crn.ir.families.family import Reaction
from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term

XOR = Path(__file__).parents[2] / "samples" / "xor" / "xor.nn"


def test_no_object_is_made_per_reaction(monkeypatch, tmp_path):
    def refuse(*_, **__):
        raise AssertionError("a Reaction was made")

    monkeypatch.setattr(Reaction, "__init__", refuse)
    network = nn2crn.compile(random_mlp([5, 8, 3], 0).network())
    for suffix in (".xml", ".xml.gz", ".ant", ".npz", ".tex"):
        nn2crn.write(network, tmp_path / f"net{suffix}")
    Internal(network).settle({"x": np.zeros((2, 5))})


def layer(size: int) -> Network:
    """A layer of which all weights are 1/2 or -1/2, so that there are few distinct rate constants."""
    weight = np.where(np.random.default_rng(0).uniform(size=(size, size)) < 0.5, 0.5, -0.5)
    nodes = (
        Input("x", (size,), 0.0, 1.0),
        Affine("u", (Term("x", weight),), np.zeros(size)),
        Activation("y", "relu", ("u",), size),
    )
    return Network("layer", nodes, (Output("y", "y", (size,)),))


@pytest.mark.slow
@pytest.mark.parametrize("to", ["sbml", "antimony"])
def test_memory_of_a_writer_does_not_grow_with_the_reactions(to):
    peaks = []
    for size in (100, 250, 800):  # 10 000, 62 500 and 640 000 reactions; the second fills a chunk
        network = nn2crn.compile(layer(size))
        tracemalloc.start()
        nn2crn.write(network, os.devnull, to=to)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < 1.5 * peaks[1]


NEVER = (
    "sympy",
    "matplotlib",
    "onnx",
    "onnxruntime",
    "roadrunner",
    "COPASI",
    "libsbml",
    "networkx",
    "sksundae",
    "joblib",
)


def test_compiling_a_text_imports_what_it_needs_only():
    code = (
        "import sys; from nn2crn.cli import cli\n"
        f"cli(['compile', '-q', {str(XOR)!r}, '-o', {os.devnull!r}, '--to', 'sbml'], standalone_mode=False)\n"
        f"print([m for m in {NEVER} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_compressed_text_is_the_text_and_the_same_bytes_each_time(tmp_path):
    import gzip

    network = nn2crn.compile(nn2crn.load(XOR))
    for name in ("a.xml", "b.xml.gz", "c.xml.gz", "d.ant.gz", "e.ant"):
        nn2crn.write(network, tmp_path / name)
    packed = (tmp_path / "b.xml.gz").read_bytes()
    assert packed == (tmp_path / "c.xml.gz").read_bytes()
    assert gzip.decompress(packed) == (tmp_path / "a.xml").read_bytes()
    assert gzip.decompress((tmp_path / "d.ant.gz").read_bytes()) == (tmp_path / "e.ant").read_bytes()
