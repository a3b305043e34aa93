"""The catalytic encoding: Network -> ReactionNetwork.

A signal is read from concentrations (`Readout`), and an activation is an instance of a
template, whose drive catalysts U+ and U- are replaced by the species that make up the affine map before it. No species
stands for a pre-activation: the template's `U+ + Y -> U+ + 2 Y @ k` becomes one reaction `X_j + Y_i -> X_j + 2 Y_i`
with rate constant k w_ij for each positive weight, and `Y_i -> 2 Y_i` with k b_i for each positive bias.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from scipy import sparse

from nn2crn.engines.steady_state.closed_form import FixedPoint
from nn2crn.ir.arrays import Floats, Ints, floats, scale_columns
from nn2crn.ir.families.matrix import DriveTerm
from nn2crn.ir.formula import Number, Symbol, show
from nn2crn.ir.network import Activation, Affine, Input, Network, Node, Term, fresh
from nn2crn.ir.reactions import (
    Drive,
    InputPort,
    Module,
    OutputPort,
    ReactionNetwork,
    Readout,
    Role,
    SpeciesBlock,
)
from nn2crn.ir.verify.invariant import enabled
from nn2crn.ir.verify.network import verify_lowerable
from nn2crn.lower.encoding import Encoding
from nn2crn.lower.instances import Layer, families_of, repeated
from nn2crn.memory import refuse_larger
from nn2crn.passes.name_layers import name_layers, output_names, port_names, prefixes
from nn2crn.passes.network.choose_templates import choose_templates
from nn2crn.passes.network.drop_dead import drop_dead
from nn2crn.passes.network.expand_compositions import expand_compositions
from nn2crn.passes.network.fuse_affine import fuse_affine
from nn2crn.passes.network.materialise_affine import materialise_affine
from nn2crn.passes.network.share_drives import share_drives
from nn2crn.passes.network.warn_ranges import warn_ranges
from nn2crn.passes.pipeline import Pass
from nn2crn.passes.reactions.drop_idle import drop_idle
from nn2crn.passes.reactions.merge_reactions import merge_reactions
from nn2crn.passes.recipe import recipe
from nn2crn.templates.options import Options
from nn2crn.templates.registry import Library

LOOPS = "the network has loops: that they settle is not proved by compiling; run nn2crn certify"


def lower(network: Network, library: Library) -> ReactionNetwork:
    """The chemistry of a network whose affine maps are read by activations only, each with its template chosen.

    Raises:
        TemplateError: a template's rate constant is negative for this layer, or past double precision; or the template
            is not one of the package's, and is not what it states.
        SizeError: the chemistry takes more memory than is allowed.
        ValueError: an activation has more sources than its template has drives, or fewer.
    """
    if enabled():
        verify_lowerable(network)
    return _Lowering(network, library).run()


class _Lowering:
    """Builds blocks node by node, then modules; everything it returns is immutable."""

    def __init__(self, network: Network, library: Library) -> None:
        self.network, self.library = network, library
        self.blocks: list[SpeciesBlock] = []
        self.inputs: list[InputPort] = []
        self.readouts: dict[str, Readout] = {}
        self.names = module_names(network)
        self.numbers = 0  # that all modules so far hold, beside their weights

    def run(self) -> ReactionNetwork:
        """Species come first: what is fed back is read before the layer that it comes from has its reactions."""
        layers: dict[str, Layer] = {}
        for node in self.network.nodes:
            if isinstance(node, Input):
                self.readouts[node.name] = self._input(node)
            elif isinstance(node, Activation):
                layers[node.name] = layer = self._layer(node)
                self.readouts[node.name] = layer.readout(node.size)
        for feedback in self.network.feedbacks():
            self.readouts[feedback.name] = self.readouts[feedback.source]
        modules = tuple(self._module(node, layers[node.name]) for node in self.network.activations())
        outputs = tuple(OutputPort(o.name, o.shape, self.readouts[o.source]) for o in self.network.outputs)
        return ReactionNetwork(
            self.network.name, tuple(self.blocks), modules, tuple(self.inputs), outputs,
            self._remarks(), self.network.source, CATALYTIC.name, recurrent=self.network.recurrent,
        )  # fmt: skip

    def _remarks(self) -> tuple[str, ...]:
        """A loop may have no steady state, or grow without bound: only certificates look."""
        return (*self.network.remarks, *((LOOPS,) if self.network.recurrent else ()))

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

    def _layer(self, node: Activation) -> Layer:
        """The species of an activation; its drives are not known yet."""
        gadget = self.library.gadget(node.template, node.settings, node.attributes)
        values: dict[str, float | Floats] = {**gadget.template.attributes, **node.attributes, **gadget.settings}
        name = self.names[node.name]
        size = self.network.by_name[node.sources[0]].size
        self.numbers += size * (len(gadget.species) + len(gadget.reactions))
        refuse_larger(self.numbers, f"{node.origin or name}: with the layers before it, the chemistry")
        role: Role = "output" if any(o.source == node.name for o in self.network.outputs) else "hidden"

        def block(symbol: Symbol) -> SpeciesBlock:
            count = size if gadget.per_element(symbol) else size // node.width
            start = repeated(gadget.initial.get(symbol, Number(0.0)), values, count)
            return self._block(block_name(name, symbol), symbol.rail, role, start)

        return Layer(name, gadget, size, node.width, values, {}, {symbol: block(symbol) for symbol in gadget.species})

    def _module(self, node: Activation, bare: Layer) -> Module:
        gadget = bare.gadget
        drives = {d: self._drive(s) for d, s in zip(gadget.template.drives, node.sources, strict=True)}
        layer = replace(bare, drives=drives)
        return Module(
            name=layer.name,
            activation=node.function,
            template=gadget.template.name,
            size=layer.size,
            width=node.width,
            values=layer.values,
            drives=drives,
            species=layer.species,
            families=tuple(f for r in gadget.reactions for f in families_of(r, layer)),
            steady=gadget.steady,
            conserved=gadget.conserved,
            readout=self.readouts[node.name],
            origin=node.origin,
            provenance=gadget.template.provenance,
            node=node.name,
        )

    def _drive(self, source: str) -> Drive:
        node = self.network.by_name[source]
        summands, bias = (node.terms, node.bias) if isinstance(node, Affine) else _itself(node)
        terms: list[DriveTerm] = []
        for t in summands:
            readout = self.readouts[t.source]
            bias = bias + t.weight @ readout.constant
            terms += [_drive_term(t, indices, coefficients) for indices, coefficients in readout.terms]
        return Drive(tuple(terms), floats(bias))


def _itself(node: Node) -> tuple[tuple[Term, ...], Floats]:
    """The terms and the bias of the affine map that does nothing."""
    return (Term(node.name, sparse.eye_array(node.size).tocsr()),), np.zeros(node.size)


def _drive_term(term: Term, sources: Ints, coefficients: Floats) -> DriveTerm:
    """Rails with coefficients 1 or -1 share the layer's own matrix."""
    for sign in (1, -1):
        if np.all(coefficients == sign):
            return DriveTerm(sources, term.weight, sign)
    return DriveTerm(sources, scale_columns(term.weight, coefficients))


