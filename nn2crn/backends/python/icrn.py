"""A Python program for icrn: families of reactions as indexed reactions over arrays, differentiable and on a GPU there.

A layer's weights are one reaction `X[j] + Y[i] -> X[j] + 2 Y[i]` with a matrix of rate constants, as they are here
(I. Lee and others, Indexed Chemical Reaction Networks, DNA 31, 2025, doi:10.4230/LIPIcs.DNA.31.4). A zero in it is no
reaction. The program gives `reactions`, `concentrations` and `rate_constants`, for icrn's `solve_well_mixed`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TextIO

import numpy as np

from nn2crn.backends.common.names import make_ids
from nn2crn.backends.common.rails import Rails, comments
from nn2crn.errors import UnsupportedError
from nn2crn.ir.arrays import Floats, Ints
from nn2crn.ir.families.family import Batch, Scheme
from nn2crn.ir.reactions import ReactionNetwork

_INDICES = 3  # of a reaction: more make an array of rate constants that is nearly all zeros
_HEAD = """\
import jax

jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
from icrn import IndexSymbol, MassActionReaction, RateConstant, Species

"""


@dataclass(frozen=True)
class _Shape:
    """The common part of the reactions of one array: scheme, and block and index by slot."""

    scheme: Scheme
    blocks: tuple[int, ...]
    indices: tuple[int, ...]


@dataclass(eq=False)
class _Array:
    """The sizes of the indices, and the rate constants there."""

    sizes: tuple[int, ...]
    rates: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.rates = np.zeros(self.sizes)


def emit(network: ReactionNetwork, out: TextIO) -> None:
    """Writes species by block, then reactions by family.

    Raises:
        UnsupportedError: reactions have more than three indices, as those of the rate-independent encoding do.
    """
    ids, rails = make_ids(network), Rails(network)
    names = _names(network, ids.species)
    out.writelines(f"# {text}\n" for text in comments(network, ids.species))
    out.write("# a species `a_3` of these lines is element 3 of `a`\n")
    out.write(_HEAD)
    out.write("concentrations = {}\nrate_constants = {}\nreactions = []\n\n")
    for block, name in zip(network.blocks, names, strict=True):
        start = rails.start[block.start : block.stop].tolist()
        out.write(f'{name} = Species("{name}")\nconcentrations[{name}] = jnp.array({start!r})\n')
    for number, (shape, array) in enumerate(_arrays(network).items(), 1):
        out.writelines(_reaction(number, shape, array, names))


def _names(network: ReactionNetwork, species: list[str]) -> list[str]:
    """Return the common part of the ids of each block's species: `layer1_U_m` for `layer1_U_0_m`."""
    found = []
    for block in network.blocks:
        stem, _, rail = species[block.start].rpartition("_0")
        found.append(f"{stem}{rail}" if block.size else f"none_{block.start}")
    return found


def _arrays(network: ReactionNetwork) -> dict[_Shape, _Array]:
    starts = np.array([b.start for b in network.blocks], dtype=np.intp)
    found: dict[_Shape, _Array] = {}
    for batch in (b for f in network.families for b in f.batches()):
        blocks = np.searchsorted(starts, batch.species, side="right") - 1
        for key in np.unique(blocks, axis=1).T:
            mine = np.flatnonzero((blocks == key[:, None]).all(axis=0))
            _add(network, found, batch, key, mine, batch.species[:, mine] - starts[key][:, None])
    return found


def _add(  # noqa: PLR0913  # which reactions, and where they stand
    network: ReactionNetwork, found: dict[_Shape, _Array], batch: Batch, key: Ints, mine: Ints, place: Ints
) -> None:
    """The reactions `mine` of the batch, at the places (slots, n) in the blocks `key`."""
    indices: list[int] = []
    kept: list[int] = []
    for slot in range(len(place)):
        same = next((c for c, k in enumerate(kept) if np.array_equal(place[k], place[slot])
                     and network.blocks[key[k]].size == network.blocks[key[slot]].size), None)  # fmt: skip
        if same is None:
            kept.append(slot)
        indices.append(len(kept) - 1 if same is None else same)
    if len(kept) > _INDICES:
        raise UnsupportedError(
            f"{network.name}: reactions of {len(kept)} species that vary by themselves are not indexed reactions",
            hint="icrn takes the catalytic encoding",
        )
    shape = _Shape(batch.scheme, tuple(map(int, key)), tuple(indices))
    array = found.setdefault(shape, _Array(tuple(network.blocks[key[k]].size for k in kept)))
    np.add.at(array.rates, tuple(place[k] for k in kept), batch.rates[mine])


def _reaction(number: int, shape: _Shape, array: _Array, names: list[str]) -> Iterator[str]:
    letters = "ijk"[: len(array.sizes)]  # which icrn wants, for jax.numpy.einsum
    symbols = [f"{letter}{number}" for letter in letters]
    for letter, symbol, size in zip(letters, symbols, array.sizes, strict=True):
        yield f'{symbol} = IndexSymbol("{letter}", {size})\n'
    slots = shape.scheme.slots
    named = {s: f"{names[b]}[{symbols[c]}]" for s, b, c in zip(slots, shape.blocks, shape.indices, strict=True)}

    def side(members: tuple[tuple[str, int], ...]) -> str:
        return " + ".join(f"{n} * {named[s]}" if n > 1 else named[s] for s, n in members) or "0"

    rate = f"rate{number}"
    yield f'\n{rate} = RateConstant("{rate}")\n'
    yield f"rate_constants[{rate}] = jnp.array({array.rates.tolist()!r})\n"
    left, right = side(shape.scheme.reactants), side(shape.scheme.products)
    yield f"reactions.append(MassActionReaction({left}, {right}, {rate}[{', '.join(symbols)}]))\n"
