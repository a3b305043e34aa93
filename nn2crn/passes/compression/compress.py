"""Pruning and quantizing, each with what makes up for it on calibration data."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nn2crn.ir.arrays import Floats
from nn2crn.ir.network import Network
from nn2crn.passes.compression.options import Compression
from nn2crn.passes.compression.prune import prune
from nn2crn.passes.compression.quantize import quantize
from nn2crn.passes.compression.refit import correct_biases, repair, rescale
from nn2crn.templates.registry import Library

Repair = Callable[[Network, Network, Mapping[str, Floats], Library], Network]


def sparsify(network: Network, compression: Compression, library: Library) -> Network:
    """network  ->  prune(network), its surviving weights or its biases fitted to what they were, if that is wanted.

    >>> import numpy as np
    >>> from nn2crn.ir.network import Affine, Input, Output, Term
    >>> from nn2crn.passes.compression.options import Pruning
    >>> dense = Affine("y", (Term("x", np.array([[4.0, 1.0]])),), np.zeros(1))
    >>> net = Network("net", (Input("x", (2,)), dense), (Output("y", "y", (1,)),))
    >>> how = Compression(Pruning.parse("magnitude:0.5"), correct_biases=True, data={"x": np.array([[0, 0], [0, 2.0]])})
    >>> done = next(sparsify(net, how, Library()).affines())
    >>> done.terms[0].weight.toarray().tolist(), done.bias.tolist()
    ([[4.0, 0.0]], [1.0])

    Raises:
        UsageError: a choice is for a layer that is not there.
    """
    return _made_up_for(prune(network, compression, library), network, compression, library, repair)


def discretise(network: Network, compression: Compression, library: Library) -> Network:
    """network  ->  quantize(network), its scales or its biases fitted to what they were, if that is wanted.

    >>> import numpy as np
    >>> from nn2crn.ir.network import Affine, Input, Output, Term
    >>> from nn2crn.passes.compression.options import Quantization
    >>> dense = Affine("y", (Term("x", np.array([[4.0, 1.0]])),), np.zeros(1))
    >>> net = Network("net", (Input("x", (2,)), dense), (Output("y", "y", (1,)),))
    >>> data = {"x": np.array([[0, 0], [0, 2.0]])}
    >>> how = Compression(quantize=Quantization.parse("binary"), correct_biases=True, data=data)
    >>> done = next(discretise(net, how, Library()).affines())
    >>> done.terms[0].weight.tolist(), done.bias.tolist()
    ([[2.5, 2.5]], [-1.5])
    """
    return _made_up_for(quantize(network, compression), network, compression, library, rescale)


def _made_up_for(
    changed: Network, network: Network, compression: Compression, library: Library, fit: Repair
) -> Network:
    """The changed network after the repair, or with the mean drives of the network, or as it is."""
    if changed is network or compression.data is None:
        return changed
    if compression.repair:
        return fit(changed, network, compression.data, library)
    return correct_biases(changed, network, compression.data, library) if compression.correct_biases else changed
