"""The page as a function of its figures, which it carries as JSON: no number stands there that is not among them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from importlib.resources import files
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from nn2crn.certificates.boxes import SAMPLES
from nn2crn.certificates.rounding import at_most
from nn2crn.errors import UsageError
from nn2crn.reporting import charts

if TYPE_CHECKING:
    from markupsafe import Markup

Figures = Mapping[str, Any]


def _three_digits(value: float) -> str:
    """`0.0123`, `1,230`, or `1.23e+07`."""
    thousands = 1e3 <= abs(value) < 1e6  # noqa: PLR2004  # where people would rather not read an exponent
    return f"{float(f'{value:.3g}'):,.0f}" if thousands else f"{value:.3g}"


FORMATS: Mapping[str, Callable[[Any], str]] = {
    "count": "{:,}".format,
    "number": _three_digits,
    "error": "{:.1e}".format,
    "bound": lambda bound: at_most(bound, 2),
    "time_bound": lambda bound: at_most(bound, 3),
    "percent": lambda share: f"{share:.1%}" if share > -_FAR else f"{share:.1e}",
    "whole_percent": lambda share: f"{100 * share:.3g} %",
    "nano": lambda molar: f"{molar * 1e9:.3g} nM",
    "micro": lambda molar: f"{molar * 1e6:.3g} \N{MICRO SIGN}M",
    "hours": lambda hours: f"{_three_digits(hours)} h",
}
_FAR = 10.0  # below which a share of variance is not read in percent
_NOTHING = "\N{EN DASH}"  # where there is no number


def check_installed() -> None:
    """Raises UsageError unless jinja2 and matplotlib are there."""
    missing = [package for package in ("jinja2", "matplotlib") if find_spec(package) is None]
    if missing:
        raise UsageError(f"a report needs {' and '.join(missing)}", hint="pip install 'nn2crn[report]'")


def page(figures: Figures, drawing: str) -> str:
    """The page.

    Args:
        figures: what `report` found, as `plain` data.
        drawing: the network as SVG.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["as_key"] = _as_key
    here = files("nn2crn.reporting")
    template = environment.from_string(here.joinpath("page.html.jinja").read_text(encoding="utf-8"))
    drawn = {
        name: partial(_markup, getattr(charts, name), figures)
        for name in ("residuals", "courses", "rate_histogram", "weight_histogram", "robustness")
    }
    return template.render(
        **figures,
        figure=partial(_figure, figures),
        chart=drawn,
        drawing=Markup(drawing),  # noqa: S704  # our own SVG, in which names are escaped
        style=Markup(here.joinpath("page.css").read_text(encoding="utf-8")),  # noqa: S704  # our own file
        data=Markup(_embedded(figures)),  # noqa: S704  # JSON without any < or &
        random=figures["drawn"] != SAMPLES,
        proved=_grouped(figures["statements"]),
    )


def _markup(chart: Callable[..., str], figures: Figures, *which: int) -> Markup:
    from markupsafe import Markup

    return Markup(chart(figures, *which))  # noqa: S704  # by matplotlib, which escapes text


def _as_key(name: str) -> str:
    """A name as a part of a path: that of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def at(figures: Figures, path: str) -> Any:
    """The figure at a path, a JSON pointer without its first slash."""
    value: Any = figures
    for key in path.split("/"):
        value = value[int(key)] if isinstance(value, list) else value[key.replace("~1", "/").replace("~0", "~")]
    return value


def _figure(figures: Figures, path: str, kind: str) -> Markup:
    """A number of the figures, in print and exactly."""
    from markupsafe import Markup

    value = at(figures, path)
    shown = _NOTHING if value is None else FORMATS[kind](value)
    return Markup('<data value="{}" data-figure="{}" data-format="{}">{}</data>').format(
        json.dumps(value), path, kind, shown
    )


def _embedded(figures: Figures) -> str:
    """Return the figures as JSON that an HTML parser cannot mistake for a closing tag."""
    text = json.dumps(figures, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _grouped(statements: list[list[str]]) -> list[tuple[str, list[str]]]:
    """Statements under their titles: one without a title goes on with that before it."""
    found: list[tuple[str, list[str]]] = []
    for title, text in statements:
        if title or not found:
            found.append((title, [text]))
        else:
            found[-1][1].append(text)
    return found
