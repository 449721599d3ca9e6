"""Numbers of several tokens, and with digits that repeat."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from benchmarks.marking.latex import construction
from benchmarks.marking.latex.tokens import Token

FRACTIONS = frozenset({r"\frac", r"\dfrac", r"\tfrac", r"\cfrac"})
_PIECES = re.compile(r"([0-9]*)\.([0-9]*)(?:\\[a-z]+|\()(.*)")


def mixed_follows(tokens: Sequence[Token], at: int) -> bool:
    r"""Whether a proper fraction of digits comes next, after an integer: \frac{1}{2}, or 1/2 after a blank."""
    text = tokens[at].text
    if text in FRACTIONS:
        digits = [token.text for token in tokens[at + 1 : at + 7]]
        if digits[:1] != ["{"]:
            return digits[0].isdigit() and len(digits[0]) == 2 and digits[0][0] < digits[0][1]
        proper = digits[2:4] == ["}", "{"] and digits[5:] == ["}"] and digits[1].isdigit() and digits[4].isdigit()
        return proper and int(digits[1]) < int(digits[4])
    slash, below = (tokens[min(at + places, len(tokens) - 1)] for places in (1, 2))
    quotient = tokens[at].kind == below.kind == "number" and slash.text == "/"
    return quotient and text.isdigit() and below.text.isdigit() and int(text) < int(below.text)


def repeating(text: str) -> Any:
    r"""The number that 0.1\overline{6}, 0.1\dot{6} or 0.1(6) is, as one token."""
    whole, start, period = _PIECES.fullmatch(text).groups()  # type: ignore[union-attr]
    if r"\dot" in text:  # 0.1\dot{6}\dot{3}
        return construction.repeating(whole, start, "".join(re.findall(r"[0-9]", period)))
    return construction.repeating(whole, start, period.strip(" {})"))
