"""nn2crn train."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, get_args

import click

from nn2crn.cli.console import INTERRUPTED, json_option, show_json, working
from nn2crn.cli.options.cluster import cluster_option, opened
from nn2crn.cli.options.sections import Command
from nn2crn.cli.options.training import seed_option, steps_option, test_option
from nn2crn.cli.options.values import POSITIVE
from nn2crn.errors import UsageError
from nn2crn.training.options import Centring, Method, Rule, Task, Wiring

if TYPE_CHECKING:
    from nn2crn.training.options import Training
    from nn2crn.training.progress import Report
    from nn2crn.training.train import Trained


@click.command(cls=Command)
@click.argument("data", metavar="DATA")
@click.option("--target", metavar="NAME", default="", help="The target's column or array [the last column; y, label].")
@click.option("--task", type=click.Choice(get_args(Task)), help="What the target is, if its values do not tell.")
@click.option("--hidden", metavar="N,N,...", default="8", show_default=True, help="Sizes of the hidden layers.")
@click.option("--activation", metavar="NAME", default="smoothed_relu", show_default=True,
              help="Of hidden neurons: an activation or a template.")  # fmt: skip
@click.option("--h", metavar="H", type=POSITIVE, default=0.01, show_default=True, help="Smoothing of smoothed_relu.")
@click.option("--method", type=click.Choice(get_args(Method)), default="gradient", show_default=True,
              help="Gradients, by PyTorch, or equilibrium propagation, without.")  # fmt: skip
@click.option("--recurrent", type=click.Choice(("layered", "complete")), is_flag=False, flag_value="complete",
              help="Neurons in loops, by --method equilibrium: layers both ways, or all to all.")  # fmt: skip
@click.option("--rule", type=click.Choice(get_args(Rule)), default="exact", show_default=True,
              help="Of equilibrium propagation; the others are for comparison.")  # fmt: skip
@click.option("--noise", metavar="CV", type=click.FloatRange(0), default=0.0,
              help="Train for rate constants that are off: 1.5 to 2 times what is expected.")  # fmt: skip
@click.option("--sparse", metavar="D", type=click.FloatRange(0, 1, min_open=True), default=1.0,
              help="Keep this share of the connections.")  # fmt: skip
@click.option(
    "--evolve", metavar="RULE", help="Evolve sparse connections: set, cosine+likely, ...; else they are pruned."
)
@click.option("--quantize", metavar="Q", help="Train weights at few levels: ternary, linear:3:zero, exponential:4, ...")
@click.option("--centre", type=click.Choice(get_args(Centring)), default="biases", show_default=True,
              help="Where features far from zero are centred; inputs: the network takes standard scores.")  # fmt: skip
@steps_option
@click.option("--batch", metavar="N", type=click.IntRange(1), default=64, show_default=True, help="Samples in a step.")
@click.option("--rate", metavar="R", type=POSITIVE, help="Learning rate [0.005; equilibrium: 0.01].")
@test_option
@click.option("--save-test", metavar="FILE", help="Write the samples held out to an .npz: x, and label or y.")
@seed_option
@click.option("--seeds", metavar="N", type=click.IntRange(1), default=1, show_default=True,
              help="Train from N seeds, and keep the network with the lowest validation loss.")  # fmt: skip
@cluster_option
@json_option
@click.option(
    "-o", "target_file", metavar="FILE", required=True, help="The network, a .nn; weights beside it in an .npz."
)
def train(  # noqa: PLR0913  # one argument per option
    data: str,
    target: str,
    task: Task | None,
    hidden: str,
    activation: str,
    h: float,
    centre: Centring,
    test: float,
    save_test: str | None,
    seeds: int,
    cluster: str | None,
    as_json: bool,
    target_file: str,
    **how: Any,
) -> None:
    """Train a network on DATA, a .csv with a first row of names or an .npz, through the fixed points of its chemistry.

    What was trained is what the chemistry computes. A share of the samples is held out, and the score on them printed.
    Ctrl-C stops the training, and keeps the best network so far; with --cluster, nothing is kept. The gradient method
    needs PyTorch (pip install 'nn2crn[train]').
    """
    from nn2crn import compiler
    from nn2crn.training.table import read_table
    from nn2crn.training.train import train as trained

    if cluster and seeds == 1:
        raise UsageError("--cluster is for several seeds", hint="one training is done by one process; see --seeds")
    refuse_targets(data, data, target_file, save_test)
    table = read_table(data, target, task)
    training = _training(**how)
    with show_progress(shown=not cluster) as report, opened(cluster) as workers:
        done = trained(
            table.x, _targets(table), sizes(hidden), training,
            activation=activation, h=h, task="classification" if table.classes else "regression", test=test,
            centring=centre, name=Path(target_file).stem, report=report, seeds=seeds, cluster=workers,
        )  # fmt: skip
    written = compiler.convert(done.network, target_file)
    if save_test:
        _write_test(save_test, done)
    if as_json:
        show_json("train", _report(done, len(table.x)) | {"files": [*map(str, written)]})
    else:
        _show(data, " and ".join(map(str, written)), done, len(table.x), noisy=training.noise > 0)
    if done.interrupted:
        click.echo(f"interrupted: {target_file} is the best network so far", err=True)
        sys.exit(INTERRUPTED)


def _training(  # noqa: PLR0913  # one argument per option that is parsed
    *,
    evolve: str | None,
    quantize: str | None,
    sparse: float,
    rate: float | None,
    method: Method,
    recurrent: Wiring | None,
    rule: Rule,
    **others: Any,
) -> Training:
    from nn2crn.passes.compression.options import Quantization
    from nn2crn.training.options import Equilibrium, Evolution, Training

    return Training(
        method=method,
        equilibrium=Equilibrium(recurrent or "feed-forward", rule),
        density=sparse,
        evolution=Evolution.parse(evolve) if evolve else None,
        quantize=Quantization.parse(quantize) if quantize else None,
        rate=rate or (5e-3 if method == "gradient" else 1e-2),
        **others,
    )


def refuse_targets(source: str, data: str, target: str, save_test: str | None = None) -> None:
    """Refuse files that could not be written after a training, which takes a while, or would overwrite each other."""
    from nn2crn.cli.targets import refuse_unwritable
    from nn2crn.frontends.nn.pair import refuse_foreign_weights, weights_of

    refuse_unwritable(source, [target, *([save_test] if save_test else [])])
    weights = weights_of(target).resolve()
    if weights == Path(data).resolve():
        raise UsageError(f"the weights of {target} would overwrite {data}", hint="give another -o")
    if save_test and not save_test.endswith(".npz"):
        raise UsageError(f"{save_test}: samples are written as an .npz file", hint="for instance: --save-test test.npz")
    if save_test and weights == Path(save_test).resolve():
        raise UsageError(f"the weights of {target} would overwrite {save_test}", hint="give another --save-test")
    refuse_foreign_weights(target)


def sizes(text: str) -> tuple[int, ...]:
    """`8` or `16,8`."""
    parts = text.split(",")
    if not all(p.strip().isdecimal() and len(p) < 8 and int(p) for p in parts):  # noqa: PLR2004  # digits
        raise UsageError(f"--hidden {text}: sizes are whole numbers above zero", hint="for instance: --hidden 16,8")
    return tuple(map(int, parts))


def _targets(table: Any) -> Any:
    import numpy as np

    return np.array(table.classes)[table.y] if table.classes else table.y


@contextmanager
def show_progress(*, shown: bool = True) -> Iterator[Report]:
    """A line on a terminal that says how far the training is, unless a cluster's bar does."""
    with working("training", shown=shown) as progress:
        yield lambda step, steps, loss: progress.now(f"step {step} of {steps}, loss on validation {loss:.4f}")


