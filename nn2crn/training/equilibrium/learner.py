"""A network that learns as chemistry: equilibrium propagation by reactions of order two, without a clock. Experimental.

A free copy Y of the neurons and a nudged copy Z settle side by side and share their weights, which are species W+ and
W-. The teacher's species T pull the outputs of Z towards them; what Z has and Y has not is carried by G, which flows
back through the weights into Z (E), and changes them:

    drives     W^s[i,j] + Y[j] -> .. + D^s[i]      V^s[i,j] + x[j] -> .. + D^s[i]      B^s[i] -> .. + D^s[i]      D -> 0
    neurons    0 -> Q      D+ + Q -> .. + Q        D- + Q -> D-      2 Q -> Q      for Q of Y and Z
    nudge      T + Z -> .. + Z                     Y + Z -> Y        at the outputs
    carriers   L + Z -> .. + G+                    L + Y -> .. + G-  G -> 0        G+ + G- -> 0
    back       W^s[i,j] + G^r[i] -> .. + E^sr[j]                     E -> 0        E+ + Z -> .. + Z      E- + Z -> E-
    weights    G^s[i] + Y[j] -> .. + W^s[i,j] (x[j] for V, alone for B)            W+ + W- -> 0

(.. are the reactants again.) Without the catalyst L no weight changes: the pot computes what it has learnt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nn2crn.errors import UsageError
from nn2crn.ir.arrays import Floats, Ints, dense, floats
from nn2crn.ir.families.explicit import ExplicitFamily
from nn2crn.ir.families.family import Scheme
from nn2crn.ir.network import Activation, Affine, Feedback, Input, Network
from nn2crn.ir.reactions import InputPort, Module, OutputPort, ReactionNetwork, Readout, SpeciesBlock
from nn2crn.training.equilibrium.propagation import Weights

_RAILS = ("+", "-")


@dataclass(frozen=True)
class Rates:
    """The learner's rate constants.

    Attributes:
        h: the smoothing of the neurons.
        nudge: of the outputs towards their targets.
        learning: how fast weights change.
        drive: how fast drives follow the neurons.
        annihilation: of the two rails of weights and carriers.
        carrier: how fast carriers follow the two copies.
    """

    h: float = 0.01
    nudge: float = 0.5
    learning: float = 0.04
    drive: float = 20.0
    annihilation: float = 50.0
    carrier: float = 5.0

    def __post_init__(self) -> None:
        """Raises UsageError unless all are above zero."""
        for name, value in vars(self).items():
            if not 0 < value < np.inf:
                raise UsageError(f"a learner cannot have {name} = {value!r}", hint="rate constants are above zero")


@dataclass(frozen=True, eq=False)
class Learner:
    """A reaction network that learns, and where its weights are.

    Attributes:
        network: inputs `x`, targets `t` and the catalyst `teach`; output `y`.
        sizes: of the layers of neurons, of which the last is the output.
        rates: its rate constants.
        w, v, b: row, column and the two species of each weight, (4, n), columns of b zero.
    """

    network: ReactionNetwork
    sizes: tuple[int, ...]
    rates: Rates
    w: Ints
    v: Ints
    b: Ints

    def weights(self, state: Floats) -> Weights:
        """Read the learnt parameters from concentrations (species,): each weight is W+ - W-."""
        n, n_in = sum(self.sizes), self.network.inputs[0].plus.size
        found = []
        for (rows, columns, plus, minus), shape in ((self.w, (n, n)), (self.v, (n, n_in)), (self.b, (n, 1))):
            array = np.zeros(shape)
            array[rows, columns] = state[plus] - state[minus]
            found.append(floats(array))
        return Weights(found[0], found[1], floats(found[2][:, 0]))


def learner(weights: Weights, sizes: tuple[int, ...], rates: Rates | None = None, name: str = "learner") -> Learner:
    """The chemistry that starts at these weights, and changes those of them that are not zero.

    Args:
        weights: w (n, n), v (n, n_in) and b (n,) of all neurons, layer after layer; rows are targets.
        sizes: of the layers, of which the last is the output.
        rates: its rate constants.
        name: of the reaction network.
    """
    return _Builder(weights, sizes, rates or Rates(), name).learner()


class _Builder:
    """Blocks of species, and families of reactions over arrays of their indices."""

    def __init__(self, weights: Weights, sizes: tuple[int, ...], rates: Rates, name: str) -> None:
        self.weights, self.sizes, self.rates, self.name = weights, sizes, rates, name
        self.blocks: list[SpeciesBlock] = []
        self.families: list[ExplicitFamily] = []

    def block(self, name: str, rail: Literal["", "+", "-"], initial: Floats, *, given: bool = False) -> SpeciesBlock:
        start = self.blocks[-1].stop if self.blocks else 0
        made = SpeciesBlock(name, rail, "input" if given else "hidden", start, floats(initial))
        self.blocks.append(made)
        return made

    def pair(self, name: str, values: Floats) -> dict[str, Ints]:
        """A block for each rail, which start at the positive and the negative parts of the values."""
        positive = self.block(name, "+", floats(np.maximum(values, 0)))
        return {"+": positive.indices, "-": self.block(name, "-", floats(np.maximum(-values, 0))).indices}

    def react(self, text: str, rate: float, **species: Ints) -> None:
        """One reaction for each position of the arrays: `W + Y -> W + Y + D`, slots by name."""
        sides = [
            tuple((s, side.split(" + ").count(s)) for s in dict.fromkeys(side.split(" + ")) if s != "0")
            for side in text.split(" -> ")
        ]
        scheme = Scheme(sides[0], sides[1])
        arrays = np.array([np.asarray(species[slot]) for slot in scheme.slots])
        if arrays.size:
            self.families.append(ExplicitFamily(scheme, arrays, np.full(arrays.shape[1], rate), text))

    def learner(self) -> Learner:
        w, v, b = self.weights.every
        n, n_in, n_out = len(b), v.shape[1], self.sizes[-1]
        x = self.block("x", "", np.zeros(n_in), given=True)
        t = self.block("t", "", np.zeros(n_out), given=True)
        teach = self.block("teach", "", np.ones(1), given=True)
        y, z = (self.block(q, "", np.full(n, 0.1)).indices for q in ("Y", "Z"))
        drives, carriers = (self.pair(q, np.zeros(n)) for q in ("D", "G"))
        read = np.flatnonzero(np.any(w != 0, axis=0))
        place = np.zeros(n, dtype=np.intp)
        place[read] = np.arange(len(read))
        errors = self.pair("E", np.zeros(len(read)))
        (wi, wj), (vi, vj), bi = np.nonzero(w), np.nonzero(v), np.arange(n)
        ws, vs, bs = self.pair("W", w[wi, wj]), self.pair("V", v[vi, vj]), self.pair("B", b)
        self._neurons(y, z, drives)
        self._outputs(y[-n_out:], z[-n_out:], t.indices)
        self._carriers(y, z, carriers, np.full(n, teach.start))
        self._back(ws, wi, place[wj], carriers, errors, z[read])
        self._weights(ws, drives, carriers, wi, y[wj])
        self._weights(vs, drives, carriers, vi, x.indices[vj])
        self._weights(bs, drives, carriers, bi, None)
        zero = np.zeros(n, dtype=np.intp)
        places = ((wi, wj, *ws.values()), (vi, vj, *vs.values()), (bi, zero, *bs.values()))
        found = [np.array(p, dtype=np.intp) for p in places]
        return Learner(self._network((x, t, teach), y[-n_out:]), self.sizes, self.rates, *found)

    def _neurons(self, y: Ints, z: Ints, drives: Mapping[str, Ints]) -> None:
        for q in (y, z):
            self.react("0 -> Q", self.rates.h, Q=q)
            self.react("Q + Q -> Q", 1.0, Q=q)
            self.react("D + Q -> D + Q + Q", 1.0, D=drives["+"], Q=q)
            self.react("D + Q -> D", 1.0, D=drives["-"], Q=q)
        for s in _RAILS:
            self.react("D -> 0", self.rates.drive, D=drives[s])

    def _outputs(self, y: Ints, z: Ints, t: Ints) -> None:
        self.react("T + Z -> T + Z + Z", self.rates.nudge, T=t, Z=z)
        self.react("Y + Z -> Y", self.rates.nudge, Y=y, Z=z)

    def _carriers(self, y: Ints, z: Ints, carriers: Mapping[str, Ints], teach: Ints) -> None:
        for s, q in (("+", z), ("-", y)):
            self.react("L + Q -> L + Q + G", self.rates.carrier, L=teach, Q=q, G=carriers[s])
            self.react("G -> 0", self.rates.carrier, G=carriers[s])
        self.react("P + M -> 0", self.rates.annihilation, P=carriers["+"], M=carriers["-"])

    def _back(  # noqa: PLR0913  # species of five kinds
        self,
        ws: Mapping[str, Ints],
        i: Ints,
        j: Ints,
        carriers: Mapping[str, Ints],
        errors: Mapping[str, Ints],
        z: Ints,
    ) -> None:
        """Propagate the errors of the weights' targets back to their sources."""
        for s in _RAILS:
            for r in _RAILS:
                error = errors["+" if s == r else "-"][j]
                self.react("W + G -> W + G + E", self.rates.drive, W=ws[s], G=carriers[r][i], E=error)
        for s in _RAILS:
            self.react("E -> 0", self.rates.drive, E=errors[s])
        self.react("E + Z -> E + Z + Z", 1.0, E=errors["+"], Z=z)
        self.react("E + Z -> E", 1.0, E=errors["-"], Z=z)

    def _weights(
        self,
        ws: Mapping[str, Ints],
        drives: Mapping[str, Ints],
        carriers: Mapping[str, Ints],
        i: Ints,
        source: Ints | None,
    ) -> None:
        """Yield the reactions that weights drive, and those that change them; weights without a source are biases."""
        for s in _RAILS:
            if source is None:
                self.react("W -> W + D", self.rates.drive, W=ws[s], D=drives[s][i])
                self.react("G -> G + W", self.rates.learning, G=carriers[s][i], W=ws[s])
            else:
                self.react("W + X -> W + X + D", self.rates.drive, W=ws[s], X=source, D=drives[s][i])
                self.react("G + X -> G + X + W", self.rates.learning, G=carriers[s][i], X=source, W=ws[s])
        self.react("P + M -> 0", self.rates.annihilation, P=ws["+"], M=ws["-"])

    def _network(self, given: tuple[SpeciesBlock, ...], outputs: Ints) -> ReactionNetwork:
        readout = Readout(((outputs, floats(np.ones(len(outputs)))),), floats(np.zeros(len(outputs))))
        module = Module(
            name="learner", activation="learner", template="learner", size=sum(self.sizes), values={}, drives={},
            species={}, families=tuple(self.families), steady=(), readout=readout,
        )  # fmt: skip
        ports = tuple(InputPort(b.name, (b.size,), b, None, b.initial) for b in given)
        output = OutputPort("y", (len(outputs),), readout)
        remarks = ("experimental: a network that learns while `teach` is there",)
        return ReactionNetwork(self.name, tuple(self.blocks), (module,), ports, (output,), remarks)


