"""What a reward function says of responses, asked in the killable workers that the marker's comparisons run in."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self

from benchmarks.marks import Mark
from benchmarks.problems import Problem
from benchmarks.rewards.locating import RewardMistake
from benchmarks.rewards.serving import written_problem

if TYPE_CHECKING:  # the marker is imported where something is rated: configs, which have rewards, are read without it
    from benchmarks.marking.pool import Pool, Program, Question

SECONDS = 10.0
"""of processor time that one call may take where nobody says otherwise"""


@dataclass(frozen=True)
class OwnReward:
    """A function of the user's, and how it is asked."""

    function: str
    """`module:function`"""
    seconds: float = SECONDS
    """of processor time that one call may take"""
    hash: str = ""
    """what its source must hash to wherever it is called; empty: whatever it is"""
    paths: tuple[str, ...] = ()
    """folders in which it is looked for first; a worker stands in the first of them. None: where this process is"""

    @classmethod
    def here(cls, function: str, seconds: float = SECONDS, hash: str = "") -> Self:
        """One that is found in every process, on whichever node, where this process finds it."""
        given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        paths = (os.getcwd(), *(os.path.abspath(path) for path in given if path))
        return cls(function, seconds, hash, paths)

    @property
    def program(self) -> Program:
        """What a worker runs; nothing is remembered of whole responses, which seldom come twice."""
        from benchmarks.marking.pool import Program

        arguments = (self.function, repr(float(self.seconds)), self.hash, *self.paths)
        return Program("benchmarks.rewards.serving", "the reward", arguments, remembers=0)

    def pool(self, workers: int) -> Pool:
        """Workers of its own, for whoever closes them."""
        from benchmarks.marking.pool import Pool

        return Pool(workers, self.program)


class Rated(NamedTuple):
    """A response that is to be rewarded."""

    text: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class Rewarded:
    """What the function made of one response: a number, a label, or a failure."""

    number: float | None = None
    label: Mark | None = None
    failure: str = ""
    """why it is neither; such a response is learnt nothing from, which is not a reward of 0"""


def rate(own: OwnReward, responses: Sequence[Rated], pool: Pool | None = None) -> list[Rewarded]:
    """In their order; equal responses to a problem are asked once.

    Args:
        pool: of `own.pool`; this process's own if None.
    Raises: RewardMistake if the function cannot be imported or called at all.
    """
    from benchmarks.marking.pool import NotStarted, shared

    questions: list[Question] = [
        ("reward", one.text, one.problem.gold, written_problem(one.problem)) for one in responses
    ]
    distinct = list(dict.fromkeys(questions))
    try:
        replies = (pool or shared(own.program)).ask_all(distinct)
    except NotStarted as error:
        raise RewardMistake(f"the reward `{own.function}` cannot be used: {error}.") from None
    found = {question: _read(*reply) for question, reply in zip(distinct, replies, strict=True)}
    return [found[question] for question in questions]


def _read(value: bool | str | float | None, reason: str) -> Rewarded:
    if value is None:
        return Rewarded(failure=reason)
    if isinstance(value, str):
        label = Mark(value)
        return Rewarded(failure="it returned grader_failed") if label is Mark.GRADER_FAILED else Rewarded(label=label)
    return Rewarded(number=float(value))
