"""RPG, regularised policy gradient: Zhang et al. 2025, arXiv:2505.17508, sections 3 and 4, appendices E to G.

    J = E_{y ~ pi_theta} r - beta D                    w = pi_theta / pi_old, of each token          A_k = r_k - mean r

    divergence   D                                its estimate d(w)     a(w) = -d'(w)
    urkl         KL(pi_theta || pi_old), mass     w log w - w + 1       -log w
    rkl          KL(pi_theta || pi_old)           w log w               -log w - 1
    ufkl         KL(pi_old || pi_theta), mass     w - log w - 1         1/w - 1
    fkl          KL(pi_old || pi_theta)           -log w                1/w

    surrogate        loss of a token                                    its gradient, not clipped
    reinforce        clip( w, sg( A + beta a(w) ) )                     -w (A + beta a(w)) grad log pi_theta
    differentiable   clip( w, A ) + beta d(w)                           the same

with clip(w, A) the clipped surrogate of DAPO, dual clip included (`ratios.clipped_surrogate`). The two surrogates
estimate the same gradient, that of J, wherever the sampler is; they differ in what the clip holds: the regularised
advantage, or the advantage alone while the KL goes on pulling. GRPO's k3 without a ratio estimates neither (`kl.py`).

    symbol      name here           symbol       name here
    beta        kl_coef             eps_1, c     clip_low, clip_dual
    r_k         reward_B            eps_2        clip_high

Verified in the paper and in the authors' code (complex-reasoning/RPG): the tables above, D taken to the policy that
sampled ("iterative reference": it is the one of the last iteration), beta 1e-4, clip 0.2 and 0.28, rewards +1 and -1,
centred and not divided by a standard deviation, token mean, DAPO's dynamic sampling and overlong punishment over a
quarter of the limit; the dual clip of 10 is in the scripts. RPG-REINFORCE with URKL is one of the two variants of their
main table, UFKL the other. Where code and paper differ, and what we do:
- the code branches the clip of `reinforce` on the sign of A, the paper on that of the regularised advantage, as here;
- in a(w) w is held within the clip (appendix F: "replacing w with its clipped value"); so it is in the code, which adds
  beta w a(w) of that to w A;
- the code holds d(w) within 10; here only w is held, within e^20;
- a rollout alone in its group has advantage 0 (their code gives it its reward);
- importance weights multiply each token's loss, its KL included, for both are expectations under the sampler.

At the first update w = 1, so that with urkl and ufkl the KL is without a gradient, and RPG is REINFORCE with centred
rewards (Dr. GRPO's advantage); rkl and fkl add -beta and +beta to every advantage, which is noise of mean 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from algorithms._torch import torch
from algorithms.base import Activity, Algorithm
from algorithms.hyperparameters import check_ranges
from algorithms.objectives.grpo import CLIPPED
from algorithms.pieces.aggregation import Aggregation, aggregate
from algorithms.pieces.groups import centred
from algorithms.pieces.kl import Divergence, divergence_tokens
from algorithms.pieces.metrics import MOVED, as_means, sequence_metrics, share
from algorithms.pieces.ratios import Surrogate, clipped_surrogate, log_ratio, ratio
from algorithms.pieces.reward import less_overlong, overlong_words
from algorithms.rollouts import Loss, Rng, Rollouts, Totals

if TYPE_CHECKING:
    from torch import Tensor

PULL = Activity("rpg/pull", "mean of |beta a(w)|, the KL's part of a token's advantage", 1e-3)


@dataclass(frozen=True)
class RPG(Algorithm):
    """The policy gradient of a KL-regularised objective, right off-policy, with a dual clip."""

    title: ClassVar[str] = "RPG"
    source: ClassVar[str] = "Zhang et al. 2025, arXiv:2505.17508"

    divergence: Divergence = "urkl"
    """D: forward (from the sampler) or reverse KL, with (u) or without the correction for mass; see `kl.py`"""
    surrogate: Literal["reinforce", "differentiable"] = "reinforce"
    """whether the KL is in the advantage, held constant and clipped with it, or beside it and differentiated"""
    kl_coef: float = 1e-4
    """beta"""
    clip_low: float = 0.2
    """the ratio is held above 1 - clip_low; 1 turns it off"""
    clip_high: float = 0.28
    """the ratio is held below 1 + clip_high"""
    clip_dual: float | None = 10.0
    """above 1: with a negative advantage a token costs at most clip_dual |A|; None: off"""
    aggregation: Aggregation = "token_mean"
    """from tokens to a number; see `aggregation.py`"""
    refill_dropped: bool = True
    """whether groups without a contrast are replaced by freshly generated ones"""
    overlong_factor: float = 1.0
    """weight of the soft overlong penalty, on rewards of +1 and -1; 0: off"""
    overlong_buffer: float = 0.25
    """its L_cache as a share of L_max"""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ranges(
            self,
            kl_coef="[0, inf)",
            clip_low="(0, 1]",
            clip_high="(0, inf)",
            clip_dual="(1, inf)",
            overlong_factor="[0, inf)",
            overlong_buffer="(0, 1]",
        )

    @property
    def activity(self) -> tuple[Activity, ...]:
        return (CLIPPED, PULL, MOVED)

    @property
    def stop_gradient(self) -> bool:
        """`reinforce` holds the regularised advantage, a function of theta, constant."""
        return self.surrogate == "reinforce"

    @property
    def refill(self) -> bool:
        return self.refill_dropped

    def keep(self, batch: Rollouts) -> Tensor:
        """bool_G: 0 < P < K."""
        return batch.contrast_G

    def shape(self, batch: Rollouts) -> Tensor:
        """reward_B: +1 or -1, less the overlong penalty."""
        return less_overlong(2 * batch.reward_B - 1, batch, self.overlong_factor, self.overlong_buffer)

    def credit(self, batch: Rollouts, rng: Rng) -> Mapping[str, Tensor]:
        """advantage_B"""
        return {"advantage": centred(batch.reward_B, batch.group_B, batch.groups)}

    def loss(self, batch: Rollouts, logp_BT: Tensor, totals: Totals) -> Loss:
        ratio_BT = ratio(logp_BT, batch)
        advantage_BT = batch.credit["advantage"][:, None].expand_as(ratio_BT)
        pull_BT = self.kl_coef * self._pull(ratio_BT.detach())
        if self.surrogate == "reinforce":
            surrogate = self._clipped(ratio_BT, advantage_BT + pull_BT)
            token_BT = surrogate.loss_BT
        else:
            surrogate = self._clipped(ratio_BT, advantage_BT)
            token_BT = surrogate.loss_BT + self.kl_coef * divergence_tokens(logp_BT, batch, self.divergence)
        if batch.weight_BT is not None:
            token_BT = token_BT * batch.weight_BT
        value = aggregate(token_BT, batch, totals, self.aggregation)

        part, tokens = share(batch, totals), batch.mask_BT.sum()
        kl = divergence_tokens(logp_BT.detach(), batch, self.divergence).sum()
        moved_B = log_ratio(logp_BT.detach(), batch.old_logp_BT, batch).sum(1)
        metrics = {
            "actor/pg_loss": (value, part),
            "actor/pg_clipfrac": ((surrogate.clipped_BT & batch.mask_BT).sum(), tokens),
            "actor/pg_clipfrac_lower": ((surrogate.dual_clipped_BT & batch.mask_BT).sum(), tokens),
            "actor/ppo_kl": (-moved_B.sum(), tokens),
            "actor/kl_loss": (kl, tokens),
            "actor/kl_coef": (self.kl_coef * part, part),
            "rpg/pull": (torch.where(batch.mask_BT, pull_BT, 0).abs().sum(), tokens),
            **sequence_metrics(moved_B, batch),
        }
        return Loss(value, as_means(metrics))

    def spec(self) -> dict[str, str]:
        dual = "" if self.clip_dual is None else f", dual clip {self.clip_dual:g}"
        held = "the regularised advantage" if self.surrogate == "reinforce" else "the advantage alone"
        how = "in the advantage" if self.surrogate == "reinforce" else "in the loss"
        return {
            "reward": "±1" + overlong_words(self.overlong_factor, self.overlong_buffer),
            "baseline": "group mean",
            "scale": "none",
            "trust region": f"token ratio in [{1 - self.clip_low:g}, {1 + self.clip_high:g}]{dual}, on {held}",
            "aggregation": self.aggregation,
            "KL": f"{self.kl_coef:g} × {self.divergence} to the sampling policy, {how}",
            "filter": "0 < P < K by label",
            "refill": "yes" if self.refill_dropped else "no",
            "reference": "none",
        }

    def _clipped(self, ratio_BT: Tensor, advantage_BT: Tensor) -> Surrogate:
        return clipped_surrogate(ratio_BT, advantage_BT, self.clip_low, self.clip_high, self.clip_dual)

    def _pull(self, ratio_BT: Tensor) -> Tensor:
        """a(w), of the ratio held within the clip."""
        w_BT = ratio_BT.clamp(1 - self.clip_low, 1 + self.clip_high)
        if self.divergence in ("urkl", "rkl"):
            return -w_BT.log() if self.divergence == "urkl" else -w_BT.log() - 1
        return 1 / w_BT - 1 if self.divergence == "ufkl" else 1 / w_BT
