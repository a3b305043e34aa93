"""Network -> ReactionNetwork: the only module that knows both representations.

The catalytic encoding: a signal is read from concentrations (`Readout`), and an activation is an instance of a
template, whose drive catalysts U+ and U- are replaced by the species that make up the affine map before it. No species
stands for a pre-activation: the template's `U+ + Y -> U+ + 2 Y @ k` becomes one reaction `X_j + Y_i -> X_j + 2 Y_i`
with rate constant k w_ij for each positive weight, and `Y_i -> 2 Y_i` with k b_i for each positive bias.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from scipy import sparse

from nn2crn.errors import TemplateError, UnsupportedError
from nn2crn.ir.arrays import Floats, Ints, floats, scale_columns
from nn2crn.ir.formula import Formula, evaluate
from nn2crn.ir.network import Activation, Affine, Input, Network, Node, Term
from nn2crn.ir.reactions import (
    Drive,
    Driven,
    DriveTerm,
    Family,
    InputPort,
    Module,
    OutputPort,
    ReactionNetwork,
    Readout,
    Role,
    Scheme,
    Side,
    SpeciesBlock,
)
from nn2crn.templates.template import Gadget, GadgetReaction

Choice = Callable[[Activation], Gadget]
CATALYST = "X"


def lower(network: Network, choose: Choice) -> ReactionNetwork:
    """The chemistry of a network whose affine maps are read by activations only.

    Args:
        network: after the passes; see `materialise_affine`.
        choose: the gadget for each activation.

    Raises:
        TemplateError: a template's rate constant is negative for this layer.
    """
    return _Lowering(network, choose).run()


class _Lowering:
    """Builds blocks and modules node by node; everything it returns is immutable."""

    def __init__(self, network: Network, choose: Choice) -> None:
        self.network, self.choose = network, choose
        self.blocks: list[SpeciesBlock] = []
        self.inputs: list[InputPort] = []
        self.modules: list[Module] = []
        self.readouts: dict[str, Readout] = {}
        self.names = _module_names(network)

    def run(self) -> ReactionNetwork:
        for node in self.network.nodes:
            if isinstance(node, Input):
                self.readouts[node.name] = self._input(node)
            elif isinstance(node, Activation):
                self.readouts[node.name] = self._module(node)
        outputs = tuple(OutputPort(o.name, o.shape, self.readouts[o.source]) for o in self.network.outputs)
        return ReactionNetwork(
            self.network.name, tuple(self.blocks), tuple(self.modules), tuple(self.inputs), outputs,
            self.network.remarks, self.network.source,
        )  # fmt: skip

    def _block(self, name: str, rail: str, role: Role, initial: Floats) -> SpeciesBlock:
        start = self.blocks[-1].stop if self.blocks else 0
        block = SpeciesBlock(name, rail, role, start, initial)  # type: ignore[arg-type]  # a rail by the notation
        self.blocks.append(block)
        return block

    def _input(self, node: Input) -> Readout:
        """A non-negative input is one rail; any other has two, of which the larger minus the smaller is read."""
        zeros, ones = np.zeros(node.size), np.ones(node.size)
        plus = self._block(node.name, "" if node.nonnegative else "+", "input", zeros)
        minus = None if node.nonnegative else self._block(node.name, "-", "input", zeros)
        self.inputs.append(InputPort(node.name, node.shape, plus, minus, floats(zeros)))
        terms = [(plus.indices, ones)] + ([(minus.indices, -ones)] if minus else [])
        return Readout(tuple(terms), zeros)

    def _module(self, node: Activation) -> Readout:
        gadget = self.choose(node)
        values: dict[str, float | Floats] = {**gadget.template.attributes, **node.attributes, **gadget.settings}
        name = self.names[node.name]
        role: Role = "output" if any(o.source == node.name for o in self.network.outputs) else "hidden"
        species = {
            symbol: self._block(
                _block_name(name, symbol), symbol[-1] if symbol[-1] in "+-" else "", role,
                _per_neuron(gadget.initial[symbol], values, node) if symbol in gadget.initial else np.zeros(node.size),
            )
            for symbol in gadget.species
        }  # fmt: skip
        drives = {d: self._drive(s) for d, s in zip(gadget.template.drives, node.sources, strict=True)}
        families = tuple(
            f for r in gadget.reactions for f in _families(r, _per_neuron(r.rate, values, node), drives, species, name)
        )
        readout = Readout(
            tuple((species[s].indices, _per_neuron(c, values, node)) for s, c in gadget.readout),
            _per_neuron(gadget.constant, values, node),
        )
        self.modules.append(
            Module(
                name=name,
                activation=node.function,
                template=gadget.template.name,
                size=node.size,
                values=values,
                drives=drives,
                species=species,
                families=families,
                steady=gadget.steady,
                readout=readout,
                origin=node.origin,
            )
        )
        return readout

    def _drive(self, source: str) -> Drive:
        node: Node = self.network.by_name[source]
        if not isinstance(node, Affine):
            node = Affine(source, (Term(source, sparse.eye_array(node.size).tocsr()),), np.zeros(node.size))
        bias = node.bias
        terms: list[DriveTerm] = []
        for t in node.terms:
            readout = self.readouts[t.source]
            bias = bias + t.weight @ readout.constant
            terms += [_drive_term(t, indices, coefficients) for indices, coefficients in readout.terms]
        return Drive(tuple(terms), floats(bias))


def _drive_term(term: Term, sources: Ints, coefficients: Floats) -> DriveTerm:
    """Rails with coefficients 1 or -1 share the layer's own matrix."""
    for sign in (1, -1):
        if np.all(coefficients == sign):
            return DriveTerm(sources, term.weight, sign)
    return DriveTerm(sources, scale_columns(term.weight, coefficients))


