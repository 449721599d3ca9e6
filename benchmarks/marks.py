"""The five marks, what is marked, and what counts as equal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """What became of one answer. Absence is never zero: five words for five different things."""

    CORRECT = "correct"
    """equal to the gold answer"""
    WRONG = "wrong"
    """a final answer was found and it differs"""
    NO_ANSWER = "no_answer"
    """finished, but no final answer could be found"""
    TRUNCATED = "truncated"
    """stopped by the token limit without a final answer; one that is there is marked, however generation ended"""
    GRADER_FAILED = "grader_failed"
    """the comparison ran out of time or broke; counts as not correct, and is shown"""


@dataclass(frozen=True, slots=True)
class Rule:
    """What counts as equal, for the problems of one set."""

    symbolic: bool = True
    """whether Math-Verify decides what texts and plain numbers do not; without it, different texts are different"""
    tolerance: float = 0.0
    """relative difference that two numbers may have where one of them is written as a decimal; 0: they must be equal"""

    @property
    def in_words(self) -> str:
        """As reports print it."""
        kind = "mathematical expressions" if self.symbolic else "numbers"
        return f"{kind}, decimals within {self.tolerance:.2%}" if self.tolerance else kind


MATHS = Rule()
"""any mathematical expression"""
NUMBERS = Rule(symbolic=False)
"""answers are numbers, and an expression that has the value is not one: `5+7` is no answer to 5+7"""


@dataclass(frozen=True, slots=True)
class Response:
    """One response to one problem."""

    text: str
    gold: str
    rule: Rule
    truncated: bool = False
    """whether a token limit stopped it"""


@dataclass(frozen=True, slots=True)
class Marked:
    """What became of one response."""

    mark: Mark
    answer: str | None
    """the final answer as the response has it, or None"""
