"""Choices in a TOML file: templates by activation or layer by layer, and what becomes of single layers' weights.

[templates.sigmoid]                # every sigmoid
template = "sigmoid.bounded"
k = 5

[layers.layer1]                    # one layer, by the name that it has in every command and file
template = "sigmoid.exact"

[weights]                          # all weights, as --prune and --quantize, which go first
quantize = "exponential:6"

[weights.layer1]                   # one layer's weights, likewise
prune = "magnitude:0.5"            # instead of --prune, or none
quantize = "exponential:4"         # instead of --quantize, or none
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nn2crn.backends.common.rails import one_line
from nn2crn.errors import UsageError
from nn2crn.files.reading import read_text
from nn2crn.ir.formula import number
from nn2crn.ir.network import Activation, Affine, Network
from nn2crn.passes.compression.options import Compression, LayerChoice, Pruning, Quantization
from nn2crn.passes.compression.trained_weights import connections
from nn2crn.passes.name_layers import with_layers
from nn2crn.passes.network.expand_compositions import choosable
from nn2crn.templates.options import Choice, Options


def read_config(path: Path) -> tuple[dict[str, Choice], dict[str, Choice]]:
    """Choices by activation, and by layer.

    Raises:
        UsageError: the file cannot be read, is not TOML, or has something else in it.
    """
    data = _tables(path)
    activations, layers = (
        {name: _choice(f"{path}: [{table}.{name}]", value) for name, value in data.get(table, {}).items()}
        for table in ("templates", "layers")
    )
    return activations, layers


def read_compression(path: Path) -> tuple[LayerChoice, dict[str, LayerChoice]]:
    """Read the pruning and quantization of the network, and of single layers by name.

    Raises:
        UsageError: the file cannot be read, is not TOML, or has something else in it.
    """
    weights = _tables(path).get("weights", {})
    every = {name: value for name, value in weights.items() if isinstance(value, str)}
    choices = {
        name: _layer_choice(f"{path}: [weights.{name}]", value) for name, value in weights.items() if name not in every
    }
    whole = _layer_choice(f"{path}: [weights]", every)
    return whole, {name: choice for name, choice in choices.items() if choice != LayerChoice()}


_TABLES = ("templates", "layers", "weights")
_MOST = 1_000_000  # bytes: some thousand layers
_MOST_DOTS = 3  # in a line, besides those in quotes: layers."a.b".k = 0.5
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#.*')  # or a comment


def _tables(path: Path) -> Mapping[str, Any]:
    try:
        text = read_text(path, _MOST)
        if text.lstrip().startswith("<"):
            raise UsageError(f"{path} is not a TOML file", hint="nn2crn config MODEL prints one")
        _refuse_long_keys(text, path)
        data: Mapping[str, Any] = tomllib.loads(text)
    except RecursionError:
        raise UsageError(f"{path} is not a configuration: its brackets nest too deep") from None
    except ValueError as e:  # of tomllib, of the encoding, or of a number with thousands of digits
        raise UsageError(f"{path} is not a TOML file: {str(e).partition(';')[0]}") from None
    for name in data:
        if name not in _TABLES or not isinstance(data[name], dict):
            raise UsageError(
                f"{path}: {name!r} is not a table of a configuration",
                hint="the tables are [templates], [layers] and [weights]; nn2crn config MODEL prints them",
            )
    return data


def _refuse_long_keys(text: str, path: Path) -> None:
    """Keys of many parts, a.b.c..., for which tomllib takes time and memory by the square."""
    if '"""' in text or "'''" in text:
        raise UsageError(f"{path} is not a configuration: it has a string of several lines")
    for count, line in enumerate(_QUOTED.sub("", text).split("\n"), 1):
        if line.count(".") > _MOST_DOTS:
            hint = "names that have dots are written in quotes"
            raise UsageError(f"{path}, line {count}: more than {_MOST_DOTS} dots outside of quotes", hint=hint)


