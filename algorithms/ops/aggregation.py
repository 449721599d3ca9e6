"""From a loss for each token to a scalar. The denominators come from outside, so micro-batches simply add up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from algorithms._torch import torch
from algorithms.ops.groups import group_sum
from algorithms.rollouts import Rollouts, Totals

if TYPE_CHECKING:
    from torch import Tensor

Aggregation = Literal["token_mean", "group_token_mean", "seq_mean_token_mean", "seq_mean_token_sum", "const"]
"""how token terms l[k,t] become one number, sums over the mini-batch:

token_mean           sum l / tokens                       verl's DAPO, TRL's `dapo`
group_token_mean     mean over groups of sum l / tokens of the group         DAPO's equation
seq_mean_token_mean  mean over rollouts of sum l / |y_k|                      GRPO's equation, for equal groups
seq_mean_token_sum   mean over rollouts of sum l
const                mean over rollouts of sum l / L_max                      Dr. GRPO
"""

DENOMINATORS: dict[str, str] = {
    "token_mean": "tokens of the mini-batch",
    "group_token_mean": "tokens of the group, then groups",
    "seq_mean_token_mean": "tokens of the rollout, then rollouts",
    "seq_mean_token_sum": "rollouts",
    "const": "rollouts × the token limit",
}
"""what sums over tokens are divided by, in words"""


def aggregation_words(how: Aggregation) -> str:
    """As a row of a spec sheet."""
    return f"{how}: sum / {DENOMINATORS[how]}"


def aggregate(term_BT: Tensor, batch: Rollouts, totals: Totals, how: Aggregation) -> Tensor:
    """This batch's share of the mini-batch's aggregate; padding is left out whatever it holds."""
    term_B = torch.where(batch.mask_BT, term_BT, 0).sum(1)
    if how == "token_mean":
        return term_B.sum() / max(totals.tokens, 1)
    if how == "group_token_mean":
        length_G = group_sum(batch.length_B, batch.group_B, batch.groups)
        return (group_sum(term_B, batch.group_B, batch.groups) / length_G.clamp(min=1)).sum() / max(totals.groups, 1)
    rollouts = max(totals.rollouts, 1)
    if how == "seq_mean_token_mean":
        return (term_B / batch.length_B.clamp(min=1)).sum() / rollouts
    if how == "seq_mean_token_sum":
        return term_B.sum() / rollouts
    return term_B.sum() / (rollouts * batch.max_tokens)
