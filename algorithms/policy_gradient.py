"""What algorithms have in common that weigh log-probs by advantages.

    J = aggregate over tokens of  surrogate(log pi_theta, A)  -  kl_coef KL  +  entropy_coef H

    A   rewards less a baseline, over a scale: `ops/advantages.py`
    KL  to a reference policy: a term of the loss, or taken from each rollout's reward before the baseline
    H   entropy of the next token, exact, aggregated as the surrogate is

Such an algorithm says in its file what its surrogate is and, as defaults of the fields below, the rest. Importance
weights multiply each token's surrogate, and neither KL nor entropy, as in verl.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from algorithms.base import Activity, Algorithm, Reference
from algorithms.hyperparameters import check_ranges
from algorithms.ops.advantages import BASELINES, Baseline, Scale, advantages, scale_words
from algorithms.ops.aggregation import Aggregation, aggregate, aggregation_words
from algorithms.ops.kl import Base, Estimator, base_logp, kl_tokens
from algorithms.ops.metrics import MOVED, as_means, movement, share
from algorithms.ops.ratios import Surrogate, log_ratio
from algorithms.rollouts import Loss, Rng, Rollouts, Totals

if TYPE_CHECKING:
    from torch import Tensor

CLIPPED = Activity("actor/pg_clipfrac", "share of tokens clipped", 1e-4)


@dataclass(frozen=True)
class PolicyGradient(Algorithm):
    """Advantages times log-probs. Without a surrogate of its own: the score function, no ratio, no trust region."""

    baseline: Baseline = "none"
    """what rewards are compared with: nothing, group_mean, or leave_one_out, the mean of the others in the group"""
    scale: Scale = "none"
    """what they are then divided by: nothing, std of the group, batch_std, batch_advantage_std; see `advantages.py`"""
    std_ddof: int = 1
    """1: sample standard deviation; 0: of the population"""
    aggregation: Aggregation = "seq_mean_token_sum"
    """from tokens to a number; see `aggregation.py`"""
    kl_coef: float = 0.0
    """weight of KL; 0: no KL and no reference policy"""
    kl_place: Literal["loss", "reward"] = "loss"
    """where it is charged: in the loss, or in the reward, summed over the response and constant while learning"""
    kl_estimator: Estimator = "k3"
    """k1, k2, k3 or rho_k3; see `kl.py`"""
    kl_reference: Base = "init"
    """what KL is taken to: the initial model, a synced copy, or the old policy"""
    entropy_coef: float = 0.0
    """weight of the entropy bonus; 0: off"""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ranges(self, std_ddof="[0, 1]", kl_coef="[0, inf)", entropy_coef="[0, inf)")
        if self.baseline == "none" and self.scale != "none":
            raise ValueError(f"`scale` must be none without a `baseline`, but is {self.scale} instead.")
        if self.kl_place == "reward" and self.kl_reference == "old":
            raise ValueError("`kl_reference` must be init or synced where KL is in the reward, but is old instead.")

    @property
    def activity(self) -> tuple[Activity, ...]:
        return (MOVED,)

    @property
    def parts(self) -> Mapping[str, Mapping[str, Any]]:
        kl = {"KL": {"kl_coef": 0.0}} if self.kl_coef else {}
        return kl | ({"entropy bonus": {"entropy_coef": 0.0}} if self.entropy_coef else {})

    @property
    def contrastive(self) -> bool:
        return self.baseline != "none"

    @property
    def reference(self) -> Reference | None:
        return None if self.kl_coef == 0 or self.kl_reference == "old" else self.kl_reference

    @property
    def wants_entropy(self) -> bool:
        return self.entropy_coef > 0

    @property
    def separable(self) -> bool:
        """Each rollout by its own advantage; a mean over the tokens of a group needs the whole group."""
        return self.aggregation != "group_token_mean"

    def shape(self, batch: Rollouts) -> Tensor:
        """reward_B: the label's, less KL where that is its place."""
        reward_B = self.reward(batch)
        if self.kl_coef == 0 or self.kl_place == "loss":
            return reward_B
        return reward_B - self.kl_coef * self.sampled_kl(batch).sum(1)

    def reward(self, batch: Rollouts) -> Tensor:
        """reward_B, KL apart."""
        return batch.reward_B

    def sampled_kl(self, batch: Rollouts) -> Tensor:
        """kl_BT of the policy that generated the batch, free of theta."""
        return kl_tokens(batch.old_logp_BT, base_logp(batch, self.kl_reference), batch, self.kl_estimator)

    def credit(self, batch: Rollouts, rng: Rng) -> Mapping[str, Tensor]:
        """advantage_B"""
        return {"advantage": advantages(batch, self.baseline, self.scale, self.std_ddof)}

    def advantage(self, batch: Rollouts) -> Tensor:
        """advantage_BT, or of shape (B, 1)."""
        return batch.credit["advantage"][:, None]

    def surrogate(self, batch: Rollouts, logp_BT: Tensor, advantage_BT: Tensor) -> Surrogate:
        """The loss of each token."""
        return Surrogate(-advantage_BT * log_ratio(logp_BT, None, batch))

    def loss(self, batch: Rollouts, logp_BT: Tensor, totals: Totals) -> Loss:
        surrogate = self.surrogate(batch, logp_BT, self.advantage(batch))
        token_BT = surrogate.loss_BT if batch.weight_BT is None else surrogate.loss_BT * batch.weight_BT
        # `policy` is logged as the objective; `value` takes KL and entropy too, which no importance weight multiplies
        value = policy = aggregate(token_BT, batch, totals, self.aggregation)
        part, tokens = share(batch, totals), batch.mask_BT.sum()
        metrics = movement(policy, logp_BT, batch, totals)
        for name, held_BT in (("", surrogate.clipped_BT), ("_lower", surrogate.dual_clipped_BT)):
            if held_BT is not None:
                metrics[f"actor/pg_clipfrac{name}"] = ((held_BT & batch.mask_BT).sum(), tokens)
        if self.kl_coef and self.kl_place == "loss":
            kl_BT = kl_tokens(logp_BT, base_logp(batch, self.kl_reference), batch, self.kl_estimator)
            kl = aggregate(kl_BT, batch, totals, self.aggregation)
            value = value + self.kl_coef * kl
            metrics |= {"actor/kl_loss": (kl, part), "actor/kl_coef": (self.kl_coef * part, part)}
        if self.entropy_coef:
            entropy_BT = _entropy(batch)
            value = value - self.entropy_coef * aggregate(entropy_BT, batch, totals, self.aggregation)
            metrics["actor/policy_entropy"] = ((entropy_BT * batch.mask_BT).sum(), tokens)
        return Loss(value, as_means(metrics))

    @property
    def trust_region(self) -> str:
        """In the words of a spec sheet."""
        return "none"

    def spec(self) -> dict[str, str]:
        kl = f"{self.kl_coef:g} × {self.kl_estimator} to {self.kl_reference}, in the {self.kl_place}"
        return {
            "reward": "label",
            "baseline": BASELINES[self.baseline],
            "scale": scale_words(self.scale, self.std_ddof),
            "trust region": self.trust_region,
            "aggregation": aggregation_words(self.aggregation),
            "KL": kl if self.kl_coef else "none",
            **({"entropy": f"+ {self.entropy_coef:g} × entropy of each token"} if self.entropy_coef else {}),
            "filter": "none",
            "refill": "no",
            "reference": self.reference or "none",
        }


def _entropy(batch: Rollouts) -> Tensor:
    if batch.entropy_BT is None:
        raise ValueError("the objective needs the policy's entropy, but the batch has no `entropy_BT`.")
    return batch.entropy_BT