def _families(
    reaction: GadgetReaction, rates: Floats, drives: Mapping[str, Drive], species: Mapping[str, SpeciesBlock], name: str
) -> list[Family | Driven]:
    """The families that one reaction of a template becomes over all neurons of a layer."""
    if np.any(rates < 0):
        raise TemplateError(f"{name}: a template's rate constant is negative for this layer's attributes")
    if not reaction.catalysts:
        return _local(reaction.reactants, reaction.products, rates, species, name)
    if len(reaction.catalysts) > 1:
        raise UnsupportedError(f"{name}: templates with two drives in one reaction are not supported")
    (catalyst,) = reaction.catalysts
    left, right = (tuple((s, n) for s, n in side if s != catalyst) for side in (reaction.reactants, reaction.products))
    drive, rail = drives[catalyst[:-1]], 1 if catalyst[-1] == "+" else -1
    sign = "positive" if rail > 0 else "negative"
    scheme = Scheme(((CATALYST, 1), *left), ((CATALYST, 1), *right))
    targets = np.array([species[s].indices for s in scheme.slots[1:]], dtype=np.intp).reshape(-1, len(rates))
    driven = [
        Driven(scheme, t, rail, targets, rates, f"{name}, {sign} drive")  # type: ignore[arg-type]  # rail is 1 or -1
        for t in drive.terms
    ]
    bias = rates * np.maximum(rail * drive.bias, 0.0)
    return [*driven, *_local(left, right, bias, species, f"{name}, {sign} bias")]


def _local(
    left: Side, right: Side, rates: Floats, species: Mapping[str, SpeciesBlock], label: str
) -> list[Family | Driven]:
    """A family over the neurons whose rate constant is not zero."""
    scheme = Scheme(left, right)
    where = np.flatnonzero(rates)
    if not len(where) or left == right:
        return []
    indices = np.array([species[s].start + where for s in scheme.slots], dtype=np.intp)
    return [Family(scheme, indices, rates[where], label)]


def _per_neuron(formula: Formula, values: Mapping[str, float | Floats], node: Activation) -> Floats:
    return floats(np.broadcast_to(evaluate(formula, values), node.size).copy())


def _block_name(module: str, symbol: str) -> str:
    """`layer1` for the species Y of a template, `layer1.E2` for its E[2]; the rail is kept apart."""
    plain = symbol.rstrip("+-").replace("[", "").replace("]", "").replace(",", "_")
    return module if plain == "Y" else f"{module}.{plain}"


def _module_names(network: Network) -> dict[str, str]:
    """Layers are numbered in order; the linear map of an output is named after the output."""
    taken = {n.name for n in network.inputs} | {o.name for o in network.outputs}
    outputs = {o.source: o.name for o in reversed(network.outputs)}
    names: dict[str, str] = {}
    for node in network.activations():
        if node.function == "identity" and node.name in outputs:
            names[node.name] = outputs[node.name]
            continue
        name = f"layer{len(names) + 1}"
        while name in taken:
            name += "'"
        names[node.name] = name
    return names
