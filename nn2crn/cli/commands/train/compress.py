"""nn2crn compress."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import click

from nn2crn.cli.commands.train.train import refuse_targets
from nn2crn.cli.console import json_option, show_json, table, working
from nn2crn.cli.options.cluster import cluster_option, opened
from nn2crn.cli.options.common import loaded, network_options
from nn2crn.cli.options.compression import CompressionOptions
from nn2crn.cli.options.sections import Command
from nn2crn.errors import UsageError
from nn2crn.passes.compression.options import Score, Spacing

if TYPE_CHECKING:
    from nn2crn.tune.compression_search import Candidate

_MIN_ACCURACY = 0.95


@click.command(cls=Command)
@network_options
@click.option("--data", metavar="FILE", required=True, help="Samples: an .npz, or a .csv with a row per sample.")
@click.option("--labels", metavar="NAME", help="Where the data have each sample's class: an array, or a column.")
@click.option(
    "--min-accuracy",
    metavar="A",
    type=click.FloatRange(0, 1),
    help=f"Keep this fraction of the network's own accuracy [{_MIN_ACCURACY}].",
)
@click.option("--budget-reactions", metavar="N", type=click.IntRange(0), help="The most accurate of N reactions.")
@click.option("--score", type=click.Choice(get_args(Score)), default="magnitude", show_default=True,
              help="Which connections are removed.")  # fmt: skip
@click.option("--spacing", type=click.Choice(get_args(Spacing)), default="exponential", show_default=True,
              help="Which levels weights are put at.")  # fmt: skip
@click.option("--retrain", metavar="STEPS", type=click.IntRange(1), is_flag=False, flag_value=1000,
              help="Train on what pruning leaves, for so many steps [1000]; needs PyTorch.")  # fmt: skip
@cluster_option
@click.option("-o", "target", metavar="FILE", help="Write the network chosen, a .nn; weights go to an .npz beside it.")
@click.option("--plot", metavar="FILE", help="Draw accuracy against reactions, as .svg or .png.")
@json_option
def compress(  # noqa: PLR0913  # one argument per option
    model: str,
    data: str,
    labels: str | None,
    min_accuracy: float | None,
    budget_reactions: int | None,
    score: Score,
    spacing: Spacing,
    retrain: int | None,
    cluster: str | None,
    target: str | None,
    plot: str | None,
    as_json: bool,
    name: str,
    **options: Any,
) -> None:
    """Find the smallest chemistry of MODEL that is accurate enough: prune and quantize it in many ways.

    Every other sample is for calibration, the others measure accuracy. What is listed is beaten by nothing that was
    tried in accuracy, reactions and distinct rate constants at once. Accuracy is the share of samples that get their
    label, or without labels what the whole network gives them; of an output of one number, the share of its variance.
    """
    from nn2crn import compiler
    from nn2crn.evaluate.plots import plot_tradeoff
    from nn2crn.frontends.samples import read_labels
    from nn2crn.training.options import Training
    from nn2crn.tune import compression_search

    del name  # of a reaction network; this writes a network
    _refuse_targets(model, data, target, plot)
    least = _MIN_ACCURACY if budget_reactions is None and min_accuracy is None else min_accuracy
    if (smaller := CompressionOptions()).given(options["config"]):
        raise UsageError("compress finds out itself what is pruned", hint="leave [weights] out of the configuration")
    found = loaded(model, smaller=smaller, data=data, labels=labels or "", **options)
    training, classes = Training(steps=retrain) if retrain else None, read_labels(data, labels) if labels else None
    given = compression_search.task(found.network, found.options, found.data or {}, classes, training)
    with working("compressing", shown=not cluster) as progress, opened(cluster) as workers:
        front = compression_search.search(given, score, spacing, progress.now, workers)
    best = compression_search.choose(given, front, min_accuracy=least, budget=budget_reactions)
    whole = compression_search.measured(given, found.network)
    if plot:
        plot_tradeoff(plot, [c.point for c in (whole, *front)], 1 + front.index(best))
    written = compiler.convert(best.network, target, library=found.options.library) if target else ()
    if as_json:
        report = {"whole": whole.as_json(), "candidates": [c.as_json() for c in front], "chosen": best.as_json()}
        show_json("compress", {"model": model, **report, "files": [*map(str, written)]})
        return
    _show(whole, front, best)
    if written:
        click.echo(f"{model}: written as {' and '.join(map(str, written))}", err=True)


def _refuse_targets(model: str, data: str, target: str | None, plot: str | None) -> None:
    """Refuse files that could not be written after the search, which takes a while."""
    from nn2crn.evaluate.plots import check_plot

    if plot:
        check_plot(plot)
    if target:
        refuse_targets(model, data, target)


def _percent(accuracy: float) -> str:
    return f"{round(accuracy, 3) + 0.0:.1%}"  # no minus before a zero


def _show(whole: Candidate, front: list[Candidate], best: Candidate) -> None:
    click.echo(
        f"the whole network: accuracy {_percent(whole.accuracy)}, {whole.reactions} reactions,"
        f" {whole.rate_constants} rate constants"
    )
    rows: list[tuple[str, ...]] = [
        (
            "*" if c is best else "",
            c.prune,
            c.quantize,
            _percent(c.accuracy),
            str(c.reactions),
            str(c.rate_constants),
            "" if c.settling_time is None else f"{c.settling_time:.3g} s",
        )
        for c in front
    ]
    table(("", "pruned", "quantized", "accuracy", "reactions", "rate constants", "settles in"), rows, "<<<>>>>")
