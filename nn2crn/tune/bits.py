"""The fewest bits of weights with which a network still computes what it should."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nn2crn import compiler
from nn2crn.compiler import Compression, Options
from nn2crn.ir.arrays import Floats
from nn2crn.ir.network import Network
from nn2crn.passes.compression.options import WHOLE_BITS, Quantization
from nn2crn.passes.network.rate_independent.whole_weights import is_whole
from nn2crn.tune.compression_search import CompressionError, Task

KEPT = 0.97  # of the samples' classes, or of the variance of an output


def fewest_bits(network: Network, data: Mapping[str, Floats], options: Options) -> tuple[Quantization, float] | None:
    """The quantization of the fewest bits that keeps KEPT of what the network makes of the samples, and what it keeps.

    None if the weights are multiples of a step as they are.

    Raises:
        CompressionError: the most bits are too few.
    """
    if is_whole(network):
        return None
    for bits in WHOLE_BITS:
        how = Quantization.whole(bits)
        accuracy = kept_by(how, network, data, options)
        if np.isfinite(accuracy) and accuracy >= KEPT:
            return how, accuracy
    raise CompressionError(f"{WHOLE_BITS[-1]} bits are too few for {network.name}", hint="retrain it with fewer bits")


def kept_by(how: Quantization, network: Network, data: Mapping[str, Floats], options: Options) -> float:
    """The share of what the network makes of the samples that its quantized weights keep: classes, or variance."""
    quantized = compiler.compress(network, Compression(quantize=how), library=options.library)
    return Task(network, options, data, data).accuracy(quantized)
