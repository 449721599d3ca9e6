"""Texts of models made fit to be shown: cut at a stated length, and with nothing in them that acts unseen."""

from __future__ import annotations

import re

HEAD, TAIL = 400, 900
"""characters kept of a long text: its beginning, and its end, where the answer is"""
SHORT = 160
"""characters kept of an answer"""
HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Controls but tab and line end, marks of direction, separators, fillers, half characters, tags. Joiners stay: they
belong to the spelling of some scripts."""


def visible(words: str) -> str:
    """Characters that cannot be seen, and may reorder or end a text, as signs: `␀` for NUL, `�` for most.

    >>> visible("a\\x00b\\u202ec")
    'a␀b�c'
    """
    return HIDDEN.sub(_sign, words)


def _sign(match: re.Match[str]) -> str:
    return chr(0x2400 + ord(match[0])) if match[0] < " " else "\ufffd"


def cut(words: str) -> tuple[str, int, str]:
    """Beginning, number of characters left out, end."""
    omitted = len(words) - HEAD - TAIL
    if omitted <= 0:
        return visible(words), 0, ""
    return visible(words[:HEAD]), omitted, visible(words[-TAIL:])


def short(words: str) -> str:
    """An answer on one line, cut with an ellipsis."""
    line = " ".join(words.split())
    return visible(line if len(line) <= SHORT else f"{line[: SHORT - 1]}…")
