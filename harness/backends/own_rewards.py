"""Rewards of the user's own: rollouts asked about, and what is learnt from as right where the answer is a number.

A mark word is a label: `correct` is right, every other wrong. A number is the reward itself. For algorithms that ask
which rollouts are right it also becomes a label, by `recipe.reward_threshold`; without one only 0 and 1 tell, and any
other number ends the trial with a message. For algorithms that learn from rewards alone the label stays the marker's.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.rewards import Rated, Rewarded, RewardMistake, rate
from harness.backends.groups import Group, Rollout
from harness.base.errors import UserError
from harness.config.experiment import Arm
from harness.config.training_recipe import Recipe
from harness.prompts.stream import Prompt
from harness.records import Mark


def rewarded(recipe: Recipe, rated: Sequence[Rated]) -> list[Rewarded | None]:
    """What the recipe's own reward makes of responses, in their order; None of each where it has none.

    Raises: UserError if the function cannot be imported or called, or is another than the recipe's hash says.
    """
    own = recipe.own_reward
    if own is None:
        return [None] * len(rated)
    try:
        return list(rate(own, rated))
    except RewardMistake as error:
        raise UserError(str(error)) from None


def with_own_labels(groups: Sequence[Group], arm: Arm) -> list[Group]:
    """The groups with the labels that their rewards tell.

    Raises: UserError if the reward failed on all rollouts of a whole batch, or gave a number that tells no label where
        one is needed; or if the backend has not asked about them, for the marker's verdict is not the user's reward.
    """
    if any(rollout.given is None for group in groups for rollout in group.rollouts):
        raise UserError(
            f"arm `{arm.name}`: this backend does not ask `{arm.recipe.reward}` about its rollouts. Backends `local` "
            "and `verl` do; one of a plug-in gives each `Rollout` what `rewarded` returns."
        )
    failed, asked = failures(groups), sum(len(group.rollouts) for group in groups)
    if failed and len(failed) == asked and len(groups) >= arm.recipe.prompts_per_step:
        raise UserError(
            f"arm `{arm.name}`: the reward `{arm.recipe.reward}` failed on all {asked} rollouts of a batch: "
            f"{failed[0]}.\n`rence check {arm.recipe.reward}` tries it."
        )
    return [group.labelled([_label(rollout, group.prompt, arm) for rollout in group.rollouts]) for group in groups]


def failures(groups: Sequence[Group]) -> list[str]:
    """Why the reward failed, of each rollout on which it did."""
    given = (rollout.given for group in groups for rollout in group.rollouts)
    return [one.failure for one in given if one and one.failure]


def _label(rollout: Rollout, prompt: Prompt, arm: Arm) -> bool | None:
    given, recipe = rollout.given, arm.recipe
    if given is None or given.failure:
        return None
    if given.label is not None:
        return given.label is Mark.CORRECT
    assert given.number is not None
    if not arm.algorithm.reads_labels:
        return None
    if recipe.reward_threshold is not None:
        return given.number >= recipe.reward_threshold
    if given.number not in (0, 1):
        raise UserError(
            f"arm `{arm.name}`: `{arm.algorithm_name}` asks which rollouts are right, but `{recipe.reward}` returned "
            f"{given.number:g} (problem {prompt.problem.id}), and only 0 and 1 tell.\nSay from which number on one is "
            "right, such as `recipe.reward_threshold=0.5`, or return a label."
        )
    return given.number == 1
