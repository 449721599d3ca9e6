"""Letters of multiple choice, as answers say them: `E`, `(E)`, `E: the text of the option`."""

from __future__ import annotations

import re

from benchmarks.marking.answers.canonical import latex, squeezed
from benchmarks.marking.answers.nodes import Choice, Node, Reader

_CHOICE_GOLD = re.compile(r"\(?([A-J])\)?")
_CHOICE = re.compile(
    r"(?:(?:[Oo]ption|[Cc]hoice|[Aa]nswer|[Ll]etter)\s*:?\s*)?(?:(?P<round>\(\s*(?P<inside>[A-J])\s*\))|(?P<alone>[A-J]))"
    r"(?:\s*[:.)]?|(?(round)[:.]?|(?:[:.)]| -))\s+(?P<option>\S.*))",
    re.DOTALL,
)
_OTHER_CHOICE = re.compile(
    r"^\W*(?:or|and|not|but|nor|is|are|was|isn|cannot)\b|^[^\w\\$({\[|.-]|\([A-J]\)|(?:^|\W)[A-J][).:]|^[A-J]$"
    r"|\b(?:wrong|incorrect|false|rather|instead)\b"
)
"""in the text of an option: more than one choice, or one taken back"""
_LOWER_CHOICE = re.compile(r"\(?([a-e])\)")


def read(text: str, reader: Reader) -> Node | None:
    """A gold is a choice if it is nothing but a letter; an answer may have the option's text behind it."""
    if reader.gold:
        found = _CHOICE_GOLD.fullmatch(squeezed(text))
        return Choice(latex(text), found[1]) if found else None
    found = _CHOICE.fullmatch(latex(text))
    option = found["option"] if found else None
    if found and not (option and _OTHER_CHOICE.search(option)):
        return Choice(latex(text), found["inside"] or found["alone"], reader(option) if option else None)
    lower = _LOWER_CHOICE.fullmatch(squeezed(text))
    return Choice(latex(text), lower[1].upper()) if lower else None
