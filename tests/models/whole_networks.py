"""Random networks of whole weights, of the functions that rate-independent chemistry computes, and what they are."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from nn2crn.engines.extents import Extents
from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term
from nn2crn.passes.network.rate_independent.whole_weights import whole_form

HOMOGENEOUS = ("relu", "leaky_relu", "prelu", "abs", "min", "max", "linear")
SHIFTED = ("clip", "relu6", "hard_tanh", "hard_sigmoid")


def random_network(seed, depth=None):
    """Whole weights times a step, skips, all functions; of an even seed, nothing is there before the inputs."""
    rng = np.random.default_rng(seed)
    homogeneous = seed % 2 == 0
    size = int(rng.integers(1, 5))
    low = 0.0 if rng.random() < 0.3 else -4.0
    nodes = [Input("x", (size,), low, 4.0)]
    last = "x"
    for k in range(depth or int(rng.integers(1, 7))):
        wide = int(rng.integers(1, 5))
        sources = [last] + ["x"] * (last != "x" and rng.random() < 0.3)
        sizes = {n.name: n.size for n in nodes}
        step = float(rng.choice([1.0, 0.5, 0.3, 0.0123]))
        function = str(rng.choice([*HOMOGENEOUS, *(() if homogeneous else SHIFTED)]))
        terms = [Term(s, rng.integers(-3, 4, (wide, sizes[s])) * step) for s in sources]
        nodes.append(Affine(f"u{k}", tuple(terms), rng.integers(-3, 4, wide) * step * (not homogeneous)))
        given = (f"u{k}",)
        if function in ("min", "max"):
            other = rng.integers(-3, 4, (wide, sizes[last])) * step
            nodes.append(Affine(f"v{k}", (Term(last, other),), np.zeros(wide)))
            given = (f"u{k}", f"v{k}")
        attributes = {
            "leaky_relu": {"alpha": np.float64(0.1)},
            "prelu": {"alpha": rng.choice([-0.75, 0.25, 0.0, 1.0, 0.01], wide)},
        }.get(function, {})
        if function == "linear":
            last = f"u{k}"
            continue
        nodes.append(Activation(f"h{k}", function, given, wide, attributes))
        last = f"h{k}"
    sizes = {n.name: n.size for n in nodes}
    return Network("net", tuple(nodes), (Output("y", last, (sizes[last],)),))


def whole_network(network, x):
    """Amounts of each node, in fractions, read from its whole form: nothing that the chemistry is made by."""
    form = whole_form(network)
    amounts = {}
    for node in network.nodes:
        if isinstance(node, Input):
            amounts[node.name] = [Fraction(float(v)) for v in x]
        elif isinstance(node, Affine):
            layer = form.layers[node.name]
            total = [Fraction(float(b)) for b in layer.bias]
            for source, weights in layer.weights:
                for i, row in enumerate(weights.toarray().tolist()):
                    total[i] += sum(w * a for w, a in zip(row, amounts[source], strict=True))
            amounts[node.name] = total
        else:
            above, below = form.slopes[node.name]
            drive = amounts[node.sources[0]]
            amounts[node.name] = [u * int(a if u > 0 else b) for u, a, b in zip(drive, above, below, strict=True)]
    return amounts


def rails(network, x):
    """What there is of both rails of each drive, by activation, in units of the whole form, (samples, size) each."""
    form, found, drives = whole_form(network), {}, {}
    for node in network.nodes:
        if isinstance(node, Input):
            found[node.name] = np.maximum(x, 0), np.maximum(-x, 0)
        elif isinstance(node, Affine):
            layer = form.layers[node.name]
            sums = [np.tile(np.maximum(sign * layer.bias, 0), (len(x), 1)) for sign in (1, -1)]
            for source, weights in layer.weights:
                for rail, signal in zip((1, -1), found[source], strict=True):
                    for i, sign in enumerate((1, -1)):
                        sums[i] += signal @ np.maximum(sign * rail * weights.toarray(), 0).T
            found[node.name] = tuple(sums)
        else:
            above, below = form.slopes[node.name]
            drives[node.name] = plus, minus = found[node.sources[0]]
            made = ((above, plus), (-below, minus), (below - above, np.minimum(plus, minus)))
            found[node.name] = tuple(sum(np.maximum(sign * c, 0) * a for c, a in made) for sign in (1, -1))
    return drives


def exactly(reactions, x):
    """What the exact engine leaves of the output's species, in fractions."""
    start = np.array([Fraction(float(v)) for v in reactions.initial], dtype=object)
    given = {reactions.inputs[0].name: np.array([[Fraction(float(v)) for v in x]], dtype=object)}
    end = Extents(reactions).run(given, start)[0]
    (plus, _), (minus, _) = reactions.outputs[0].readout.terms
    return (end[plus] - end[minus]).tolist()
