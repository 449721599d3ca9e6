"""What an algorithm sees: a batch of rollouts, its denominators, and what a loss gives back.

Shapes, here and in every module of this package:
    B  rollouts in the batch             T  response tokens, padded on the right
    G  groups (one prompt each)          K  rollouts of one group, at most; groups may be ragged
A name says its shape: `logp_BT`, `label_B`, `keep_G`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Self

from algorithms._torch import torch

if TYPE_CHECKING:
    from torch import Generator, Tensor

Rng = Callable[[str], "Generator"]
"""problem id -> a generator keyed by (seed, step, problem id), so that row order never changes a draw."""


@dataclass(frozen=True, eq=False)
class Rollouts:
    """B rollouts of G prompts, with what is known of them before any loss. Shapes are checked here, once.

    Rows of one group need not be adjacent, and groups need not be equally large: a rollout whose marking
    failed is left out of its group, never rewarded 0.
    """

    group_B: Tensor
    """int64: the group of each rollout, 0..G-1, indexing `problem_ids`"""
    label_B: Tensor
    """bool: the marker's verdict, or what the recipe's `reward` puts in its place. Positives and negatives
    are always split by it, never by the reward."""
    reward_B: Tensor
    """float: the label as 0 or 1, until `Algorithm.shape` has replaced it"""
    truncated_B: Tensor
    """bool: stopped by the token limit"""
    mask_BT: Tensor
    """bool: True on response tokens, the end-of-sequence token included"""
    old_logp_BT: Tensor
    """float: log-probs under the policy that generated the batch, at the sampling temperature"""
    problem_ids: tuple[str, ...]
    """G content hashes"""
    max_tokens: int
    """the response limit L_max, in tokens"""
    ref_logp_BT: Tensor | None = None
    """float: log-probs under the reference policy; there if `Algorithm.reference` names one"""
    weight_BT: Tensor | None = None
    """float: truncated importance weights for trainer/sampler mismatch; None means 1"""
    entropy_BT: Tensor | None = None
    """float: entropy in nats of what theta would say at each token, with gradient. The one thing here that depends on
    theta besides the log-probs; there if `Algorithm.wants_entropy`"""
    credit: Mapping[str, Tensor] = field(default_factory=dict)
    """what `Algorithm.credit` returned: per-sequence quantities of shape B that do not depend on theta"""

    def __post_init__(self) -> None:
        if self.mask_BT.dim() != 2:
            raise ValueError(f"`mask_BT` must have 2 dimensions, but has {self.mask_BT.dim()} instead.")
        rows, tokens = self.mask_BT.shape
        for f in fields(self):
            value = getattr(self, f.name)
            if value is None or not f.name.endswith(("_B", "_BT")):
                continue
            expected = (rows, tokens) if f.name.endswith("_BT") else (rows,)
            if tuple(value.shape) != expected:
                raise ValueError(f"`{f.name}` must have shape {expected}, but has {tuple(value.shape)} instead.")
        for name, value in self.credit.items():
            if value.shape[0] != rows:
                raise ValueError(f"credit `{name}` must have {rows} rows, but has {value.shape[0]} instead.")
        for name in ("label_B", "truncated_B", "mask_BT"):
            if getattr(self, name).dtype != torch.bool:
                raise ValueError(f"`{name}` must be bool, but is {getattr(self, name).dtype} instead.")
        if rows and not 0 <= int(self.group_B.min()) <= int(self.group_B.max()) < len(self.problem_ids):
            raise ValueError(f"`group_B` must lie in 0..{len(self.problem_ids) - 1}, one for each problem id.")

    def __len__(self) -> int:
        return self.mask_BT.shape[0]

    @property
    def groups(self) -> int:
        """G, groups without a single rollout included"""
        return len(self.problem_ids)

    @property
    def length_B(self) -> Tensor:
        """int64: response tokens of each rollout, the end-of-sequence token included"""
        return self.mask_BT.sum(1)

    @property
    def size_G(self) -> Tensor:
        """int64: rollouts of each group"""
        return torch.bincount(self.group_B, minlength=self.groups)

    @property
    def positives_G(self) -> Tensor:
        """int64: rollouts of each group that the marker calls correct"""
        return torch.bincount(self.group_B[self.label_B], minlength=self.groups)

    @property
    def contrast_G(self) -> Tensor:
        """bool: groups with at least one positive and one negative"""
        positives_G = self.positives_G
        return (positives_G > 0) & (positives_G < self.size_G)

    def select(self, groups: Tensor) -> Self:
        """The rollouts of some groups, in the order given, as a batch of their own (a mini- or micro-batch).

        Args:
            groups: int64, indices into `problem_ids`.
        """
        new_index = torch.full((self.groups,), -1, dtype=torch.int64, device=self.group_B.device)
        new_index[groups] = torch.arange(len(groups), device=groups.device)
        group_B = new_index[self.group_B]
        rows = torch.nonzero(group_B >= 0)[:, 0]
        rows = rows[torch.argsort(group_B[rows], stable=True)]
        chosen = self.rows(rows)
        return replace(chosen, group_B=group_B[rows], problem_ids=tuple(self.problem_ids[g] for g in groups.tolist()))

    def rows(self, rows: Tensor) -> Self:
        """Some rollouts, in the order given; the groups keep their numbers, and some may be left empty.

        Args:
            rows: int64 indices, or a bool mask of shape B.
        """
        taken = {
            f.name: getattr(self, f.name)[rows]
            for f in fields(self)
            if f.name.endswith(("_B", "_BT")) and getattr(self, f.name) is not None
        }
        credit = {name: value[rows] for name, value in self.credit.items()}
        return replace(self, **taken, credit=credit)


@dataclass(frozen=True)
class Totals:
    """The denominators of one optimiser step: all micro-batches, all ranks. They come from outside the loss,
    so that how a mini-batch is cut, padded or spread over ranks changes nothing."""

    groups: int
    """groups in the mini-batch"""
    contrast_groups: int
    """groups with at least one positive and one negative"""
    rollouts: int
    tokens: int
    """response tokens"""
    truncated_rollouts: int = 0
    """those of `rollouts` that the token limit stopped"""
    truncated_tokens: int = 0
    """those of `tokens` that belong to them"""
    positive_groups: int = 0
    """groups with at least one positive"""
    positive_rollouts: int = 0
    """those of `rollouts` that are positives"""
    positive_tokens: int = 0
    """those of `tokens` that belong to them"""
    means: Mapping[str, float] = field(default_factory=dict)
    """detached means per token over the mini-batch, for what `Algorithm.measure` returned"""
    state: Mapping[str, float] = field(default_factory=dict)
    """what `Algorithm.adapt` returned: carried from one optimiser step to the next"""
    progress: float | None = None
    """share of the trial's budget that has been generated, 0 to 1; None where nobody knows"""

    @staticmethod
    def of(batch: Rollouts) -> Totals:
        """The counts of one whole mini-batch."""
        return Totals(
            groups=batch.groups,
            contrast_groups=int(batch.contrast_G.sum()),
            rollouts=len(batch),
            tokens=int(batch.mask_BT.sum()),
            truncated_rollouts=int(batch.truncated_B.sum()),
            truncated_tokens=int(batch.mask_BT[batch.truncated_B].sum()),
            positive_groups=int((batch.positives_G > 0).sum()),
            positive_rollouts=int(batch.label_B.sum()),
            positive_tokens=int(batch.mask_BT[batch.label_B].sum()),
        )

    def without_truncated(self) -> Totals:
        """The denominators of a loss that leaves truncated rollouts out; counts of positives stay those of all."""
        return replace(
            self,
            rollouts=self.rollouts - self.truncated_rollouts,
            tokens=self.tokens - self.truncated_tokens,
            truncated_rollouts=0,
            truncated_tokens=0,
        )

    def of_positives(self) -> Totals:
        """The denominators of a loss on positives alone."""
        return replace(self, groups=self.positive_groups, rollouts=self.positive_rollouts, tokens=self.positive_tokens)


@dataclass(frozen=True)
class Mean:
    """A metric as a sum and a count, so that means over micro-batches add up and no mean of means can happen."""

    total: float
    count: float

    def __add__(self, other: Mean) -> Mean:
        return Mean(self.total + other.total, self.count + other.count)

    @property
    def value(self) -> float:
        """NaN when nothing was counted: absence is not zero."""
        return self.total / self.count if self.count else float("nan")


@dataclass(frozen=True)
class Loss:
    """The scalar to minimise (its sum over micro-batches is the mini-batch's loss) and what to log."""

    value: Tensor
    metrics: Mapping[str, Mean] = field(default_factory=dict)
