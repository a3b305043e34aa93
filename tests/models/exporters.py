"""What real exporters write: is it right against the framework itself, or refused, and why?

python tests/models/exporters.py [torch] [keras] [sklearn]
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import nn2crn
from nn2crn.analysis.forward import forward
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.steady_state.closed_form import fixed_point
from nn2crn.errors import UnsupportedError

ROUNDING = 2e-5  # of single precision, relative to the largest value
CHEMISTRY = 0.05  # of the templates' default parameters, through a few layers
FRAMEWORKS = ("torch", "keras", "sklearn")
RIGHT, REFUSED, WRONG = "right", "refused", "wrong"


@dataclass(frozen=True)
class Outcome:
    """How an exported model fared."""

    name: str
    kind: str
    reason: str = ""


def outcome(name, path, feeds, expected):
    """Right if the forward pass and the fixed point of the chemistry are the framework's own values."""
    try:
        network = nn2crn.load(path)
        if any("apply log_softmax" in r for r in network.remarks):
            expected = np.exp(expected)  # of which the logits are compared
        crn = nn2crn.compile(network)
    except UnsupportedError as e:
        return Outcome(name, REFUSED, " ".join(str(e).replace(str(path), "").split()))
    rows = {i.name: v.reshape(len(v), -1) for i, v in zip(network.inputs, feeds.values(), strict=True)}
    found = forward(network, rows, nn2crn.Library())
    settled = read_outputs(crn, fixed_point(crn, rows))
    output = network.outputs[-1]
    pairs = ((found[output.source], ROUNDING), (settled[output.name], CHEMISTRY))
    wanted = expected.reshape(len(expected), -1)
    for value, tolerance in pairs:
        if any("apply log_softmax" in r for r in network.remarks):
            value = np.exp(value) / np.exp(value).sum(axis=-1, keepdims=True)  # noqa: PLW2901
        error = np.abs(value - wanted).max() if value.shape == wanted.shape else np.inf
        if not error <= tolerance * max(1, np.abs(wanted).max()):
            return Outcome(name, WRONG, f"by {error:.2g}, {value.shape} for {wanted.shape}")
    return Outcome(name, RIGHT)


def outcomes(framework, folder):
    """Of every model of a framework."""
    made = importlib.import_module(f"exports_{framework}")
    for name in made.NETS:
        for path in getattr(made, "PATHS", ("",)):
            title = f"{name} {path}".strip()
            try:
                exported = made.exported(name, *filter(None, (path,)), folder)
            except Exception as e:  # noqa: BLE001  # an exporter may fail in any way
                yield Outcome(title, "not exported", f"{type(e).__name__}: {' '.join(str(e).split())[:150]}")
                continue
            try:
                yield outcome(title, *exported)
            except Exception as e:  # noqa: BLE001  # whatever it is, it is a failure of this model
                yield Outcome(title, WRONG, f"{type(e).__name__}: {' '.join(str(e).split())[:300]}")


def main(frameworks):
    """Prints what is not right, and the counts."""
    for framework in frameworks:
        with tempfile.TemporaryDirectory() as folder:
            results = list(outcomes(framework, Path(folder)))
        for result in results:
            if result.kind != RIGHT:
                print(f"{framework}: {result.name}: {result.kind}: {result.reason}")  # noqa: T201
        print(f"{framework}: {dict(Counter(r.kind for r in results))}")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:] or FRAMEWORKS)
