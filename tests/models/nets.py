"""Networks that tests are made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from nn2crn.ir.families.matrix import MatrixFamily
from nn2crn.ir.formula import Symbol
from nn2crn.ir.network import Activation, Affine, Feedback, Input, Network, Output, Term
from nn2crn.ir.reactions import ReactionNetwork

H = 1e-6


@dataclass(frozen=True)
class Mlp:
    """A multilayer perceptron with ReLU between its linear layers, and the network built of it."""

    weights: list[np.ndarray]
    biases: list[np.ndarray]
    lower: float | None = None

    def network(self, name: str = "net", input_name: str = "x", output_name: str = "y") -> Network:
        size = self.weights[0].shape[1]
        inner = f" of {input_name} and {output_name}"  # makes a name that is neither
        nodes: list = [Input(input_name, (size,), self.lower, None if self.lower is None else 10.0)]
        for k, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            last = k == len(self.weights) - 1
            nodes.append(Affine(output_name if last else f"u{k}{inner}", (Term(nodes[-1].name, w),), b))
            if not last:
                nodes.append(Activation(f"h{k}{inner}", "relu", (f"u{k}{inner}",), len(b)))
        return Network(name, tuple(nodes), (Output(output_name, output_name, (len(self.biases[-1]),)),))

    def smoothed(self, x: np.ndarray, h: float = H) -> np.ndarray:
        """The forward pass with (u + sqrt(u^2 + 4 h))/2 for ReLU: what the chemistry computes."""
        for k, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = w @ x + b
            if k < len(self.weights) - 1:
                x = (x + np.sqrt(x**2 + 4 * h)) / 2
        return x

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return self.smoothed(x, 0.0)


def random_mlp(sizes: list[int], seed: int = 0, lower: float | None = None) -> Mlp:
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=(b, a)) * np.sqrt(2 / a) for a, b in pairwise(sizes)]
    return Mlp(weights, [rng.normal(size=n) * 0.3 for n in sizes[1:]], lower)


def _numbers(n: int, bound: int) -> st.SearchStrategy[np.ndarray]:
    return st.lists(st.integers(-bound, bound), min_size=n, max_size=n).map(lambda v: np.array(v) / 100)


@st.composite
def mlps(draw: st.DrawFn) -> Mlp:
    """Small nets of one to three linear layers; weights in hundredths, zeros among them."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=2, max_size=4))
    weights = [draw(_numbers(a * b, 200)).reshape(b, a) for a, b in pairwise(sizes)]
    biases = [draw(_numbers(n, 100)) for n in sizes[1:]]
    return Mlp(weights, biases, draw(st.sampled_from([None, 0.0])))


@st.composite
def nets_with_inputs(draw: st.DrawFn) -> tuple[Mlp, np.ndarray]:
    net = draw(mlps())
    x = draw(_numbers(net.weights[0].shape[1], 300))
    return net, x if net.lower is None else np.abs(x)


def recurrent_net(
    w: np.ndarray, v: np.ndarray, b: np.ndarray, function: str = "relu", lower: float | None = 0.0
) -> Network:
    """y = f(V x + W y + b), of an input x in [0, 1], or of either sign."""
    upper = None if lower is None else 1.0
    nodes = (
        Input("x", (v.shape[1],), lower, upper),
        Feedback("before", len(b), "y"),
        Affine("u", (Term("x", v), Term("before", w)), b),
        Activation("y", function, ("u",), len(b), width=len(b) if function == "softmax" else 1),
    )
    return Network("loop", nodes, (Output("y", "y", (len(b),)),))


def contractive(n: int, inputs: int, seed: int = 0, scale: float = 0.8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Random W (n, n), diagonal included, V (n, inputs) and b (n,); `scale` is the Perron root of |W|."""
    rng = np.random.default_rng(seed)
    w = rng.normal(size=(n, n))
    return (
        w * scale / np.abs(np.linalg.eigvals(np.abs(w))).max(),
        rng.normal(size=(n, inputs)),
        rng.normal(size=n) * 0.3,
    )


def ring(network: ReactionNetwork) -> ReactionNetwork:
    """The network with its first layer driven by its last as well: no order is left."""
    first, *middle, last = network.modules
    drives = [f for f in first.families if isinstance(f, MatrixFamily)]
    back = replace(
        drives[0].term, sources=last.species[Symbol("Y", rail="+")].indices[:1], matrix=np.full((first.size, 1), 0.1)
    )
    more = tuple(replace(f, term=back) for f in drives if f.rail > 0)[:1]
    return replace(network, modules=(replace(first, families=(*first.families, *more)), *middle, last))
