"""Rollouts with their tokens: groups as they are generated, and the batch that is learnt from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import torch
from torch import Tensor

from algorithms.rollouts import Rollouts
from benchmarks.rewards import Rewarded
from harness.prompts.stream import Prompt
from harness.records import Mark


@dataclass(frozen=True)
class Rollout:
    """One sampled response and its mark."""

    tokens: Tensor
    """int64: response tokens, the end-of-sequence token included"""
    logp: Tensor
    """float: the sampler's log-probs"""
    truncated: bool
    """stopped by the token limit"""
    mark: Mark
    answer: str | None = None
    """the final answer as the response has it; None if there is none"""
    assigned: bool | None = None
    """the label that `Recipe.reward` puts in the place of the mark's; None: nothing"""
    given: Rewarded | None = None
    """what a reward function of the user's made of it; None where there is none"""

    @property
    def label(self) -> bool:
        """Whether it is learnt from as a right answer."""
        return self.mark is Mark.CORRECT if self.assigned is None else self.assigned

    @property
    def reward(self) -> float:
        """What an algorithm makes its own of: the user's number, else the label as 0 or 1."""
        number = self.given.number if self.given else None
        return float(self.label) if number is None else number

    @property
    def marked(self) -> bool:
        """False if marking failed, or the user's reward function did."""
        return self.mark is not Mark.GRADER_FAILED and not (self.given and self.given.failure)


@dataclass(frozen=True)
class Group:
    """The rollouts of one prompt."""

    prompt: Prompt
    prompt_tokens: tuple[int, ...]
    rollouts: tuple[Rollout, ...]

    @property
    def marked(self) -> list[Rollout]:
        """Without those whose marking failed: nothing is known of them, so nothing is learnt from them."""
        return [rollout for rollout in self.rollouts if rollout.marked]

    def labelled(self, labels: Sequence[bool | None]) -> Group:
        """With the labels of its rollouts in the place of their marks'; None: that of the mark."""
        rollouts = [replace(rollout, assigned=label) for rollout, label in zip(self.rollouts, labels, strict=True)]
        return replace(self, rollouts=tuple(rollouts))

    @property
    def correct(self) -> int:
        """Of those in `marked`, by the marker, whatever the labels."""
        return sum(rollout.mark is Mark.CORRECT for rollout in self.marked)


@dataclass(frozen=True, eq=False, kw_only=True)
class TokenRollouts(Rollouts):
    """Rollouts that a model can be run on. Rows of a group are adjacent."""

    tokens_BT: Tensor
    """int64: response tokens"""
    prompts: Mapping[str, tuple[int, ...]]
    """problem id -> prompt tokens"""
    correct_B: Tensor
    """bool: the marker's verdict, which the label is unless the recipe's `reward` says otherwise"""

    def to(self, device: torch.device) -> Self:
        """On a device; to a GPU from pinned memory, so that the host does not wait."""
        if self.tokens_BT.device == device:
            return self

        def moved(value: Tensor) -> Tensor:
            pinned = value.pin_memory() if device.type == "cuda" and value.device.type == "cpu" else value
            return pinned.to(device, non_blocking=True)

        tensors = {f.name: moved(value) for f in fields(self) if isinstance(value := getattr(self, f.name), Tensor)}
        return replace(self, **tensors, credit={name: moved(value) for name, value in self.credit.items()})


def as_batch(groups: Sequence[Group], max_tokens: int) -> TokenRollouts:
    """One batch of all marked rollouts, on the CPU, padded to the longest response."""
    rows = [(g, rollout) for g, group in enumerate(groups) for rollout in group.marked]
    length_B = torch.tensor([len(rollout.tokens) for _, rollout in rows])
    mask_BT = torch.arange(int(length_B.max())) < length_B[:, None]
    tokens_BT = torch.zeros(mask_BT.shape, dtype=torch.int64)
    label_B = torch.tensor([rollout.label for _, rollout in rows])
    return TokenRollouts(
        group_B=torch.tensor([g for g, _ in rows]),
        label_B=label_B,
        reward_B=torch.tensor([rollout.reward for _, rollout in rows]),
        truncated_B=torch.tensor([rollout.truncated for _, rollout in rows]),
        mask_BT=mask_BT,
        old_logp_BT=torch.zeros(mask_BT.shape).masked_scatter(mask_BT, torch.cat([r.logp for _, r in rows])),
        problem_ids=tuple(group.prompt.problem.id for group in groups),
        max_tokens=max_tokens,
        tokens_BT=tokens_BT.masked_scatter(mask_BT, torch.cat([r.tokens for _, r in rows])),
        prompts={group.prompt.problem.id: group.prompt_tokens for group in groups},
        correct_B=torch.tensor([rollout.mark is Mark.CORRECT for _, rollout in rows]),
    )
