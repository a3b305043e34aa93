"""What else the same network could be compiled to: each alternative is compiled and run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nn2crn import compiler
from nn2crn.compiler import Compression
from nn2crn.errors import Nn2crnError
from nn2crn.evaluate.case import Case
from nn2crn.evaluate.tube.realise import Limits, Realisation, realise
from nn2crn.ir.network import Activation, Network
from nn2crn.passes.compression.options import WHOLE_BITS, Pruning, Quantization
from nn2crn.templates.options import Options

LARGEST = 5000  # reactions, past which alternatives are not run unasked
_SMOOTHER = (100.0, 10_000.0)  # times as large an h
_SMALLER = {
    **{f"--prune {text}": Compression(prune=Pruning.parse(text)) for text in ("magnitude:0.25", "magnitude:0.5")},
    **{f"--quantize {text}": Compression(quantize=Quantization.parse(text)) for text in ("linear:3:zero", "ternary")},
}


@dataclass(frozen=True)
class Alternative:
    """Options of the command line that differ, and what the chemistry comes to with them."""

    options: str
    realised: Realisation

    def as_json(self) -> dict[str, Any]:
        return {"options": self.options, **self.realised.as_json()}


Choice = tuple[str, Network, Options]
"""Options of the command line, and what is to be compiled with them."""


def alternatives(case: Case, limits: Limits, names: tuple[str, ...]) -> Iterator[Alternative]:
    """Other templates, parameters and weights of the same encoding; those that cannot be compiled are left out."""
    first = {name: rows[0].tolist() for name, rows in case.inputs.items()}
    for words, network, options in _BY_ENCODING[case.options.encoding](case):
        try:
            reactions = compiler.compile(network, options, inputs=first)
            yield Alternative(words, realise(reactions, case.inputs, limits, names, case.expected))
        except Nn2crnError:
            continue


def _catalytic(case: Case) -> Iterator[Choice]:
    """A larger h, the fast ReLU, and fewer weights if none are left out yet."""
    network, options = case.network, case.options
    relus = [n for n in network.nodes if isinstance(n, Activation) and n.function == "relu"]
    if relus and not options.explicit:
        smooth = [options.settings_of(n)["h"] for n in relus if "h" in options.settings_of(n)]
        for factor in _SMOOTHER if smooth else ():
            h = max(smooth) * factor
            yield f"--set relu.h={h:g}", network, replace(options, settings={"relu.h": h})
        if not options.variants:
            yield "--relu annihilation", network, replace(options, variants={"relu": "annihilation"})
    if not case.compressed or not network.compression:
        for words, compression in _SMALLER.items():
            yield words, _compressed(case, compression), options


def _rate_independent(case: Case) -> Iterator[Choice]:
    """A bit more or less, no substitution, and reactions of two products."""
    options = case.options
    for bits in _near(case.network.compression):
        how = Compression(quantize=Quantization.whole(bits))
        yield f"--bits {bits}", _compressed(case, how), options
    if options.reduce in ("", "inputs"):
        yield "--reduce none", case.network, replace(options, reduce="none")
    if options.max_products is None:
        yield "--max-products 2", case.network, replace(options, max_products=2)


def _near(steps: tuple[str, ...]) -> Iterator[int]:
    """A bit less and a bit more than whole weights have that were compressed in no other way."""
    option, _, text = " ".join(steps).partition(" ")
    if option != "--quantize" or " " in text:
        return
    bits = Quantization.parse(text).bits
    if text == str(Quantization.whole(bits)):
        yield from (other for other in (bits - 1, bits + 1) if other in WHOLE_BITS)


def _compressed(case: Case, how: Compression) -> Network:
    return compiler.compress(case.whole, how, library=case.options.library)


_BY_ENCODING: Mapping[str, Callable[[Case], Iterator[Choice]]] = {
    "catalytic": _catalytic,
    "rate-independent": _rate_independent,
}
