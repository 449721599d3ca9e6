"""One step's rollouts: fresh groups, their labels, the algorithm's filter, refill. The same on every backend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from algorithms.base import Algorithm
from harness.backends.groups import Group, as_batch
from harness.backends.labels import labelled
from harness.config.experiment import Trial
from harness.config.training_recipe import Reward
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
    reward: Reward = "label"
    """what their labels are"""

    @property
    def surplus(self) -> int:
        """Groups that passed the filter and were not needed."""
        return len(self.generated) - len(self.groups) - self.dropped

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
    def marks(self) -> Counter[Mark]:
        return Counter(rollout.mark for group in self.generated for rollout in group.rollouts)


def collect(
    trial: Trial,
    stream: PromptStream,
    cursor: int,
    generate: Callable[[Sequence[Prompt]], Sequence[Group]],
    warn: Callable[[str], None],
) -> Collected:
    """Generate `prompts_per_step` groups; where the algorithm asks for refill, again until as many are kept.

    Past `refill_batches` the step learns from fewer groups, with a warning. Surplus groups are discarded: a later
    step would learn from them with an older policy's samples.

    Args:
        cursor: prompts of the stream that earlier steps have consumed.
        generate: the rollouts of prompts, marked, a group for each, in their order.
    """
    recipe, algorithm = trial.arm.recipe, trial.arm.algorithm
    wanted = recipe.prompts_per_step
    generated: list[Group] = []
    kept: list[Group] = []
    # Refill takes the prompts that come next in the stream, never those that were filtered away again.
    for _ in range(recipe.refill_batches):
        fresh = labelled(generate(stream.take(cursor + len(generated), wanted)), recipe.reward, trial.seed)
        generated.extend(fresh)
        kept.extend(passing(algorithm, fresh, recipe.max_tokens))
        if len(kept) >= wanted or not algorithm.refill:
            break
    # Only where no break was met: the cap ended it. An algorithm without refill leaves after its one batch, quietly.
    else:
        warn(
            f"{trial.name}: {len(kept)} of {wanted} groups passed the filter in {recipe.refill_batches} generation "
            "batches; this step learns from those (`refill_batches` raises the cap)."
        )
    return Collected(kept[:wanted], generated, len(generated) - len(kept), recipe.reward)


def passing(algorithm: Algorithm, groups: Sequence[Group], max_tokens: int) -> list[Group]:
    """The groups that may be learnt from: they hold a marked rollout, and the algorithm's filter keeps them."""
    marked = [group for group in groups if group.marked]
    if not marked:
        return []
    keep_G = algorithm.keep(as_batch(marked, max_tokens))
    return [group for group, keep in zip(marked, keep_G.tolist(), strict=True) if keep]
