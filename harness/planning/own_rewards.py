"""Whether rewards of the user's own can be used, seen before anything is trained: each is asked about one problem."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from benchmarks.problems import Problem, ProblemsMissing
from benchmarks.rewards import OwnReward, Rated, Rewarded, RewardMistake, rate
from benchmarks.rewards.serving import MEMORY_BYTES
from harness.base.errors import UserError
from harness.config.experiment import Arm, Experiment


def check(experiment: Experiment, problem: Problem) -> None:
    """
    Args:
        problem: one to train on; its gold answer in a box is what each reward is asked about.
    Raises: UserError if a function cannot be imported or called, is not the one that was recorded, fails on that, or
        returns a number that does not tell an algorithm what it asks.
    """
    asked: dict[OwnReward, Rewarded] = {}
    for arm in experiment.arms:
        own = arm.recipe.own_reward
        if own is None:
            continue
        if own not in asked:
            asked[own] = _asked(own, problem)
        if asked[own].number is not None:
            _check_labels(arm, asked[own].number)


def preview(experiment: Experiment) -> None:
    """The same where no problem to train on needs to be on this machine: without one, nothing is asked. Raises: like
    `check`."""
    if any(arm.recipe.own_reward for arm in experiment.arms):
        with suppress(ProblemsMissing):
            check(experiment, experiment.training_preview.problems[0])


def to_json(experiment: Experiment) -> list[dict[str, Any]]:
    """Each reward of the user's own, the arms that it pays, and how a call that fails is counted."""
    arms: dict[OwnReward, list[str]] = {}
    for arm in experiment.arms:
        if own := arm.recipe.own_reward:
            arms.setdefault(own, []).append(arm.name)
    return [
        {
            "reward": own.function,
            "arms": names,
            "fails": f"where it raises, crashes, returns NaN or anything but a number or a label, or takes more than "
            f"{own.seconds:g} s of processor time or {MEMORY_BYTES // 2**30} GiB",
            "counted": "in the budget and as `reward/failed`; learnt nothing from, which is not a reward of 0; a batch "
            "on which all calls fail ends the trial",
        }
        for own, names in arms.items()
    ]


def _asked(own: OwnReward, problem: Problem) -> Rewarded:
    pool, text = own.pool(1), f"\\boxed{{{problem.gold}}}"
    try:
        (found,) = rate(own, [Rated(text, problem)], pool)
    except RewardMistake as error:
        raise UserError(str(error)) from None
    finally:
        pool.close()
    if found.failure:
        raise UserError(
            f"the reward `{own.function}` fails on the first problem to train on, {problem.id}, with its gold answer, "
            f"{text}, as the text: {found.failure}.\nIt is called with (text, gold, problem) and must return a finite "
            f"number or a mark word. `rence check {own.function}` tries it on more."
        )
    return found


def _check_labels(arm: Arm, number: float | None) -> None:
    """Raises: UserError."""
    if arm.algorithm.reads_labels and arm.recipe.reward_threshold is None and number not in (0, 1):
        raise UserError(
            f"arm `{arm.name}`: `{arm.algorithm_name}` asks which rollouts are right, but `{arm.recipe.reward}` "
            f"returns {number:g} for a gold answer, and only 0 and 1 tell.\nSay from which number on one is right, "
            "such as `recipe.reward_threshold=0.5`, or return a label."
        )
