"""Metrics as sums and counts, read from the device in two transfers; `MEANINGS` says what they are.

`actor/...` are verl's names, but for `actor/kl_gate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from algorithms._torch import torch
from algorithms.base import Activity
from algorithms.ops.ratios import log_ratio
from algorithms.rollouts import Mean, Rollouts, Totals

if TYPE_CHECKING:
    from torch import Tensor

MEANINGS: Mapping[str, str] = {
    "actor/pg_loss": "the objective without KL and NLL terms; a mean over updates",
    "actor/kl_coef": "what the KL is multiplied by at this update; a mean over updates",
    "actor/kl_gate": "share of the updates that charge KL at all",
    "actor/kl_loss": "KL to the reference: GRPO's in its own aggregate, ReNCE's per token; DisCO's, to the sampler, "
    "per token",
    "actor/ppo_kl": "mean of log pi_old - log pi_theta over tokens",
    "actor/pg_clipfrac": "share of tokens clipped",
    "actor/pg_clipfrac_lower": "share of tokens clipped by the dual clip",
    "actor/policy_entropy": "entropy of the policy that learns, mean over tokens",
    "sequence/log_ratio": "S = log pi_theta - log pi_old of a rollout: mean",
    "sequence/log_ratio_square": "mean of S squared",
    "sequence/log_ratio_positive": "mean of S over correct rollouts",
    "sequence/log_ratio_negative": "mean of S over incorrect rollouts",
    "nce/weight": "1 - p_i, mean over positives",
    "nce/weight_on_policy": "what nce/weight would be had theta not moved",
    "nce/weight_shift": "mean absolute difference of the two",
    "nce/margin": "margin, mean over pairs",
    "dpo/saturation": "mean of |2 sigma(logit) - 1|: 0 on-policy, 1 where a pair teaches nothing more",
    "dpo/offset": "mean over pairs of what the logit is compared with (ODPO)",
    "nca/saturation": "mean over rollouts of |2 sigma(s) - 1|: 0 at the reference",
    "disco/focus": "half the sum of |weight - 1/N| over negatives, mean over groups with a contrast",
    "copg/pull": "mean |beta (log-ratio to the reference - that of the others in the group)|",
    "rpg/pull": "mean over tokens of |beta a(w)|, what the KL adds to an advantage",
    "a_lol/leftover": "share of rollouts with a positive advantage",
    "rejection/accepted": "share of rollouts that are positives, and learnt from",
    "rejection/discount": "mean of 1 - pi over the tokens learnt from (DFT)",
    "rewards/margins": "mean DPO logit (TRL's name)",
    "rewards/accuracies": "share of pairs whose DPO logit is positive (TRL's name)",
}
"""of the metrics that objectives log"""

MOVED = Activity("sequence/log_ratio_square", "mean square of the sequence log-ratio to the sampler", 1e-6)
"""below it the policy has not moved between sampling and update, and every group method is weighted REINFORCE"""


def as_means(pairs: Mapping[str, tuple[Tensor | float, Tensor | float]]) -> dict[str, Mean]:
    """(total, count) of each metric, tensors without gradient or numbers, as floats."""
    tensors = {id(x): x for pair in pairs.values() for x in pair if isinstance(x, torch.Tensor)}
    read: dict[int, float] = {}
    # counts apart from the rest: as floats of single precision they would not be exact
    for counts in (True, False):
        some = {key: x.detach() for key, x in tensors.items() if x.is_floating_point() != counts}
        read |= zip(some, torch.stack(list(some.values())).tolist() if some else [], strict=True)

    def number(x: Tensor | float) -> float:
        return float(read.get(id(x), x))

    return {name: Mean(number(total), number(count)) for name, (total, count) in pairs.items()}


def share(batch: Rollouts, totals: Totals) -> float:
    """This batch's part of the mini-batch, by rollouts: the count of a metric that exists once an update."""
    return len(batch) / totals.rollouts if totals.rollouts else 0.0


def movement(
    objective: Tensor, logp_BT: Tensor, batch: Rollouts, totals: Totals
) -> dict[str, tuple[Tensor | float, Tensor | float]]:
    """What every objective logs: its value, and how far the policy has moved from the sampler.

    Args:
        objective: without KL and NLL terms.
    """
    score_B = log_ratio(logp_BT.detach(), batch.old_logp_BT, batch).sum(1)
    return {
        "actor/pg_loss": (objective, share(batch, totals)),
        "actor/ppo_kl": (-score_B.sum(), batch.mask_BT.sum()),
        **sequence_metrics(score_B, batch),
    }


def sequence_metrics(score_B: Tensor, batch: Rollouts) -> dict[str, tuple[Tensor | float, Tensor | float]]:
    """Of the sequence log-ratio to the sampler, S: mean and mean square (its variance is their difference), and
    mean over positives and over negatives, where falling values of both are likelihood displacement."""
    positive_B = batch.label_B.to(score_B.dtype)
    total, positive = score_B.sum(), (score_B * positive_B).sum()
    positives, rollouts = positive_B.sum(), len(batch)
    return {
        "sequence/log_ratio": (total, rollouts),
        "sequence/log_ratio_square": (score_B.square().sum(), rollouts),
        "sequence/log_ratio_positive": (positive, positives),
        "sequence/log_ratio_negative": (total - positive, rollouts - positives),
    }
