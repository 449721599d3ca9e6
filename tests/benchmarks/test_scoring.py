"""Scores of one problem, worked out by hand, and against counting every draw."""

from __future__ import annotations

from itertools import combinations

import pytest

from benchmarks import scoring
from benchmarks.marks import Mark, Marked

RIGHT, WRONG, NONE = Mark.CORRECT, Mark.WRONG, Mark.NO_ANSWER


def marked(*answers: str) -> list[Marked]:
    """`7` is correct, as is every `7.0`; `-` is no answer."""
    marks = {"7": RIGHT, "7.0": RIGHT, "-": NONE, "cut": Mark.TRUNCATED, "?": Mark.GRADER_FAILED}
    none = ("-", "cut")
    return [Marked(marks.get(answer, WRONG), None if answer in none else answer) for answer in answers]


def test_everything_but_correct_counts_as_not_correct() -> None:
    assert scoring.avg(marked("7", "8", "-", "cut", "?")) == 1 / 5
    assert scoring.share(marked("7", "8", "-", "-"), NONE) == 2 / 4


def test_pass_at_j_is_the_share_of_draws_with_a_correct_one() -> None:
    assert scoring.pass_at(2, marked("7", "8", "8", "8")) == pytest.approx(1 - 3 / 6)  # C(3,2) of C(4,2) draws fail
    attempts = marked("7", "8", "7", "-", "9", "8", "?")
    for j in range(1, 8):
        draws = [any(one.mark is RIGHT for one in draw) for draw in combinations(attempts, j)]
        assert scoring.pass_at(j, attempts) == pytest.approx(sum(draws) / len(draws))


def test_the_ends_of_pass_at_j() -> None:
    assert scoring.pass_at(1, marked("7", "8", "8")) == pytest.approx(scoring.avg(marked("7", "8", "8")))
    assert scoring.pass_at(3, marked("7", "8", "8")) == 1.0
    assert scoring.pass_at(3, marked("8", "8", "8")) == 0.0
    assert scoring.pass_at(1000, marked(*["7"] * 500, *["8"] * 500)) == 1.0
    for j in (0, 4):
        with pytest.raises(ValueError, match=f"needs 1 to 3 of 3 attempts, but j is {j}"):
            scoring.pass_at(j, marked("7", "8", "8"))


@pytest.mark.parametrize(
    "answers, score",
    [
        (["7"], 1.0),
        (["8"], 0.0),
        (["7", "7", "8"], 1.0),
        (["7", "8", "8"], 0.0),
        (["7", "7.0", "8", "8"], 1 / 2),  # correct ones are one class, whatever they look like
        (["7", "8", "9"], 1 / 3),
        (["8", "9"], 0.0),
        (["7", "x y", "x  y", " xy"], 0.0),  # equal but for blanks
        (["7", "-", "-", "cut"], 1.0),  # no answer, no vote
        (["-", "cut"], 0.0),
        (["7", "?", "?"], 0.0),  # an answer that could not be marked votes, and is not correct
    ],
)
def test_majority(answers: list[str], score: float) -> None:
    assert scoring.maj(marked(*answers)) == score
    assert scoring.maj(marked(*reversed(answers))) == score
