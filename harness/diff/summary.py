"""One algorithm's token weights in numbers: who is pushed where, and how that hangs on length and on the group.

Weights are told relative to the algorithm's own mean over all rollouts (or tokens) of the batch, those of dropped
groups included as 0, so that algorithms whose losses are of other sizes can be compared: an optimiser such as Adam
divides the size out too.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from harness.backends.groups import TokenRollouts
from harness.backends.local.token_weights import LOGP, ObjectiveOutcome

NOTHING = 1e-9
"""a weight of less than this times the mean is rounding, and counts as none"""
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
CLIPPED = "actor/pg_clipfrac"
LEAST = 3
"""rollouts that a relation to length needs"""


def summary(outcome: ObjectiveOutcome, batch: TokenRollouts) -> dict[str, Any]:
    """As the document has it; see docs/how-to/diff.md."""
    weight_BT = outcome.weights[LOGP]
    weight_B, size_B = weight_BT.sum(1), weight_BT.abs().sum(1) / batch.length_B
    kept_B = outcome.keep_G[batch.group_B]
    mean = float(weight_B.abs().mean())
    relative_B = weight_B / mean if mean else weight_B
    return {
        "loss": outcome.loss,
        "groups_kept": int(outcome.keep_G.sum()),
        "rollouts_kept": int(kept_B.sum()),
        "rollouts": _signs(relative_B[kept_B]),
        "tokens": _tokens(weight_BT[kept_B][batch.mask_BT[kept_B]], outcome),
        "length": {
            name: _length(relative_B.abs(), size_B, batch, kept_B & (batch.label_B == label))
            for name, label in (("correct", True), ("incorrect", False))
        },
        "composition": _composition(relative_B, batch, outcome.keep_G),
        "metrics": dict(outcome.metrics),
        "activity": [
            {"label": part.label, "metric": part.metric, "value": value}
            for part in outcome.algorithm.activity
            if (value := outcome.metrics.get(part.metric)) is not None
        ],
        "sequence_weight": relative_B.tolist(),
        "token_weight": _token_scale(size_B, batch).tolist(),
    }


def _signs(relative_B: Tensor) -> dict[str, float | None]:
    """Shares of kept rollouts."""
    n = len(relative_B)
    up, down = (int((sign * relative_B > NOTHING).sum()) for sign in (1, -1))
    return {name: count / n if n else None for name, count in (("up", up), ("down", down), ("none", n - up - down))}


def _tokens(weight_N: Tensor, outcome: ObjectiveOutcome) -> dict[str, Any]:
    """Of the N tokens of kept rollouts."""
    mean = float(weight_N.abs().mean()) if len(weight_N) else 0.0
    relative_N = weight_N / mean if mean else weight_N
    quantiles = torch.quantile(relative_N, torch.tensor(QUANTILES, dtype=relative_N.dtype)).tolist() if mean else None
    return {
        "mean_abs": mean,
        "quantiles": dict(zip(map(str, QUANTILES), quantiles, strict=True)) if quantiles else None,
        "none": float((relative_N.abs() <= NOTHING).double().mean()) if len(weight_N) else None,
        "clipped": outcome.metrics.get(CLIPPED),
    }


def _token_scale(size_B: Tensor, batch: TokenRollouts) -> Tensor:
    """Mean |w| of each rollout's tokens, relative to that of all tokens."""
    mean = float((size_B * batch.length_B).sum() / batch.length_B.sum())
    return size_B / mean if mean else size_B


def _length(weight_B: Tensor, size_B: Tensor, batch: TokenRollouts, among_B: Tensor) -> dict[str, Any]:
    """How |weight| goes with length among some rollouts: by rank, and as the exponent of a power law.

    The exponent is the slope of log |weight| on log length with an intercept for every group composition (K, P), so
    that hard problems' longer answers do not pass for an effect of length. 1: every token counts; 0: every rollout
    does, whatever its length.
    """
    chosen_B = among_B & (weight_B > NOTHING)
    length_B = batch.length_B[chosen_B].double()
    strata_B = _strata(batch)[chosen_B]
    result: dict[str, Any] = {"rollouts": int(chosen_B.sum())}
    for name, value_B in (("sequence", weight_B[chosen_B]), ("token", size_B[chosen_B])):
        result[name] = {"rank": _rank(value_B, length_B), "exponent": _exponent(value_B, length_B, strata_B)}
    return result


def _rank(value_B: Tensor, length_B: Tensor) -> float | None:
    """Spearman's correlation; None where either does not vary."""
    if len(value_B) < LEAST:
        return None
    # equal values that were summed in another order are ties
    ranks_2B = torch.stack([_ranks((value_B / value_B.mean()).round(decimals=9)), _ranks(length_B)])
    if (ranks_2B == ranks_2B[:, :1]).all(1).any():
        return None
    return float(torch.corrcoef(ranks_2B)[0, 1])


def _ranks(x_B: Tensor) -> Tensor:
    """From 1; equal values share the mean of theirs."""
    _, index_B, count = x_B.unique(return_inverse=True, return_counts=True)
    return (count.cumsum(0) - (count - 1) / 2)[index_B].double()


def _exponent(value_B: Tensor, length_B: Tensor, strata_B: Tensor) -> float | None:
    x_B, y_B = _within(length_B.log(), strata_B), _within(value_B.log(), strata_B)
    spread = float(x_B.square().sum())
    return float((x_B * y_B).sum()) / spread if len(x_B) >= LEAST and spread > 1e-12 else None


def _within(x_B: Tensor, strata_B: Tensor) -> Tensor:
    """Less the mean of its stratum."""
    strata, index_B = strata_B.unique(return_inverse=True)
    count = torch.bincount(index_B, minlength=len(strata))
    total = torch.zeros(len(strata), dtype=x_B.dtype).index_add_(0, index_B, x_B)
    return x_B - (total / count)[index_B]


def _strata(batch: TokenRollouts) -> Tensor:
    """A number for each group composition."""
    return (batch.size_G * (int(batch.size_G.max()) + 1) + batch.positives_G)[batch.group_B]


def _composition(relative_B: Tensor, batch: TokenRollouts, keep_G: Tensor) -> list[dict[str, Any]]:
    """For each P of K in the batch."""
    size_G, positives_G = batch.size_G, batch.positives_G
    found = sorted(set(zip(size_G.tolist(), positives_G.tolist(), strict=True)))
    total = float(relative_B.abs().sum())
    rows = []
    for size, positives in found:
        among_G = (size_G == size) & (positives_G == positives)
        among_B = among_G[batch.group_B]
        means = {}
        for name, label in (("correct", True), ("incorrect", False)):
            chosen_B = relative_B[among_B & (batch.label_B == label)]
            means[name] = (
                {"mean": float(chosen_B.mean()), "mean_abs": float(chosen_B.abs().mean())} if len(chosen_B) else None
            )
        rows.append(
            {
                "positives": positives,
                "size": size,
                "groups": int(among_G.sum()),
                "groups_kept": int((among_G & keep_G).sum()),
                **means,
                "share": float(relative_B[among_B].abs().sum()) / total if total else None,
            }
        )
    return rows
