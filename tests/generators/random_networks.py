"""Random networks of the package's templates and of strangers', with the corners that proofs trip over."""

from __future__ import annotations

import numpy as np
from random_templates import random_template
from strangers import Trusting

from nn2crn.errors import Nn2crnError
from nn2crn.ir.network import Activation, Affine, Input, Network, Node, Output, Term
from nn2crn.templates import Library
from nn2crn.templates.options import Options
from nn2crn.templates.parse import parse_template

PACKAGE = Library()
ATTRIBUTES = {"low": (-1.0, 1.0), "high": (-0.5, 1.5), "alpha": (0.0, 1.5), "beta": (0.0, 1.0), "gamma": (0.5, 1.5)}


def random_network(rng: np.random.Generator) -> tuple[Network, Options]:
    """One to three layers; zero weights, boxes of no width, outputs twice, and an output that is an input."""
    library = _with_a_stranger(rng)
    low = rng.uniform(-1, 0.5, 2)
    high = low + rng.choice([0.0, 0.3, 1.5], 2)
    nodes: list[Node] = [Input("x", (2,), low, high)]
    names = [n for n in library.names if not n.startswith("winner")]
    for layer in range(rng.integers(1, 4)):
        nodes += _layer(rng, library, names[rng.integers(len(names))], nodes[-1], layer)
    last = nodes[-1]
    outputs = [Output("y", last.name, (last.size,))]
    if rng.uniform() < 0.2:
        outputs.append(Output("again", last.name, (last.size,)))
    if rng.uniform() < 0.2:
        outputs.append(Output("through", "x", (2,)))
    if rng.uniform() < 0.3:
        inner = nodes[rng.integers(1, len(nodes))]
        outputs.append(Output("inner", inner.name, (inner.size,)))
    variants = {"relu": "annihilation"} if rng.uniform() < 0.4 else {}
    used = {n.function for n in nodes if isinstance(n, Activation)}
    return Network("net", tuple(nodes), tuple(outputs)), Options(
        variants={k: v for k, v in variants.items() if k in used and not any("relu." in n for n in used)},
        library=library,
    )


def _with_a_stranger(rng: np.random.Generator) -> Library:
    try:
        return Trusting((parse_template(random_template(rng).text, "odd.one.act"),))
    except Nn2crnError:
        return PACKAGE


def _layer(rng: np.random.Generator, library: Library, name: str, source: Node, number: int) -> list[Node]:
    template = library.get(name)
    size = int(rng.integers(1, 4))
    made: list[Node] = []
    for i, _ in enumerate(template.drives):
        weight = rng.normal(size=(size, source.size)) * rng.choice(
            [0.0, 0.5, 1.0], (size, source.size), p=[0.2, 0.4, 0.4]
        )
        bias = rng.normal(size=size) * rng.choice([0.0, 0.5], size) + (2.5 if i else 0.0)
        made.append(Affine(f"u{number}{i}", (Term(source.name, weight),), bias))
    shape = size if rng.uniform() < 0.5 else ()
    attributes = {
        a: rng.uniform(*ATTRIBUTES.get(a, (0.5, 1.5)), shape) for a in template.attributes if rng.uniform() < 0.7
    }
    count = 1 if template.reduces else size
    width = size if template.vector else 1
    sources = tuple(n.name for n in made)
    return [
        *made,
        Activation(f"h{number}", template.activation, sources, count, attributes, template=name, width=width),
    ]


FUNCTIONS = {
    "relu": ("--relu annihilation", "--set relu.h=1e-7", ""),
    "tanh": ("--set tanh.k=3", ""),
    "sigmoid": ("--activation sigmoid=exact", "--set sigmoid.k=5", ""),
    "gelu": ("--activation gelu=sigmoid", ""),
    "silu": ("--set silu.k=2", ""),
}
SMALLER = ("--prune magnitude:0.5", "--quantize exponential:3", "--prune magnitude:0.3 --quantize linear:3", "", "")


def random_case(rng):
    """A network as text, and options that make sense for it."""
    used = rng.choices(["relu", "tanh", "sigmoid", "gelu"], k=rng.randint(1, 3))
    lines, size, last = ["input x[3] in [-1, 1]"], 3, "x"
    for i, function in enumerate(used):
        rows = rng.randint(2, 4)
        weight = [[round(rng.uniform(-2, 2), 2) for _ in range(size)] for _ in range(rows)]
        drive_ = f"dense({last}, weight = {weight}, bias = {[0.5] * rows})"
        lines.append(f"h{i} = {function}({drive_})")
        if rng.random() < 0.3:
            lines.append(f"dead{i} = relu({last})")
        size, last = rows, f"h{i}"
    lines.append(f"output y = dense({last}, weight = {[[round(rng.uniform(-2, 2), 2) for _ in range(size)]]})")
    options = [rng.choice(FUNCTIONS[f]) for f in dict.fromkeys(used)]
    if rng.random() < 0.3:
        options.append("--set identity.k=2")
    return "\n".join(lines), " ".join(options).split(), rng.choice(SMALLER).split()