def _layer_choice(where: str, table: Any) -> LayerChoice:
    parsers: Mapping[str, Any] = {"prune": Pruning.parse, "quantize": Quantization.parse}
    if not isinstance(table, dict) or any(k not in parsers or not isinstance(v, str) for k, v in table.items()):
        raise UsageError(
            f"{where} is not a choice for weights", hint='for instance: prune = "magnitude:0.5", quantize = "none"'
        )
    try:
        return LayerChoice(**{k: v if v == "none" else parsers[k](v) for k, v in table.items()})
    except UsageError as e:
        raise UsageError(f"{where}: {e.message}", hint=e.hint) from None


def _choice(where: str, table: Any) -> Choice:
    if isinstance(table, str):
        return Choice(table)
    if not isinstance(table, dict):
        raise UsageError(f"{where} is neither a template's name nor a table")
    settings = {k: v for k, v in table.items() if k != "template"}
    for name, value in settings.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > sys.float_info.max:
            raise UsageError(
                f"{where}: {name!r} is not a number", hint='write template = "...", and parameters as numbers'
            )
    if not isinstance(table.get("template", ""), str):
        raise UsageError(f"{where}: the template is not a name in quotes")
    return Choice(table.get("template", ""), {k: float(v) for k, v in settings.items()})


def show_config(
    network: Network, options: Options, compression: Compression, weights: Iterable[Affine], remark: str = ""
) -> str:
    """A configuration that lists every layer as it would be compiled now; reading it back changes nothing.

    Args:
        network: as it was loaded, or pruned and quantized by `compression`.
        options: the templates.
        compression: what becomes of the weights.
        weights: the layers of the network as it was loaded that can be pruned and quantized.
        remark: how the parameters were found.
    """
    network = with_layers(network)
    lines = [f"# The layers of {network.name}, and the template that computes each. Edit, and give it with --config."]
    lines += [f"# {one_line(remark)}"] * bool(remark)
    for node in choosable(network, options):
        lines += ["", f"[layers.{_key(node.layer_name)}]  # {_whence(node, network)}{node.size} neurons"]
        lines += _chosen(node, options)
    lines += ["", "[templates.identity]  # of values that are read as they are: outputs, and what several layers share"]
    lines += _chosen(Activation("", "identity", ("",), 1), options)
    lines += [
        "",
        "# The weights that can be pruned and quantized: all of them, and each layer in its own way.",
        "",
        "[weights]",
    ]
    lines += [f'prune = "{compression.prune}"'] * bool(compression.prune)
    lines += [f'quantize = "{compression.quantize}"'] * bool(compression.quantize)
    for layer in weights:
        count = len(connections(layer))
        lines += ["", f"[weights.{_key(layer.layer_name)}]  # {_whence(layer, network)}{count} connections"]
        own = compression.layers.get(layer.layer_name, LayerChoice())
        lines += [f'prune = "{own.prune}"' if own.prune else '# prune = "magnitude:0.5"']
        lines += [f'quantize = "{own.quantize}"' if own.quantize else '# quantize = "exponential:4"']
    return "\n".join(lines) + "\n"


def _chosen(node: Activation, options: Options) -> list[str]:
    """A layer's template and all of its parameters, line by line."""
    settings = options.settings_of(node)
    return [
        f"template = {_quoted(options.template_of(node).name)}",
        *(f"{k} = {number(v)}" for k, v in settings.items()),
    ]


def _whence(node: Activation | Affine, network: Network) -> str:
    """The layer's name in the model itself, and its place there."""
    return f"{_quoted(node.name)}, " * (node.name in network.by_name) + f"{node.origin}, " * bool(node.origin)


def _key(name: str) -> str:
    """A name as a key of TOML: in quotes unless it is bare."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _quoted(name)


def _quoted(text: str) -> str:
    """A basic TOML string."""
    escaped = (c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08X}" for c in text)
    return '"' + "".join(escaped) + '"'
