"""What the parts of an objective do to the gradient, measured in training on a few steps of each trial.

    |g - g_off| / |g|    and the angle between g and g_off, for each part that can be turned off (`Algorithm.parts`)
    angle of two halves  between the gradients of two half-batches: what noise alone does

g is the gradient before the last update of the step, on the first groups of the step, a quarter of those that it
learns from; g_off that of the same algorithm without the part, on the same groups and log-probs, and for the filter
that of the same groups unfiltered. It says what a part changes at a step, not what it is worth: only an arm trained
without it shows that. Statistics of the rollout batch (`batch_std`, whitening) are those of the groups looked at.

Nothing is drawn and nothing of the training changes. Parts that leave every token's weight as it is cost no pass.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from algorithms.base import Algorithm
from harness.backends.collect import Collected
from harness.backends.groups import as_batch
from harness.backends.local.gradients import fit, gradients, layers, products, values
from harness.backends.local.logprobs import fixed_logp
from harness.backends.local.policies import Policies
from harness.backends.local.token_weights import ENTROPY, LOGP, Moment, outcome
from harness.config.experiment import Recipe
from harness.models.language_model import LanguageModel

SHARES = (1 / 3, 2 / 3)
"""of the budget: measured in the steps that reach them, under 2 % of a trial's processor time (docs/LOG.md)"""
OF_STEP = 4
"""looked at is one in so many of the groups that a step learns from: what this costs goes with the step"""
FILTER = "filter"
HALVES = "activity/halves/angle"
Weights = Mapping[str, Tensor]


@dataclass(frozen=True)
class StepOfTrial:
    """Which step it is, and what is carried to it."""

    seed: int
    step: int
    progress: float
    """share of the budget that has been generated"""
    state: Mapping[str, float]
    """of the algorithm"""


def due(before: int, after: int, budget: int) -> bool:
    """Whether a step is one of those that are measured.

    Args:
        before, after: rollouts generated up to it, and with it.
    """
    return any(before < share * budget <= after for share in SHARES)


def without_parts(algorithm: Algorithm) -> dict[str, Algorithm]:
    """Part -> the algorithm without it. Raises: ValueError or TypeError for settings that it does not have."""
    return {part: replace(algorithm, **off) for part, off in algorithm.parts.items()}


def in_training(
    policies: Policies, algorithm: Algorithm, recipe: Recipe, collected: Collected, moment: StepOfTrial
) -> dict[str, float]:
    """Metrics of this step: angles in degrees. Empty if nothing of it may be learnt from, gradients have no room, or
    the algorithm refuses a part of what it learns from."""
    groups = [group for group in collected.generated if group.marked]
    if not groups:
        return {}
    batch = as_batch(groups, recipe.max_tokens)
    keep_G = algorithm.keep(batch)
    wanted = max(2, recipe.prompts_per_step // OF_STEP)
    # the groups of the stream up to the last that is wanted, those that the filter drops between them
    first = int((keep_G.cumsum(0) < wanted).sum()) + 1
    batch = batch.select(torch.arange(min(first, batch.groups)))
    reference = policies.reference
    known = None
    if reference is not None:
        known = fixed_logp(reference, batch, recipe.temperature, recipe.microbatch_tokens)
    of_step = Moment(
        batch=batch,
        init_logp_BT=known if policies.reference_kind == "init" else None,
        synced_logp_BT=known if policies.reference_kind == "synced" else None,
        progress=moment.progress,
        seed=moment.seed,
        step=moment.step,
        state=moment.state,
    )
    try:
        return activity(policies.learner, algorithm, of_step, recipe.temperature)
    except ValueError:  # what takes a whole batch may refuse a part of it, and no trial ends by being measured
        return {}


def activity(model: LanguageModel, algorithm: Algorithm, moment: Moment, temperature: float) -> dict[str, float]:
    """Metrics of a batch, by name; those that are not defined, as an angle to nothing, are not there.

    Args:
        moment: the batch before any filter, with the reference that the algorithm needs.
    Raises: ValueError if the algorithm refuses the batch.
    """
    batch = moment.batch
    keep_G = algorithm.keep(batch)
    if not keep_G.any():
        return {}
    wanted = [LOGP, ENTROPY] if algorithm.wants_entropy else [LOGP]
    found = values(model, batch, temperature, wanted)
    on = outcome(algorithm, moment, found, keep_G).weights
    off = {part: outcome(one, moment, found, keep_G).weights for part, one in without_parts(algorithm).items()}
    if type(algorithm).keep is not Algorithm.keep:
        off[FILTER] = outcome(algorithm, moment, found, batch.size_G > 0).weights
    # every other of the groups that are learnt from
    halves_2G = [keep_G & (keep_G.cumsum(0) % 2 == rest) for rest in (1, 0)]
    halves = [outcome(algorithm, moment, found, half_G).weights for half_G in halves_2G if half_G.any()]
    rows, place = _distinct([on, *off.values(), *halves])
    of = layers(model)
    if not fit(len(rows), of):
        return {}
    # a half's gradient needs no pass over the other half
    pieces = [torch.nonzero(some_G)[:, 0] for some_G in (*halves_2G, ~keep_G) if some_G.any()]
    gram = products(gradients(model, batch, temperature, rows, of, pieces))
    return dict(_metrics(gram, place, list(off), len(halves)))


def _distinct(weights: list[Weights]) -> tuple[list[Weights], list[int]]:
    """Those that differ, and for each where it is among them."""
    rows: list[Weights] = []
    place = []
    for one in weights:
        same = (at for at, other in enumerate(rows) if _equal(one, other))
        place.append(at := next(same, len(rows)))
        if at == len(rows):
            rows.append(one)
    return rows, place


def _equal(one: Weights, other: Weights) -> bool:
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())


def _metrics(gram: Tensor, place: list[int], parts: list[str], halves: int) -> list[tuple[str, float]]:
    """
    Args:
        gram: products of the distinct gradients.
        place: where among them are the whole, one for each part, and the halves.
    """
    whole = place[0]
    size = math.sqrt(gram[whole, whole])
    found: list[tuple[str, float | None]] = []
    for part, at in zip(parts, place[1:], strict=False):
        apart = max(0.0, float(gram[whole, whole] + gram[at, at] - 2 * gram[whole, at]))
        found.append((f"activity/{part}/norm", math.sqrt(apart) / size if size else None))
        found.append((f"activity/{part}/angle", _angle(gram, whole, at)))
    if halves == 2:
        found.append((HALVES, _angle(gram, place[-2], place[-1])))
    return [(name, value) for name, value in found if value is not None and math.isfinite(value)]


def _angle(gram: Tensor, i: int, j: int) -> float | None:
    """In degrees; None where one is zero."""
    size = math.sqrt(gram[i, i] * gram[j, j])
    if not size:
        return None
    return 0.0 if i == j else math.degrees(math.acos(max(-1.0, min(1.0, float(gram[i, j]) / size))))
