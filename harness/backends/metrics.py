"""What a step logs: verl's names where verl has one; None where nothing was counted.

`critic/score` and `critic/rewards` are of the batch that is learnt from, as in verl; everything else under
`generated/`, `marks/`, `groups/` and `response_length/` is of all that was sampled, filtered groups included.
Scores, marks, `groups/all_correct` and `groups/all_wrong` are the marker's; `critic/rewards`, and which groups are
kept, follow the labels, which are another thing where the recipe's `reward` is.
Groups: generated = kept + dropped + surplus.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from algorithms.rollouts import Mean
from harness.backends.collect import Collected
from harness.backends.diverged import Diverged
from harness.backends.groups import TokenRollouts
from harness.records import Mark

MEANINGS: Mapping[str, str] = {
    "actor/loss": "the whole loss; a mean over updates, as are the next two",
    "actor/grad_norm": "norm of the gradient before clipping",
    "actor/lr": "the learning rate",
    "actor/entropy": "mean of -log p over sampled tokens: unbiased for the entropy of the sampling policy",
    "generated/score/mean": "share of the sampled rollouts that the marker calls correct",
    "critic/score/mean": "the same, of the rollouts that are learnt from",
    "critic/rewards/mean": "mean reward of the rollouts that are learnt from, as the algorithm made it",
    "response_length/mean": "tokens of a response: mean",
    "response_length/max": "the longest response",
    "response_length/min": "the shortest response",
    "response_length/clip_ratio": "share of the responses that were cut at the limit",
    **{f"marks/{mark}": f"rollouts marked {mark}" for mark in Mark},
    "groups/generated": "groups sampled: kept + dropped + surplus",
    "groups/kept": "groups learnt from",
    "groups/dropped": "groups that the filter took out",
    "groups/surplus": "groups that passed and were not needed",
    "groups/missing": "of algorithms with refill: groups that were wanted and not found",
    "groups/all_correct": "groups whose rollouts are all correct",
    "groups/all_wrong": "groups without a correct rollout",
    "rollouts/generated": "rollouts sampled",
    "rollouts/discarded": "rollouts that nothing was learnt from",
    "labels/agreement": "where labels are not the marker's: share of them that agree with it",
    "labels/majority_correct": "of votes: share of the groups with a vote whose winning answer is correct",
    "reward/mean": "of a reward of your own: mean over all that was sampled",
    "reward/std": "its standard deviation over these rollouts, with n in the denominator",
    "reward/min": "its smallest value",
    "reward/max": "its largest value",
    "reward/failed": "rollouts for which it failed: they are not learnt from",
}
"""of what a step logs whatever the algorithm; None where nothing was counted, which is never 0"""


def update_metrics(loss: float, grad_norm: float, rate: float) -> dict[str, Mean]:
    """What every optimiser step logs, whatever the algorithm.

    Args:
        loss: of the whole mini-batch.
        grad_norm: before clipping.
        rate: the learning rate.

    Raises: Diverged.
    """
    if not (math.isfinite(loss) and math.isfinite(grad_norm)):
        raise Diverged(f"loss {loss} and gradient norm {grad_norm} must be finite")
    return {"actor/loss": Mean(loss, 1), "actor/grad_norm": Mean(grad_norm, 1), "actor/lr": Mean(rate, 1)}


def add(into: dict[str, Mean], new: Mapping[str, Mean]) -> None:
    """Sum metric by metric."""
    for name, mean in new.items():
        into[name] = into[name] + mean if name in into else mean


def numbers(metrics: Mapping[str, Any]) -> dict[str, float | None]:
    """A trainer's own metrics as JSON has them: numpy's numbers as Python's, what is not finite as None."""
    found = {name: float(value) for name, value in metrics.items() if isinstance(value, int | float | np.number)}
    return {name: value if math.isfinite(value) else None for name, value in found.items()}


