"""Training from a table of samples to a network that compiles, with its accuracy on samples held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nn2crn import compiler
from nn2crn.compiler import Options
from nn2crn.engines.cluster import Cluster
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.steady_state.closed_form import fixed_point
from nn2crn.errors import UsageError
from nn2crn.ir.arrays import Floats, floats
from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term
from nn2crn.keywords import known_keywords
from nn2crn.passes.network.drop_dead import drop_dead
from nn2crn.passes.network.expand_compositions import expand_compositions
from nn2crn.passes.network.fuse_affine import fuse_affine
from nn2crn.training.equilibrium import local_training
from nn2crn.training.options import Centring, Task, Training
from nn2crn.training.progress import Fit, Report
from nn2crn.training.scaling import Scaling, standardised
from nn2crn.training.seeds import Trial, from_seeds
from nn2crn.training.table import Table
from nn2crn.training.topology import Mask, random_masks

H = 0.01  # the smoothing of ReLUs: settles 7 to 9 times sooner than 1e-6, at the same accuracy
_SMOOTHED = "smoothed_relu"


@dataclass(frozen=True)
class Trained:
    """A network that was trained, and what it is worth.

    Attributes:
        network: to compile or to write; input `x`, output `y`, the logits of a classifier.
        test: the samples held out, as the network takes them.
        score: of the compiled chemistry at its steady state on them: accuracy, or the share of the variance (R^2).
        centred: the features, by position, that are centred in the biases of the first layer.
        fit: how the training went.
        trials: the trainings from all seeds, of which this is the best on the validation samples.
    """

    network: Network
    test: Table = field(repr=False)
    score: float
    centred: tuple[int, ...]
    fit: Fit = field(repr=False)
    trials: tuple[Trial, ...] = field(repr=False)

    @property
    def interrupted(self) -> bool:
        """True if a training was stopped by the user."""
        return any(t.interrupted for t in self.trials)


@known_keywords
def train(  # noqa: PLR0913  # one argument per choice
    x: ArrayLike,
    target: ArrayLike,
    hidden: Sequence[int] = (8,),
    training: Training | None = None,
    *,
    activation: str = _SMOOTHED,
    h: float = H,
    task: Task | None = None,
    test: float = 0.25,
    centring: Centring = "biases",
    name: str = "trained",
    report: Report | None = None,
    seeds: int = 1,
    cluster: Cluster | None = None,
) -> Trained:
    """Trains a network through the fixed points of its chemistry.

    Args:
        x: samples (n, ...), each flattened (size,).
        target: a class (n,), in words or whole numbers, or numbers (n,) or (n, n_out).
        hidden: the sizes of the hidden layers.
        training: how.
        activation: of hidden neurons: any activation or template that has no attributes, or smoothed_relu.
        h: the smoothing of smoothed_relu; the chemistry settles at a rate of 2 sqrt(h) or more.
        task: what the target is, if its values do not tell.
        test: share of the samples that is held out.
        centring: features far from zero are centred in the `biases` of the first layer; or the network takes `inputs`
            of mean 0 and deviation 1; or `none`.
        name: of the network.
        report: told of the progress: step, steps, loss on the validation samples; not on a cluster.
        seeds: trainings from `training.seed` on, with the same samples held out; the best on validation is kept.
        cluster: whose workers share the seeds; see engines.cluster.open_cluster.

    Raises:
        UsageError: PyTorch is not installed and the method wants it, the samples and targets do not fit, or
            the training diverges.
        DataError: a sample or target is not finite.
    """
    table, how = Table.of(x, target, task), training or Training()
    rest, held_out = _split(table, test, how.seed, centring)
    scaling = Scaling.of(rest, centred=centring == "biases")
    if how.method == "equilibrium" and activation != _SMOOTHED:
        raise UsageError(f"equilibrium propagation is for {_SMOOTHED}, not {activation}")
    fits = from_seeds(_Experiment(rest, tuple(hidden), activation, h, scaling, how), how.seed, seeds, report, cluster)
    trials = tuple(Trial(how.seed + k, f.loss, score(f.network, held_out), f.interrupted) for k, f in enumerate(fits))
    best, trial = min(zip(fits, trials, strict=True), key=lambda both: both[0].loss)
    best.refuse_divergence()
    fit = best.renamed(name, _remarks(table, scaling, centring))
    return Trained(fit.network, held_out, trial.score, scaling.centred, fit, trials)


def _split(table: Table, test: float, seed: int, centring: Centring) -> tuple[Table, Table]:
    """The samples to train on, and those held out."""
    rest, held_out = table.split(test, np.random.default_rng(seed))
    if centring == "inputs":
        return standardised(rest, rest), standardised(held_out, rest)
    return rest, held_out


@dataclass(frozen=True, eq=False)
class _Experiment:
    """All that trainings from different seeds have in common."""

    table: Table
    hidden: tuple[int, ...]
    activation: str
    h: float
    scaling: Scaling
    how: Training

    def ready(self) -> _Experiment:
        """As a worker of a cluster needs it."""
        return self

    def fit(self, seed: int, report: Report | None = None) -> Fit:
        """The samples are split by the first seed; all else that is random follows from this one."""
        how, table = replace(self.how, seed=seed), self.table
        parts = table.validated(self.how.validation, self.how.seed)
        if how.method == "equilibrium":
            return local_training.fit(*parts, self.hidden, self.h, how, report)
        network = initial(table, self.hidden, self.activation, self.h, self.scaling, seed)
        masks = _sparse([table.x.shape[1], *self.hidden, table.n_out], how)
        return fitting(network, parts, how, scaling=self.scaling, masks=masks, report=report)


def fitting(  # noqa: PLR0913  # what a training is made of
    network: Network,
    parts: tuple[Table, Table],
    how: Training,
    options: Options | None = None,
    *,
    scaling: Scaling | None = None,
    masks: list[Mask] | None = None,
    report: Report | None = None,
) -> Fit:
    """The network trained by gradients on the first part of the samples, and judged by the second.

    Raises:
        UsageError: PyTorch is not installed.
    """
    if not _has_torch():
        raise UsageError(
            "training by gradients needs PyTorch", hint="pip install 'nn2crn[train]', or --method equilibrium"
        )
    from nn2crn.training.gradient import fit

    return fit(network, options or Options(), *parts, how, scaling=scaling, masks=masks, report=report)


def score(network: Network, table: Table, options: Options | None = None) -> float:
    """Score the chemistry at its steady state: accuracy, or 1 - (mean square error)/(variance of the target)."""
    reactions = compiler.compile(network, options)
    found = read_outputs(reactions, fixed_point(reactions, {network.inputs[0].name: table.x}))[network.outputs[0].name]
    if table.classes:
        return float(np.mean(found.argmax(axis=1) == table.y))
    return 1.0 - float(np.mean((found - table.y) ** 2)) / max(float(np.mean(np.var(table.y, axis=0))), 1e-300)


def initial(  # noqa: PLR0913  # what a network is made of
    table: Table, hidden: Sequence[int], activation: str, h: float, scaling: Scaling, seed: int
) -> Network:
    """A network with weights drawn from a Gaussian, of variance 2/(inputs of the neuron), and without biases.

    Raises:
        UsageError: there is no such activation, or a layer has no neurons.
    """
    if any(size < 1 for size in hidden):
        raise UsageError(f"hidden layers have at least one neuron: {list(hidden)}")
    rng, domain = np.random.default_rng([seed, 2]), table.x.min() >= 0
    size = table.x.shape[1]
    nodes: list[Any] = [Input("x", (size,), floats(np.zeros(size)) if domain else None, None)]
    sizes = [size, *hidden, table.n_out]
    for k, (n_in, n_out) in enumerate(pairwise(sizes), 1):
        weight = rng.normal(size=(n_out, n_in)) * np.sqrt(2 / n_in)
        bias: Floats = floats(np.zeros(n_out))
        if k == 1:
            weight = weight / scaling.scale
            bias = floats(-weight @ scaling.centre)
        last = k == len(sizes) - 1
        if last:
            weight, bias = scaling.size[:, None] * weight, floats(scaling.size * bias + scaling.shift)
        nodes.append(Affine("y" if last else f"u{k}", (Term(nodes[-1].name, weight),), bias))
        if not last:
            nodes.append(_activation(f"h{k}", f"u{k}", n_out, activation, h))
    network = Network("trained", tuple(nodes), (Output("y", "y", (table.n_out,)),))
    return plain(network, Options())


def _activation(name: str, source: str, size: int, activation: str, h: float) -> Activation:
    if activation == _SMOOTHED:
        if not h > 0:
            raise UsageError(f"h = {h!r}: the smoothing is above zero")
        return Activation(name, _SMOOTHED, (source,), size, {"h": floats(h)})
    function, _, variant = activation.partition(".")
    template = activation if variant else ""
    return Activation(name, function, (source,), size, template=template)


def plain(network: Network, options: Options) -> Network:
    """The network as it can be trained: affine maps fused, compositions expanded."""
    for step in (drop_dead, fuse_affine, drop_dead):
        network = step(network)
    return drop_dead(fuse_affine(expand_compositions(network, options)))


def _sparse(sizes: list[int], how: Training) -> list[Mask] | None:
    if how.evolution is None:
        return None
    return random_masks(sizes, how.density, np.random.default_rng([how.seed, 3]))


def _remarks(table: Table, scaling: Scaling, centring: Centring) -> list[str]:
    said = []
    if scaling.centred:
        said.append(f"features {', '.join(map(str, scaling.centred))} are far from zero: centred in the biases")
    if centring == "inputs":
        said.append("the inputs are features of mean 0 and standard deviation 1")
    if table.classes:
        said.append(f"classes: {', '.join(table.classes)}")
    return said


def _has_torch() -> bool:
    try:
        return find_spec("torch") is not None
    except ValueError:  # it is marked as not to be imported
        return False
