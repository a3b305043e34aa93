"""nn2crn harden."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from nn2crn.cli.commands.train.train import refuse_targets, show_progress
from nn2crn.cli.console import INTERRUPTED, json_option, show_json, table
from nn2crn.cli.options.sections import Command
from nn2crn.cli.options.training import seed_option, steps_option, test_option
from nn2crn.cli.options.values import POSITIVE, interval

if TYPE_CHECKING:
    from nn2crn.training.tolerance import Accuracy


@click.command(cls=Command)
@click.argument("model")
@click.option("--data", metavar="FILE", required=True, help="Samples: an .npz, or a .csv with a row per sample.")
@click.option("--labels", metavar="NAME", help="Their classes: an array, or a column [label, y; the last column].")
@click.option("--noise", metavar="CV", type=POSITIVE, default=0.35, show_default=True,
              help="Of rate constants in training: 1.5 to 2 times what is expected.")  # fmt: skip
@click.option("--output", "outputs", metavar="NAME", multiple=True, help="Which output has the logits.")
@click.option("--domain", "domains", metavar="[NAME=]LO:HI", multiple=True, help="Bounds of the input.")
@click.option("--h", metavar="H", type=POSITIVE, default=0.01, show_default=True, help="Smoothing of the ReLUs.")
@steps_option
@test_option
@click.option(
    "--tubes", metavar="N", type=click.IntRange(2), default=100, show_default=True, help="Tubes to measure in."
)
@seed_option
@json_option
@click.option("-o", "target", metavar="FILE", required=True, help="The network, a .nn; weights beside it in an .npz.")
def harden(  # noqa: PLR0913  # one argument per option
    model: str,
    data: str,
    labels: str | None,
    noise: float,
    outputs: tuple[str, ...],
    domains: tuple[str, ...],
    h: float,
    steps: int,
    test: float,
    tubes: int,
    seed: int,
    as_json: bool,
    target: str,
) -> None:
    """Train MODEL, a classifier of ReLUs, on DATA so that it tolerates inaccurate rate constants.

    A softmax or sigmoid at its very end is left out. Connections that are not there stay away. Its accuracy in tubes
    where every rate constant has a log-normal factor of its own is printed, before and after, on samples held out.
    """
    from nn2crn import compiler
    from nn2crn.frontends.samples import read_data, read_labels
    from nn2crn.training.harden import harden as hardened
    from nn2crn.training.options import Training
    from nn2crn.training.table import Table, read_table

    refuse_targets(model, data, target)
    network = compiler.load(model, outputs=outputs, logits=True, domain=dict(interval(d, "--domain") for d in domains))
    if labels:
        values, classes = read_data(data, network, labels), read_labels(data, labels)
        samples = Table(values[network.inputs[0].name], classes, tuple(map(str, range(int(classes.max()) + 1))))
    else:
        samples = read_table(data)
    with show_progress() as report:
        how = Training(noise=noise, steps=steps, seed=seed)
        done = hardened(network, samples, how, h=h, test=test, tubes=tubes, report=report)
    written = compiler.convert(done.network, target)
    pairs = list(zip(done.before, done.after, strict=True))
    if as_json:
        under_noise = [{"noise": b.cv, "before": _as_json(b), "after": _as_json(a)} for b, a in pairs]
        files = {"files": [*map(str, written)], "interrupted": done.fit.interrupted}
        show_json("harden", {"model": model, "tubes": tubes, "under_noise": under_noise, **files})
    else:
        _show(model, tubes, pairs)
    if done.fit.interrupted:
        click.echo(f"interrupted: {target} is the best network so far", err=True)
        sys.exit(INTERRUPTED)


def _show(model: str, tubes: int, pairs: list[tuple[Accuracy, Accuracy]]) -> None:
    click.echo(f"{model}: accuracy on the samples held out, mean over {tubes} tubes and the worst twentieth of them")
    rows = [(f"{b.cv:.0%}", *(f"{v:.1%}" for v in (b.mean, b.quantile, a.mean, a.quantile))) for b, a in pairs]
    table(("noise", "before", "worst", "after", "worst"), rows, ">>>>>")


def _as_json(found: Accuracy) -> dict[str, float]:
    return {"accuracy": found.mean, "low_accuracy": found.quantile}
