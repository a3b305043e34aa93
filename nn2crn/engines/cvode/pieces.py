"""The number of samples integrated together: a rule of the network alone, so that workers do not change results."""

from __future__ import annotations

import numpy as np

from nn2crn.ir.reactions import ReactionNetwork

_TOGETHER = 50_000  # concentrations: past them a call costs more than it saves; fewer make more pieces to share
_FEWEST = 25  # samples, which share each product with a matrix that is larger than the cache
_MOST = 2_000_000  # concentrations, at 0.5 KB each


def samples_at_once(network: ReactionNetwork) -> int:
    """Samples in a piece. They share their steps, so that a sample's last digits depend on those beside it."""
    free = max(int(np.count_nonzero(~network.held)), 1)
    return max(1, min(max(_FEWEST, _TOGETHER // free), _MOST // free))
