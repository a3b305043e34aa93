r"""A LaTeX document or a fragment to \input, and the long tables in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from nn2crn.backends.latex.names import Symbols, escape

_PACKAGES = "".join(rf"\usepackage{{{p}}}" for p in ("amsmath", "amssymb", "array", "booktabs", "longtable", "siunitx"))
_HEAD = rf"""\documentclass[a4paper]{{article}}
\usepackage[margin=2cm]{{geometry}}
{_PACKAGES}
\setlength{{\parindent}}{{0pt}}
\setlength{{\parskip}}{{\medskipamount}}
\begin{{document}}
"""
_MACRO = r"""% a name inside a formula; its depth is hidden so that all subscripts stand equally low
\providecommand{\crnname}[1]{\raisebox{0pt}[\height][0pt]{\textrm{#1}}}
"""
_TABLE_BEGIN = r"""\begingroup\small\edef\crnwidth{\the\linewidth}\renewcommand{\arraystretch}{%s}
\setlength{\LTpre}{\medskipamount}\setlength{\LTpost}{\medskipamount}
\begin{longtable}{@{}%s@{}}
\toprule
%s \\
\midrule
\endhead
\bottomrule
\endfoot
"""

# a long table needs a page of one column: in a paper of two, the fragment has pages of its own
_ONE_COLUMN = r"""\makeatletter
\if@twocolumn\def\crnafter{\twocolumn\relax}\onecolumn\else\let\crnafter\relax\fi
\makeatother
"""

_ROUNDED = "[round-mode=figures,round-precision=%d,round-pad=false]"
_NUMBER = r"""%% numbers are here with all their digits, and rounded when they are printed
\providecommand{\crnnum}{}\renewcommand{\crnnum}[1]{\num%s{#1}}
"""

Column = tuple[str, float]  # the ragged side, and the fraction of the line


def document(title: str, parts: Iterable[str], *, standalone: bool, digits: int = 0) -> Iterator[str]:
    r"""The parts under a title, or as a fragment, which starts with what it needs.

    Numbers are printed with so many digits, or with all of them if it is 0.
    """
    if standalone:
        yield f"{_HEAD}\\section*{{\\raggedright {escape(title)}}}\n"
    else:
        yield f"% needs {_PACKAGES} and makes pages of one column\n{_ONE_COLUMN}"
    yield _MACRO
    yield _NUMBER % (_ROUNDED % digits if digits else "")
    yield from parts
    yield "\\end{document}\n" if standalone else "\\crnafter\n"


def legend(symbols: Symbols) -> Iterator[str]:
    """The legend of short symbols for long names."""
    rows = [f"{symbol} & {escape(name)} \\\\\n" for name, symbol in symbols.legend.items()]
    if rows:
        yield from table([("right", 0.12), ("right", 0.88)], ["Symbol", "Name"], rows)


def table(columns: Sequence[Column], heads: Sequence[str], rows: Iterable[str], stretch: float = 1.1) -> Iterator[str]:
    """A long table of the full line's width.

    All column widths are fixed, so that one run of LaTeX is enough and no name makes a column too wide.
    """
    gap = f"{2 * (len(columns) - 1) / len(columns):.4g}"
    widths = "".join(
        rf">{{\ragged{ragged}\arraybackslash}}p{{\dimexpr{fraction}\linewidth-{gap}\tabcolsep\relax}}"
        for ragged, fraction in columns
    )
    yield _TABLE_BEGIN % (stretch, widths, " & ".join(heads))
    yield from rows
    yield "\\end{longtable}\n\\endgroup\n"
