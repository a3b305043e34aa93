"""The choice of what to compress, and how: the options of the passes that make the chemistry smaller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self, get_args

from nn2crn.errors import UsageError, choose_from

if TYPE_CHECKING:  # the command line's options import this module, and must start quickly
    from nn2crn.ir.arrays import Floats

Spacing = Literal["exponential", "linear"]
Score = Literal["magnitude", "cosine", "weighted-cosine", "set"]
_MOST_BITS = 12
WHOLE_BITS = range(2, _MOST_BITS + 1)
"""How many bits whole weights may have; of one bit, the only level would be zero."""
_LONG = 10  # digits
_QUANTIZATIONS = (
    f"exponential:B or linear:B with B of 1 to {_MOST_BITS} bits, :zero after it for a level of zero; ternary; binary"
)
_PRUNINGS = (
    f"SCORE:S, with S the fraction removed, 0 to 1; scores: {', '.join(get_args(Score))};"
    " :layer after it for that fraction of each layer"
)


@dataclass(frozen=True)
class Quantization:
    """Weights take one of 2^bits values: 2^(bits - 1) magnitudes of either sign, one of them given up for a zero."""

    spacing: Spacing
    bits: int
    zero: bool = False

    def __post_init__(self) -> None:
        """Raises UsageError if there is no such quantization."""
        if self.spacing not in get_args(Spacing) or not 1 <= self.bits <= _MOST_BITS or self.levels < 1:
            raise UsageError(f"'{self}' is not a quantization", hint=_QUANTIZATIONS)

    @property
    def levels(self) -> int:
        """The number of magnitudes other than zero."""
        return int(2 ** (self.bits - 1)) - self.zero

    @classmethod
    def whole(cls, bits: int) -> Self:
        """Weights are whole multiples of a step, zero among them: `linear:3:zero`, for which --bits 3 stands."""
        return cls("linear", bits, zero=True)

    @classmethod
    def parse(cls, text: str) -> Self:
        """`exponential:4`, `linear:3:zero`, `ternary` (levels A, 0, -A) or `binary` (A, -A).

        Raises:
            UsageError: it is none of these.
        """
        spacing, _, rest = {"ternary": "exponential:2:zero", "binary": "exponential:1"}.get(text, text).partition(":")
        bits, _, zero = rest.partition(":")
        if zero not in ("", "zero") or not (bits.isdecimal() and len(bits) < _LONG):
            raise UsageError(f"{text!r} is not a quantization", hint=_QUANTIZATIONS)
        return cls(spacing, int(bits), bool(zero))  # type: ignore[arg-type]  # which is looked at

    def __str__(self) -> str:
        return f"{self.spacing}:{self.bits}{':zero' if self.zero else ''}"


@dataclass(frozen=True)
class Pruning:
    """The fraction of the connections that is removed, by the lowest score: of all at once, or of each layer.

    `set` is the rule of sparse evolutionary training (Mocanu et al. 2018, doi:10.1038/s41467-018-04316-3): of each
    layer, the smallest positive weights and the largest negative ones.
    """

    score: Score
    fraction: float
    by_layer: bool = False

    def __post_init__(self) -> None:
        """Raises UsageError if there is no such pruning."""
        if self.score not in get_args(Score) or not 0 <= self.fraction <= 1:
            raise UsageError(f"'{self}' is not a pruning", hint=_PRUNINGS)

    @classmethod
    def parse(cls, text: str) -> Self:
        """`magnitude:0.9`, `cosine:0.5:layer`, `weighted-cosine:0.8` or `set:0.9`.

        Raises:
            UsageError: it is none of these.
        """
        score, _, rest = text.partition(":")
        fraction, _, scope = rest.partition(":")
        try:
            value = float(fraction)
        except ValueError:
            value = -1.0
        if not 0 <= value <= 1 or scope not in ("", "layer"):
            raise UsageError(f"{text!r} is not a pruning", hint=_PRUNINGS)
        return cls(score, value, bool(scope) or score == "set")  # type: ignore[arg-type]  # which is looked at

    @property
    def needs_data(self) -> bool:
        return "cosine" in self.score

    def __str__(self) -> str:
        return f"{self.score}:{self.fraction!r}{':layer' if self.by_layer and self.score != 'set' else ''}"


@dataclass(frozen=True)
class LayerChoice:
    """The choices for one layer, in place of those for all; None makes no choice, "none" switches off."""

    prune: Pruning | Literal["none"] | None = None
    quantize: Quantization | Literal["none"] | None = None

    @property
    def pruning(self) -> Pruning | None:
        return None if self.prune == "none" else self.prune

    @property
    def quantization(self) -> Quantization | None:
        return None if self.quantize == "none" else self.quantize


@dataclass(frozen=True)
class Compression:
    """The compression of a network before it is compiled.

    Attributes:
        prune: which connections are removed.
        quantize: which values the weights take.
        repair: what is left is fitted to what was there, on the data.
        correct_biases: biases are changed so that each neuron's mean drive on the data is unchanged.
        layers: other choices for layers by name, which `nn2crn config` lists.
        data: samples by input name, (samples, size), to calibrate on.
    """

    prune: Pruning | None = None
    quantize: Quantization | None = None
    repair: bool = False
    correct_biases: bool = False
    layers: Mapping[str, LayerChoice] = field(default_factory=dict)
    data: Mapping[str, Floats] | None = None

    def __post_init__(self) -> None:
        if not self.active and (self.repair or self.correct_biases):
            raise UsageError("there is nothing to repair", hint="give --prune or --quantize besides")
        if self.data is None and self.calibrates:
            raise UsageError("cosines, repairs and corrections want samples to calibrate on", hint="give --data")

    @property
    def active(self) -> bool:
        """True if anything is pruned or quantized."""
        return bool(self.prune or self.quantize or self.layers)

    @property
    def calibrates(self) -> bool:
        """True if something is done that needs data."""
        prunings = [self.prune, *(c.prune for c in self.layers.values())]
        return self.repair or self.correct_biases or any(isinstance(p, Pruning) and p.needs_data for p in prunings)

    def options(self) -> tuple[str, ...]:
        """Return the command line's options, `--prune magnitude:0.5`; one layer's as a configuration has them."""
        said = [f"--prune {self.prune}"] if self.prune else []
        said += [f"--quantize {self.quantize}"] if self.quantize else []
        said += ["--repair"] if self.repair else []
        said += ["--correct-biases"] if self.correct_biases else []
        for name, choice in self.layers.items():
            own = {"prune": choice.prune, "quantize": choice.quantize}
            said.append(f"[weights.{name}] {', '.join(f'{what} = {v}' for what, v in own.items() if v is not None)}")
        return tuple(said)

    def pruning_of(self, layer: str) -> Pruning | None:
        """Return the pruning of the layer of this name, None if it is not pruned."""
        own = self.layers[layer].prune if layer in self.layers else None
        return None if own == "none" else own or self.prune

    def quantization_of(self, layer: str) -> Quantization | None:
        """Return the quantization of the layer of this name, None if it is not quantized."""
        own = self.layers[layer].quantize if layer in self.layers else None
        return None if own == "none" else own or self.quantize

    def refuse_unknown(self, layers: Iterable[str]) -> None:
        """Raises UsageError if a choice is for a layer that is not there."""
        there = list(layers)
        for name in self.layers:
            if name not in there:
                raise UsageError(f"the network has no weights {name!r}", hint=choose_from(name, there, "its weights"))
