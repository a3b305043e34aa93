"""The registry of templates: the .act files of this folder, those of installed packages, and those a user adds.

A name stands for one text. The package's own templates are proved in the tests; whatever else is compiled is proved
when it is first used (`Library.gadget`), and can take neither the name nor the meaning of a template of the package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import cache, cached_property
from importlib.metadata import EntryPoint
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from nn2crn.errors import Nn2crnError, NotationError, TemplateError, UsageError
from nn2crn.files.reading import read_text
from nn2crn.ir.arrays import Floats
from nn2crn.ir.formula import number, show
from nn2crn.plugins import leave_out, plugins
from nn2crn.templates.gadget import Gadget, instantiate
from nn2crn.templates.parse import parse_template
from nn2crn.templates.template import PYTHON, SHIPPED, Template

GROUP = "nn2crn.templates"  # entry points, each the name of a package with .act files
_SUFFIX = ".act"
_MOST = 4_000_000  # bytes of a user's template: a thousand times those of this folder


class Library:
    """Templates by name: a user's own, the package's, and those of installed packages.

    Raises:
        TemplateError: one of the user's has the name of another template, or computes another function than the
            templates that its activation has already; or it is not what its text says.
    """

    def __init__(self, own: tuple[Template, ...] = ()) -> None:
        self._loaded: dict[str, Template] = {}
        written = [_as_written(t) for t in own]
        self._own = {t.name: t for t in written}
        for n, template in enumerate(written):
            earlier = next((t for t in written[:n] if t.name == template.name), None)
            taken = earlier or _shipped_template(template.name) or _installed().get(template.name)
            _refuse_conflict(template, taken, self._named(template.activation))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return all template names, sorted: `relu.anderson2021`, ..."""
        return tuple(sorted({*self._own, *_shipped(), *_installed()}))

    @property
    def activations(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(n.split(".")[0] for n in self.names))

    @property
    def own(self) -> tuple[Template, ...]:
        """The user's own templates."""
        return tuple(self._own.values())

    def get(self, name: str) -> Template:
        """The template of this name, or the default one of an activation's name.

        Raises:
            UsageError: there is none, with the nearest names.
        """
        if "." not in name:
            return self._default(name)
        if name not in self._loaded:
            if name not in self.names:
                variants = [n for n in self.names if n.startswith(name.split(".", maxsplit=1)[0] + ".")]
                near = variants or get_close_matches(name, self.names)
                raise UsageError(f"there is no template {name!r}", hint=_list(near or list(self.names)))
            self._loaded[name] = self._own.get(name) or _shipped_template(name) or _installed()[name]
        return self._loaded[name]

    def gadget(
        self, name: str, settings: Mapping[str, float], attributes: Mapping[str, float | Floats] | None = None
    ) -> Gadget:
        """The template at these settings, to be compiled: proved before, unless it is one of the package.

        What it states of its error is looked at with the template's attributes, and with those of the neurons.

        Raises:
            UsageError: there is no such template, or a setting is unknown or out of its range.
            TemplateError: it is not what it states.
        """
        gadget = instantiate(self.get(name), settings)
        if not gadget.template.shipped:
            from nn2crn.templates.stated import established, holds_for  # sympy takes a moment to import

            established(gadget)
            holds_for(gadget, {**gadget.template.attributes, **(attributes or {})})
        return gadget

    def shipped(self, activation: str) -> tuple[Template, ...]:
        """The package's own templates of an activation, in the order of their names."""
        return tuple(t for t in self._named(activation) if t.shipped)

    def has(self, activation: str) -> bool:
        return activation in self.activations

    def _named(self, activation: str) -> list[Template]:
        """The templates of an activation: the user's own, then the package's, then others."""
        every = (*self._own, *sorted(_shipped()), *sorted(_installed()))
        return [self.get(n) for n in every if n.split(".")[0] == activation]

    def _default(self, activation: str) -> Template:
        variants = self._named(activation)
        if not variants:
            near = get_close_matches(activation, self.activations)
            raise UsageError(f"there is no template for {activation!r}", hint=_list(near or list(self.activations)))
        return next((t for t in variants if t.default), variants[0])


