"""The command that compiles what another command has measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from nn2crn.cli.options.compression import CompressionOptions
    from nn2crn.cli.options.encoding import EncodingOptions
    from nn2crn.cli.options.fitting import FittingOptions

_NOT_THE_CHEMISTRY = ("target", "as_json", "save_config")  # options that both commands have


def compile_words(
    context: click.Context,
    *,
    config: str | None,
    smaller: CompressionOptions,
    fitting: FittingOptions,
    encoding: EncodingOptions,
    **_: Any,
) -> tuple[str, ...]:
    """Return the words of the `nn2crn compile` that makes the same chemistry: this command's options, as given.

    Options that `compile` does not have say how to measure, and are left out; so is --data where it chooses nothing.
    """
    from nn2crn.cli.commands.compile.compile import compile as command
    from nn2crn.files.reading import as_word

    known = {option for parameter in command.params for option in parameter.opts}
    uses_data = fitting.given or smaller.given(config) or encoding.finds_bits
    words = ["nn2crn", "compile", as_word(context.params["model"])]
    for option in context.command.params:
        name = str(option.name)
        given = name in context.params and context.get_parameter_source(name) is not ParameterSource.DEFAULT
        chooses = name not in _NOT_THE_CHEMISTRY and (name != "data" or uses_data)
        if not isinstance(option, click.Option) or not given or not chooses or option.opts[0] not in known:
            continue
        value = context.params[name]
        if option.is_flag:
            words += [option.opts[0]] * bool(value)
        else:
            words += [w for v in (value if option.multiple else (value,)) for w in (option.opts[0], str(v))]
    return tuple(words)
