"""An activation whose template is a composition is replaced by what it is composed of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from nn2crn.errors import SizeError, TemplateError, UnsupportedError
from nn2crn.ir.arrays import Floats
from nn2crn.ir.formula import OPERATORS, Call, Formula
from nn2crn.ir.network import Activation, Affine, Network, Node, fresh
from nn2crn.passes.network.compose import compose
from nn2crn.templates.inlining import inlined
from nn2crn.templates.options import Options
from nn2crn.templates.template import Template

_DEEPEST = 100  # compositions of compositions
_MOST = 1000  # activations that one composition comes to
_OWN = (*OPERATORS, "largest")  # what compositions are made of besides activations


def expand_compositions(network: Network, options: Options) -> Network:
    """silu(x)  ->  product(x, sigmoid(x)) by silu.product, and so on until every activation has reactions of its own.

    >>> from nn2crn.ir.network import Input, Output
    >>> y = Activation("y", "silu", ("x",), 1, template="silu.product")
    >>> net = Network("net", (Input("x", (1,)), y), (Output("y", "y", (1,)),))
    >>> [(n.function, len(n.sources)) for n in expand_compositions(net, Options()).activations()]
    [('sigmoid', 1), ('product', 2)]

    Raises:
        UsageError: an option names what is not there, or has no effect on this network.
        TemplateError: a composition never ends; or one that is not nn2crn's own is further from its function than it
            states.
        SizeError, UnsupportedError: there would be too many activations, which is known before any is made.
    """
    expansion = _Expansion(network, options)
    seen = expansion.seen
    identity = options.library.get("identity")  # linear outputs become one
    options.refuse_unused([identity, *map(options.template_of, seen)], [n.layer_name for n in seen])
    return network.replace(nodes=expansion.nodes)


def choosable(network: Network, options: Options) -> list[Activation]:
    """Every activation that has a template to choose: the network's, and what compositions are made of, at any depth.

    >>> from nn2crn.ir.network import Input, Output
    >>> y = Activation("y", "silu", ("x",), 1, template="silu.product")
    >>> net = Network("net", (Input("x", (1,)), y), (Output("y", "y", (1,)),))
    >>> [n.layer_name for n in choosable(net, Options())]
    ['y', 'y.sigmoid', 'y.product']
    """
    return _Expansion(network, options).seen


class _Expansion:
    """All nodes, compositions replaced; and all activations that were met, those that were replaced as well."""

    def __init__(self, network: Network, options: Options) -> None:
        _refuse_too_many(network, options)
        self.network, self.options = network, options
        self.seen: list[Activation] = []
        self.replaced: dict[str, Activation] = {}
        self.names = {n.layer_name for n in network.nodes if isinstance(n, Activation | Affine)}
        self.nodes = tuple(n for node in network.nodes for n in self._of(node))

    def _of(self, node: Node) -> Iterator[Node]:
        if not isinstance(node, Activation):
            yield node
            return
        self.seen.append(node)
        template = self.options.template_of(node)
        if template.compose is None:
            yield node
            return
        self.replaced[node.name] = node
        settings = self.options.settings_of(node)
        parts = compose(node, template, settings, self.options.library, self.network.by_name)
        if not template.shipped:
            from nn2crn.templates.stated import composition_holds  # sympy takes a moment to import

            given: dict[str, float | Floats] = {**node.attributes, **settings}
            composition_holds(template, inlined(template.compose, self.options.library), given)
        for part in parts:
            yield from self._of(self._named(part) if isinstance(part, Activation) else part)

    def _named(self, part: Activation) -> Activation:
        """The part as `layer2.sigmoid`, after the layer that the user knows."""
        named = replace(part, layer=fresh(f"{part.within}.{part.function}", self.names))
        self.names.add(named.layer)
        return named


def composed(network: Network, options: Options) -> Mapping[str, Activation]:
    """The activations that `expand_compositions` replaces, those within compositions as well, by name.

    >>> from nn2crn.ir.network import Input, Output
    >>> y = Activation("y", "selu", ("x",), 1, template="selu.elu")
    >>> net = Network("net", (Input("x", (1,)), y), (Output("y", "y", (1,)),))
    >>> {name: node.function for name, node in composed(net, Options()).items()}
    {'y': 'selu', 'y/elu0': 'elu'}
    """
    return _Expansion(network, options).replaced


def _refuse_too_many(network: Network, options: Options) -> None:
    """Counts what compositions come to: each may have others twice, and these others twice, and so on."""
    counts: dict[str, int] = {}
    neurons = 0
    for node in network.activations():
        template = options.template_of(node)
        parts = _count(template, options, counts, ())
        neurons += parts * node.size
        if parts > _MOST:
            raise SizeError(f"{template.file}: the composition comes to {parts:,} activations, more than {_MOST:,}")
    if options.max_reactions is not None and neurons > options.max_reactions:  # of which each has one at least
        raise UnsupportedError(
            f"{network.name}: with its compositions it has {neurons:,} neurons, more than {options.max_reactions:,}"
            " reactions",
            hint="give another --max-reactions, or a smaller model",
        )


def _count(template: Template, options: Options, counts: dict[str, int], inside: tuple[str, ...]) -> int:
    """The activations that an activation of this template becomes; `counts` has those of templates already seen."""
    if template.compose is None:
        return 1
    if template.name in inside:
        circle = " -> ".join([*inside[inside.index(template.name) :], template.name])
        raise TemplateError(f"{template.file}: the composition never ends: {circle}")
    if len(inside) == _DEEPEST:
        raise TemplateError(f"{template.file}: compositions nest more than {_DEEPEST} deep")
    if template.name not in counts:
        within = (*inside, template.name)
        functions = (call.function for call in set(_calls(template.compose)) if call.function not in _OWN)
        parts = (_count(_template(function, options), options, counts, within) for function in functions)
        counts[template.name] = max(1, sum(parts))  # besides products of signals, no more than the formula is long
    return counts[template.name]


def _calls(formula: Formula) -> Iterator[Call]:
    """All operators and activations of a formula; equal ones are made once."""
    if isinstance(formula, Call):
        yield formula
        for argument in formula.arguments:
            yield from _calls(argument)


def _template(function: str, options: Options) -> Template:
    """The template for an activation in a composition."""
    target = options.library.get(function)
    named = target.name if "." in function else ""
    return options.template_of(Activation("", target.activation, ("",), 1, template=named))