def start(n_in: int, hidden: tuple[int, ...], n_out: int, seed: int = 0) -> tuple[Weights, tuple[int, ...]]:
    """Weights for layers, each read by the next, drawn from Gaussians of deviation 0.8 and 0.7, and biases of 0.2.

    Those to outputs are positive: an output that is silent for all samples would learn from none.
    """
    from nn2crn.training.equilibrium.propagation import masks

    if n_in < 1 or n_out < 1 or any(size < 1 for size in hidden):
        raise UsageError("a learner has at least one input, one output and one neuron in each hidden layer")
    sizes, rng = (*hidden, n_out), np.random.default_rng(seed)
    among, inputs = masks(n_in, sizes, "feed-forward")
    w = rng.normal(0, 0.7, among.shape) * among
    v = rng.normal(0, 0.8, inputs.shape) * inputs
    w[-n_out:], v[-n_out:] = np.abs(w[-n_out:]), np.abs(v[-n_out:])
    return Weights(floats(w), floats(v), floats(np.full(len(v), 0.2))), sizes


def of_network(network: Network) -> tuple[Weights, tuple[int, ...], float]:
    """The weights, the sizes of the layers and h of a network of smoothed ReLUs whose outputs are neurons, too.

    Raises:
        UsageError: it is another.
    """
    layers = list(network.activations())
    wrong = next((n for n in layers if n.function not in ("smoothed_relu", "relu")), None)
    last = network.by_name[network.outputs[0].source]
    if wrong is not None or last not in layers or last is not layers[-1] or len(network.inputs) != 1:
        raise UsageError(
            f"{network.name}: a learner is made of smoothed ReLUs, and its outputs are such, too",
            hint="nn2crn learner and nn2crn train --method equilibrium make networks like that",
        )
    sizes = tuple(n.size for n in layers)
    first = dict(zip((n.name for n in layers), np.cumsum([0, *sizes]).tolist(), strict=False))
    n, n_in = sum(sizes), network.inputs[0].size
    w, v, b = np.zeros((n, n)), np.zeros((n, n_in)), np.zeros(n)
    for layer in layers:
        drive = network.by_name[layer.sources[0]]
        if not isinstance(drive, Affine):
            raise UsageError(f"{network.name}: the drive of {layer.name} is not a sum of weighted values")
        rows = slice(first[layer.name], first[layer.name] + layer.size)
        b[rows] = drive.bias
        for term in drive.terms:
            source = network.by_name[term.source]
            source = network.by_name[source.source] if isinstance(source, Feedback) else source
            if isinstance(source, Input):
                v[rows] += dense(term.weight)
            elif isinstance(source, Activation) and source.name in first:
                w[rows, first[source.name] : first[source.name] + source.size] += dense(term.weight)
            else:
                raise UsageError(f"{network.name}: {layer.name} reads {source.name}, which is not a layer of neurons")
    return Weights(floats(w), floats(v), floats(b)), sizes, _smoothing(layers)


def _smoothing(layers: list[Activation]) -> float:
    """The h that all layers have; that of the learner's rates where they say none."""
    found = {float(np.asarray(n.attributes["h"]).item()) for n in layers if np.size(n.attributes.get("h", ())) == 1}
    if len(found) > 1:
        raise UsageError("the layers of a learner have one h")
    return found.pop() if found else Rates().h
