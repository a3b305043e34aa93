"""nn2crn opt."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nn2crn.cli.console import json_option, refuse_both, show_json
from nn2crn.cli.options.compression import CompressionOptions, compression_options, show_made
from nn2crn.cli.options.encoding import EncodingOptions, encoding_options
from nn2crn.cli.options.limits import memory_option
from nn2crn.cli.options.sections import Command
from nn2crn.errors import UsageError

if TYPE_CHECKING:
    from nn2crn.ir.network import Network
    from nn2crn.ir.reactions import ReactionNetwork


@click.command(cls=Command)
@click.argument("model", metavar="FILE")
@click.option("--passes", metavar="NAME,...", default="", help="Passes in the order in which they are run; `lower`"
              " among them makes reactions of a network.")  # fmt: skip
@click.option("--print-after", metavar="PASS", multiple=True, help="Print what a pass has made, or all (repeatable).")
@click.option("-o", "target", metavar="FILE", help="Write the result, as .nn or .rn; else it is printed.")
@encoding_options
@compression_options
@memory_option
@json_option
def opt(  # noqa: PLR0913  # one argument per option
    model: str,
    passes: str,
    print_after: tuple[str, ...],
    target: str | None,
    encoding: EncodingOptions,
    smaller: CompressionOptions,
    as_json: bool,
) -> None:
    """Run single passes on FILE: a model, or a reaction network as text (.rn), and print what comes of it."""
    from nn2crn.cli import single_passes
    from nn2crn.compiler import Options

    refuse_both([target], as_json=as_json)
    for name in print_after:
        if name not in ("all", *single_passes.pass_names()):
            hint = f"all, or one of: {', '.join(single_passes.pass_names())}"
            raise UsageError(f"--print-after: there is no pass {name!r}", hint=hint)

    def watch(name: str, made: Network | ReactionNetwork) -> None:
        if {"all", name} & set(print_after):
            show_made(name, made)

    names = [n for n in passes.split(",") if n]
    options, few = encoding.chosen(Options()), encoding.of_bits(smaller).compression(None, None)
    made = single_passes.run_passes(single_passes.read(model), names, few, watch, options)
    text, files = _write(made, target)
    if as_json:
        show_json("opt", {"model": model, "passes": names, "files": files, "text": text})
    elif text is not None:
        sys.stdout.write(text)


def _write(made: Network | ReactionNetwork, target: str | None) -> tuple[str | None, list[str]]:
    """The result as text if there is no target, and the files written if there is."""
    from nn2crn import compiler
    from nn2crn.cli.single_passes import SUFFIX
    from nn2crn.files.atomic import write_text
    from nn2crn.frontends.nn import writer
    from nn2crn.ir.network import Network
    from nn2crn.notation.show_network import show_network

    if not isinstance(made, Network):
        if target and not target.endswith(SUFFIX):
            raise UsageError(f"{target}: a reaction network is written as a {SUFFIX} file")
        if not target:
            return "".join(show_network(made)), []
        write_text(Path(target), lambda out: out.writelines(show_network(made)))
        return None, [target]
    if target:
        return None, [*map(str, compiler.convert(made, target))]
    text = io.StringIO()
    if writer.emit(made, text, "weights.npz"):
        raise UsageError("the weights are too many to be printed", hint="give -o FILE.nn, which writes them beside")
    return text.getvalue(), []
