r"""LaTeX: a `table` in the booktabs style, to be read by \input. Needs \usepackage{booktabs,graphicx}.

A table that is wider than the text is made smaller to fit it, and never larger.
"""

from __future__ import annotations

from harness.records.foreign import visible
from reports.document import Cell, Column, Row, Table

SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "≈": r"$\approx$",
    "·": r"$\cdot$",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    "±": r"$\pm$",
    "−": r"$-$",
    "×": r"$\times$",
    "—": "---",
    "–": "--",
    "…": r"\dots{}",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "†": r"$\dagger$",
    "‡": r"$\ddagger$",
    "§": r"\S{}",
    "¶": r"\P{}",
    "‖": r"$\Vert$",
    "\u202f": r"\,",
    "\u00a0": "~",
}
"""Everything a table of ours may hold beyond ASCII letters, so that any engine compiles it."""


def table(item: Table, label: str) -> str:
    """A float of its own, ready for \\input; a rule sets quiet rows apart from those below.

    Args:
        label: stands behind `tab:`.
    """
    aligned = "".join("r" if column.numeric else "l" for column in item.columns)
    spreads = [max((len(row.cells[i].spread) for row in item.rows), default=0) for i in range(len(item.columns))]
    body: list[str] = []
    for i, row in enumerate(item.rows):
        body.append(_row(row, spreads))
        if row.quiet and i + 1 < len(item.rows) and not item.rows[i + 1].quiet:
            body.append(r"\midrule")
    lines = [
        r"% \usepackage{booktabs,graphicx}",
        r"\begin{table}[t]",
        r"\centering\small\setlength{\belowcaptionskip}{6pt}",
        rf"\caption{{{escape(item.caption)}}}",
        rf"\label{{tab:{label}}}",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{@{{}}{aligned}@{{}}}}",
        r"\toprule",
        " & ".join(_head(column) for column in item.columns) + r" \\",
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def escape(words: str) -> str:
    """Characters LaTeX would act on; others outside ASCII and Latin letters become `?`, for no engine has them all."""
    out = (SPECIAL.get(c) or (c if c.isascii() or (c.isalpha() and ord(c) < 0x250) else "?") for c in visible(words))
    return " ".join("".join(out).split())


def _head(column: Column) -> str:
    return escape(column.title)


def _row(row: Row, spreads: list[int]) -> str:
    return " & ".join(_cell(cell, spread) for cell, spread in zip(row.cells, spreads, strict=True)) + r" \\"


def _cell(cell: Cell, spread_width: int) -> str:
    """Phantom digits before a shorter spread keep the numbers of a column below each other."""
    words = escape(cell.text)
    if cell.bold and words:
        words = rf"\textbf{{{words}}}"
    missing = "0" * (spread_width - len(cell.spread))
    phantom = rf"\phantom{{{missing}}}" if missing else ""
    spread = rf"\,{{\scriptsize {_spread(cell.spread, phantom)}}}" if cell.spread else ""
    mark = rf"\rlap{{\textsuperscript{{{escape(cell.mark)}}}}}" if cell.mark else ""
    return words + spread + mark


def _spread(words: str, phantom: str) -> str:
    """The phantom digits stand before the interval, so that its ends are below each other."""
    return f"{phantom}{escape(words)}"
