"""The marker: finds the final answer in a response and decides whether it equals the gold answer."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.marking.comparison import equal
from benchmarks.marking.extraction import final_answer
from benchmarks.marking.marks import MATHS, NUMBERS, Mark, Marked, Response, Rule

__all__ = ["GRADER_VERSION", "MATHS", "NUMBERS", "Mark", "Marked", "Response", "Rule", "mark", "mark_all"]

GRADER_VERSION = "1"
"""changes whenever any mark may change"""


def mark(text: str, gold: str, rule: Rule, truncated: bool = False) -> Marked:
    """Mark one response. See `Response`."""
    return mark_all([Response(text, gold, rule, truncated)])[0]


def mark_all(responses: Iterable[Response]) -> list[Marked]:
    """Mark many responses, in their order."""
    return [_mark(response) for response in responses]


def _mark(response: Response) -> Marked:
    answer = final_answer(response.text)
    if answer is None:
        return Marked(Mark.TRUNCATED if response.truncated else Mark.NO_ANSWER, None)
    return Marked(Mark.CORRECT if equal(answer, response.gold) else Mark.WRONG, answer)