def read_template(path: Path) -> Template:
    """Read and prove a user's template file.

    Raises:
        UsageError, SizeError: it cannot be read, is not a regular file, or is too large.
        NotationError: it does not parse, with the place.
        TemplateError: a rule is broken, with the place; or its fixed point is not a root of the ODEs.
    """
    try:
        text = read_text(path, _MOST)
    except UnicodeDecodeError:
        raise NotationError(f"{path} is not a UTF-8 text file") from None
    template = parse_template(text, str(path), f"file {path.name}")
    if template.compose is None:
        from nn2crn.templates.stated import established  # sympy takes a moment to import

        established(instantiate(template, {}))
    return template


@cache
def _shipped() -> Mapping[str, Traversable]:
    return {
        f.name.removesuffix(_SUFFIX): f for f in files(f"{__package__}.library").iterdir() if f.name.endswith(_SUFFIX)
    }


@cache
def _shipped_template(name: str) -> Template | None:
    file = _shipped().get(name)
    return None if file is None else parse_template(file.read_text(encoding="utf-8"), file.name, SHIPPED)


@cache
def _installed() -> Mapping[str, Template]:
    """The templates of installed packages, parsed; those that cannot be used are left out, which is said."""
    found: dict[str, list[Template]] = {}
    for package, templates in plugins(GROUP, _texts):
        for file, text in templates:
            try:
                template = parse_template(text, file, package)
                shipped = [n for n in _shipped() if n.split(".")[0] == template.activation]
                others = [t for known in found.values() for t in known if t.activation == template.activation]
                same = [*filter(None, map(_shipped_template, shipped)), *others]
                _refuse_conflict(template, _shipped_template(template.name), same)
            except Nn2crnError as e:
                leave_out(f"{file} of {package}", e)
            else:
                found.setdefault(template.name, []).append(template)
    for name, several in found.items():
        if len(several) > 1:
            leave_out(f"{name} of {' and of '.join(t.origin for t in several)}", "two templates have one name")
    return {name: several[0] for name, several in found.items() if len(several) == 1}


def _texts(point: EntryPoint) -> list[tuple[str, str]]:
    """The .act files of the package that an entry point names: names and texts."""
    folder = sorted((f for f in files(point.value).iterdir() if f.name.endswith(_SUFFIX)), key=lambda f: f.name)
    return [(f.name, f.read_text(encoding="utf-8")) for f in folder]


def _as_written(template: Template) -> Template:
    """Parse a template made in Python from its text again: the template proved must be the one compiled."""
    origin = PYTHON if template.shipped else template.origin
    written = parse_template(template.text, template.file, origin)
    if written != replace(template, origin=origin):
        hint = "change the text, and parse it with parse_template"
        raise TemplateError(f"{template.file}: {template.name} is not what its text says", hint=hint)
    return written


def _refuse_conflict(template: Template, taken: Template | None, same: list[Template]) -> None:
    """Refuses a template of another's name, or for an activation that is another function."""
    if taken is not None:
        raise TemplateError(
            f"{template.file}: {template.name} is the name of a template of {taken.origin}",
            hint=f"give it a name of its own, as template {template.activation}.mine for {template.activation}",
        )
    for other in same:
        if template.meaning != other.meaning:
            attributes = "".join(f", attribute {k} = {number(v)}" for k, v in other.attributes.items())
            raise TemplateError(
                f"{template.file}: {template.name} does not state the function of {other.name} ({other.origin})",
                hint=f"write: function = {show(other.function)}{attributes}; or name another activation",
            )


def _list(names: list[str]) -> str:
    return "there are: " + ", ".join(names)
