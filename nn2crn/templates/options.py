"""The user's choice of templates and parameters, and its consequences for one activation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from nn2crn.arguments import instance, numbers
from nn2crn.errors import UsageError, choose_from, did_you_mean
from nn2crn.ir.network import Activation
from nn2crn.templates.registry import Library
from nn2crn.templates.template import Template


@dataclass(frozen=True)
class Choice:
    """A template by name (or variant), and some of its parameters."""

    template: str = ""
    settings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Options:
    """Variants and parameters of templates, and how many reactions there may be at most.

    variants maps an activation to a variant (`{"relu": "annihilation"}`); settings maps a parameter to its value,
    as `h`, `relu.h` or `relu.anderson2021.h`. A configuration has choices by activation, and for layers by the names
    that they have in files (`layer1`). A choice for the layer goes first, then what the model says itself, then
    variants and settings, then a choice for the activation. `encoding` is how numbers are written as concentrations
    (nn2crn.lower.registry); `reduce` and `max_products` are for the rate-independent one: which reactions are
    substituted (REDUCTIONS; the first if empty; "all" folds in the values of the inputs), and how many molecules a
    reaction may make.
    """

    variants: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, float] = field(default_factory=dict)
    library: Library = field(default_factory=Library)
    choices: Mapping[str, Choice] = field(default_factory=dict)
    layers: Mapping[str, Choice] = field(default_factory=dict)
    max_reactions: int | None = None
    encoding: str = "catalytic"
    reduce: str = ""
    max_products: int | None = None

    def __post_init__(self) -> None:
        numbers(self.settings, "the setting")
        for activation, variant in self.variants.items():
            instance(variant, str, "the name of a variant", f"for instance variants={{{activation!r}: 'exact'}}")

    @property
    def explicit(self) -> bool:
        """True if a parameter of a template is given, so that none is to be chosen."""
        configured = [*self.choices.values(), *self.layers.values()]
        return bool(self.settings) or any(c.settings for c in configured)

    def template_of(self, node: Activation) -> Template:
        """The template that the model names, or the option, or the default.

        Raises:
            UsageError: there is none of that name.
        """
        layer, activation = self._choices(node)
        variant = self.variants.get(node.function, "")
        named = layer.template or node.template or variant or activation.template or node.function
        return self._template(node.function, named)

    def _template(self, activation: str, named: str) -> Template:
        template = self.library.get(named if named.startswith(activation) else f"{activation}.{named}")
        if template.activation != activation:
            raise UsageError(f"{template.name} is not a template for {activation}")
        return template

    def _choices(self, node: Activation) -> tuple[Choice, Choice]:
        none = Choice()
        return self.layers.get(node.layer_name, none), self.choices.get(node.function, none)

    def settings_of(self, node: Activation) -> dict[str, float]:
        """Return all parameters of the node's template; of the options that fit, the most specific wins.

        Raises:
            UsageError: a value is out of its range.
        """
        template = self.template_of(node)
        chosen = {
            p.name: self.settings[name]
            for p in template.parameters
            for name in _names(template, p.name)
            if name in self.settings
        }
        layer, activation = self._choices(node)
        elsewhere = layer.template or node.template or self.variants.get(node.function)  # named with other parameters
        fitting = {p.name for p in template.parameters}
        general = {k: v for k, v in activation.settings.items() if k in fitting or not elsewhere}
        return template.values({**general, **chosen, **node.settings, **layer.settings})

    def _refuse_unfitting(self, activation: str, choice: Choice) -> None:
        """Refuse parameters that no template has which they could be for: a layer's own may not have them."""
        if choice.template:
            self._template(activation, choice.template).values(choice.settings)
            return
        every = [self.library.get(n) for n in self.library.names if n.split(".")[0] == activation]
        for name, value in choice.settings.items():
            fitting = [t for t in every if any(p.name == name for p in t.parameters)]
            if every and not fitting:
                known = sorted({p.name for t in every for p in t.parameters})
                raise UsageError(
                    f"no template of {activation} has a parameter {name!r}", hint=choose_from(name, known, "parameters")
                )
            if fitting and not any(p.admits(value) for t in fitting for p in t.parameters if p.name == name):
                fitting[0].values({name: value})

    def refuse_unused(self, templates: Iterable[Template], layers: Iterable[str]) -> None:
        """Refuse an option without effect on any of these templates and layers, most likely a misspelling.

        Raises:
            UsageError: naming the option and what would have had an effect.
        """
        for activation, choice in self.choices.items():
            self._refuse_unfitting(activation, choice)
        seen = list(templates)
        activations = {t.activation for t in seen}
        owners: dict[str, set[str]] = {}
        for t in seen:
            for p in t.parameters:
                for name in _names(t, p.name):
                    owners.setdefault(name, set()).add(t.activation)
        for name in self.settings:
            if len(owners.get(name, ())) > 1:
                listed = " and ".join(sorted(owners[name]))
                raise UsageError(
                    f"{name!r} is a parameter of {listed}", hint=f"write {min(owners[name])}.{name}, or so"
                )
        for name in [n for n in self.settings if n not in owners] + [
            n for n in [*self.variants, *self.choices] if n not in activations
        ]:
            known = sorted({f"{t.activation}.{p.name}" for t in seen for p in t.parameters})
            near = get_close_matches(name, known, cutoff=0.3) or known
            meant = did_you_mean(name, known if name in self.settings else activations)
            listed = f"parameters in use: {', '.join(near) or 'none'}; activations: {', '.join(sorted(activations))}"
            hint = f"{meant}{listed}"
            raise UsageError(f"no layer of this network uses {name!r}", hint=hint)
        there = list(layers)
        for name in self.layers:
            if name not in there:
                raise UsageError(
                    f"the network has no layer {name!r}",
                    hint=f"its layers: {', '.join(there)}; give the --logits and --output that nn2crn config was given",
                )


def _names(template: Template, parameter: str) -> tuple[str, str, str]:
    """The names an option may have for a parameter, the most specific last."""
    return parameter, f"{template.activation}.{parameter}", f"{template.name}.{parameter}"
