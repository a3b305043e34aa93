"""Configurations and data by the thousand: what is sound is changed a little, at random and from a seed."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from mutations import changed_bytes, times

CONFIG = b"""\
[layers."layer1"]  # 2 neurons
template = "relu.annihilation"
k = 1_000.0

[layers.y]
template = 'tanh.chain'
k = 3

[templates]
identity = "dual_rail"

[weights]
quantize = "exponential:4"

[weights."layer1"]
prune = "magnitude:0.5"
"""
DATA = b'a,b\n0.5,1\n"0.25",-1e-3\n1,0\n'
PIECES = (b"[", b"]", b"{", b"}", b'"', b"'", b'"""', b".", b"=", b"\n", b",", b"nan", b"inf", b"1e999", b"-0", b"0x1",
          b"a.b.c.d.e", b"[[weights]]", b"\x00", b"\xff", b"1979-05-27", b"true", b"9" * 5000)  # fmt: skip


def mutated_config(rng: Random) -> bytes:
    """A .toml with pieces of its language put in, or bytes changed."""
    return _mutated(CONFIG, rng)


def mutated_data(rng: Random) -> bytes:
    """A .csv, likewise."""
    return _mutated(DATA, rng)


def _mutated(data: bytes, rng: Random) -> bytes:
    for _ in times(rng) if rng.random() < 0.9 else ():
        at = rng.randrange(len(data) + 1)
        if rng.random() < 0.6:
            data = data[:at] + rng.choice(PIECES) + data[at + rng.choice([0, 1, 5]) :]
        else:
            data = changed_bytes(data, data, rng)
    return data


KINDS: dict[str, tuple[str, Callable[[Random], bytes]]] = {
    "config": (".toml", mutated_config),
    "data": (".csv", mutated_data),
}
