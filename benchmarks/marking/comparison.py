"""Whether an answer equals its gold. Deciders are asked in order, and the first that knows decides."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.marking.canonical import canonical, canonical_gold, plain_number

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
    answer, gold = canonical(answer), canonical_gold(gold)
    decisions = (decide(answer, gold) for decide in DECIDERS)
    return next(decision for decision in decisions if decision is not None)
