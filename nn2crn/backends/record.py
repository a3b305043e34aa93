"""The record in a file of how it was made, for programs: JSON, in SBML in the annotation, in Antimony in a comment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from nn2crn.errors import Nn2crnError, UsageError
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.ir.recipe import Chosen, Recipe
from nn2crn.ir.units import Units

FormatOptions = Mapping[str, bool | str | float]
MARK = "// compiled from "  # what the comment begins with


class ProvenanceError(Nn2crnError):
    """A file to be verified has no record of how it was made, or was made from another model."""

    code = "provenance"


@dataclass(frozen=True)
class Record:
    """Enough to write a file again.

    Attributes:
        source: the SHA-256 of the model.
        name: of the network.
        units: what its numbers are in.
        kappa: what its rate constants have been multiplied by.
        recipe: what was chosen.
        options: of the format.
    """

    source: str
    name: str
    units: Units
    kappa: float
    recipe: Recipe
    options: FormatOptions


def show_record(network: ReactionNetwork, options: FormatOptions) -> str:
    """Write the record as a line of JSON in ASCII, numbers exact; empty for a network that was not compiled."""
    recipe = network.recipe
    if recipe is None:
        return ""
    data = {
        "model-sha256": network.source,
        "name": network.name,
        "outputs": recipe.outputs,
        "domain": recipe.domain,
        "passes": recipe.passes,
        "layers": {name: _shown(chosen) for name, chosen in recipe.layers.items()},
        "identity": _shown(recipe.identity),
        "foreign-sha256": recipe.foreign,
        "compression": recipe.compression,
        "encoding": recipe.encoding,
        **({"reduce": recipe.reduce} if recipe.reduce else {}),
        **({"max-products": recipe.max_products} if recipe.max_products else {}),
        "units": [network.units.concentration, network.units.time, *[network.units.one] * (network.units.one != 1)],
        **({"molecules": network.units.molecules} if network.units.molecules else {}),
        "kappa": network.kappa,
        "format": options,
    }
    return json.dumps(data)


def _shown(chosen: Chosen) -> dict[str, Any]:
    return {"template": chosen[0], "parameters": chosen[1]}


def read_record(text: str, where: str) -> Record:
    """Reads what `show_record` wrote.

    Raises:
        ProvenanceError: it is something else; `where` is the file it is from.
    """
    try:
        data = json.loads(text)
        layers = {str(name): _read(chosen) for name, chosen in data["layers"].items()}
        domain = {str(name): (float(low), float(high)) for name, (low, high) in data["domain"].items()}
        outputs, passes, compression = (tuple(map(str, data[k])) for k in ("outputs", "passes", "compression"))
        foreign = {str(name): str(text) for name, text in data["foreign-sha256"].items()}
        recipe = Recipe(
            outputs,
            domain,
            passes,
            layers,
            _read(data["identity"]),
            foreign,
            compression,
            str(data["encoding"]),
            str(data.get("reduce", "")),
            int(data.get("max-products", 0)) or None,
        )
        units = Units(*data["units"])
        units, kappa = replace(units, molecules=data.get("molecules")), float(data["kappa"])
        return Record(str(data["model-sha256"]), str(data["name"]), units, kappa, recipe, dict(data["format"].items()))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, UsageError):
        raise ProvenanceError(
            f"{where}: what it says of how it was made is not what nn2crn writes", hint="compile it again"
        ) from None


def _read(chosen: Any) -> Chosen:
    return str(chosen["template"]), {str(name): float(value) for name, value in chosen["parameters"].items()}
