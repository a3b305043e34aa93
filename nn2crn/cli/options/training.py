"""Options that the commands which train share."""

from __future__ import annotations

import click

steps_option = click.option(
    "--steps", metavar="N", type=click.IntRange(1), default=5000, show_default=True,
    help="Steps of the optimiser, at most.",
)  # fmt: skip
test_option = click.option(
    "--test", metavar="S", type=click.FloatRange(0, 1, max_open=True), default=0.25, show_default=True,
    help="Share of the samples that is held out.",
)  # fmt: skip
seed_option = click.option(
    "--seed", metavar="N", type=click.IntRange(0), default=0, show_default=True, help="Of all random numbers."
)
