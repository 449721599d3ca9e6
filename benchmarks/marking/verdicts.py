"""What a comparison found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Verdict(NamedTuple):
    """Whether an answer equals its gold, and why."""

    equal: bool | None
    """None: not decided"""
    reason: str
    """a short sentence for people, such as `the units differ: cm and kg`"""


EQUAL = Verdict(True, "equal")


def all_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Unequal at the first that is; undecided if any is; else equal."""
    undecided: Verdict | None = None
    for one in verdicts:
        if one.equal is False:
            return one
        if one.equal is None:
            undecided = undecided or one
    return undecided or EQUAL


def any_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Equal at the first that is; undecided if any is; else unequal for the reason of the first."""
    best: Verdict | None = None
    for one in verdicts:
        if one.equal:
            return one
        if best is None or (best.equal is False and one.equal is None):
            best = one
    return best or Verdict(False, "nothing to compare")
