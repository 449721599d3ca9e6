"""A second opinion: Math-Verify alone, on whole responses, its own way. For the column that shows where two markers
disagree; no score comes from it."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.marking.marker import MOST_SEARCHED
from benchmarks.marking.pool import Pool, shared
from benchmarks.marks import Mark, Response

_MARKS: dict[object, Mark] = {True: Mark.CORRECT, False: Mark.WRONG, None: Mark.GRADER_FAILED}


def mark_all(responses: Iterable[Response], pool: Pool | None = None) -> list[Mark]:
    """correct, wrong (also where it finds no answer) or grader_failed, in the order of the responses."""
    questions = [("math_verify", response.text[-MOST_SEARCHED:], response.gold) for response in responses]
    distinct = list(dict.fromkeys(questions))
    replies = dict(zip(distinct, (pool or shared()).ask_all(distinct), strict=True))
    return [_MARKS[replies[question].value] for question in questions]
