r"""Names and numbers as LaTeX: the one place where what a user wrote becomes TeX.

The result is ASCII and compiles with pdflatex in any font encoding, in text and, inside `\textrm`, in mathematics.
"""

from __future__ import annotations

from itertools import pairwise

from nn2crn.backends.options import FEWEST_DIGITS
from nn2crn.ir.formula import number
from nn2crn.ir.network import numbered
from nn2crn.ir.reactions import ReactionNetwork, SpeciesBlock

LONGEST = 16  # printed characters of a name inside a reaction; longer ones get a short symbol and a legend
_PIECE = 10  # printed characters of a word in running text before it may break

_SPECIAL = {
    **{c: "\\" + c for c in "{}$&#%_"},
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\symbol{34}",
    # harmless alone, but a ligature when doubled
    **{c: c + "{}" for c in "-',`"},
    # an argument of the \\ that ends the table row before
    **{c: "{" + c + "}" for c in "[]*"},
}
_LETTERS = (
    "alpha beta gamma delta varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho varsigma sigma tau upsilon"
    " varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
)
_GREEK = dict(zip("αβγδεζηθικλμνξπρςστυφχψωΓΔΘΛΞΠΣΥΦΨΩ", _LETTERS.split(), strict=True))


def escape(text: str) -> str:
    """Any string as LaTeX that prints it: Greek letters as such, other non-ASCII characters as their code point."""
    if not text:
        return r"\textit{(no name)}"
    words = text.split(" ")
    gaps = [" " if left and right else r"\ " for left, right in pairwise(words)]
    return "".join(_word(word) + gap for word, gap in zip(words, [*gaps, ""], strict=True))


def width(text: str) -> int:
    """Printed characters of the escaped text."""
    return sum(1 if _prints(c) else len(_code_point(c)) for c in text)


def mathematical(value: float) -> str:
    r"""A number for mathematics mode: `1.5\times10^{-6}`.

    One of more than three digits has all of them, in the macro \crnnum, which rounds when it is printed.
    """
    text = number(value)
    mantissa, _, exponent = text.partition("e")
    if len(mantissa.replace("-", "").replace(".", "").lstrip("0")) > FEWEST_DIGITS:
        return rf"\crnnum{{{text}}}"
    if not exponent:
        return mantissa
    power = f"10^{{{int(exponent)}}}"
    return {"1": power, "-1": "-" + power}.get(mantissa, rf"{mantissa}\times{power}")


def grouped(n: int) -> str:
    """A whole number with thin spaces between thousands."""
    return f"{n:,}".replace(",", r"\,")


class Symbols:
    """Names of the species and tensors of one network as printed: a short symbol replaces a long name."""

    def __init__(self, network: ReactionNetwork, *, every: bool = False) -> None:
        tensors = [p.name for p in network.inputs] + [p.name for p in network.outputs]
        names = dict.fromkeys(tensors + [b.name for b in network.blocks])
        fresh = numbered("S", names)
        self.legend = {name: next(fresh) for name in names if every or width(name) > LONGEST}

    def name(self, name: str) -> str:
        r"""The name in mathematics mode, by the macro \crnname."""
        return rf"\crnname{{{escape(self.legend.get(name, name))}}}"

    def indexed(self, block: SpeciesBlock, index: str) -> str:
        """A species of the block in mathematics mode: name, subscript and rail."""
        return f"{self.name(block.name)}_{{{index}}}" + (f"^{{{block.rail}}}" if block.rail else "")


def _word(word: str) -> str:
    """Allow a long word to break after a sign or a piece, with a penalty, so that spaces are preferred."""
    if width(word) <= _PIECE:
        return "".join(map(_character, word))
    text, run = "", 0
    for c in word:
        run += width(c)
        text += _character(c)
        if run >= _PIECE or not c.isalnum():
            text, run = text + r"\penalty500{}", 0
    return text


def _character(c: str) -> str:
    if c in _GREEK:
        return rf"\ensuremath{{\{_GREEK[c]}}}"
    return _SPECIAL.get(c, c) if _prints(c) else rf"\texttt{{{_code_point(c)}}}"


def _prints(c: str) -> bool:
    return c in _GREEK or (c.isascii() and c.isprintable())


def _code_point(c: str) -> str:
    return f"U+{ord(c):04X}"
