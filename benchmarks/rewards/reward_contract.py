"""What every reward function has to keep to: each of `CHECKS` asks one about a few known cases and raises
AssertionError with what it found. `rence check module:function` runs them all.

What fools a function is another question: `rence exploit module:function` (docs/how-to/exploit.md).
"""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from benchmarks.marking.pool import Pool
from benchmarks.marks import Mark
from benchmarks.problems import Problem
from benchmarks.rewards.locating import locate
from benchmarks.rewards.scoring import OwnReward, Rated, Rewarded, rate

PROBLEMS = (
    (Problem("What is 2+3?", "5", {"kind": "sum"}), "6"),
    (Problem("What is half of 7?", "\\frac{7}{2}"), "\\frac{7}{3}"),
    (Problem("What is 1000 - 1001?", "-1"), "1"),
)
"""each with an answer that is wrong"""
ODD = ("", " ", "\\boxed{", "\\boxed{}", "I do not know.", "é\u2028\U0001d7d9", "{'answer': None}", "5 " * 16_000)
"""what a policy may say, too"""
MOST_MILLISECONDS = 100
"""of processor time for one call, on the mean of short texts: a step of 2,048 rollouts would take three minutes"""


@dataclass(frozen=True)
class RewardUnderTest:
    """A function, and what it made of the known cases."""

    own: OwnReward

    @cached_property
    def cases(self) -> Sequence[Rated]:
        """Right and wrong answers in turn, each in a sentence and a box; then odd texts."""
        answers = [(problem, text) for problem, wrong in PROBLEMS for text in (problem.gold, wrong)]
        said = [Rated(f"We work it out. The answer is \\boxed{{{text}}}.", problem) for problem, text in answers]
        return [*said, *(Rated(text, PROBLEMS[0][0]) for text in ODD)]

    @cached_property
    def rewards(self) -> Sequence[Rewarded]:
        """Of the cases. Raises: RewardMistake."""
        return self.ask(self.cases)

    def ask(self, cases: Sequence[Rated]) -> list[Rewarded]:
        """In a process of its own. Raises: RewardMistake."""
        with _one_worker(self.own) as pool:
            return rate(self.own, cases, pool)


def can_be_called(reward: RewardUnderTest) -> None:
    """It is imported, and takes (text, gold, problem)."""
    assert reward.rewards


def gives_a_reward_for_every_text(reward: RewardUnderTest) -> None:
    """A finite number or a mark word, whatever a policy says; it neither raises, hangs nor crashes."""
    wrong = [(case, one) for case, one in zip(reward.cases, reward.rewards, strict=True) if one.failure]
    if wrong:
        case, one = wrong[0]
        raise AssertionError(
            f"fails on {len(wrong)} of {len(reward.cases)} texts, such as {_shown(case)}: {one.failure}"
        )


def gives_the_same_again(reward: RewardUnderTest) -> None:
    """In another process, in another order: a trial that goes on after a kill must learn from the same rewards."""
    again = reward.ask(list(reversed(reward.cases)))[::-1]
    for case, first, second in zip(reward.cases, reward.rewards, again, strict=True):
        if first != second:
            raise AssertionError(f"gives {_worth(first)}, then {_worth(second)} for {_shown(case)}")


def gives_right_answers_more(reward: RewardUnderTest) -> None:
    """The gold answer in a box is worth more than a wrong one."""
    pairs = zip(reward.rewards[: 2 * len(PROBLEMS) : 2], reward.rewards[1 : 2 * len(PROBLEMS) : 2], strict=True)
    for (problem, wrong), (right, other) in zip(PROBLEMS, pairs, strict=True):
        if right.failure or other.failure:
            raise AssertionError(f"fails on an answer in a box: {right.failure or other.failure}")
        if not _number(right) > _number(other):
            raise AssertionError(
                f"gives {_worth(right)} for the gold answer {problem.gold}, and {_worth(other)} for {wrong}"
            )


def is_fast_enough(reward: RewardUnderTest) -> None:
    """A step asks it about every rollout."""
    before = _child_seconds()
    reward.ask(reward.cases[:1])
    started = _child_seconds() - before  # the import, and what its first call loads
    before, calls = _child_seconds(), reward.cases[:6]
    reward.ask(calls)
    spent = max(0.0, _child_seconds() - before - started) / max(1, len(calls) - 1)
    if spent * 1000 > MOST_MILLISECONDS:
        raise AssertionError(f"takes {spent * 1000:,.0f} ms of processor time a call; at most {MOST_MILLISECONDS} ms")


CHECKS: tuple[Callable[[RewardUnderTest], None], ...] = (
    can_be_called,
    gives_a_reward_for_every_text,
    gives_the_same_again,
    gives_right_answers_more,
    is_fast_enough,
)


def under_test(function: str) -> RewardUnderTest:
    """Raises: RewardMistake if there is no such function."""
    return RewardUnderTest(OwnReward.here(function, hash=locate(function).hash))


@contextmanager
def _one_worker(own: OwnReward) -> Iterator[Pool]:
    pool = own.pool(1)
    try:
        yield pool
    finally:
        pool.close()


def _number(one: Rewarded) -> float:
    return float(one.label is Mark.CORRECT) if one.number is None else one.number


def _worth(one: Rewarded) -> str:
    return one.failure or (str(one.label) if one.label else f"{one.number:g}")


def _shown(case: Rated) -> str:
    return f"{case.text[:40]!r} (gold {case.problem.gold})"


def _child_seconds() -> float:
    """Processor time of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
