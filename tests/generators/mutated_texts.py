"""Hostile texts by the thousand: networks and templates of which some tokens are changed, at random and from a seed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

from mutations import changed_bytes, corpus, times

TOKEN = re.compile(r"\s+|#[^\n]*|\"[^\"\n]*\"|\d[\d.]*(?:e[+-]?\d+)?|\w+(?:\.\w+)*|.", re.DOTALL)
COMMON = (
    "(", ")", "[", "]", ",", "=", "+", "-", "*", "/", "^", '"', "#", "\n", " ", "0", "1", "-1", "1e308", "1e-320",
    "1e999", "1048576", "1000000000000", "0.5", "2", "inf", "nan", "x", "y", "é", "\x00", "\u202e", "\\", '"\\ud800"',
    "a" * 3000,
)  # fmt: skip
NETWORK = (
    *COMMON, "input", "output", "in", "network", "dense", "concat", "constant", "relu", "softmax", "tanh.chain",
    "product", "winner_take_all", "leaky_relu", "load", "weight", "bias", "alpha", "k", '"w.npy"', "x[3]", "[[1, 2]]",
)  # fmt: skip
TEMPLATE = (
    *COMMON, "template", "for", "U+", "U-", "U", "u", "Y", "Y+", "E[i]", "E[i-1]", "E[0]", "->", "@", "in", "..", "h",
    "parameter", "fixed", "point", "error", "<=", "rate", ">=", "stability", "global", "neutral", "initial",
    "conserved", "sqrt", "exp", "max", "abs", "sum", "largest", "drive", "attribute", "compose", "range", "u[i]",
    "u[j]", "9^9^9",
)  # fmt: skip


def mutated_text(text: str, other: str, words: Sequence[str], rng: Random) -> bytes:
    """A token becomes another of its class, or tokens are exchanged, left out or repeated; now and then, bytes are."""
    tokens, foreign = TOKEN.findall(text), TOKEN.findall(other)
    for _ in times(rng):
        wanted = rng.choice(["number", "number", "word", "word", "other", ""])
        found = [i for i, t in enumerate(tokens) if wanted in (_class(t), "other") and not t.isspace()]
        if wanted and found:
            at = rng.choice(found)
            alike = [t for t in (*words, *foreign, *tokens) if _class(t) == _class(tokens[at])]
            tokens[at] = rng.choice([*alike, tokens[at]])
        else:
            at, length, start = rng.randint(0, len(tokens)), rng.choice([1, 1, 2, 5]), rng.randint(0, len(foreign))
            again = tokens[at : at + length] * rng.choice([1, 2, 50])
            fresh = rng.choice([[rng.choice(words)], again, foreign[start : start + length], []])
            tokens[at : at + rng.choice([0, 1, 1, length])] = fresh
    data = "".join(tokens).encode("utf-8", "surrogatepass")
    return changed_bytes(data, other.encode(), rng) if rng.random() < 0.05 else data


def _class(token: str) -> str:
    """Numbers and words may stand for one another; a sign only for itself, or one of its kind."""
    if re.fullmatch(r"[\d.e+-]*\d[\d.e+-]*", token):
        return "number"
    return "word" if token[:1].isalpha() else next((c for c in ("+-*/^", "()[]", ",=@") if token in c), token[:1])


def mutated_network(rng: Random) -> bytes:
    """A .nn text."""
    examples = corpus("tests/data/dsl_errors.txt")[0].decode().split("---\n")
    texts = [*NETWORKS * 5, *(e.partition("=>\n")[0] for e in examples)]
    return mutated_text(rng.choice(texts), rng.choice(texts), NETWORK, rng)


def mutated_template(rng: Random) -> bytes:
    """An .act text, under a name of its own; softmax.chain is left out, whose proof takes seconds."""
    texts = [t.decode() for t in corpus("nn2crn/templates/library/*.act") if b"template softmax.chain" not in t]
    text = re.sub(r"^template (\w+)\.\w+ for", r"template \1.mine for", rng.choice(texts))
    return mutated_text(text, rng.choice(texts), TEMPLATE, rng)


NETWORKS = (
    """\
network demo
input x[2, 3] in [0, 1]
input a[6]
h = tanh(dense(x, weight = [[1, 2, 3, 4, 5, 6]], bias = [0.5]))
g = concat(h, -x + 2*a, constant(value = [1, -1]))
output p = softmax(g)
output h
""",
    """\
input "x:0"[3] in [[0, -1, 0], [1, 1, 2]]
output y = max(relu("x:0"), leaky_relu("x:0", alpha = 0.2))
""",
    """\
input x[4]
s = sigmoid.chain(x, k = 3)
t = product(s, x) # gated
output y = winner_take_all(t)
output z = gelu(s + t - x)
""",
)
KINDS: dict[str, tuple[str, Callable[[Random], bytes]]] = {
    "network": (".nn", mutated_network),
    "template": (".act", mutated_template),
}
