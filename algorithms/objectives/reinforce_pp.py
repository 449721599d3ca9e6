"""REINFORCE++: Hu et al. 2025, arXiv:2501.03262: REINFORCE with PPO's tricks and without its critic.

    J = sum_k sum_t min(rho A, clip(rho, 1-eps, 1+eps) A) / sum_k |y_k|
    A = (G - mean G) / std G                                                    over the tokens of the whole batch
    G_k,t = r_k - beta sum_{i >= t} (log pi_old - log pi_ref)                   and in the variant with a baseline:
    G_k   = r_k - mean r                        with beta k2 in the loss

No critic and no statistics of groups: the whole batch is what a reward is compared with. `reinforce_pp_baseline`,
the paper's choice for reasoning, first subtracts the mean of the group, and takes KL in the loss.

    symbol   name here        symbol    name here
    beta     kl_coef          A, G      advantage_BT
    eps      clip_low, clip_high

- Whitening is over tokens, as in verl (`masked_whiten`, ddof 1): long responses weigh more in mean and deviation.
- Without the group's mean a batch that is mostly right teaches little from right answers, and equal labels in a group
  do teach: it must not be combined with a filter on zero variance.
- With `kl_place="reward"` each token is charged for KL from itself on, so advantages differ along a response.
- beta is the paper's 1e-3 for mathematics (1e-2 in general), and 1e-3 in the variant with a baseline too, as far as we
  remember OpenRLHF's script. Discount and PPO's lambda are 1.

Known variants: ms-swift and NeMo RL take the deviation over sequences, which is `scale="batch_advantage_std"`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from algorithms._torch import torch
from algorithms.objectives.grpo import GRPO
from algorithms.ops.advantages import STD_EPSILON, Baseline, Scale
from algorithms.ops.aggregation import Aggregation
from algorithms.ops.kl import Estimator
from algorithms.rollouts import Rng, Rollouts

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class ReinforcePP(GRPO):
    """Rewards less the KL to come, whitened over all tokens of the batch, under PPO's clip."""

    title: ClassVar[str] = "REINFORCE++"
    source: ClassVar[str] = "Hu et al. 2025, arXiv:2501.03262"
    rewards_alone: ClassVar[bool] = True

    baseline: Baseline = "none"
    """what rewards are compared with before they are whitened"""
    scale: Scale = "none"
    """what they are divided by before that"""
    aggregation: Aggregation = "token_mean"
    """mean over the tokens of the mini-batch"""
    kl_coef: float = 1e-3
    """beta; 0: no KL and no reference policy"""
    kl_place: Literal["loss", "reward"] = "reward"
    """where it is charged: in the loss, or in the reward, token by token"""
    kl_estimator: Estimator = "k1"
    """the one without bias in a reward"""

    def shape(self, batch: Rollouts) -> Tensor:
        """reward_B, KL apart: it is charged token by token."""
        return self.reward(batch)

    def credit(self, batch: Rollouts, rng: Rng) -> Mapping[str, Tensor]:
        """advantage_B before KL; kl_weight_B, what a nat of KL to come costs in units of the advantage."""
        reward_B = super().credit(batch, rng)["advantage"]
        return_BT = reward_B[:, None] - self._charge * self._kl_to_go(batch)
        tokens, mask_BT = batch.mask_BT.sum(), batch.mask_BT
        mean = torch.where(mask_BT, return_BT, 0).sum() / tokens.clamp(min=1)
        square = torch.where(mask_BT, return_BT - mean, 0).square().sum()
        std = (square / (tokens - self.std_ddof).clamp(min=1)).sqrt() + STD_EPSILON
        return {"advantage": (reward_B - mean) / std, "kl_weight": torch.ones_like(reward_B) * self._charge / std}

    def advantage(self, batch: Rollouts) -> Tensor:
        advantage_B1 = super().advantage(batch)
        if self._charge == 0:
            return advantage_B1
        return advantage_B1 - batch.credit["kl_weight"][:, None] * self._kl_to_go(batch)

    def spec(self) -> dict[str, str]:
        spec = super().spec()
        kl = spec["KL"] + (", token by token from the token on" if self._charge else "")
        first = "" if self.scale == "none" else f"{spec['scale']}, then "
        whitened = f"{first}whitened over the batch's tokens, ddof {self.std_ddof}"
        return spec | {"scale": whitened, "KL": kl}

    @property
    def _charge(self) -> float:
        return self.kl_coef if self.kl_place == "reward" else 0.0

    def _kl_to_go(self, batch: Rollouts) -> Tensor:
        """sum over i >= t of the KL of token i, for each token."""
        if self._charge == 0:
            return torch.zeros_like(batch.old_logp_BT)
        return self.sampled_kl(batch).flip(1).cumsum(1).flip(1)


@dataclass(frozen=True)
class ReinforcePPBaseline(ReinforcePP):
    """Group-centred rewards, whitened over all tokens of the batch, under PPO's clip, with KL in the loss."""

    title: ClassVar[str] = "REINFORCE++ with baseline"
    rewards_alone: ClassVar[bool] = True

    baseline: Baseline = "group_mean"
    """what rewards are compared with before they are whitened"""
    kl_place: Literal["loss", "reward"] = "loss"
    """where it is charged: in the loss, or in the reward, token by token"""
    kl_estimator: Estimator = "k2"
    """the one whose gradient in a loss is that of KL to the reference"""
