"""One step's rollouts: fresh groups, their labels, the algorithm's filter, refill. The same on every backend."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from algorithms.base import Algorithm
from harness.backends.groups import Group, as_batch
from harness.backends.labels import labelled
from harness.backends.own_rewards import failures, with_own_labels
from harness.base.errors import UserError
from harness.config.experiment import Trial
from harness.config.training_recipe import Recipe, Reward
from harness.prompts.stream import Prompt, PromptStream
from harness.records import Mark


@dataclass(frozen=True)
class Collected:
    """What a step generated and what of it may be learnt from."""

    groups: list[Group]
    """to be learnt from, at most `prompts_per_step`"""
    generated: list[Group]
    """all of them, in the order of the stream"""
    dropped: int
    """groups that the filter dropped, and groups in which no rollout could be marked"""
    surplus: int = 0
    """groups that passed the filter and were not needed"""
    missing: int | None = None
    """groups that the step wanted and did not find by its cap; None for an algorithm without refill"""
    reward: str = "label"
    """what their labels are"""

    def __post_init__(self) -> None:
        counted = len(self.groups) + self.dropped + self.surplus
        if counted != len(self.generated):
            raise AssertionError(
                f"{len(self.generated)} groups were generated, but {len(self.groups)} are learnt from, {self.dropped} "
                f"dropped and {self.surplus} surplus"
            )

    @property
    def rollouts(self) -> int:
        return sum(len(group.rollouts) for group in self.generated)

    @property
    def tokens(self) -> int:
        return sum(len(rollout.tokens) for group in self.generated for rollout in group.rollouts)

    @property
    def discarded(self) -> int:
        """Rollouts that were generated and are not learnt from."""
        return self.rollouts - sum(len(group.marked) for group in self.groups)

    @property
    def reward_failure(self) -> str:
        """Why a reward of the user's own failed, on the first rollout on which it did; empty where on none. Addresses
        in it, which are never the same twice, are left out."""
        failed = failures(self.generated)
        return re.sub(r"\b0x[0-9a-f]{6,}\b", "0x...", failed[0]) if failed else ""

    @property
    def marks(self) -> Counter[Mark]:
        return Counter(rollout.mark for group in self.generated for rollout in group.rollouts)


def collect(
    trial: Trial,
    stream: PromptStream,
    cursor: int,
    generate: Callable[[Sequence[Prompt]], Sequence[Group]],
    warn: Callable[[str], None],
) -> Collected:
    """Generate `prompts_per_step` groups; where the algorithm asks for refill, more until as many are kept.

    What more is, the recipe says (`Recipe.asks`). Groups are kept in the order of the stream. Past the cap the step
    learns from fewer of them, with a warning. Surplus groups are discarded: a later step would learn from them with an
    older policy's samples.

    Args:
        cursor: prompts of the stream that earlier steps have consumed.
        generate: the rollouts of prompts, marked, a group for each, in their order.
    """
    recipe, algorithm = trial.arm.recipe, trial.arm.algorithm
    wanted, dropped = recipe.prompts_per_step, 0
    generated: list[Group] = []
    passed: list[Group] = []
    # Refill takes the prompts that come next in the stream, never those that were filtered away again. It waits for
    # all that it has asked, so that nothing depends on which answers come first.
    while count := recipe.asks(len(passed), len(generated)):
        fresh = _labelled(generate(stream.take(cursor + len(generated), count)), trial)
        good = passing(algorithm, fresh, recipe.max_tokens)
        generated.extend(fresh)
        passed.extend(good)
        dropped += len(fresh) - len(good)
        if not algorithm.refill:
            break
    groups = passed[:wanted]
    missing = wanted - len(groups) if algorithm.refill else None
    if failed := failures(generated):
        asked = sum(len(group.rollouts) for group in generated)
        warn(
            f"{trial.name}: the reward `{recipe.reward}` failed on {len(failed)} of {asked} rollouts of a step, which "
            f"are not learnt from; first: {failed[0]}."
        )
    if missing:
        warn(_short(trial.name, len(groups), recipe))
    return Collected(groups, generated, dropped, len(passed) - len(groups), missing, recipe.reward)


def _labelled(groups: Sequence[Group], trial: Trial) -> list[Group]:
    """Raises: UserError, of a reward of the user's own, or of a backend that has not asked it."""
    recipe = trial.arm.recipe
    if recipe.own_reward:
        if any(rollout.given is None for group in groups for rollout in group.rollouts):
            raise UserError(
                f"backend `{trial.experiment.backend}` does not ask the reward `{recipe.reward}`: it must set `given` "
                "of its rollouts (`rence.backends.rewarded`)."
            )
        return with_own_labels(groups, trial.arm)
    return labelled(groups, cast(Reward, recipe.reward), trial.seed)


def _short(trial: str, kept: int, recipe: Recipe) -> str:
    """Of a step that ends with fewer groups than it wanted."""
    learnt = "this step learns from those" if kept else "this step learns nothing"
    return (
        f"{trial}: {kept} of {recipe.prompts_per_step} groups passed the filter among the {recipe.most_prompts} "
        f"prompts that a step may ask; {learnt} (`recipe.refill_batches`, {recipe.refill_batches}, raises the cap)."
    )


def passing(algorithm: Algorithm, groups: Sequence[Group], max_tokens: int) -> list[Group]:
    """The groups that may be learnt from: they hold a marked rollout, and the algorithm's filter keeps them."""
    marked = [group for group in groups if group.marked]
    if not marked:
        return []
    keep_G = algorithm.keep(as_batch(marked, max_tokens))
    return [group for group, keep in zip(marked, keep_G.tolist(), strict=True) if keep]
