"""Network -> ReactionNetwork whose reactions all come to an end, at the answer.

A signal is the difference of two species, which start as its value or are made so, and are consumed by what reads
them; what is left at the end is the answer, whatever the rate constants, and the rate laws (Vasic, Chalk, Luchsinger,
Khurshid, Soloveichik, ICML 2020 and PNAS 2022, doi:10.1073/pnas.2111552119). With whole weights Q (whole_weights.py),

    X+ -> sum of |Q_i| U_i+ or U_i-        fan-out, and X- likewise with the rails exchanged
    U+ -> M + a Y+                         a function of slopes a above zero
    U- -> N - b Y+                         and b below it
    M + N -> (b - a) Y+                    what both have made too much of, where u+ and u- meet

where a negative number of Y+ is as many Y-. If a is 0, M is U+ itself, and if b is 0, N is U-, so a ReLU is

    U+ -> M + Y+,    M + U- -> Y-

Biases are the amounts that U starts with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from nn2crn.ir.arrays import Floats, Ints, floats
from nn2crn.ir.families.family import Side
from nn2crn.ir.families.product import Counts, ProductFamily, as_counts
from nn2crn.ir.formula import Symbol
from nn2crn.ir.network import Activation, Affine, Input, Network
from nn2crn.ir.reactions import InputPort, Module, OutputPort, ReactionNetwork, Readout, Role, SpeciesBlock
from nn2crn.lower.catalytic import block_name, module_names
from nn2crn.memory import refuse_larger
from nn2crn.passes.network.rate_independent.whole_weights import WholeForm, whole_form

NAME = "rate-independent"  # the encoding: rate_independent.py
_RATE = 1.0  # of every reaction: any other does as well
_LEFT = (("A", 1),)
_PAIR = (("A", 1), ("B", 1))


@dataclass(frozen=True)
class Rails:
    """The two species of each element of a signal; an input that cannot be negative has no second."""

    plus: SpeciesBlock
    minus: SpeciesBlock | None


@dataclass
class _Layer:
    """A node with species: what it is fed by, and what is read from it."""

    name: str
    node: Input | Activation
    drive: Rails
    signal: Rails
    own: dict[Symbol, SpeciesBlock] = field(default_factory=dict)
    readers: list[tuple[Rails, Counts]] = field(default_factory=list)  # drives, and weights (n_out, n)


def lower(network: Network) -> ReactionNetwork:
    """The chemistry of a network of two slopes each, whose affine maps are read by activations only.

    Raises:
        SizeError: the chemistry takes more memory than is allowed.
    """
    return _Lowering(network).run()


class _Lowering:
    """Species first, since reactions name those of later layers; then reactions, layer by layer."""

    def __init__(self, network: Network) -> None:
        self.network, self.form = network, whole_form(network)
        self.names = module_names(network)
        self.outputs = {o.source for o in network.outputs}
        self.blocks: list[SpeciesBlock] = []
        self.layers: dict[str, _Layer] = {}

    def run(self) -> ReactionNetwork:
        inputs = []
        for node in self.network.nodes:
            if isinstance(node, Input):
                inputs.append(self._input(node))
            elif isinstance(node, Activation):
                self._activation(node)
        modules = tuple(self._module(layer) for layer in self.layers.values() if isinstance(layer.node, Activation))
        readouts = {m.node: m.readout for m in modules if m.node}
        return ReactionNetwork(
            self.network.name,
            tuple(self.blocks),
            modules,
            tuple(inputs),
            tuple(OutputPort(o.name, o.shape, readouts[o.source]) for o in self.network.outputs),
            self.network.remarks,
            self.network.source,
            NAME,
        )

    def _block(self, name: str, rail: str, role: Role, initial: Floats) -> SpeciesBlock:
        start = self.blocks[-1].stop if self.blocks else 0
        block = SpeciesBlock(name, rail, role, start, floats(initial))  # type: ignore[arg-type]  # a rail by the notation
        self.blocks.append(block)
        return block

    def _input(self, node: Input) -> InputPort:
        zeros = np.zeros(node.size)
        plus = self._block(node.name, "" if node.nonnegative else "+", "input", zeros)
        minus = None if node.nonnegative else self._block(node.name, "-", "input", zeros)
        rails = Rails(plus, minus)
        self.layers[node.name] = _Layer(node.name, node, rails, rails)
        return InputPort(node.name, node.shape, plus, minus, floats(zeros), held=False)

    def _activation(self, node: Activation) -> None:
        """The species of its drive, of what meets, and of its signal; and its weights, for those that it reads."""
        name, own = self.names[node.name], {}
        role: Role = "output" if node.name in self.outputs else "hidden"

        def pair(symbol: str, bias: Floats) -> Rails:
            made = []
            for rail, amount in (("+", np.maximum(bias, 0.0)), ("-", np.maximum(-bias, 0.0))):
                key = Symbol(symbol, (), rail)
                own[key] = made_block = self._block(block_name(name, key), rail, role, amount)
                made.append(made_block)
            return Rails(*made)

        weights, bias = self._drive(node.sources[0])
        linear = node.function == "identity"
        drive = pair("Y" if linear else "U", bias)
        above, below = self.form.slopes[node.name]
        if not linear:
            for symbol in ["M"] * bool(above.any()) + ["N"] * bool(below.any()):
                key = Symbol(symbol)
                own[key] = self._block(block_name(name, key), "", role, np.zeros(node.size))
        signal = drive if linear else pair("Y", np.zeros(node.size))
        self.layers[node.name] = _Layer(name, node, drive, signal, own)
        for source, counts in weights:
            self.layers[source].readers.append((drive, counts))

    def _drive(self, source: str) -> tuple[tuple[tuple[str, Counts], ...], Floats]:
        """Whole weights by source, and biases, of what an activation responds to."""
        node = self.network.by_name[source]
        if isinstance(node, Affine):
            whole = self.form.layers[source]
            return whole.weights, whole.bias
        return ((source, as_counts(sparse.eye_array(node.size))),), np.zeros(node.size)

    def _module(self, layer: _Layer) -> Module:
        """The reactions that feed it, unless an earlier layer has them, and its own."""
        node, name = layer.node, layer.name
        assert isinstance(node, Activation)  # noqa: S101  # as the caller says
        fed = [s for s in self.layers.values() if s.readers and s.readers[0][0] is layer.drive]
        families = [*(f for source in fed for f in self._fan_out(source)), *self._gadget(layer)]
        refuse_larger(sum(f.products.nnz for f in families), f"{node.origin or name}: the products of its reactions")
        read = node.name in self.outputs
        return Module(
            name=name,
            activation=node.function,
            template=f"{node.function}.two_slopes",
            size=node.size,
            values={},
            drives={},
            species=layer.own,
            families=tuple(f for f in families if f.count),
            steady=(),
            readout=self._readout(layer) if read else Readout((), np.zeros(node.size)),
            origin=node.origin,
            node=node.name if read else "",
            weights=_weights(node, self.form),
        )

    def _readout(self, layer: _Layer) -> Readout:
        scale, rails = self.form.scales[layer.node.name], layer.signal
        assert rails.minus is not None  # noqa: S101  # only inputs have one rail
        terms = ((rails.plus.indices, scale), (rails.minus.indices, -scale))
        return Readout(terms, np.zeros(layer.node.size))

    def _gadget(self, layer: _Layer) -> Iterator[ProductFamily]:
        """The two slopes."""
        node, own, plus, minus = layer.node, layer.own, layer.drive.plus, layer.drive.minus
        if not isinstance(node, Activation) or node.function == "identity" or minus is None:
            return
        above, below = self.form.slopes[node.name]
        m, n = own.get(Symbol("M"), plus), own.get(Symbol("N"), minus)
        for side, made, slopes, sign in ((plus, m, above, "positive"), (minus, n, -below, "negative")):
            if made is not side:
                products = self._unit(made) + self._signed(slopes, layer.signal)
                yield self._family(_LEFT, [side.indices], products, f"{layer.name}, {sign} drive")
        products = self._signed(below - above, layer.signal)
        yield self._family(_PAIR, [m.indices, n.indices], products, f"{layer.name}, drives that meet")

    def _fan_out(self, layer: _Layer) -> Iterator[ProductFamily]:
        """Return the products of each rail of a signal in the layers that read it."""
        if layer.readers:
            for sign, block in ((1, layer.signal.plus), (-1, layer.signal.minus)):
                if block is not None:
                    products = sum(
                        (_placed(sign * weights, drive, self._count) for drive, weights in layer.readers),
                        start=as_counts(sparse.csr_array((block.size, self._count))),
                    )
                    rail = {1: "positive", -1: "negative"}[sign]
                    yield self._family(_LEFT, [block.indices], products, f"{layer.name}, {rail} rail")

    @property
    def _count(self) -> int:
        return self.blocks[-1].stop

    def _unit(self, block: SpeciesBlock) -> Counts:
        """Return one molecule of each of the block's species (size, species)."""
        return _placed(as_counts(sparse.eye_array(block.size)), Rails(block, None), self._count)

    def _signed(self, numbers: Ints, signal: Rails) -> Counts:
        """Return these numbers of the signal's species, negative ones on its other rail (size, species)."""
        return _placed(as_counts(sparse.diags_array(numbers, dtype=np.int64)), signal, self._count)

    def _family(self, left: Side, species: list[Ints], products: object, label: str) -> ProductFamily:
        """Return the reactions that have products: a species that nothing reads stays."""
        made = as_counts(products)
        rows = np.flatnonzero(np.diff(made.indptr))
        return ProductFamily(left, np.array(species), made, np.full(made.shape[0], _RATE), label).rows(rows)


def _placed(weights: Counts, drive: Rails, count: int) -> Counts:
    """|weights| (n_out, n) as products of each source: positive ones on one rail, negative on the other (n, count)."""
    entries = sparse.coo_array(weights)
    target, source = entries.coords
    minus = drive.minus.start if drive.minus else drive.plus.start
    where = target + np.where(entries.data > 0, drive.plus.start, minus)
    return as_counts(sparse.coo_array((np.abs(entries.data), (source, where)), shape=(weights.shape[1], count)))


def _weights(node: Activation, form: WholeForm) -> int:
    """Return the number of weights and biases of the layer."""
    if node.sources[0] not in form.layers:
        return 0
    layer = form.layers[node.sources[0]]
    return sum(w.nnz for _, w in layer.weights) + int(np.count_nonzero(layer.bias))
