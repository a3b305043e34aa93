"""Continuous piecewise linear activations as functions of two slopes; everything else is refused.

What reactions compute whatever their rates are is exactly the continuous piecewise rational-linear functions (Chen,
Doty, Reeves, Soloveichik, arXiv:2107.13681).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from scipy import sparse

from nn2crn.errors import Problem, UnsupportedError
from nn2crn.ir.arrays import floats
from nn2crn.ir.network import Activation, Affine, Feedback, Network, Node, Term, fresh
from nn2crn.passes.network.compose import compose
from nn2crn.templates.registry import Library

TWO_SLOPES = ("relu", "leaky_relu", "prelu", "abs")
_JUMPS = ("step", "sign", "winner_take_all")  # and whatever else is not continuous
_PROBABILITIES = ("softmax", "sigmoid")  # which --logits leaves out at the end of a network


def expand_piecewise(network: Network, library: Library) -> Network:
    """clip(x, low, high)  ->  low + relu(x - low) - relu(x - high), and so on until each function has two slopes.

    >>> import numpy as np
    >>> from nn2crn.ir.network import Input, Output
    >>> net = Network("net", (Input("x", (1,)), Activation("y", "relu6", ("x",), 1)), (Output("y", "y", (1,)),))
    >>> [n.function for n in expand_piecewise(net, Library()).activations()]
    ['relu', 'relu']

    Raises:
        UnsupportedError: an activation is not continuous, or not piecewise linear; all of them are listed.
    """
    return _Expansion(network, library).network()


class _Expansion:
    def __init__(self, network: Network, library: Library) -> None:
        self.original, self.library = network, library
        self.problems: list[Problem] = []
        self.names = {n.layer_name for n in network.nodes if isinstance(n, Activation | Affine)}

    def network(self) -> Network:
        nodes = tuple(part for node in self.original.nodes for part in self._whole(node))
        if self.problems:
            raise UnsupportedError(
                f"{self.original.name}: the rate-independent encoding computes continuous piecewise linear functions"
                " only",
                problems=tuple(self.problems),
                hint=self._remedy(),
            )
        return self.original.replace(nodes=nodes)

    def _remedy(self) -> str:
        ends = {o.source for o in self.original.outputs}
        last = [n.name for n in self.original.activations() if n.function in _PROBABILITIES]
        if last and set(last) <= ends and len(last) == len(self.problems):
            return "--logits leaves out a softmax or sigmoid at the very end: the largest logit is the class"
        return "train with relu, leaky_relu, abs, min, max, clip or hard_tanh; or leave out --encoding rate-independent"

    def _whole(self, node: Node) -> Iterator[Node]:
        """The parts of a node of the network; a problem is one of the whole."""
        if isinstance(node, Feedback):
            self.problems.append(Problem(node.origin or node.name, "feedback", "what is consumed does not come back"))
        if not isinstance(node, Activation):
            yield node
            return
        parts = list(self._parts(node))
        wrong = next((p for p in parts if isinstance(p, Activation) and p.function not in TWO_SLOPES), None)
        if wrong is None:
            yield from parts
        else:
            self.problems.append(Problem(node.origin or node.layer_name, node.function, _reason(node, wrong)))

    def _parts(self, node: Activation) -> Iterator[Node]:
        if node.function == "identity":
            eye = sparse.eye_array(node.size).tocsr()
            yield Affine(node.name, (Term(node.sources[0], eye),), floats([0.0] * node.size), node.origin, node.layer)
            return
        template = self.library.get(node.template or node.function)
        if node.function in TWO_SLOPES or template.compose is None:
            yield node
            return
        settings = template.values(node.settings)
        for part in compose(node, template, settings, self.library, self.original.by_name):
            yield from self._parts(self._named(part)) if isinstance(part, Activation) else (part,)

    def _named(self, part: Activation) -> Activation:
        """The part as `layer2.relu`, after the layer that the user knows."""
        named = replace(part, layer=fresh(f"{part.within}.{part.function}", self.names))
        self.names.add(named.layer)
        return named


def _reason(node: Activation, wrong: Activation) -> str:
    if node.function in _JUMPS:
        return "it is not continuous"
    if wrong.function in ("product", "division", "square"):
        return "it multiplies or divides signals"
    return "it is not piecewise linear"
