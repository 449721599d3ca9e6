"""Contrasts inside a group: positives against negatives, as (G, K, K) tables of pairs.

i is the second index (the positive), j the third (the negative). Memory is G K^2 numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from algorithms._torch import torch
from algorithms.ops.groups import group_sum
from algorithms.ops.ratios import log_ratio
from algorithms.rollouts import Rollouts, Totals

if TYPE_CHECKING:
    from torch import Tensor

NceForm = Literal["sum_log_nce", "sum_log", "log_sum", "max_min"]
"""multi-label NCE as in EntQA's loss.py (Zhang, Hua and Stratos, ICLR 2022), with p_i the softmax probability of
positive i:

sum_log_nce  sum_i -log p_i,  rivals of i: the negatives alone
sum_log      sum_i -log p_i,  rivals of i: the negatives and the other positives
log_sum      -log sum_i p_i,  the same rivals; the marginal likelihood of the positives
max_min      max_i -log p_i,  the same rivals; the worst positive
"""

EMPTY = -1e30
"""stands for -inf in a log-sum-exp: over nothing it gives a finite value and no gradient, where -inf gives NaN"""


def pair_table(positive_GK: Tensor, negative_GK: Tensor) -> Tensor:
    """bool_GKK: whether i is a positive and j a negative."""
    return positive_GK[:, :, None] & negative_GK[:, None, :]


def nce_losses(score_GK: Tensor, positive_GK: Tensor, pair_GKK: Tensor, margin_GKK: Tensor, form: NceForm) -> Tensor:
    """loss_GK = -log p_i, 0 where there is no positive.

        p_i = e^s_i / (e^s_i + sum_j e^(s_j + m_ij))        and with the other positives as rivals
        p_i = e^s_i / (sum_k e^s_k + sum_j e^(s_j + m_ij))

    Args:
        margin_GKK: added to the negatives' scores; a shape that broadcasts.
    """
    against_GKK = torch.where(pair_GKK, score_GK[:, None, :] + margin_GKK, EMPTY)
    against_GK = torch.logsumexp(against_GKK, 2)
    if form == "sum_log_nce":
        loss_GK = torch.nn.functional.softplus(against_GK - score_GK)
    else:
        together_G1 = torch.logsumexp(torch.where(positive_GK, score_GK, EMPTY), 1, keepdim=True)
        loss_GK = torch.logaddexp(together_G1, against_GK) - score_GK
    return torch.where(positive_GK, loss_GK, 0)


def nce_reduced(loss_GK: Tensor, positive_GK: Tensor, form: NceForm, divisor_G: Tensor) -> Tensor:
    """loss_G: over the positives of each group.

    Args:
        divisor_G: what the sums of `sum_log_nce` and `sum_log` are divided by; the other forms are not sums.
    """
    if form == "log_sum":
        return -torch.logsumexp(torch.where(positive_GK, -loss_GK, EMPTY), 1)
    if form == "max_min":
        return loss_GK.amax(1)
    return loss_GK.sum(1) / divisor_G.clamp(min=1)


def mean_over_contrasts(loss_G: Tensor, contrast_G: Tensor, totals: Totals) -> Tensor:
    """The mean over the mini-batch's groups that have a positive and a negative; the others add exactly nothing."""
    return torch.where(contrast_G, loss_G, 0).sum() / max(totals.contrast_groups, 1)


def positive_nll(logp_BT: Tensor, positive_B: Tensor, batch: Rollouts, totals: Totals) -> Tensor:
    """-log pi_theta per token of the positives: mean over a group's positives, then over groups with a contrast.
    Importance weights are ignored."""
    nll_B = -log_ratio(logp_BT, None, batch).sum(1) / batch.length_B.clamp(min=1)
    counts_B = positive_B.to(nll_B.dtype)
    positives_G = group_sum(counts_B, batch.group_B, batch.groups).clamp(min=1)
    return mean_over_contrasts(
        group_sum(nll_B * counts_B, batch.group_B, batch.groups) / positives_G, batch.contrast_G, totals
    )
