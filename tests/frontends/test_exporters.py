"""Models of PyTorch, Keras and scikit-learn as these export them: right, or refused for a true reason."""

from __future__ import annotations

from collections import Counter

import pytest
from exporters import REFUSED, RIGHT, WRONG, outcomes
from parts import needs

REASONS = {  # of all that is refused: the model, and what is said
    "torch": {
        "hardshrink torchscript": "the result of a comparison",
        "bilinear dynamo": "multiplies two signals",
        "attention torchscript": "multiplies two signals",
        "attention dynamo": "multiplies two signals",
        "lstm torchscript": "step by step",
        "lstm dynamo": "step by step",
        "logsumexp torchscript": "ReduceLogSumExp",
        "logsumexp dynamo": "ReduceLogSumExp",
    },
    "keras": {"log_softmax": "the logarithm of a quotient", "hard_shrink": "the result of a comparison"},
    "sklearn": {"tree": "TreeEnsembleRegressor", "neighbours": "TopK"},
}
LEAST = {"torch": 120, "keras": 38, "sklearn": 30}  # right; exporters differ in what they can write


@pytest.mark.slow
@pytest.mark.parametrize(
    "framework",
    [
        pytest.param("torch", marks=needs("torch", "exporters")),
        pytest.param("keras", marks=needs("torch", "exporters")),
        pytest.param("sklearn", marks=needs("sklearn")),
    ],
)
def test_what_a_framework_exports_is_right_or_refused(framework, tmp_path):
    found = list(outcomes(framework, tmp_path))
    assert [f"{o.name}: {o.reason}" for o in found if o.kind == WRONG] == []
    refused = {o.name: o.reason for o in found if o.kind == REFUSED}
    assert set(refused) <= set(REASONS[framework])
    assert all(REASONS[framework][name] in reason for name, reason in refused.items())
    assert Counter(o.kind for o in found)[RIGHT] >= LEAST[framework]
