"""Where templates are found: the .act files of this folder, and those a user adds."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cached_property
from importlib.metadata import entry_points
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from nn2crn.errors import Nn2crnError, NotationError, TemplateError, UsageError
from nn2crn.templates.gadget import instantiate
from nn2crn.templates.parse import parse_template
from nn2crn.templates.template import Template

_SUFFIX = ".act"


class Library:
    """Templates by name. Those of the package are parsed when first asked for; a user's own are checked at once."""

    def __init__(self, own: tuple[Template, ...] = ()) -> None:
        self._loaded = {t.name: t for t in own}
        self._own = frozenset(self._loaded)

    @cached_property
    def _files(self) -> dict[str, Traversable]:
        """Where each template is: in this package, or in one that an installed package's entry point names.

        Raises:
            UsageError: the package that an entry point names is not there.
        """
        packages = [__package__, *(e.value for e in entry_points(group="nn2crn.templates"))]
        return {
            f.name.removesuffix(_SUFFIX): f
            for package in packages
            for f in _folder(package).iterdir()
            if f.name.endswith(_SUFFIX)
        }

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All template names, sorted: `relu.anderson2021`, ..."""
        return tuple(sorted({*self._files, *self._loaded}))

    @property
    def activations(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(n.split(".")[0] for n in self.names))

    def get(self, name: str) -> Template:
        """The template of this name, or the default one of an activation's name.

        Raises:
            UsageError: there is none, with the nearest names.
        """
        if "." not in name:
            return self._default(name)
        if name not in self.names:
            variants = [n for n in self.names if n.startswith(name.split(".", maxsplit=1)[0] + ".")]
            near = variants or get_close_matches(name, self.names)
            raise UsageError(f"there is no template {name!r}", hint=_list(near or list(self.names)))
        if name not in self._loaded:
            path = self._files[name]
            self._loaded[name] = parse_template(path.read_text(encoding="utf-8"), path.name)
        return self._loaded[name]

    def has(self, activation: str) -> bool:
        return activation in self.activations

    def _default(self, activation: str) -> Template:
        variants = [self.get(n) for n in self.names if n.split(".")[0] == activation]
        variants.sort(key=lambda t: t.name not in self._own)  # a user's own go first
        if not variants:
            near = get_close_matches(activation, self.activations)
            raise UsageError(f"there is no template for {activation!r}", hint=_list(near or list(self.activations)))
        return next((t for t in variants if t.default), variants[0])


def read_template(path: Path) -> Template:
    """A user's template file, proved.

    Raises:
        UsageError: it cannot be read.
        NotationError: it does not parse, with the place.
        TemplateError: it breaks a rule, with the place; or its fixed point is no root of its ODEs, with the residual.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as e:
        raise UsageError(f"{path}: {e.strerror}") from None
    except UnicodeDecodeError:
        raise NotationError(f"{path} is not a UTF-8 text file") from None
    template = parse_template(text, str(path))
    if template.compose is None:
        from nn2crn.templates.proof import prove  # sympy takes a moment to import

        try:
            prove(instantiate(template, {}))
        except Nn2crnError:
            raise
        except Exception as e:  # noqa: BLE001  # sympy fails in many ways on formulas that make no sense
            raise TemplateError(f"{path}: sympy cannot follow its formulas: {e or type(e).__name__}") from None
    return template


def _folder(package: str) -> Traversable:
    try:
        return files(package)
    except ModuleNotFoundError:
        hint = "an installed package's entry point nn2crn.templates must name a package with .act files"
        raise UsageError(f"there is no package {package!r} of templates", hint=hint) from None


def _list(names: list[str]) -> str:
    return "there are: " + ", ".join(names)
