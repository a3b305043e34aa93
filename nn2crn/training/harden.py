"""Training that goes on from a network there is: for noise, or after connections were removed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nn2crn import compiler
from nn2crn.compiler import Options
from nn2crn.errors import UsageError
from nn2crn.ir.arrays import floats
from nn2crn.ir.network import Activation, Affine, Network
from nn2crn.training.options import Training
from nn2crn.training.progress import Fit, Report
from nn2crn.training.scaling import Scaling
from nn2crn.training.table import Table
from nn2crn.training.tolerance import Accuracy, accuracy
from nn2crn.training.train import H, fitting, plain

CVS = (0.0, 0.1, 0.2, 0.5)  # noise that a hardened network is measured under


@dataclass(frozen=True)
class Hardened:
    """A network that was trained for noise, and its accuracy under noise on the samples held out, before and after."""

    network: Network
    before: tuple[Accuracy, ...]
    after: tuple[Accuracy, ...]
    fit: Fit


def harden(  # noqa: PLR0913  # one argument per choice
    network: Network,
    table: Table,
    training: Training,
    *,
    options: Options | None = None,
    h: float = H,
    test: float = 0.25,
    tubes: int = 100,
    report: Report | None = None,
) -> Hardened:
    """A classifier of ReLUs trained on, so that it tolerates inaccurate rate constants. Weights that are zero stay so.

    Args:
        network: one input, and logits as its first output; its ReLUs become smoothed ones.
        table: samples as the network takes them, and their classes, numbered as its outputs.
        training: how; its `noise` is what the network is to bear.
        options: the templates that it has before.
        h: the smoothing of the ReLUs.
        test: share of the samples that is held out, on which both networks are measured.
        tubes: in which they are measured.
        report: told of the progress.

    Raises:
        UsageError: the network is not a classifier of these samples.
        UnsupportedError: it has activations that cannot be trained with noise.
    """
    chosen = options or Options()
    _refuse_unfit(network, table)
    rest, held_out = table.split(test, np.random.default_rng(training.seed))
    smooth = smoothed(plain(network, chosen), h)
    parts = rest.validated(training.validation, training.seed)
    fitted = fitting(smooth, parts, training, scaling=Scaling.of(rest), report=report)
    fitted.refuse_divergence()
    name = network.inputs[0].name

    def measured(net: Network, how: Options) -> tuple[Accuracy, ...]:
        reactions = compiler.compile(net, how)
        return tuple(accuracy(reactions, {name: held_out.x}, held_out.y, cv, tubes) for cv in CVS)

    return Hardened(fitted.network, measured(network, chosen), measured(fitted.network, Options()), fitted)


def retrain(network: Network, table: Table, training: Training, options: Options | None = None) -> Network:
    """A network trained on, with the connections that it has, through the fixed points of its templates.

    Raises:
        UsageError: it has several inputs or outputs, PyTorch is not installed, or the training diverges.
    """
    if len(network.inputs) != 1 or len(network.outputs) != 1:
        raise UsageError("training goes on for a network with one input and one output", hint="choose one: --output")
    chosen = options or Options()
    parts = table.validated(training.validation, training.seed)
    fitted = fitting(plain(network, chosen), parts, training, chosen, scaling=Scaling.of(table))
    fitted.refuse_divergence()
    return fitted.network


def smoothed(network: Network, h: float) -> Network:
    """The network with every ReLU smoothed: (u + sqrt(u^2 + 4 h))/2, what the chemistry computes."""
    nodes = [
        replace(n, function="smoothed_relu", attributes={"h": floats(h)}, template="", settings={})
        if isinstance(n, Activation) and n.function in ("relu", "smoothed_relu")
        else n
        for n in network.nodes
    ]
    return network.replace(nodes=tuple(nodes))


def _refuse_unfit(network: Network, table: Table) -> None:
    if len(network.inputs) != 1 or len(network.outputs) != 1:
        raise UsageError("a network to be hardened has one input and one output", hint="choose one: --output")
    sizes = (network.inputs[0].size, network.by_name[network.outputs[0].source].size)
    if not table.classes:
        raise UsageError("a network to be hardened is a classifier, and the targets are numbers")
    if sizes[0] != table.x.shape[1] or int(table.y.max()) >= sizes[1]:
        raise UsageError(f"the network has {sizes[0]} inputs and {sizes[1]} classes; the samples do not fit")
    if not isinstance(network.by_name[network.outputs[0].source], Affine):
        raise UsageError("training for noise wants logits as the output", hint="give --logits, or --output")
