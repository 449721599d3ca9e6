"""A-LoL, advantage-leftover lunch: Baheti et al. 2024, arXiv:2305.14718, on fresh rollouts with verifiable labels.

    J = mean over rollouts of  A+  sg( clip(rho, 1-eps, 1+eps) )  sum_t log pi_theta(y_t)
    rho = pi_theta(y) / pi_data(y)                 A+ = max(0, r - V)                    sg: no gradient

A whole response is one action, and only what is better than expected is learnt from. With labels that is maximum
likelihood on the correct rollouts (`rejection.py`), weighed by how rare they were: A+ = 1 - P/K.

    symbol   name here         symbol   name here
    eps      clip              A+       credit "advantage"

Verified in the authors' code (abaheti95/LoL-RL): the objective, sums over tokens, the ratio held constant within 1 ±
0.9, and the variants below. Theirs is offline, and here, for lack of what it has:
- V, a value head on the reference policy, is the mean reward of the group, which is what it estimates;
- pi_data, a reference policy fitted to the data, is the sampling policy itself;
- sampling by advantage ("priority") is not done, each rollout counts once;
- the mean is over all rollouts of groups with a contrast, those with A+ = 0 included; groups without one have no A+ and
  are dropped, as rollouts without it are in the paper.

Known variants: `importance="token"` has a ratio for each token and is A-LoL seq., `importance="none"` is A-LoL
ref-free, and with `kl_coef` and `kl_estimator="k1"` besides it is A-LoL KL. Without A+ it would be CISPO with the ratio
of a whole sequence (`cispo.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from algorithms.base import Activity
from algorithms.hyperparameters import check_ranges
from algorithms.ops.advantages import Baseline
from algorithms.ops.metrics import as_means
from algorithms.ops.ratios import MAX_LOG_RATIO, Surrogate, log_ratio
from algorithms.policy_gradient import CLIPPED, PolicyGradient
from algorithms.rollouts import Loss, Rng, Rollouts, Totals

if TYPE_CHECKING:
    from torch import Tensor

LEFTOVER = Activity("a_lol/leftover", "share of the kept groups' rollouts with a positive advantage", 0.01)


@dataclass(frozen=True)
class ALoL(PolicyGradient):
    """Log-likelihoods of the better rollouts, by advantage and by a clipped ratio of the whole response."""

    title: ClassVar[str] = "A-LoL"
    source: ClassVar[str] = "Baheti et al. 2024, arXiv:2305.14718"

    baseline: Baseline = "group_mean"
    """V: what rewards are compared with"""
    importance: Literal["sequence", "token", "none"] = "sequence"
    """the ratio to the sampler: of the response, of each token (A-LoL seq.), or none (A-LoL ref-free)"""
    clip: float = 0.9
    """eps: ratios are held within 1 - clip and 1 + clip"""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ranges(self, clip="(0, 1]")

    @property
    def activity(self) -> tuple[Activity, ...]:
        return (LEFTOVER, *super().activity) if self.importance == "none" else (LEFTOVER, CLIPPED, *super().activity)

    @property
    def parts(self) -> Mapping[str, Mapping[str, Any]]:
        weight = {} if self.importance == "none" else {"importance weight": {"importance": "none"}}
        return {**weight, **super().parts}

    @property
    def stop_gradient(self) -> bool:
        """The ratio is held constant."""
        return self.importance != "none"

    def keep(self, batch: Rollouts) -> Tensor:
        """bool_G: 0 < P < K."""
        return batch.contrast_G

    def credit(self, batch: Rollouts, rng: Rng) -> Mapping[str, Tensor]:
        """advantage_B: A+"""
        return {"advantage": super().credit(batch, rng)["advantage"].clamp(min=0)}

    def surrogate(self, batch: Rollouts, logp_BT: Tensor, advantage_BT: Tensor) -> Surrogate:
        plain = super().surrogate(batch, logp_BT, advantage_BT)
        if self.importance == "none":
            return plain
        ratio_BT = log_ratio(logp_BT.detach(), batch.old_logp_BT, batch)
        if self.importance == "sequence":
            # the whole response is one action: each of its tokens has the response's ratio
            ratio_BT = ratio_BT.sum(1, keepdim=True).expand_as(ratio_BT)
        ratio_BT = ratio_BT.clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO).exp()
        held_BT = ratio_BT.clamp(1 - self.clip, 1 + self.clip)
        return Surrogate(plain.loss_BT * held_BT, (held_BT != ratio_BT) & (advantage_BT > 0))

    def loss(self, batch: Rollouts, logp_BT: Tensor, totals: Totals) -> Loss:
        loss = super().loss(batch, logp_BT, totals)
        leftover_B = batch.credit["advantage"] > 0
        return Loss(loss.value, {**loss.metrics, **as_means({"a_lol/leftover": (leftover_B.sum(), len(batch))})})

    @property
    def trust_region(self) -> str:
        held = f"held constant in [{1 - self.clip:g}, {1 + self.clip:g}]"
        return "none" if self.importance == "none" else f"importance weight of each {self.importance}, {held}"

    def spec(self) -> dict[str, str]:
        spec = super().spec()
        return spec | {"baseline": f"{spec['baseline']}, positive advantages only", "filter": "0 < P < K by label"}
