"""The recipe: everything of training that is not the objective. Standard library and the light part of `algorithms`."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil
from typing import Annotated, Any, Literal

from annotated_types import Ge, Lt

from algorithms.base import Algorithm
from benchmarks.rewards.scoring import SECONDS, OwnReward
from harness.config.limits import Count, NonNegative, Positive, Refills, Whole
from harness.models.lora import Lora
from harness.records.fields import LATER, RUNTIME, later, semantic, without

AtLeastOne = Annotated[float, Ge(1)]
Decay = Annotated[float, Ge(0), Lt(1)]
Reward = Literal["label", "majority", "random", "format", "mislabelled"]
Refill = Literal["missing", "batch"]

OWN = ("reward_threshold", "reward_seconds", "reward_hash")
"""settings of a reward that is a function of the user's; without effect where it is a word"""
REFILL = ("refill", "refill_factor")
"""settings that an arm may not give itself where its algorithm asks for no refill"""


@dataclass(frozen=True)
class Recipe:
    """What all arms share: everything of training that is not the objective. An arm may override a field, and
    every report then lists it as a difference."""

    group_size: Count = 8
    """K, rollouts a prompt"""
    prompts_per_step: Count = 32
    """groups that one rollout batch is learnt from"""
    epochs: Count = 2
    """passes over a rollout batch"""
    minibatches: Count = 2
    """optimiser steps a pass; each takes whole groups"""
    microbatch_tokens: Count = field(default=16384, metadata=RUNTIME)
    """padded tokens (prompt and response) in one forward pass; a cap on memory, it changes no result's meaning"""
    max_tokens: Count = 48
    """response limit"""
    temperature: Positive = 1.0
    """of the sampler in training; log-probs are taken at it too"""
    learning_rate: Positive = 3e-4
    """of AdamW"""
    warmup_updates: Whole = 0
    """linear warm-up, then constant"""
    adam_beta1: Decay = 0.9
    """AdamW's decay of the first moment"""
    adam_beta2: Decay = 0.99
    """AdamW's decay of the second moment"""
    adam_eps: Positive = 1e-8
    """AdamW's term against division by zero"""
    weight_decay: NonNegative = 0.0
    """AdamW's decoupled decay"""
    max_grad_norm: Positive = 1.0
    """the gradient is scaled down to this norm"""
    generator_sync_steps: Count = 1
    """the sampler takes the learner's weights every so many steps (1: always on-policy at the first update)"""
    reference_sync_steps: Count = 10
    """a reference of kind `synced` takes the sampler's weights every so many steps"""
    refill_batches: Refills = 4
    """most prompts for one step, in batches of `prompts_per_step`; past it the step learns from fewer groups, with a
    warning"""
    checkpoint_steps: Count = field(default=10, metadata=RUNTIME)
    """a checkpoint to resume from every so many steps, besides those at the evaluation grid"""
    reward: str = field(default="label", metadata=LATER)
    """what a rollout is learnt from as right or wrong: `label`, the marker's verdict; `majority`, whether its answer is
    its group's most frequent one, no gold answer needed; or as a control `random`, a fair coin; `format`, whether an
    answer was found; `mislabelled`, right and wrong exchanged on a tenth of the problems. Or a function of your own,
    `my_package.rewards:score`, called with (text, gold, problem), that returns a number or a mark word
    (docs/how-to/own-data.md). Scores are the marker's"""
    reward_threshold: float | None = field(default=None, metadata=LATER)
    """of a reward of your own that returns numbers: from which on a rollout counts as right, for algorithms that ask
    which are; null: only 0 and 1 tell"""
    reward_seconds: Positive = field(default=SECONDS, metadata=LATER)
    """of a reward of your own: processor time that one call may take; one that takes more has failed"""
    reward_hash: str = field(default="", metadata=LATER)
    """of a reward of your own: what its source must hash to; empty: whatever it is now, which is recorded"""

    refill: Refill = field(default="missing", metadata=later("batch"))
    """what a step asks for when the filter has left too few groups: `missing`, as many prompts as groups are missing;
    or `batch`, a whole batch again, whose surplus is thrown away, as DAPO's own code does. Of algorithms with refill"""
    refill_factor: AtLeastOne = field(default=1.0, metadata=LATER)
    """with `refill: missing`, prompts asked for each group that is missing: above 1 there are fewer, larger batches,
    which keep a GPU busy, and some surplus"""

    lora: Lora | None = field(default=None, metadata=LATER)
    """train low-rank adapters in place of the model's own weights (docs/how-to/lora.md); null: all weights learn"""

    def __post_init__(self) -> None:
        if self.lora is not None and not isinstance(self.lora, Lora):  # as a file has it
            object.__setattr__(self, "lora", Lora(**dict(self.lora)))

    @property
    def own_reward(self) -> OwnReward | None:
        """The function of the user's that rewards rollouts; None where a word of ours says what does."""
        if ":" not in self.reward:
            return None
        return OwnReward.here(self.reward, self.reward_seconds, self.reward_hash)

    @property
    def most_prompts(self) -> int:
        """The cap of a step."""
        return self.refill_batches * self.prompts_per_step

    def asks(self, passed: int, asked: int) -> int:
        """How many prompts a step of an algorithm with refill asks next: 0 if it has its groups, or may ask no more.

        Args:
            passed: groups that have passed the filter.
            asked: prompts that the step has asked.
        """
        missing = self.prompts_per_step - passed
        if missing <= 0:
            return 0
        whole = self.refill == "batch" or not asked
        # Less a little, for 10 x 1.1 must not be 12.
        wanted = self.prompts_per_step if whole else ceil(missing * self.refill_factor - 1e-9)
        return min(wanted, self.most_prompts - asked)

    def idle(self, algorithm: Algorithm) -> set[str]:
        """The settings that have no effect with this algorithm."""
        idle: set[str] = set() if ":" in self.reward else set(OWN)
        if not algorithm.reads_labels:
            idle.add("reward_threshold")
        if algorithm.reference != "synced":
            idle.add("reference_sync_steps")
        if not algorithm.refill:
            idle |= {"refill_batches", *REFILL}
        elif self.refill == "batch":
            idle.add("refill_factor")
        return idle

    def semantic_keys(self, algorithm: Algorithm) -> dict[str, Any]:
        """The settings that decide what is learnt with this algorithm: what fingerprints are made of."""
        return without(semantic(self), tuple(self.idle(algorithm)))

    def spec(self, algorithm: Algorithm) -> dict[str, str]:
        """The rows of a spec sheet that are the recipe's: how stale a batch becomes, and who follows whom."""
        synced = algorithm.reference == "synced"
        missing = algorithm.refill and self.refill == "missing"
        return {
            **({"refill": f"yes, {self._asking()}"} if missing else {}),
            **({"adapters": self.lora.words} if self.lora else {}),
            "updates per rollout batch": f"{self.epochs * self.minibatches} "
            f"({self.epochs} × {self.minibatches} mini-batches)",
            "sync": f"sampler {_every(self.generator_sync_steps)}"
            + (f", reference {_every(self.reference_sync_steps)}" if synced else ""),
        }

    def _asking(self) -> str:
        return "what is missing" if self.refill_factor == 1 else f"{self.refill_factor:g} prompts a missing group"

    def rate(self, updates: int) -> float:
        """The learning rate after so many updates: linear warm-up whose first update is not zero, then constant."""
        return self.learning_rate * min(1.0, (updates + 1) / max(1, self.warmup_updates))


def _every(steps: int) -> str:
    return "every step" if steps == 1 else f"every {steps} steps"
