"""nn2crn compile."""

from __future__ import annotations

from typing import Any

import click

from nn2crn.cli.options import compiled, model_options
from nn2crn.cli.show import spinner
from nn2crn.errors import UsageError


@click.command()
@model_options
@click.option("-o", "targets", metavar="FILE", multiple=True, help="Write FILE, format by suffix; - for stdout.")
@click.option("--to", "formats", metavar="FORMAT", multiple=True, help="sbml, antimony or latex; for -o -.")
@click.option("--input", "inputs", metavar="NAME=V,V,...", multiple=True, help="Values the file starts with.")
@click.option("--expand", is_flag=True, help="LaTeX: list every reaction, not families.")
@click.option("--standalone", is_flag=True, help="LaTeX: a whole document, not a fragment.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def compile(  # noqa: A001, PLR0913  # the verb users type, and one argument per option
    model: str,
    targets: tuple[str, ...],
    formats: tuple[str, ...],
    inputs: tuple[str, ...],
    expand: bool,
    standalone: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Compile MODEL and write it; to MODEL.xml in this folder unless -o or --to says otherwise."""
    from nn2crn import compiler
    from nn2crn.analysis.summary import summarise

    plan = compiler.plan_targets(model, targets, formats)
    latex = {name: True for name, chosen in (("expand", expand), ("standalone", standalone)) if chosen}
    if latex and all(to != "latex" for _, to in plan):
        raise UsageError(f"--{next(iter(latex))} is for LaTeX, which is not among the targets")
    network = compiled(model, inputs=inputs, **options)
    with spinner(network):
        for target, to in plan:
            compiler.write(network, target, to=to, **(latex if to == "latex" else {}))
    if not quiet:
        for remark in network.remarks:
            click.echo(f"note: {remark}", err=True)
        s = summarise(network)
        weights = f"{s.weights} weights and biases"
        click.echo(f"{model}: {'; '.join(filter(None, [s.shape(), s.templates(), weights]))}", err=True)
        orders = f"all mass action, order <= {max(s.orders, default=0)}"
        for target, to in plan:
            click.echo(f"{target}: {to}, {s.species} species, {s.reactions} reactions, {orders}", err=True)
