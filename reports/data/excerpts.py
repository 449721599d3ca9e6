"""Texts of models made fit to be shown: cut at a stated length, and with nothing in them that acts unseen."""

from __future__ import annotations

from harness.records.foreign import one_line, visible

HEAD, TAIL = 400, 900
"""characters kept of a long text: its beginning, and its end, where the answer is"""
SHORT = 160
"""characters kept of an answer"""


def cut(words: str) -> tuple[str, int, str]:
    """Beginning, number of characters left out, end."""
    omitted = len(words) - HEAD - TAIL
    if omitted <= 0:
        return visible(words), 0, ""
    return visible(words[:HEAD]), omitted, visible(words[-TAIL:])


def short(words: str) -> str:
    """An answer on one line, cut with an ellipsis."""
    line = one_line(words)
    return line if len(line) <= SHORT else f"{line[: SHORT - 1]}…"
