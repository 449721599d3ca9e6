"""GRPO: Shao et al. 2024, DeepSeekMath, arXiv:2402.03300, equations 3 and 4.

    J = mean over prompts of (1/K) sum_k (1/|y_k|) sum_t [ min(rho A, clip(rho, 1-eps, 1+eps) A) - beta k3 ]
    A_k = (r_k - mean r) / std r              rho = pi_theta / pi_old              k3: see `kl.py`

    symbol   name here                 symbol   name here
    A_k      advantage_B               eps      clip_low, clip_high
    r_k      reward_B                  beta     kl_coef
    rho      ratio_BT                  pi_ref   kl_reference

Where the paper is silent, or practice has left it:
- the standard deviation is the sample's (ddof 1), as in verl, and eps is PPO's 0.2; the paper states neither;
- the mean is taken over rollouts, which is the paper's mean over prompts when groups are equally large;
- a rollout alone in its group has advantage 0 (verl gives it its raw reward);
- importance weights multiply each token's surrogate and not its KL, as in verl.

Dr. GRPO (arXiv:2503.20783) is `scale="none", aggregation="const", kl_coef=0`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from algorithms.base import Activity, Algorithm, Reference
from algorithms.hyperparameters import check_ranges
from algorithms.pieces.aggregation import Aggregation, aggregate
from algorithms.pieces.groups import Baseline, centred, group_std
from algorithms.pieces.kl import Base, Estimator, base_logp, kl_tokens
from algorithms.pieces.metrics import MOVED, as_means, sequence_metrics, share
from algorithms.pieces.ratios import clipped_surrogate, log_ratio, ratio
from algorithms.rollouts import Loss, Rng, Rollouts, Totals

if TYPE_CHECKING:
    from torch import Tensor

STD_EPSILON = 1e-6
"""added to the standard deviation (verl's value); it only matters to rewards that differ by less than about 1e-4"""
CLIPPED = Activity("actor/pg_clipfrac", "share of tokens clipped", 1e-4)


@dataclass(frozen=True)
class GRPO(Algorithm):
    """Group-standardised rewards under a clipped surrogate with a KL penalty."""

    title: ClassVar[str] = "GRPO"
    source: ClassVar[str] = "Shao et al. 2024, arXiv:2402.03300, eq. 3"

    clip_low: float = 0.2
    """the ratio is held above 1 - clip_low; 1 turns it off"""
    clip_high: float = 0.2
    """the ratio is held below 1 + clip_high"""
    clip_dual: float | None = None
    """above 1: with a negative advantage a token costs at most clip_dual |A|; None: off (verl's default is 3)"""
    baseline: Baseline = "group_mean"
    """what rewards are compared with: group_mean, or leave_one_out as in RLOO"""
    scale: Literal["std", "none"] = "std"
    """std: divided by the group's standard deviation; none: as in Dr. GRPO"""
    std_ddof: int = 1
    """1: sample standard deviation; 0: of the population"""
    aggregation: Aggregation = "seq_mean_token_mean"
    """from tokens to a number; see `aggregation.py`"""
    kl_coef: float = 0.04
    """beta; 0: no KL and no reference policy. R1 took 0.001"""
    kl_estimator: Estimator = "k3"
    """k1, k2, k3 or rho_k3; see `kl.py`"""
    kl_reference: Base = "init"
    """what KL is taken to: the initial model, a synced copy, or the old policy"""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ranges(
            self, clip_low="(0, 1]", clip_high="(0, inf)", clip_dual="(1, inf)", std_ddof="[0, 1]", kl_coef="[0, inf)"
        )

    @property
    def activity(self) -> tuple[Activity, ...]:
        return (CLIPPED, MOVED)

    @property
    def reference(self) -> Reference | None:
        return None if self.kl_coef == 0 or self.kl_reference == "old" else self.kl_reference

    def credit(self, batch: Rollouts, rng: Rng) -> Mapping[str, Tensor]:
        """advantage_B"""
        return {"advantage": self._advantage(batch, among_B=None)}

    def loss(self, batch: Rollouts, logp_BT: Tensor, totals: Totals) -> Loss:
        ratio_BT = ratio(logp_BT, batch)
        surrogate = clipped_surrogate(
            ratio_BT, batch.credit["advantage"], self.clip_low, self.clip_high, self.clip_dual
        )
        token_BT = surrogate.loss_BT if batch.weight_BT is None else surrogate.loss_BT * batch.weight_BT
        policy = aggregate(token_BT, batch, totals, self.aggregation)
        part, tokens = share(batch, totals), batch.mask_BT.sum()
        score_B = log_ratio(logp_BT.detach(), batch.old_logp_BT, batch).sum(1)
        metrics = {
            "actor/pg_loss": (policy, part),
            "actor/pg_clipfrac": ((surrogate.clipped_BT & batch.mask_BT).sum(), tokens),
            "actor/ppo_kl": (-score_B.sum(), tokens),
            **sequence_metrics(score_B, batch),
        }
        if self.clip_dual is not None:
            metrics["actor/pg_clipfrac_lower"] = ((surrogate.dual_clipped_BT & batch.mask_BT).sum(), tokens)
        if self.kl_coef == 0:
            return Loss(policy, as_means(metrics))
        kl_BT = kl_tokens(logp_BT, base_logp(batch, self.kl_reference), batch, self.kl_estimator)
        kl = aggregate(kl_BT, batch, totals, self.aggregation)
        metrics |= {"actor/kl_loss": (kl, part), "actor/kl_coef": (self.kl_coef * part, part)}
        return Loss(policy + self.kl_coef * kl, as_means(metrics))

    def spec(self) -> dict[str, str]:
        dual = "" if self.clip_dual is None else f", dual clip {self.clip_dual:g}"
        baseline = {"group_mean": "group mean", "leave_one_out": "mean of the others in the group"}
        kl = f"{self.kl_coef:g} × {self.kl_estimator} to {self.kl_reference}, in the loss"
        return {
            "reward": "label",
            "baseline": baseline[self.baseline],
            "scale": f"group std, ddof {self.std_ddof}" if self.scale == "std" else "none",
            "trust region": f"token ratio in [{1 - self.clip_low:g}, {1 + self.clip_high:g}]{dual}",
            "aggregation": self.aggregation,
            "KL": kl if self.kl_coef else "none",
            "filter": "none",
            "refill": "no",
            "reference": self.reference or "none",
        }

    def _advantage(self, batch: Rollouts, among_B: Tensor | None) -> Tensor:
        group_B, groups = batch.group_B, batch.groups
        centred_B = centred(batch.reward_B, group_B, groups, self.baseline, among_B)
        if self.scale == "none":
            return centred_B
        std_G = group_std(batch.reward_B, group_B, groups, self.std_ddof, among_B)
        # a group of one has no spread to divide by; its centred reward is 0 already
        return centred_B / (std_G[group_B] + STD_EPSILON)
