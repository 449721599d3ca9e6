"""What `marker.py` still imports: goes as soon as it calls `compare`."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

_NAMED = re.compile(
    r"(?:[A-Za-z]|\\[A-Za-z]+ ?)(?:_(?:\{[^{}]*(?:\{[^{}]*\})?[^{}]*\}|[A-Za-z0-9]))?'*(?:\([A-Za-z0-9,\\ ]*\))?"
    r"\s*(?:=|\\in(?![a-z]))\s*(?=\S)"
)
"""`x=`, `a_{n} =`, `f(x)=`, `x \\in`"""
_RELATION = re.compile(r"[=<>]|\\(?:in|le|ge|ne|lt|gt|equiv|sim)(?![a-z])")


def sides(answer: str, gold: str) -> tuple[str, str]:
    """Without the name of the value: `x=5` answers as 5 does, and `x=5` as `x=5`; other equations stay equations."""
    left, right = _NAMED.match(answer), _NAMED.match(gold)
    if left and right and "".join(left.group().split()) == "".join(right.group().split()):
        return answer[left.end() :], gold[right.end() :]
    if left and not _RELATION.search(gold):
        return answer[left.end() :], gold
    if right and not _RELATION.search(answer):
        return answer, gold[right.end() :]
    return answer, gold


class Listed(NamedTuple):
    """A list."""

    texts: list[str]
    """at least two"""
    brackets: str
    """around it where they mean an order, such as `()`; else empty"""


_BRACKET = re.compile(r"\\?[\[(){}\]]|,")


def items(text: str) -> Listed | None:
    """What a canonical text lists; None if it is no list, or its brackets are not balanced."""
    depth, wrapped = 0, bool(text) and text[0] in "([{\\"
    commas: list[tuple[int, int]] = []
    for token in _BRACKET.finditer(text):
        if token.group() == ",":
            commas.append((depth, token.start()))
            continue
        wrapped = wrapped and (depth > 0 or token.start() == 0)  # it never closes before the end
        depth += 1 if token.group()[-1] in "([{" else -1
        if depth < 0:
            return None
    if depth or not commas:
        return None
    wrapped = wrapped and text[-1] in ")]}"
    width = (2 if text.startswith("\\{") else 1) if wrapped else 0
    cuts = [place for deep, place in commas if deep == int(wrapped)]
    if not cuts:
        return None
    edges = [width - 1, *cuts, len(text) - width]
    brackets = text[0] + text[-1] if wrapped and text[0] in "([" else ""
    return Listed([text[a + 1 : b].strip() for a, b in pairwise(edges)], brackets)
