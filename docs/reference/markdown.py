"""Words, lists and tables as Markdown of 120 columns, for the pages that are written from the code."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

WIDTH = 120


def paragraph(words: str) -> str:
    """Words on lines of `WIDTH` columns; a code span is never broken."""
    return _wrapped(" ".join(words.split()))


def item(words: str) -> str:
    """An entry of a list."""
    return _wrapped(" ".join(words.split()), "- ", "  ")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table, with a line for each row."""
    lines = [head, ["---"] * len(head), *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def code(text: str) -> str:
    """A code span; of what holds backticks itself, with more of them outside."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _wrapped(words: str, first: str = "", other: str = "") -> str:
    # the spaces of a code span stand for themselves, and a line that ended in one would split it
    kept = re.sub(r"`[^`]+`", lambda span: span[0].replace(" ", "\0"), words)
    filled = textwrap.fill(
        kept, WIDTH, initial_indent=first, subsequent_indent=other, break_long_words=False, break_on_hyphens=False
    )
    return filled.replace("\0", " ")


def _cell(words: str) -> str:
    return " ".join(words.split()).replace("|", "\\|")
