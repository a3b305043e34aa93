"""The network as strands of DNA, domain by domain, in the text that Peppercorn and dsdobjects read (.pil).

After Soloveichik, Seelig and Winfree (PNAS 2010, doi:10.1073/pnas.0909380107), Figures 2 and 3. A signal is a strand
`history a b c` with toeholds a and c. Of a reaction X + Y -> P + Q, the gate is

    X.b( X.c( Y.a( + Y.b( Y.c( p P.a q Q.a + ) ) ) ) ) X.a*

from which X displaces the strand X.b X.c Y.a, and Y the strand that opens the translator

    p( P.a( P.b P.c + q( Q.a( Q.b Q.c + ) ) ) ) Y.c*

whose long domains p and q are its own; they are the histories of the signals that it sets free. Rate constants are in
comments: they are up to the sequences of toeholds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from nn2crn.backends.common.names import Ids, make_ids
from nn2crn.backends.common.rails import Rails, comments
from nn2crn.backends.options import PilOptions
from nn2crn.errors import UnsupportedError
from nn2crn.ir.reactions import ReactionNetwork

_TWO = 2  # reactants at most
_LONG, _TOEHOLD = 15, 5  # nucleotides, as `long` and `short` are to dsdobjects
_BUILT = "displacement."  # templates of chemistry that is of gates already


def emit(network: ReactionNetwork, out: TextIO, options: PilOptions) -> None:
    """Writes lengths of domains, signals with their concentrations, then the fuels of each reaction.

    Raises:
        UnsupportedError: a reaction has more than two reactants, or the network is of gates or molecules already.
    """
    if network.units.molecules or any(m.template.startswith(_BUILT) for m in network.modules):
        raise UnsupportedError(
            f"{network.name}: strands are made of the network's own reactions, in concentrations",
            hint="leave out --gates and --molecules; --fuel says what each fuel starts with",
        )
    ids, rails = make_ids(network), Rails(network)
    out.writelines(f"# {text}\n" for text in comments(network, ids.species))
    unit = network.units.concentration
    there = [(name, value) for name, value, used in
             zip(ids.species, rails.start.tolist(), rails.taking_part.tolist(), strict=True) if used]  # fmt: skip
    for name, value in there:
        out.writelines(_lengths(name))
        out.write(f"{name} = {' '.join(f'{name}-{domain}' for domain in 'habc')} @initial {value!r} {unit}\n")
    fuel = f" @initial {options.fuel!r} {unit}" if options.fuel is not None else ""
    out.writelines(_fuels(network, ids, fuel))


def _lengths(name: str) -> Iterator[str]:
    """Of a signal's domains: history, toehold, recognition, toehold."""
    for domain, length in zip("habc", (_LONG, _TOEHOLD) * 2, strict=True):
        yield f"length {name}-{domain} = {length}\n"


def _fuels(network: ReactionNetwork, ids: Ids, fuel: str) -> Iterator[str]:
    """The complexes of each reaction; those that an earlier one has, too, are there once."""
    number, there = 0, set()
    for batch in (b for f in network.families for b in f.batches()):
        if batch.scheme.order > _TWO:
            raise UnsupportedError(f"a reaction of {batch.scheme.order} reactants has no gates")
        for sides, rate in zip(batch.sides(), batch.rates.tolist(), strict=True):
            left, right = ([ids.species[s] for s in side] for side in sides)
            number += 1
            yield f"\n# {number}: {' + '.join(left)} -> {' + '.join(right)} at {rate!r}\n"
            histories = [f"d{number}-{i}" for i in range(1, len(right) + 1)]
            yield from (f"length {history} = {_LONG}\n" for history in histories)
            if not left:
                yield from _lengths(f"F-{number}")
            for kind, kernel in _complexes(number, left, right, histories):
                if kernel not in there:
                    there.add(kernel)
                    yield f"{kind}-{number} = {kernel}{fuel}\n"


def _complexes(number: int, left: list[str], right: list[str], histories: list[str]) -> Iterator[tuple[str, str]]:
    """The gate, the translator, the strand that the first reactant displaces, and the fuel that reacts if none does."""
    taken = left or [f"F-{number}"]
    yield "G", _gate(taken, right, histories)
    yield "T", _translator(taken[-1], right, histories)
    if len(left) == _TWO:
        yield "B", f"{left[0]}-b {left[0]}-c {left[1]}-a"
    if not left:
        yield "F", " ".join(f"{taken[0]}-{domain}" for domain in "habc")


def _gate(left: list[str], right: list[str], histories: list[str]) -> str:
    """L_i of Figure 3, or G_i of Figure 2, in kernel notation."""
    made = "".join(f"{history} {name}-a " for history, name in zip(histories, right, strict=True))
    last = left[-1]
    inner = f"{last}-b( {last}-c( {made}+ ) )"
    if len(left) < _TWO:
        return f"{inner} {last}-a*"
    first = left[0]
    return f"{first}-b( {first}-c( {last}-a( + {inner} ) ) ) {first}-a*"


def _translator(last: str, right: list[str], histories: list[str]) -> str:
    """T_i, in kernel notation."""
    inner = ""
    for history, name in reversed(list(zip(histories, right, strict=True))):
        inner = f"{history}( {name}-a( {name}-b {name}-c + {inner}) ) "
    return f"{inner}{last}-c*"
