"""Arguments that a function of the Python interface does not have: an error that says which it, or another, has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import ParamSpec, TypeVar

from nn2crn.errors import UsageError, choose_from

_P = ParamSpec("_P")
_R = TypeVar("_R")

_OPTIONS = "give options=nn2crn.Options({}=...), to nn2crn.compile or to what compiles a network itself"
_LOAD = "give {}=... to nn2crn.load, and the network that it returns to this"
_COMPILE = "give {}=... to nn2crn.compile"
_SMALLER = (
    'weights are pruned and quantized first: nn2crn.compress(network, nn2crn.Compression(quantize=nn2crn.Quantization("'
    'linear", 3, zero=True))) has what --bits 3 compiles'
)
PLACES: Mapping[str, tuple[str, ...]] = {
    _OPTIONS: (
        "variants", "settings", "library", "choices", "layers", "max_reactions", "encoding", "reduce", "max_products",
    ),
    _LOAD: ("example", "outputs", "logits", "domain", "settle_loops"),
    _COMPILE: ("units", "kappa", "steps"),
    _SMALLER: ("bits", "quantize", "prune", "quantization"),
}  # fmt: skip
"""Where keywords go that people give to other functions, by the hint."""


def known_keywords(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """The function, which refuses arguments that it does not have; its signature and docstring stay as they are.

    >>> known_keywords(lambda samples: samples)(sample=3)
    Traceback (most recent call last):
    nn2crn.errors.UsageError: nn2crn.<lambda> has no argument 'sample'
    hint: did you mean 'samples'? its arguments: samples
    """
    own = signature(function)
    known = tuple(own.parameters)

    @wraps(function)
    def checked(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        for name in kwargs:
            if name not in known:
                said = f"nn2crn.{function.__name__} has no argument {name!r}"
                raise UsageError(said, hint=_place(name) or choose_from(name, known, "its arguments"))
        try:
            own.bind(*args, **kwargs)
        except TypeError as e:  # one is missing, or there are too many, or one is given twice
            raise UsageError(f"nn2crn.{function.__name__}: {e}", hint=_arguments(own)) from None
        return function(*args, **kwargs)

    return checked


def _arguments(own: Signature) -> str:
    """Those that may be given in their order, and those that have to be named."""
    named = [p.name for p in own.parameters.values() if p.kind is Parameter.KEYWORD_ONLY]
    ordered = [name for name in own.parameters if name not in named]
    return f"its arguments: {', '.join(ordered)}" + (f"; by name only: {', '.join(named)}" if named else "")


def _place(name: str) -> str:
    return next((hint.format(name) for hint, names in PLACES.items() if name in names), "")
