"""The templates that a file's metadata name for its activations, as nn2crn.torch notes them."""

from __future__ import annotations

import json
from dataclasses import replace

import onnx

from nn2crn.errors import Nn2crnError
from nn2crn.ir.network import Activation, Network, Node
from nn2crn.templates.registry import Library

KEY = "nn2crn.templates"


def noted_templates(model: onnx.ModelProto, network: Network, library: Library) -> Network:
    """The network with what is noted: activation, template and parameters by the tensor that the operator makes.

    A note that fits nothing here is left out, with a remark: the file may be from another release, or edited.
    """
    text = next((p.value for p in model.metadata_props if p.key == KEY), "")
    if not text:
        return network
    try:
        noted = {
            str(k): (str(a), str(t), {str(n): float(v) for n, v in s.items()})
            for k, (a, t, s) in json.loads(text).items()
        }
    except (ValueError, TypeError, AttributeError, RecursionError):
        return network.replace(remarks=(*network.remarks, f"the metadata {KEY!r} are not as nn2crn writes them"))
    nodes: list[Node] = []
    remarks: list[str] = []
    for node in network.nodes:
        activation, template, settings = noted.get(node.name, ("", "", {}))
        if not isinstance(node, Activation) or node.function != activation or node.template:
            nodes.append(node)
            continue
        try:
            chosen = library.get(template)
            chosen.values(settings)
        except Nn2crnError as e:
            nodes.append(node)
            remarks.append(f"the template noted for {node.name!r} is left out: {e.message}")
            continue
        fits = chosen.activation == activation
        nodes.append(replace(node, template=chosen.name, settings=settings) if fits else node)
    return network.replace(nodes=tuple(nodes), remarks=(*network.remarks, *remarks))
