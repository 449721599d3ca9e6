"""Texts by every reading: marks by hand, and no comparison made twice."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from benchmarks.marking.marker import mark_all, mark_readings, mark_texts
from benchmarks.marking.pool import Pool, Question, Reply
from benchmarks.marks import CHOICE, MATHS, NUMBERS, Reading, Response, Rule

CASES: dict[str, tuple[Rule, str, str, str]] = {
    # text -> the rule, and the marks by the rule, in the last box, anywhere; the gold is 7, or B
    r"So it is \boxed{7}.": (NUMBERS, "correct", "correct", "correct"),
    r"So it is \boxed{8}.": (NUMBERS, "wrong", "wrong", "wrong"),
    "3 + 4 = 7. The answer is 7.": (NUMBERS, "no_answer", "no_answer", "correct"),
    "3 + 4 = 8. The answer is 8.": (MATHS, "no_answer", "no_answer", "wrong"),
    r"\boxed{8}. Wait. The final answer is 7.": (MATHS, "wrong", "wrong", "correct"),
    r"The answer is 7, so \boxed{7": (MATHS, "no_answer", "no_answer", "no_answer"),
    "I give up.": (MATHS, "no_answer", "no_answer", "no_answer"),
    "Answer: B": (CHOICE, "correct", "no_answer", "correct"),
    r"\boxed{B}": (CHOICE, "correct", "correct", "correct"),
}


@pytest.mark.parametrize("text", CASES)
def test_marks_by_hand(text: str) -> None:
    rule, *marks = CASES[text]
    (found,) = mark_readings([Response(text, "B" if rule is CHOICE else "7", rule)])
    assert [found[one].mark for one in (Reading.RULE, Reading.BOX, Reading.ANYWHERE)] == marks


def test_of_every_reading_the_marks_are_those_it_gives_alone() -> None:
    responses = [
        Response(text, "B" if case[0] is CHOICE else "7", case[0], cut)
        for text, case in CASES.items()
        for cut in (True, False)
    ]
    found = mark_readings(responses)
    for reading in Reading:
        assert [one[reading] for one in found] == mark_all(responses, None, reading)
    texts = [Response(one.text, f"3 + 4\n#### {one.gold}", one.rule) for one in responses]
    own = [one[Reading.ANYWHERE] for one in mark_readings(texts, None, Reading.ANYWHERE)]
    assert own == mark_texts(texts) and "correct" in [one.mark for one in own], "a gold that is a text"


class CountingPool(Pool):
    """The real one, that remembers what it was asked."""

    asked: list[Question]

    def ask_all(self, questions: Sequence[Question]) -> list[Reply]:
        self.asked += questions
        return super().ask_all(questions)


def test_answers_that_readings_agree_on_are_compared_once() -> None:
    pool = CountingPool(1)
    pool.asked = []
    boxed = [Response(rf"so \boxed{{x^{{{n}}} (x + 1)}}", f"x^{{{n + 1}}} + x^{{{n}}}", MATHS) for n in range(5, 9)]
    try:
        found = mark_readings(boxed, pool)
    finally:
        pool.close()
    assert {mark.mark for one in found for mark in one.values()} == {"correct"}
    assert len(pool.asked) == 4, "three readings of each, and one comparison"
