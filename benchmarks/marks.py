"""The five marks, what is marked, what counts as equal, and how an answer is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self


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
    """the comparison ran out of time, broke, or could not decide; counts as not correct, and is shown"""


def disagree(mark: Mark | str, other: Mark | str | None) -> bool:
    """Whether of two markers one calls an answer correct and the other does not, where both came to a mark: what a
    second marker calls wrong may be `no_answer` for the first."""
    undecided = other is None or Mark.GRADER_FAILED in (mark, other)
    return not undecided and (mark == Mark.CORRECT) != (other == Mark.CORRECT)


class Form(StrEnum):
    """What answers are."""

    MATHS = "maths"
    """mathematical expressions, compared by what they mean"""
    NUMBERS = "numbers"
    """numbers alone: an expression that has the value is no answer, so `5+7` does not answer 12"""
    CHOICE = "choice"
    """letters of multiple choice, A to J"""


_IN_WORDS = {
    Form.MATHS: "mathematical expressions",
    Form.NUMBERS: "numbers",
    Form.CHOICE: "letters of multiple choice",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """What counts as equal, for the problems of one set."""

    form: Form = Form.MATHS
    tolerance: float = 0.0
    """relative difference that two numbers may have where one of them is written as a decimal; 0: they must be equal"""

    @property
    def symbolic(self) -> bool:
        """Whether expressions are compared where texts and plain numbers do not decide; without it, they differ."""
        return self.form is Form.MATHS

    @property
    def label(self) -> str:
        """For a cell of a table: `maths`, or `maths within 0.0001`."""
        return f"{self.form} within {self.tolerance:.4g}" if self.tolerance else self.form.value

    @property
    def in_words(self) -> str:
        """As reports print it."""
        kind = _IN_WORDS[self.form]
        return f"{kind}, decimals within {self.tolerance:.2%}" if self.tolerance else kind

    def to_json(self) -> dict[str, str | float]:
        """Read by `from_json`."""
        return {"form": self.form.value, "tolerance": self.tolerance}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Also of files whose rules say `symbolic`, true or false, in place of `form`."""
        form = data.get("form", Form.MATHS if data.get("symbolic", True) else Form.NUMBERS)
        return cls(Form(form), float(data.get("tolerance", 0.0)))


MATHS = Rule()
NUMBERS = Rule(Form.NUMBERS)
CHOICE = Rule(Form.CHOICE)


class Reading(StrEnum):
    """How an answer is found."""

    BOX = "box"
    """in the last box, or nowhere"""
    RULE = "rule"
    """as the rule reads: maths and numbers in the last box; of multiple choice the letter in it, or announced"""
    ANYWHERE = "anywhere"
    """in a box, else stated, else the whole text as an expression, else searched by Math-Verify"""


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
    reason: str = ""
    """why it is not correct, or how equality was found, in a sentence for people; empty: the texts are equal"""
    place: str = ""
    """where the answer was found: a word of `marking.responses.extraction.Place`; empty where there is none"""