def _write_test(path: str, done: Trained) -> None:
    import numpy as np

    from nn2crn.files.atomic import write_bytes

    name = "label" if done.test.classes else "y"
    write_bytes(Path(path), lambda out: np.savez(out, allow_pickle=False, x=done.test.x, **{name: done.test.y}))


def _report(done: Trained, samples: int) -> dict[str, Any]:
    from nn2crn import compiler

    return {
        "task": "classification" if done.test.classes else "regression",
        "classes": list(done.test.classes),
        "samples": samples,
        "held_out": len(done.test.x),
        **_scored(done, done.score),
        "reactions": compiler.compile(done.network).reaction_count,
        "steps": done.fit.losses[-1][0] if done.fit.losses else 0,
        "centred": list(done.centred),
        "interrupted": done.interrupted,
        "seed": min(done.trials, key=lambda t: t.loss).seed,
        "trials": [{"seed": t.seed, "validation_loss": t.loss, **_scored(done, t.score)} for t in done.trials],
    }


def _scored(done: Trained, score: float) -> dict[str, float | None]:
    classes = bool(done.test.classes)
    return {"accuracy": score if classes else None, "r_squared": None if classes else score}


def _show(data: str, target: str, done: Trained, samples: int, *, noisy: bool) -> None:
    said = _report(done, samples)
    kept = samples - said["held_out"]
    what = f"{len(done.test.classes)} classes" if done.test.classes else "a regression"
    click.echo(
        f"{data}: {kept if said['held_out'] < samples else samples} samples to train on, {what}, {said['steps']} steps"
    )
    if done.centred:
        features = ", ".join(map(str, done.centred))
        click.echo(f"features {features} are far from zero: they are centred in the biases of the first layer")
        if noisy:
            click.echo(
                "under noise, a large bias against a large feature costs most: --centre inputs leaves it out", err=True
            )
    kind, form = ("accuracy", ".1%") if done.test.classes else ("R^2", ".4f")
    if sum(not t.interrupted for t in done.trials) > 1:
        scores = sorted(t.score for t in done.trials if not t.interrupted)
        best = min(done.trials, key=lambda t: t.loss)
        click.echo(
            f"{len(scores)} seeds: {kind} {scores[0]:{form}} to {scores[-1]:{form}}, median {median(scores):{form}};"
            f" seed {best.seed} has the lowest validation loss"
        )
    where = f"{said['held_out']} samples held out" if said["held_out"] < samples else "the samples trained on"
    click.echo(f"{kind} {done.score:{form}} on {where}, of the chemistry at its steady state")
    click.echo(f"{target}: {said['reactions']} reactions")
