"""Templates chosen in a TOML file: by activation, or layer by layer.

[templates.sigmoid]              # every sigmoid
template = "sigmoid.chain"
k = 5

[templates."/fc1/Sigmoid_output_0"]   # one layer, by the name that `nn2crn config --generate` lists
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


def read_config(path: Path) -> dict[str, Choice]:
    """Choices by activation or layer name.

    Raises:
        UsageError: the file cannot be read, is not TOML, or has something else in it.
    """
    try:
        data: Mapping[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as e:
        raise UsageError(f"cannot read {path}: {e.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise UsageError(f"{path} is not a TOML file: {e}") from None
    tables = data.get("templates")
    if set(data) != {"templates"} or not isinstance(tables, dict):
        raise UsageError(f"{path}: one table is read, [templates]", hint="nn2crn config --generate MODEL writes one")
    return {name: _choice(path, name, table) for name, table in tables.items()}


def _choice(path: Path, name: str, table: Any) -> Choice:
    if isinstance(table, str):
        return Choice(table)
    if not isinstance(table, dict):
        raise UsageError(f"{path}: [templates] {name!r} is neither a template's name nor a table")
    settings = {k: v for k, v in table.items() if k != "template"}
    bad = [k for k, v in settings.items() if isinstance(v, bool) or not isinstance(v, int | float)]
    if bad or not isinstance(table.get("template", ""), str):
        raise UsageError(f"{path}: [templates.{name}] {(bad or ['template'])[0]} has a value of the wrong type")
    return Choice(table.get("template", ""), {k: float(v) for k, v in settings.items()})


def show_config(network: Network, options: Options) -> str:
    """A configuration that lists every layer as it would be compiled now; reading it back changes nothing."""
    lines = [f"# The layers of {network.name}, and the template that computes each. Edit, and give it with --config."]
    for node in network.activations():
        template = options.template_of(node)
        lines += ["", f"[templates.{_quoted(node.name)}]  # {node.origin}, {node.size} neurons".rstrip(" ,")]
        lines += [f"template = {_quoted(template.name)}"]
        lines += [f"{k} = {number(v)}" for k, v in options.settings_of(node).items()]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A basic TOML string."""
    escaped = (c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08X}" for c in text)
    return '"' + "".join(escaped) + '"'
