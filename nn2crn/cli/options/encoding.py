"""The options that choose an encoding, and what they mean."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from nn2crn.cli.options.compression import CompressionOptions
from nn2crn.cli.options.sections import Heading, under, with_options
from nn2crn.errors import DataWarning, UsageError
from nn2crn.passes.compression.options import WHOLE_BITS, Quantization

if TYPE_CHECKING:
    from nn2crn.compiler import Options
    from nn2crn.ir.arrays import Floats
    from nn2crn.ir.network import Network

_RATE_INDEPENDENT = "rate-independent"


@dataclass(frozen=True)
class EncodingOptions:
    """--encoding, --bits, --reduce and --max-products, as given."""

    name: str = "catalytic"
    bits: int | None = None
    reduce: str | None = None
    max_products: int | None = None

    @property
    def finds_bits(self) -> bool:
        """True if weights are to be whole numbers and the number of bits is not given."""
        return self.name == _RATE_INDEPENDENT and self.bits is None

    @property
    def uses_data(self) -> bool:
        """True if samples say how many bits weights should have, or what those given keep."""
        return self.name == _RATE_INDEPENDENT

    def chosen(self, options: Options) -> Options:
        """The compiler's options with these.

        Raises:
            UsageError: one of them is for another encoding.
        """
        given = {"--bits": self.bits, "--reduce": self.reduce, "--max-products": self.max_products}
        if self.name != _RATE_INDEPENDENT and any(v is not None for v in given.values()):
            name = next(name for name, v in given.items() if v is not None)
            hint = "--quantize linear:B rounds weights in any encoding" if name == "--bits" else ""
            raise UsageError(f"{name} is for --encoding {_RATE_INDEPENDENT}", hint=hint)
        return replace(options, encoding=self.name, reduce=self.reduce or "", max_products=self.max_products)

    def note_unmeasured(self) -> None:
        """Warn that nothing says what weights of so few bits cost, and what does."""
        if self.bits is not None:
            known = "nn2crn verify says what this costs"
            chosen = "with --data and no --bits, as few bits as keep the classes are chosen"
            warnings.warn(f"weights of {self.bits} bits: {known}; {chosen}", DataWarning, stacklevel=2)

    def of_bits(self, smaller: CompressionOptions) -> CompressionOptions:
        """--bits B is --quantize linear:B:zero.

        Raises:
            UsageError: --bits and --quantize are both given.
        """
        if self.bits is None:
            return smaller
        if smaller.quantize:
            raise UsageError("--bits and --quantize exclude each other", hint="--bits B is linear:B:zero")
        return replace(smaller, quantize=str(Quantization.whole(self.bits)))

    def quantized(
        self,
        smaller: CompressionOptions,
        config: str | None,
        network: Network,
        options: Options,
        data: Mapping[str, Floats] | None,
    ) -> CompressionOptions:
        """The options with the quantization that --bits B asks for, or else of the fewest that keep --data's classes.

        A DataWarning says what the weights keep of what the network makes of the data.

        Raises:
            UsageError: --bits and --quantize are both given.
            CompressionError: no number of bits is enough.
        """
        if data is None:
            return self.of_bits(smaller)
        if self.bits is None and (not self.finds_bits or smaller.given(config)):
            return smaller
        from nn2crn.tune.bits import fewest_bits, kept_by

        if self.bits is not None:
            smaller = self.of_bits(smaller)
            how = Quantization.parse(smaller.quantize or "")
            kept = kept_by(how, network, data, options)
        elif found := fewest_bits(network, data, options):
            how, kept = found
        else:
            return smaller
        said = f"weights of {how.bits} bits keep {kept:.1%} of what the network makes of --data"
        warnings.warn(said, DataWarning, stacklevel=2)
        return replace(smaller, quantize=str(how))


def encoding_options(command: Callable[..., None]) -> Callable[..., None]:
    """--encoding, --bits, --reduce and --max-products, which the command gets as one argument, `encoding`."""

    @wraps(command)
    def collected(encoding: str, bits: int | None, reduce: str | None, max_products: int | None, **others: Any) -> None:
        command(encoding=EncodingOptions(encoding, bits, reduce, max_products), **others)

    option = under(Heading.ENCODING)
    options = [
        option("--encoding", type=click.Choice(["catalytic", _RATE_INDEPENDENT]), default="catalytic",
               show_default=True, help="How numbers are computed: by reactions that settle, or that end."),
        option("--bits", metavar="B", type=click.IntRange(WHOLE_BITS[0], WHOLE_BITS[-1]), help="Of whole weights,"
               " for rate-independent chemistry; else as few as --data allow."),
        option("--reduce", type=click.Choice(["inputs", "all", "none"]), help="Of rate-independent chemistry,"
               " substitute reactions of one reactant, but for the inputs' [inputs]; all, with --input; none."),
        option("--max-products", metavar="N", type=click.IntRange(2), help="Of rate-independent chemistry, split"
               " reactions that make more molecules."),
    ]  # fmt: skip
    return with_options(collected, options)
