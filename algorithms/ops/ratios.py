"""Ratios to another policy: token ratios and their clipped surrogate, sequence log-ratios as scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from algorithms._torch import torch
from algorithms.rollouts import Rollouts

if TYPE_CHECKING:
    from torch import Tensor

MAX_LOG_RATIO = 20.0
"""e^20 = 5e8: log-ratios of tokens are held within it, so that one broken token overflows nothing (as in verl)"""
UNCLIPPED = {"clip_low": 1.0, "clip_high": 1e9}
"""bounds that no ratio reaches"""


def log_ratio(logp_BT: Tensor, base_BT: Tensor | None, batch: Rollouts) -> Tensor:
    """log pi_theta - log base on response tokens, exactly 0 on padding whatever it holds.

    Args:
        base_BT: log-probs of the policy to compare with; None means log pi_theta alone.

    Raises: ValueError if the log-probs do not belong to the batch.
    """
    if logp_BT.shape != batch.mask_BT.shape:
        raise ValueError(
            f"`logp_BT` must have shape {tuple(batch.mask_BT.shape)}, but has {tuple(logp_BT.shape)} instead."
        )
    return torch.where(batch.mask_BT, logp_BT if base_BT is None else logp_BT - base_BT, 0)


def ratio(logp_BT: Tensor, batch: Rollouts) -> Tensor:
    """rho = pi_theta / pi_old for each token, 1 on padding, within e^-20 and e^20."""
    return log_ratio(logp_BT, batch.old_logp_BT, batch).clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO).exp()


def weigh_gradient(term_BT: Tensor, batch: Rollouts) -> Tensor:
    """The same values, of which each response token passes back to theta its importance weight's share.

    For terms of which only the gradient is an expectation under the sampler, such as parts of a score.
    """
    if batch.weight_BT is None:
        return term_BT
    constant_BT = term_BT.detach()
    return constant_BT + torch.where(batch.mask_BT, batch.weight_BT, 0) * (term_BT - constant_BT)


def sequence_score(
    logp_BT: Tensor, base_BT: Tensor | None, batch: Rollouts, norm: Literal["sum", "mean"] = "sum"
) -> Tensor:
    """S_B = sum_t (log pi_theta - log base), or its mean over the tokens of the response.

    Importance weights scale what each token passes back to theta and leave the score's value alone: the score
    is a log-likelihood ratio, only its gradient is an expectation under the sampler.
    """
    score_B = weigh_gradient(log_ratio(logp_BT, base_BT, batch), batch).sum(1)
    return score_B / batch.length_B.clamp(min=1) if norm == "mean" else score_B


@dataclass(frozen=True, eq=False)
class Surrogate:
    """The clipped surrogate as a loss for each token, and which tokens were clipped."""

    loss_BT: Tensor
    clipped_BT: Tensor | None = None
    """bool: where the trust region holds; None: there is none"""
    dual_clipped_BT: Tensor | None = None
    """bool: where the upper bound for negative advantages does; None: there is none"""


def clipped_surrogate(
    ratio_BT: Tensor, advantage_BT: Tensor, low: float, high: float, dual: float | None = None
) -> Surrogate:
    """-min(rho A, clip(rho, 1 - low, 1 + high) A), and with dual clip at most -dual A where A < 0.

    Sources: PPO (arXiv 1707.06347) eq. 7 with low = high; DAPO (arXiv 2503.14476) eq. 8 with low < high;
    dual clip: arXiv 1912.09729. A token that is clipped has no gradient.

    Args:
        advantage_BT: or of shape (B, 1), one for all tokens of a rollout.
    """
    plain_BT = -advantage_BT * ratio_BT
    held_BT = -advantage_BT * ratio_BT.clamp(1 - low, 1 + high)
    loss_BT = torch.maximum(plain_BT, held_BT)
    clipped_BT = held_BT > plain_BT
    if dual is None:
        return Surrogate(loss_BT, clipped_BT)
    bound_BT = -advantage_BT * dual
    dual_clipped_BT = (advantage_BT < 0) & (loss_BT > bound_BT)
    return Surrogate(torch.where(dual_clipped_BT, bound_BT, loss_BT), clipped_BT, dual_clipped_BT)
