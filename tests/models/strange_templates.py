"""Templates as a stranger would write them."""

from __future__ import annotations

from strangers import smoothed_relu

NET = """input x[2] in [-1, 1]
h = {}(dense(x, weight = [[1, -2], [3, 1]], bias = [0, -1]))
output y = dense(h, weight = [[1, -1]])
"""


def relu(name="bend.mine", **changes):
    text = smoothed_relu(name)
    for old, new in changes.items():
        assert FRAGMENTS[old] in text
        text = text.replace(FRAGMENTS[old], new)
    return text


FRAGMENTS = {
    "function": "max(u, 0)",
    "root": "(u + sqrt(u^2 + 4*h))/2",
    "error": "error <= sqrt(h)",
    "default": "h = 1e-6",
    "range": "  range u in [-20, 20]\n",
    "rate": "Y            @ h",
}
