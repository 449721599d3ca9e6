"""Texts of models made fit to be shown: cut at a stated length, and with nothing in them that acts unseen."""

from __future__ import annotations

import unicodedata

HEAD, TAIL = 400, 900
"""characters kept of a long text: its beginning, and its end, where the answer is"""
SHORT = 160
"""characters kept of an answer"""
KEPT = "\n\t"
HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode categories of what has no shape of its own: controls, overrides of direction, separators of lines"""
JOINERS = "\u200c\u200d"
"""belong to the spelling of some scripts, and turn nothing round"""


def visible(words: str) -> str:
    """Characters that cannot be seen, and may reorder or end a text, as signs: `␀` for NUL, `�` for most.

    >>> visible("a\\x00b\\u202ec")
    'a␀b�c'
    """
    return words if words.isprintable() else "".join(map(_visible, words))


def _visible(character: str) -> str:
    if character in KEPT or character in JOINERS or unicodedata.category(character) not in HIDDEN:
        return character
    return chr(0x2400 + ord(character)) if ord(character) < 0x20 else "\ufffd"


def cut(words: str) -> tuple[str, int, str]:
    """Beginning, number of characters left out, end."""
    omitted = len(words) - HEAD - TAIL
    if omitted <= 0:
        return visible(words), 0, ""
    return visible(words[:HEAD]), omitted, visible(words[-TAIL:])


def short(words: str) -> str:
    """An answer on one line, cut with an ellipsis."""
    line = " ".join(words[: 4 * SHORT].split())
    return visible(line if len(line) <= SHORT else f"{line[: SHORT - 1]}…")