def step_metrics(
    collected: Collected, batch: TokenRollouts | None, learnt: Mapping[str, Mean]
) -> dict[str, float | None]:
    """One flat row.

    Args:
        batch: the groups learnt from, rewards shaped; None if there are none.
        learnt: what the updates logged.
    """
    means = {
        **_sampled(collected),
        **_labels(collected),
        **_own_rewards(collected),
        **(_kept(batch) if batch else {}),
        **learnt,
    }
    row = {name: mean.value if math.isfinite(mean.value) else None for name, mean in means.items()}
    return {**row, **_counts(collected)}


def _sampled(collected: Collected) -> dict[str, Mean]:
    rollouts = [rollout for group in collected.generated for rollout in group.rollouts]
    lengths = [len(rollout.tokens) for rollout in rollouts]
    surprise = -sum(float(rollout.logp.sum()) for rollout in rollouts)
    return {
        "generated/score/mean": Mean(
            sum(group.correct for group in collected.generated), sum(len(group.marked) for group in collected.generated)
        ),
        "response_length/mean": Mean(sum(lengths), len(rollouts)),
        "response_length/max": Mean(max(lengths), 1),
        "response_length/min": Mean(min(lengths), 1),
        "response_length/clip_ratio": Mean(sum(rollout.truncated for rollout in rollouts), len(rollouts)),
        # mean of -log p over sampled tokens: unbiased for the entropy of the sampling policy, at no cost
        "actor/entropy": Mean(surprise, sum(lengths)),
    }


def _labels(collected: Collected) -> dict[str, Mean]:
    """How often labels that are not the marker's are right. A vote: of the groups in which there is one, how often the
    answer that won is."""
    if collected.reward == "label":
        return {}
    rollouts = [rollout for group in collected.generated for rollout in group.marked if rollout.assigned is not None]
    agree = sum(rollout.label == (rollout.mark is Mark.CORRECT) for rollout in rollouts)
    found = {"labels/agreement": Mean(agree, len(rollouts))}
    if collected.reward == "majority":
        winners = [next((r.mark for r in group.marked if r.label), None) for group in collected.generated]
        known = [mark for mark in winners if mark is not None]
        found["labels/majority_correct"] = Mean(known.count(Mark.CORRECT), len(known))
    return found


def _own_rewards(collected: Collected) -> dict[str, Mean]:
    """What a function of the user's gave all that was sampled, before an algorithm makes anything of it; `std` is that
    of these rollouts, with n in the denominator."""
    rollouts = [rollout for group in collected.generated for rollout in group.rollouts]
    if all(rollout.given is None for rollout in rollouts):
        return {}
    rewards = [rollout.reward for rollout in rollouts if rollout.given and not rollout.given.failure]
    known = 1 if rewards else 0  # absence is not zero
    return {
        "reward/mean": Mean(sum(rewards), len(rewards)),
        "reward/std": Mean(float(np.std(rewards)) if rewards else 0.0, known),
        "reward/min": Mean(min(rewards, default=0.0), known),
        "reward/max": Mean(max(rewards, default=0.0), known),
        "reward/failed": Mean(len(rollouts) - len(rewards), 1),
    }


def _kept(batch: TokenRollouts) -> dict[str, Mean]:
    return {
        "critic/score/mean": Mean(float(batch.correct_B.sum()), len(batch)),
        "critic/rewards/mean": Mean(float(batch.reward_B.sum()), len(batch)),
    }


def _counts(collected: Collected) -> dict[str, float]:
    marked = [(group.correct, len(group.marked)) for group in collected.generated if group.marked]
    return {
        **{f"marks/{mark}": collected.marks[mark] for mark in Mark},
        "groups/generated": len(collected.generated),
        "groups/kept": len(collected.groups),
        "groups/dropped": collected.dropped,
        "groups/surplus": collected.surplus,
        **({} if collected.missing is None else {"groups/missing": collected.missing}),
        "groups/all_correct": sum(correct == size for correct, size in marked),
        "groups/all_wrong": sum(correct == 0 for correct, _ in marked),
        "rollouts/generated": collected.rollouts,
        "rollouts/discarded": collected.discarded,
    }
