"""Templates chosen in a TOML file: by activation, or layer by layer.

[templates.sigmoid]                # every sigmoid
template = "sigmoid.chain"
k = 5

[layers."/fc1/Sigmoid_output_0"]   # one layer, by the name that `nn2crn config --generate` lists
template = "sigmoid.exact"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nn2crn.errors import UsageError
from nn2crn.ir.formula import number
from nn2crn.ir.network import Network
from nn2crn.templates.options import Choice, Options


def read_config(path: Path) -> tuple[dict[str, Choice], dict[str, Choice]]:
    """Choices by activation, and by layer.

    Raises:
        UsageError: the file cannot be read, is not TOML, or has something else in it.
    """
    try:
        data: Mapping[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as e:
        raise UsageError(f"cannot read {path}: {e.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise UsageError(f"{path} is not a TOML file: {e}") from None
    for name in data:
        if name not in _TABLES or not isinstance(data[name], dict):
            raise UsageError(
                f"{path}: {name!r} is no table of a configuration",
                hint="the tables are [templates] and [layers]; nn2crn config --generate MODEL writes them",
            )
    activations, layers = (
        {name: _choice(f"{path}: [{table}.{name}]", value) for name, value in data.get(table, {}).items()}
        for table in _TABLES
    )
    return activations, layers


_TABLES = ("templates", "layers")


def _choice(where: str, table: Any) -> Choice:
    if isinstance(table, str):
        return Choice(table)
    if not isinstance(table, dict):
        raise UsageError(f"{where} is neither a template's name nor a table")
    settings = {k: v for k, v in table.items() if k != "template"}
    for name, value in settings.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise UsageError(
                f"{where}: {name!r} is not a number", hint='write template = "...", and parameters as numbers'
            )
    if not isinstance(table.get("template", ""), str):
        raise UsageError(f"{where}: the template is not a name in quotes")
    return Choice(table.get("template", ""), {k: float(v) for k, v in settings.items()})


def show_config(network: Network, options: Options) -> str:
    """A configuration that lists every layer as it would be compiled now; reading it back changes nothing."""
    lines = [f"# The layers of {network.name}, and the template that computes each. Edit, and give it with --config."]
    for node in network.activations():
        template = options.template_of(node)
        lines += ["", f"[layers.{_quoted(node.name)}]  # {node.origin}, {node.size} neurons".rstrip(" ,")]
        lines += [f"template = {_quoted(template.name)}"]
        lines += [f"{k} = {number(v)}" for k, v in options.settings_of(node).items()]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A basic TOML string."""
    escaped = (c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08X}" for c in text)
    return '"' + "".join(escaped) + '"'
