"""Where a text falls apart: at separators that stand in no brackets. Linear in the length of the text."""

from __future__ import annotations

import re
from typing import NamedTuple

_BRACKETS = r"(?P<open>\\\{|[(\[{]|\\langle(?![a-z])|\\begin\{)|(?P<close>\\\}|[)\]}]|\\rangle(?![a-z]))"


class Pieces(NamedTuple):
    """A text in pieces."""

    pieces: list[str]
    separators: list[str]
    """between the pieces, without blanks around them"""


class Splitter:
    """Cuts a text at one kind of separator."""

    def __init__(self, separator: str) -> None:
        self._token = re.compile(rf"(?P<cut>{separator})|{_BRACKETS}")

    def __call__(self, text: str) -> Pieces | None:
        """None if there is no such separator outside brackets, or the brackets are not balanced."""
        depth, start = 0, 0
        pieces, separators = [], []
        for token in self._token.finditer(text):
            if token["open"]:
                depth += 1
            elif token["close"]:
                depth -= 1
                if depth < 0:
                    return None
            elif depth == 0:
                pieces.append(text[start : token.start()].strip())
                separators.append(token.group().strip())
                start = token.end()
        if depth or not separators:
            return None
        return Pieces([*pieces, text[start:].strip()], separators)


_BRACKET = re.compile(_BRACKETS)


def unwrapped(text: str) -> tuple[str, str, str] | None:
    """The opening bracket, what stands in it, and the closing bracket, if they are around the whole text."""
    depth = 0
    first = None
    for token in _BRACKET.finditer(text):
        depth += 1 if token["open"] else -1
        if first is None:
            if token.start() or depth < 0 or token.group() == "\\begin{":
                return None
            first = token
        if depth == 0:
            if token.end() != len(text):
                return None
            return first.group(), text[first.end() : token.start()].strip(), token.group()
    return None
