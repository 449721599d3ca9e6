"""What a case is, and a kind of cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class CaseGroup(StrEnum):
    """What a case tries: four ways to be wrong about an answer."""

    EQUAL = "equal forms"
    """the gold's value in another form; all right"""
    NEAR = "near misses"
    """a value, a structure or a unit that is known to differ from the gold's; all wrong"""
    WHOLE = "whole responses"
    """where the answer of a response is, and whether it has one; right and wrong"""
    EXPLOITS = "exploits"
    """what a policy could learn that is paid for being marked correct; all wrong"""


@dataclass(frozen=True, slots=True)
class SuiteCase:
    """A response and the verdict on it, known from how it was made."""

    gold: str
    pred: str
    """a whole response; the answer alone is in its box"""
    expected: bool
    """whether the response is right"""
    reason: str
    """why that is certain"""
    rule: str = "maths"
    """how answers are compared: `maths`, or `choice` where the gold is the letter of an option"""
    tolerance: float = 0.0
    """relative difference that two numbers may have where one is a decimal; 0: the values must be equal"""


Make = Callable[[Random], Iterable[SuiteCase]]


@dataclass(frozen=True, slots=True)
class CaseKind:
    """One kind of cases, made by rule."""

    name: str
    group: CaseGroup
    make: Make
    """a few cases each time it is called, all drawn from the generator that it is given"""

    @property
    def description(self) -> str:
        """The first paragraph of the function's docstring, in one line."""
        return " ".join((self.make.__doc__ or "").partition("\n\n")[0].split())


def box(answer: str) -> str:
    """A response that is nothing but its answer."""
    return f"\\boxed{{{answer}}}"


def right(gold: str, answer: str, reason: str, rule: str = "maths") -> SuiteCase:
    """A boxed answer that equals the gold."""
    return SuiteCase(gold, box(answer), True, reason, rule)


def wrong(gold: str, answer: str, reason: str, rule: str = "maths", tolerance: float = 0.0) -> SuiteCase:
    """A boxed answer that does not."""
    return SuiteCase(gold, box(answer), False, reason, rule, tolerance)


def said(gold: str, text: str, expected: bool, reason: str, rule: str = "maths") -> SuiteCase:
    """A whole response."""
    return SuiteCase(gold, text, expected, reason, rule)
