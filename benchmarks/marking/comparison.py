"""Whether an answer equals its gold, as far as texts and plain numbers tell. `None` is left to Math-Verify."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from benchmarks.marking import numbers
from benchmarks.marking.canonical import MOST_CHARACTERS, canonical, canonical_gold, listed
from benchmarks.marking.numbers import plain
from benchmarks.marks import Rule

_CHOICES = frozenset("ABCDE")
_MOST_ITEMS = 30
"""longer lists without an order are left to Math-Verify: every answer is compared with every gold"""


def decide(answer: str, gold: str, rule: Rule) -> bool | None:
    """Equal texts are equal; two plain numbers are decided both ways; lists item by item.

    Raises: nothing, whatever the texts hold.
    """
    left, right = canonical(answer), canonical_gold(gold)
    if max(len(answer), len(gold)) > MOST_CHARACTERS:
        return left == right
    verdict = _decide(left, right, rule)
    if verdict is not True and _otherwise_read(answer, gold, left, right, rule):
        return True
    return verdict if verdict is not None or rule.symbolic else False


def _decide(answer: str, gold: str, rule: Rule) -> bool | None:
    answer, gold = sides(answer, gold)
    if answer == gold or (gold in _CHOICES and answer.upper() == gold):
        return True
    left, right = plain(answer), plain(gold)
    if left and right:
        return numbers.equal(left, right, rule.tolerance)
    return _lists(answer, gold, rule)


_DECIMAL_COMMA = re.compile(r"([+-]?[0-9]+),([0-9]+)")


def _otherwise_read(answer: str, gold: str, left: str, right: str, rule: Rule) -> bool:
    """Signs that have two meanings: 60% is 60 and 0.6; a comma parts thousands, items, or the digits of a decimal."""
    if ("%" in answer) != ("%" in gold):
        number, wanted = plain(left), plain(right)
        scale = Fraction(1, 100) if "%" in answer else Fraction(100)
        if number and wanted and numbers.equal(number, wanted, rule.tolerance, scale):
            return True
    if "," in answer and "," in gold:
        return bool(_decide(listed(answer), listed(gold), rule))
    pointed = _pointed(left), _pointed(right)
    return pointed != (left, right) and bool(_decide(*pointed, rule))


def _pointed(text: str) -> str:
    found = _DECIMAL_COMMA.fullmatch(text)
    return f"{found[1]}.{found[2]}" if found else text


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


def _lists(answer: str, gold: str, rule: Rule) -> bool | None:
    """Item by item, if there are equally many: in order inside brackets, in any order in sets and bare lists."""
    left, right = items(answer), items(gold)
    if left is None or right is None or left.brackets != right.brackets or len(left.texts) != len(right.texts):
        return None
    if not left.brackets:
        return _matching(left.texts, right.texts, rule) if len(left.texts) <= _MOST_ITEMS else None
    verdicts = [_decide(a, g, rule) for a, g in zip(left.texts, right.texts, strict=True)]
    return False if False in verdicts else None if None in verdicts else True


def _matching(answers: Sequence[str], golds: Sequence[str], rule: Rule) -> bool | None:
    """Whether every answer has a gold of its own."""
    waiting = list(golds)
    sure = True
    for answer in answers:
        verdicts = [_decide(answer, gold, rule) for gold in waiting]
        if True in verdicts:
            del waiting[verdicts.index(True)]
        elif None in verdicts:
            sure = False
        else:
            return False if sure else None
    return True if sure else None


class Items(NamedTuple):
    """A list."""

    texts: list[str]
    """at least two"""
    brackets: str
    """around it where they mean an order, such as `()`; else empty"""


_BRACKET = re.compile(r"\\?[\[(){}\]]|,")


def items(text: str) -> Items | None:
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
    return Items([text[a + 1 : b].strip() for a, b in pairwise(edges)], brackets)
