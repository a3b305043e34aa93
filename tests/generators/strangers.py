"""Templates that nobody vouches for, and small nets made of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nn2crn.certificates.certificate import Subject, subject
from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term
from nn2crn.templates import Library
from nn2crn.templates.gadget import Gadget, instantiate
from nn2crn.templates.options import Options
from nn2crn.templates.parse import parse_template
from nn2crn.templates.template import Template

Box = tuple[float, float]


def smoothed_relu(name: str) -> str:
    """The text of a user's template of that name, by the reactions of relu.anderson2021."""
    return f"""template {name} for {name.split(".", maxsplit=1)[0]}
  function = max(u, 0)
  parameter h = 1e-6 in (0, 1] accuracy from 0.1 to 1e-12
  range u in [-20, 20]
  0       -> Y            @ h
  U+ + Y  -> U+ + 2 Y     @ 1
  U- + Y  -> U-           @ 1
  2 Y     -> Y            @ 1
  output Y
  initial Y = 0.001
  fixed point Y = (u + sqrt(u^2 + 4*h))/2
  error <= sqrt(h)
  rate >= sqrt(u^2 + 4*h)
  stability global
"""


class Trusting(Library):
    """Compiles templates without looking at what they state: the prover relies on their reactions alone."""

    def gadget(
        self, name: str, settings: Mapping[str, float], attributes: Mapping[str, float | np.ndarray] | None = None
    ) -> Gadget:
        del attributes
        return instantiate(self.get(name), settings)


def template(
    reactions: str, *, name: str = "odd.one", function: str = "u", settle: str = "", more: str = ""
) -> Template:
    """A template of these reactions; `settle` states fixed points, `more` anything else."""
    head = f"template {name} for {name.split('.', maxsplit=1)[0]}\n  function = {function}"
    text = f"{head}\n{more}\n{reactions}\n{settle}\n"
    if "compose" not in reactions:
        text += "  rate >= 0\n  stability global\n"
    return parse_template(text + ("" if "error" in more else "  error <= 1000\n"), f"{name}.act")


def net(
    made: Template, weights: np.ndarray, *, box: Box = (-1.0, 1.0), attributes: Mapping[str, float] | None = None
) -> Network:
    """Inputs in a box, and one neuron of the template, whose drives are the rows of `weights` (drives, inputs)."""
    rows = np.atleast_2d(weights)
    nodes: list[Input | Affine | Activation] = [Input("x", (rows.shape[1],), *box)]
    drives = [f"u{i}" for i in range(len(made.drives))]
    width = len(rows) if made.vector else 1
    if made.vector:
        nodes.append(Affine("u0", (Term("x", rows),), np.zeros(width)))
    else:
        nodes += [Affine(d, (Term("x", rows[i : i + 1]),), np.zeros(1)) for i, d in enumerate(drives)]
    given = {k: np.asarray(v, dtype=float) for k, v in (attributes or {}).items()}
    nodes.append(Activation("h", made.activation, tuple(drives), width, given, made.name, width=width))
    return Network("net", tuple(nodes), (Output("y", "h", (width,)),))


def given(made: Template, weights: np.ndarray | None = None, *, box: Box = (-1.0, 1.0)) -> Subject:
    """The net of a template, compiled."""
    w = np.eye(len(made.drives)) if weights is None else weights
    library = Library() if made.shipped else Trusting((made,))
    return subject(net(made, w, box=box), Options(library=library))
