"""RPG, regularised policy gradient: Zhang et al. 2025, arXiv:2505.17508, sections 3 and 4, appendices E to G.

    J = E_{y ~ pi_theta} r - beta D                    w = pi_theta / pi_old, of each token          A_k = r_k - mean r

    divergence   D                                its estimate d(w)     a(w) = -d'(w)
    urkl         KL(pi_theta || pi_old), mass     w log w - w + 1       -log w
    rkl          KL(pi_theta || pi_old)           w log w               -log w - 1
    ufkl         KL(pi_old || pi_theta), mass     w - log w - 1         1/w - 1
    fkl          KL(pi_old || pi_theta)           -log w                1/w

    style            loss of a token                                    its gradient, not clipped
    reinforce        clip( w, sg( A + beta a(w) ) )                     -w (A + beta a(w)) grad log pi_theta
    differentiable   clip( w, A ) + beta d(w)                           the same

with clip(w, A) the clipped surrogate of DAPO, dual clip included (`ratios.clipped_surrogate`). The two styles
estimate the same gradient, that of J, wherever the sampler is; they differ in what the clip holds: the regularised
advantage, or the advantage alone while the KL goes on pulling. GRPO's k3 without a ratio estimates neither (`kl.py`).

    symbol      name here           symbol       name here
    beta        divergence_coef     eps_1, c     clip_low, clip_dual
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
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from algorithms._torch import torch
from algorithms.base import Activity
from algorithms.hyperparameters import check_ranges
from algorithms.objectives.dapo import DAPO
from algorithms.ops.advantages import Scale
from algorithms.ops.kl import Divergence, divergence_tokens
from algorithms.ops.metrics import as_means
from algorithms.ops.ratios import Surrogate, clipped_surrogate, ratio
from algorithms.rollouts import Loss, Rollouts, Totals

if TYPE_CHECKING:
    from torch import Tensor

PULL = Activity("rpg/pull", "mean of |beta a(w)|, the KL's part of a token's advantage", 1e-3)


@dataclass(frozen=True)
class RPG(DAPO):
    """DAPO with centred rewards, and the policy gradient of a KL to the sampler that is right off-policy."""

    title: ClassVar[str] = "RPG"
    source: ClassVar[str] = "Zhang et al. 2025, arXiv:2505.17508"

    scale: Scale = "none"
    """not divided by anything"""
    clip_dual: float | None = 10.0
    """above 1: with a negative advantage a token costs at most clip_dual |A|; None: off"""
    overlong_buffer: float = 0.25
    """L_cache as a share of L_max"""
    divergence: Divergence = "urkl"
    """D: forward (from the sampler) or reverse KL, with (u) or without the correction for mass; see `kl.py`"""
    divergence_coef: float = 1e-4
    """beta; `kl_coef` is for a KL to a reference policy, of which RPG has none"""
    style: Literal["reinforce", "differentiable"] = "reinforce"
    """whether D is in the advantage, held constant and clipped with it, or beside it and differentiated"""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ranges(self, divergence_coef="[0, inf)")

    @property
    def activity(self) -> tuple[Activity, ...]:
        return (PULL, *super().activity)

    @property
    def parts(self) -> Mapping[str, Mapping[str, Any]]:
        divergence = {"KL to the sampler": {"divergence_coef": 0.0}} if self.divergence_coef else {}
        return {**super().parts, **divergence}

    @property
    def stop_gradient(self) -> bool:
        """`reinforce` holds the regularised advantage, a function of theta, constant."""
        return self.style == "reinforce"

    def surrogate(self, batch: Rollouts, logp_BT: Tensor, advantage_BT: Tensor) -> Surrogate:
        ratio_BT = ratio(logp_BT, batch)
        clip = (self.clip_low, self.clip_high, self.clip_dual)
        # the pull is held constant with the advantage here, and differentiated below
        if self.style == "reinforce":
            return clipped_surrogate(ratio_BT, advantage_BT + self._pull(ratio_BT.detach()), *clip)
        clipped = clipped_surrogate(ratio_BT, advantage_BT, *clip)
        price_BT = self.divergence_coef * divergence_tokens(logp_BT, batch, self.divergence)
        return Surrogate(clipped.loss_BT + price_BT, clipped.clipped_BT, clipped.dual_clipped_BT)

    def loss(self, batch: Rollouts, logp_BT: Tensor, totals: Totals) -> Loss:
        loss = super().loss(batch, logp_BT, totals)
        pull_BT = torch.where(batch.mask_BT, self._pull(ratio(logp_BT.detach(), batch)), 0)
        metrics = as_means({"rpg/pull": (pull_BT.abs().sum(), batch.mask_BT.sum())})
        return Loss(loss.value, {**loss.metrics, **metrics})

    @property
    def trust_region(self) -> str:
        return super().trust_region + (", of the regularised advantage" if self.stop_gradient else "")

    def spec(self) -> dict[str, str]:
        spec = super().spec()
        place = "in the advantage" if self.style == "reinforce" else "in the loss, differentiated"
        divergence = f"{self.divergence_coef:g} × {self.divergence} to the sampling policy, {place}"
        return spec | {"KL": divergence + ("" if spec["KL"] == "none" else f"; {spec['KL']}")}

    def _pull(self, ratio_BT: Tensor) -> Tensor:
        """beta a(w), of the ratio held within the clip."""
        w_BT = ratio_BT.clamp(1 - self.clip_low, 1 + self.clip_high)
        if self.divergence in ("urkl", "rkl"):
            pull_BT = -w_BT.log() if self.divergence == "urkl" else -w_BT.log() - 1
        else:
            pull_BT = 1 / w_BT - 1 if self.divergence == "ufkl" else 1 / w_BT
        return self.divergence_coef * pull_BT
