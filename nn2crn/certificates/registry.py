"""What is proved of a chemistry, by its encoding: the table that `certify`, nn2crn.certify and reports follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nn2crn import compiler
from nn2crn.certificates.certificate import Certificate, certify, subject
from nn2crn.certificates.rate_independence import RateIndependence, rate_independence
from nn2crn.ir.network import Network
from nn2crn.passes.network.set_domain import Bound
from nn2crn.templates.options import Options

Proof = Certificate | RateIndependence


@dataclass(frozen=True)
class Asked:
    """What a proof is asked of, and for.

    Attributes:
        network, options: what is compiled.
        name: of the reactions; the network's own if empty.
        box: bounds of inputs by name, or "" for all; their domains, or [-1, 1], where there are none.
        original: the network before it was pruned or quantized, if it was.
        tolerance: the distance from its end within which an output counts as settled, in units of the outputs.
        start: mol/l, the largest concentration that a species may start with.
    """

    network: Network
    options: Options
    name: str = ""
    box: Mapping[str, tuple[Bound, Bound]] | None = None
    original: Network | None = None
    tolerance: float = 1e-2
    start: float = 1.0


def _catalytic(asked: Asked) -> Certificate:
    given = subject(asked.network, asked.options, name=asked.name, box=asked.box, original=asked.original)
    return certify(given, tolerance=asked.tolerance, start=asked.start)


def _rate_independent(asked: Asked) -> RateIndependence:
    """For all inputs: neither a box, nor a start, nor a tolerance makes a difference."""
    return rate_independence(compiler.compile(asked.network, asked.options, name=asked.name))


_PROVERS: Mapping[str, Callable[[Asked], Proof]] = {"catalytic": _catalytic, "rate-independent": _rate_independent}


def prove(asked: Asked) -> Proof:
    """Prove what can be proved of the network's chemistry in its encoding.

    Raises:
        UsageError: the box names no input, or is below zero for one that has no rail for negative values.
    """
    return _PROVERS[asked.options.encoding](asked)
