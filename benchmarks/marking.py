"""The marker: finds the final answer in a response and decides whether it equals the gold answer.

The final answer is what the last balanced `\\boxed{...}` outside the thinking section holds. Deciders are asked in
order, and the first that knows decides; nothing is rounded. Time is linear in the response, whatever it holds.
Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

GRADER_VERSION = "1"
"""changes whenever any mark may change"""


class Mark(StrEnum):
    """What became of one answer."""

    CORRECT = "correct"
    WRONG = "wrong"
    NO_ANSWER = "no_answer"
    """finished without a final answer"""
    TRUNCATED = "truncated"
    """stopped by the token limit without a final answer; one that is there is marked, however generation ended"""
    GRADER_FAILED = "grader_failed"
    """the comparison broke or ran out of time; never given by the deciders below"""


@dataclass(frozen=True, slots=True)
class Marked:
    mark: Mark
    answer: str | None
    """the final answer as the response has it, or None"""


def mark(response: str, gold: str, truncated: bool) -> Marked:
    """Mark one response.

    Args:
        truncated: whether the token limit stopped the response.
    """
    answer = final_answer(response)
    if answer is None:
        return Marked(Mark.TRUNCATED if truncated else Mark.NO_ANSWER, None)
    return Marked(Mark.CORRECT if equal(answer, gold) else Mark.WRONG, answer)


def final_answer(response: str) -> str | None:
    """What the last balanced `\\boxed{...}` holds; None if there is none or it is empty."""
    box = last_box(without_thinking(response))
    return (box.strip() or None) if box is not None else None


def without_thinking(response: str) -> str:
    """What follows the last `</think>`; nothing that follows a `<think>` left open."""
    return response.rpartition("</think>")[2].partition("<think>")[0]


_BRACE = re.compile(r"\\boxed\s*\{|\\.|[{}]", re.DOTALL)
"""an opening box, an escaped character (so that `\\{` opens nothing), or a brace"""


def last_box(text: str) -> str | None:
    """The content of the balanced box that opens last. One pass with a stack, so that hostile text stays linear."""
    first = text.find("\\boxed")
    if first < 0:
        return None
    last: tuple[int, int] | None = None
    opened: list[int | None] = []
    for found in _BRACE.finditer(text, first):
        token = found.group()
        if token.startswith("\\boxed"):
            opened.append(found.end())
        elif token == "{":
            opened.append(None)
        elif token == "}" and opened:
            start = opened.pop()
            if start is not None and (last is None or start > last[0]):
                last = (start, found.start())
    return text[last[0] : last[1]] if last else None


Decider = Callable[[str, str], bool | None]
"""(canonical answer, canonical gold) -> equal, different, or None for "not mine to say" """


def same_text(answer: str, gold: str) -> bool | None:
    return True if answer == gold else None


def plain_numbers(answer: str, gold: str) -> bool | None:
    """Two plain numbers are decided exactly, both ways."""
    left, right = plain_number(answer), plain_number(gold)
    return None if left is None or right is None else left == right


def different_text(answer: str, gold: str) -> bool | None:
    return answer == gold


DECIDERS: tuple[Decider, ...] = (same_text, plain_numbers, different_text)
"""asked in this order; the last always decides"""


def equal(answer: str, gold: str) -> bool:
    answer, gold = canonical(answer), _canonical_gold(gold)
    decisions = (decide(answer, gold) for decide in DECIDERS)
    return next(decision for decision in decisions if decision is not None)


_NUMBER = re.compile(
    r"([+-]?)(?:([0-9]{1,40})/([0-9]{1,40})|\\frac\{([+-]?[0-9]{1,40})\}\{([0-9]{1,40})\}"
    r"|((?=\.?[0-9])[0-9]{0,40}(?:\.[0-9]{0,40})?(?:[eE][+-]?[0-9]{1,3})?))"
)
"""a/b, \frac{a}{b} or a decimal; bounded, so that no input costs much: longer numbers are compared as text"""


def plain_number(text: str) -> Fraction | None:
    """The exact value of an integer, a decimal or a fraction of integers; None for anything else."""
    found = _NUMBER.fullmatch(text)
    if not found:
        return None
    sign, numerator, denominator, tex_numerator, tex_denominator, decimal = found.groups()
    if decimal:
        value = Fraction(decimal)
    else:
        below = int(denominator or tex_denominator)
        if below == 0:
            return None
        value = Fraction(int(numerator or tex_numerator), below)
    return -value if sign == "-" else value


_REMOVED = ("\\left", "\\right", "\\$", "$", "\\!", "\\,", "\\;", "\\:", "^\\circ", "^{\\circ}", "°", "\\%", "%")
_REPLACED = (("−", "-"), ("\\ ", " "), ("~", " "), ("\\dfrac", "\\frac"), ("\\tfrac", "\\frac"), ("{,}", ","))
_LOOSE_SPACE = re.compile(r" (?![0-9])|(?<![0-9]) ")
"""all but a space between two digits, which holds two numbers apart"""
_SHORT_FRACTION = re.compile(r"\\frac([0-9])([0-9])")
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_WORDS = re.compile(r"\\(?:text|textbf|mathrm|mbox)\{([^{}]*)\}")
_UNIT = re.compile(r"(?<=[0-9}])\\(?:text|mathrm|mbox)\{[^{}]*\}$")
_VARIABLE = re.compile(r"[A-Za-z]=(?=.)")


def canonical(text: str) -> str:
    """One text for the usual ways to write the same answer: no dollars, spacing, units, percent or degree signs, no
    thousands separators, no `x=` in front, one kind of fraction."""
    text = text.strip()
    if text.isdigit():
        return text
    for old in _REMOVED:
        text = text.replace(old, "")
    for old, new in _REPLACED:
        text = text.replace(old, new)
    text = _LOOSE_SPACE.sub("", " ".join(text.split())).removesuffix(".")
    text = _VARIABLE.sub("", text, count=1) if _VARIABLE.match(text) else text
    text = _SHORT_FRACTION.sub(r"\\frac{\1}{\2}", text)
    words = _WORDS.fullmatch(text)
    text = words.group(1) if words else _UNIT.sub("", text)
    return text.replace(",", "") if _THOUSANDS.fullmatch(text) else text


_canonical_gold = lru_cache(maxsize=65536)(canonical)
