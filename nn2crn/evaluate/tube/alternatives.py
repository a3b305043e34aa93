"""What else the same network could be compiled to: each alternative is compiled and run, and its figures are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nn2crn import compiler
from nn2crn.errors import Nn2crnError
from nn2crn.evaluate.tube.realise import Limits, Realisation, realise
from nn2crn.ir.arrays import Floats
from nn2crn.ir.network import Activation, Network
from nn2crn.passes.compression.options import Pruning, Quantization
from nn2crn.templates.options import Options

LARGEST = 5000  # reactions, past which alternatives are not run unasked
_SMOOTHER = (100.0, 10_000.0)  # times as large an h
_QUANTIZE = "--quantize linear:"
_ZERO = ":zero"
_BITS = range(2, 13)
_SMALLER = {
    "--prune magnitude:0.25": compiler.Compression(prune=Pruning("magnitude", 0.25)),
    "--prune magnitude:0.5": compiler.Compression(prune=Pruning("magnitude", 0.5)),
    "--quantize linear:3:zero": compiler.Compression(quantize=Quantization("linear", 3, zero=True)),
    "--quantize ternary": compiler.Compression(quantize=Quantization.parse("ternary")),
}


@dataclass(frozen=True)
class Alternative:
    """Options of the command line that differ, and what the chemistry comes to with them."""

    options: str
    found: Realisation

    def as_json(self) -> dict[str, Any]:
        return {"options": self.options, **self.found.as_json()}


@dataclass(frozen=True, eq=False)
class Subject:
    """A network as it is compiled now, what it was before its weights were compressed, and what is run on it.

    Attributes:
        whole, network: before and after compression; the same if nothing is compressed.
        options: how it is compiled.
        inputs: samples (samples, size) by input name.
        expected: what the whole network gives (samples, n).
    """

    whole: Network
    network: Network
    options: Options
    inputs: Mapping[str, Floats]
    expected: Floats

    def realise(self, limits: Limits, names: tuple[str, ...]) -> Realisation:
        """What it comes to; see `realise`."""
        reactions = compiler.compile(self.network, self.options)
        return realise(reactions, self.inputs, limits, names, self.expected)


def alternatives(subject: Subject, limits: Limits, names: tuple[str, ...]) -> Iterator[Alternative]:
    """Other templates, parameters and weights of the same encoding; those that cannot be compiled are left out."""
    for options, other in _BY_ENCODING[subject.options.encoding](subject):
        try:
            yield Alternative(options, other.realise(limits, names))
        except Nn2crnError:
            continue


def _catalytic(subject: Subject) -> Iterator[tuple[str, Subject]]:
    """A larger h, the fast ReLU, and fewer weights if none are left out yet."""
    options = subject.options
    relus = [n for n in subject.network.nodes if isinstance(n, Activation) and n.function == "relu"]
    if relus and not options.explicit:
        smooth = [options.settings_of(n)["h"] for n in relus if "h" in options.settings_of(n)]
        for factor in _SMOOTHER if smooth else ():
            h = max(smooth) * factor
            yield f"--set relu.h={h:g}", replace(subject, options=replace(options, settings={"relu.h": h}))
        if not options.variants:
            fast = replace(options, variants={"relu": "annihilation"})
            yield "--relu annihilation", replace(subject, options=fast)
    if subject.network is subject.whole or not subject.network.compression:
        for said, how in _SMALLER.items():
            yield said, replace(subject, network=_compressed(subject, how))


def _rate_independent(subject: Subject) -> Iterator[tuple[str, Subject]]:
    """A bit more or less, no substitution, and reactions of two products."""
    options, said = subject.options, subject.network.compression
    if len(said) == 1 and said[0].startswith(_QUANTIZE) and said[0].endswith(_ZERO):
        bits = int(said[0].removeprefix(_QUANTIZE).removesuffix(_ZERO))
        for other in (bits - 1, bits + 1):
            if other in _BITS:
                how = compiler.Compression(quantize=Quantization("linear", other, zero=True))
                yield f"--bits {other}", replace(subject, network=_compressed(subject, how))
    if options.reduce in ("", "inputs"):
        yield "--reduce none", replace(subject, options=replace(options, reduce="none"))
    if options.max_products is None:
        yield "--max-products 2", replace(subject, options=replace(options, max_products=2))


def _compressed(subject: Subject, how: compiler.Compression) -> Network:
    return compiler.compress(subject.whole, how, library=subject.options.library)


_BY_ENCODING: Mapping[str, Callable[[Subject], Iterator[tuple[str, Subject]]]] = {
    "catalytic": _catalytic,
    "rate-independent": _rate_independent,
}
