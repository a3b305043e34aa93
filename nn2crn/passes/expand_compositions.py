"""An activation whose template is a composition is replaced by what it is composed of."""

from __future__ import annotations

from nn2crn.errors import TemplateError
from nn2crn.ir.network import Activation, Network, Node
from nn2crn.passes.compose import compose
from nn2crn.templates.options import Options
from nn2crn.templates.template import Template


def expand_compositions(network: Network, options: Options) -> Network:
    """silu(x)  ->  product(x, sigmoid(x)), and so on until every activation has reactions of its own.

    >>> from nn2crn.ir.network import Input, Output
    >>> net = Network("net", (Input("x", (1,)), Activation("y", "silu", ("x",), 1)), (Output("y", "y", (1,)),))
    >>> [(n.function, len(n.sources)) for n in expand_compositions(net, Options()).activations()]
    [('sigmoid', 1), ('product', 2)]

    Raises:
        UsageError: an option names what is not there, or has no effect on this network.
    """
    seen: dict[str, Template] = {"identity": options.library.get("identity")}  # linear outputs become one
    nodes: list[Node] = []
    for node in network.nodes:
        nodes += _expanded(node, options, seen) if isinstance(node, Activation) else [node]
    made = [n.name for n in nodes if isinstance(n, Activation) and n.within]
    options.refuse_unused(seen.values(), [*(n.name for n in network.activations()), *made])
    return network.replace(nodes=tuple(nodes))


def _expanded(
    node: Activation, options: Options, seen: dict[str, Template], inside: tuple[str, ...] = ()
) -> list[Node]:
    template = options.template_of(node)
    seen[template.name] = template
    if template.compose is None:
        return [node]
    if template.name in inside:
        circle = " -> ".join([*inside[inside.index(template.name) :], template.name])
        raise TemplateError(f"{template.file}: the composition never ends: {circle}")
    inside = (*inside, template.name)
    parts = compose(node, template, options.settings_of(node), options.library)
    return [n for p in parts for n in (_expanded(p, options, seen, inside) if isinstance(p, Activation) else [p])]


def composed(network: Network, options: Options) -> dict[str, Activation]:
    """The activations that `expand_compositions` replaces, those within compositions as well, by name.

    >>> from nn2crn.ir.network import Input, Output
    >>> net = Network("net", (Input("x", (1,)), Activation("y", "selu", ("x",), 1)), (Output("y", "y", (1,)),))
    >>> {name: node.function for name, node in composed(net, Options()).items()}
    {'y': 'selu', 'y/elu0': 'elu'}
    """
    found: dict[str, Activation] = {}
    waiting = list(network.activations())
    while waiting:
        node = waiting.pop()
        template = options.template_of(node)
        if template.compose is not None:
            found[node.name] = node
            parts = compose(node, template, options.settings_of(node), options.library)
            waiting += [p for p in parts if isinstance(p, Activation)]
    return found
