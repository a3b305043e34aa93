"""nn2crn learner and nn2crn teach."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nn2crn.cli.console import INTERRUPTED, json_option, refuse_both, show_json, table
from nn2crn.cli.options.sections import Command
from nn2crn.cli.options.values import POSITIVE
from nn2crn.errors import UsageError

if TYPE_CHECKING:
    from nn2crn.ir.reactions import ReactionNetwork
    from nn2crn.training.equilibrium.learner import Learner
    from nn2crn.training.equilibrium.lessons import Taught
    from nn2crn.training.table import Table


def _rates(command: Callable[..., None]) -> Callable[..., None]:
    """The options that both commands have."""
    for option in (
        click.option("--seed", metavar="N", type=click.IntRange(0), default=0, show_default=True, help="Of the start."),
        click.option("--each", metavar="T", type=POSITIVE, default=20.0, show_default=True,
                     help="How long a sample is presented, in seconds."),
        click.option("--rate", metavar="R", type=POSITIVE, default=0.04, show_default=True, help="Of learning."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.command(cls=Command)
@click.option("--inputs", metavar="N", type=click.IntRange(1), help="Number of inputs.")
@click.option(
    "--hidden", metavar="N,N,...", default="4", show_default=True, help="Sizes of the hidden layers; 0: none."
)
@click.option("--outputs", metavar="N", type=click.IntRange(1), help="Number of outputs.")
@click.option("--from", "model", metavar="MODEL", help="Start at the weights of this .nn instead: adaptation.")
@click.option(
    "--data", metavar="FILE", help="Write a schedule of these samples into the SBML, so that programs run it."
)
@click.option("--target", metavar="NAME", default="", help="The target's column or array.")
@click.option("--to", default="", metavar="FORMAT", help="The format; see nn2crn formats.")
@_rates
@click.option(
    "-o", "target_file", metavar="FILE", required=True, help="The chemistry; or a .nn: the network at its start."
)
@json_option
def learner(  # noqa: PLR0913  # one argument per option
    inputs: int | None,
    hidden: str,
    outputs: int | None,
    model: str | None,
    data: str | None,
    target: str,
    to: str,
    rate: float,
    each: float,
    seed: int,
    target_file: str,
    as_json: bool,
) -> None:
    """Write a chemistry that learns from samples that are presented to it: no clock, reactions of order two at most.

    Experimental. Its weights are species, changed by equilibrium propagation as long as the catalyst `teach` is there.
    Inputs and targets are concentrations. With --data the SBML has an event that presents one sample after the other.
    """
    from nn2crn import compiler
    from nn2crn.cli.targets import refuse_unwritable
    from nn2crn.files.atomic import write_text
    from nn2crn.training.equilibrium.learner import Rates, start
    from nn2crn.training.equilibrium.learner import learner as made
    from nn2crn.training.equilibrium.local_training import layered_network

    refuse_both([target_file], as_json=as_json)
    refuse_unwritable(model or "", [target_file])
    if bool(model) == bool(inputs and outputs):
        raise UsageError("a learner has --inputs and --outputs, or the weights --from a network")
    name = Path(target_file).stem
    if model:
        chemistry = _of(model, rate)
    else:
        weights, sizes = start(inputs or 1, _sizes(hidden), outputs or 1, seed)
        if target_file.endswith(".nn"):
            network = layered_network(weights, sizes, Rates().h, nonnegative=True).replace(name=name)
            _say(compiler.convert(network, target_file), None, as_json=as_json)
            return
        chemistry = made(weights, sizes, Rates(learning=rate), name)
    if data:
        if not (target_file.endswith((".xml", ".sbml")) and to in ("", "sbml")):
            raise UsageError("a schedule is written into SBML", hint="for instance: -o learner.xml")
        text = _scheduled(chemistry, _table(data, target), each, seed)
        write_text(Path(target_file), lambda out: print(text, end="", file=out))
    else:
        compiler.write(chemistry.network, target_file, to=to)
    _say([target_file], chemistry.network, as_json=as_json)


def _say(files: Iterable[Path | str], made: ReactionNetwork | None, *, as_json: bool) -> None:
    """What was written: a chemistry, or else the network that it starts from."""
    written = [*map(str, files)]
    if as_json:
        counts = {"species": made and made.species_count, "reactions": made and made.reaction_count}
        show_json("learner", {"files": written, **counts})
    elif made:
        click.echo(f"{written[0]}: {made.species_count} species, {made.reaction_count} reactions; experimental")
    else:
        click.echo(f"{written[0]}: the network at its start, for nn2crn teach")


@click.command(cls=Command)
@click.argument("model")
@click.option("--data", metavar="FILE", required=True, help="Samples with a target: a .csv or an .npz.")
@click.option("--target", metavar="NAME", default="", help="The target's column or array.")
@click.option("--presentations", metavar="N", type=click.IntRange(1), default=400, show_default=True,
              help="How many times a sample is shown.")  # fmt: skip
@_rates
@click.option("-o", "target_file", metavar="FILE", required=True, help="The network that has learnt, a .nn.")
@json_option
def teach(  # noqa: PLR0913  # one argument per option
    model: str,
    data: str,
    target: str,
    presentations: int,
    rate: float,
    each: float,
    seed: int,
    target_file: str,
    as_json: bool,
) -> None:
    """Simulate lessons for the chemistry that learns from MODEL's weights on, and write the frozen network.

    Experimental. MODEL is a .nn of `nn2crn learner` or of `nn2crn train --method equilibrium`. Samples are presented
    in random order; what it knows is printed ten times on the way. Ctrl-C ends the lessons, and keeps what was learnt.
    """
    from nn2crn import compiler
    from nn2crn.cli.commands.train.train import refuse_targets
    from nn2crn.training.equilibrium import lessons

    refuse_targets(model, data, target_file)
    chemistry, samples = _of(model, rate), _table(data, target)
    said: Callable[..., Any] | None = None
    if sys.stderr.isatty():
        said = lambda k, n, error, _: click.echo(f"{k} of {n} presentations, error {error:.4f}", err=True)  # noqa: E731
    done = lessons.teach(chemistry, samples, presentations, each=each, seed=seed, said=said)
    written = compiler.convert(done.network.replace(name=Path(target_file).stem), target_file)
    if as_json:
        show_json(
            "teach", {"model": model, "files": [*map(str, written)], **_learnt(done, classes=bool(samples.classes))}
        )
    else:
        _show_lessons(done, classes=bool(samples.classes))
    if done.interrupted:
        click.echo(f"interrupted: {target_file} is what was learnt so far", err=True)
        sys.exit(INTERRUPTED)


def _learnt(done: Taught, *, classes: bool) -> dict[str, Any]:
    score = "accuracy" if classes else "r_squared"
    curve = [{"presentations": k, "mean_square_error": e, score: r} for k, e, r in done.curve]
    return {"curve": curve, "drift": done.drift, "interrupted": done.interrupted}


def _show_lessons(done: Taught, *, classes: bool) -> None:
    what = "right" if classes else "R^2"
    rows: list[tuple[str, ...]] = [
        (str(k), f"{error:.4f}", f"{r:.1%}" if classes else f"{r:.4f}") for k, error, r in done.curve
    ]
    table(("presentations", "square error", what), rows, ">>>")
    click.echo(f"without the catalyst, no weight changes by more than {done.drift:.1g} in 200 s")


def _of(model: str, rate: float) -> Learner:
    from nn2crn import compiler
    from nn2crn.training.equilibrium.learner import Rates, of_network
    from nn2crn.training.equilibrium.learner import learner as made

    weights, sizes, h = of_network(compiler.load(model))
    return made(weights, sizes, Rates(h=h, learning=rate), Path(model).stem)


def _sizes(text: str) -> tuple[int, ...]:
    from nn2crn.cli.commands.train.train import sizes

    return () if text.strip() == "0" else sizes(text)


def _table(path: str, target: str) -> Table:
    from nn2crn.training.table import read_table

    return read_table(path, target)


def _scheduled(chemistry: Learner, samples: Table, each: float, seed: int) -> str:
    """The SBML text with an event that presents the samples, in one random order again and again."""
    from nn2crn.backends.common.names import make_ids
    from nn2crn.backends.sbml.schedule import with_schedule
    from nn2crn.backends.sbml.writer import emit
    from nn2crn.training.equilibrium.lessons import order, targets

    text, ids = io.StringIO(), make_ids(chemistry.network)
    emit(chemistry.network, text)
    wanted = targets(samples, len(ids.inputs[1]))
    if samples.x.shape[1] != len(ids.inputs[0]) or samples.x.min() < 0:
        raise UsageError(f"samples are {len(ids.inputs[0])} concentrations each, not negative")
    shown = order(len(samples.x), len(samples.x), seed)
    values = [*samples.x[shown].T.tolist(), *wanted[shown].T.tolist()]
    return with_schedule(text.getvalue(), dict(zip([*ids.inputs[0], *ids.inputs[1]], values, strict=True)), each)
