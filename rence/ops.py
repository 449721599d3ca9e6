"""Operators on tensors that objectives share, for objectives of one's own: pure functions, shapes in their names
(`algorithms/rollouts.py`: B rollouts, T tokens, G groups, K rollouts of a group)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from algorithms.ops.advantages import advantages
    from algorithms.ops.aggregation import aggregate
    from algorithms.ops.contrast import mean_over_contrasts, nce_losses, nce_reduced, pair_table, positive_nll
    from algorithms.ops.groups import GroupTable, centred, group_std, group_sum, lowest, mean_old_logp, place_in_group
    from algorithms.ops.kl import base_logp, divergence_tokens, kl_tokens
    from algorithms.ops.margins import margins
    from algorithms.ops.metrics import as_means, movement, sequence_metrics, share
    from algorithms.ops.ratios import Surrogate, clipped_surrogate, log_ratio, ratio, sequence_score, weigh_gradient
    from algorithms.ops.reward import less_overlong, overlong_penalty
else:

    def __getattr__(name: str) -> object:
        from rence.lazy import attribute

        return attribute(__name__, name)


__all__ = [
    "GroupTable", "Surrogate", "advantages", "aggregate", "as_means", "base_logp", "centred", "clipped_surrogate",
    "divergence_tokens", "group_std", "group_sum", "kl_tokens", "less_overlong", "log_ratio", "lowest", "margins",
    "mean_old_logp", "mean_over_contrasts", "movement", "nce_losses", "nce_reduced", "overlong_penalty", "pair_table",
    "place_in_group", "positive_nll", "ratio", "sequence_metrics", "sequence_score", "share", "weigh_gradient",
]  # fmt: skip


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
