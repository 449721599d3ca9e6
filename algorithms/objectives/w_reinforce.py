"""PSR, NSR and W-REINFORCE: Zhu et al. 2025, "The Surprising Effectiveness of Negative Reinforcement",
arXiv:2506.01347, equations 3 to 6.

    J = sum_k sum_t min(rho A, clip(rho, 1-eps, 1+eps) A) / sum_k |y_k|
    A_k = lambda for a correct rollout, -1 for an incorrect one

    PSR          lambda = 1 and no -1: only correct rollouts, which are made likelier
    NSR          lambda = 0: only incorrect ones, which are made less likely, and what is left grows by itself
    W-REINFORCE  lambda = 0.1

No baseline and no scale. What a rollout teaches does not depend on its group, so groups that are all wrong teach too:
this must not be combined with a filter on zero variance. The paper finds that PSR sharpens at the cost of diversity and
that NSR keeps pass@k up to large k. The surrogate is that of the authors' host, verl's PPO; lambda, clip and no KL too.
Their host also has an entropy coefficient, which the objective in the paper lacks: it is `entropy_coef`, off here.

    symbol    name here
    lambda    positive
    -1        -negative
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from algorithms._torch import torch
from algorithms.hyperparameters import check_ranges
from algorithms.objectives.grpo import GRPO
from algorithms.ops.advantages import Baseline, Scale
from algorithms.ops.aggregation import Aggregation
from algorithms.rollouts import Rollouts

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class WReinforce(GRPO):
    """A small push for correct rollouts, a whole one against incorrect ones."""

    title: ClassVar[str] = "W-REINFORCE"
    source: ClassVar[str] = "Zhu et al. 2025, arXiv:2506.01347, eq. 6"

    baseline: Baseline = "none"
    """nothing is compared with"""
    scale: Scale = "none"
    """nothing is divided by"""
    aggregation: Aggregation = "token_mean"
    """mean over the tokens of the mini-batch"""
    kl_coef: float = 0.0
    """no KL"""
    positive: float = 0.1
    """lambda, what a correct rollout is worth"""
    negative: float = 1.0
    """what an incorrect rollout costs"""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ranges(self, positive="[0, inf)", negative="[0, inf)")

    @property
    def parts(self) -> Mapping[str, Mapping[str, Any]]:
        both = self.positive > 0 and self.negative > 0
        signs = {"positives": {"positive": 0.0}, "negatives": {"negative": 0.0}} if both else {}
        return {**signs, **super().parts}

    def reward(self, batch: Rollouts) -> Tensor:
        """reward_B: lambda or -1."""
        return torch.where(batch.label_B, self.positive, -self.negative).to(batch.reward_B.dtype)

    def spec(self) -> dict[str, str]:
        return super().spec() | {"reward": f"+{self.positive:g} correct, -{self.negative:g} incorrect"}


@dataclass(frozen=True)
class PSR(WReinforce):
    """Positive sample reinforcement: correct rollouts alone."""

    title: ClassVar[str] = "PSR"
    source: ClassVar[str] = "Zhu et al. 2025, arXiv:2506.01347, eq. 3"

    positive: float = 1.0
    """what a correct rollout is worth"""
    negative: float = 0.0
    """what an incorrect rollout costs"""


@dataclass(frozen=True)
class NSR(WReinforce):
    """Negative sample reinforcement: incorrect rollouts alone."""

    title: ClassVar[str] = "NSR"
    source: ClassVar[str] = "Zhu et al. 2025, arXiv:2506.01347, eq. 4"

    positive: float = 0.0
    """what a correct rollout is worth"""