def block_name(module: str, symbol: Symbol) -> str:
    """`layer1` for the species Y of a template, `layer1.E2` for its E[2] or E[i,2]; the rail is kept apart."""
    plain = symbol.name + "_".join(map(show, symbol.index[1:] if symbol.element else symbol.index))
    return module if plain == "Y" else f"{module}.{plain}"


def module_names(network: Network) -> dict[str, str]:
    """Modules have the names of their layers, a linear output that of the output; primes tell equal ones apart."""
    network, outputs = name_layers(network), output_names(network)
    own = {n.name: outputs[n.name] for n in network.activations() if n.function == "identity" and n.name in outputs}
    given = port_names(network).union(*map(prefixes, own.values()))
    names: dict[str, str] = {}
    for node in network.activations():
        names[node.name] = own[node.name] if node.name in own else fresh(node.layer_name, given)
        given.update(prefixes(names[node.name]))
    return names


def _passes(options: Options) -> tuple[Pass, ...]:
    return (
        drop_dead,
        fuse_affine,
        drop_dead,
        name_layers,
        partial(warn_ranges, options=options),
        partial(expand_compositions, options=options),
        fuse_affine,
        drop_dead,
        partial(share_drives, options=options),
        materialise_affine,
        partial(choose_templates, options=options),
    )


CATALYTIC = Encoding(
    name="catalytic",
    summary="a signal is read from species that are held or settle; what they drive leaves them as they are",
    passes=_passes,
    lowerable=verify_lowerable,
    needs=("materialise_affine", "choose_templates"),
    rounds_weights=False,  # a composition may be off, which is the chemistry's error
    lower=lambda network, options: lower(network, options.library),
    reaction_passes=lambda _: (merge_reactions, drop_idle),
    folds_inputs=lambda _: False,
    recipe=recipe,
    steady_state=FixedPoint,
)
