"""How often the model that training starts from solves a training problem, as far as that is known before training.

Known from the first step of each trial of a run with the same model, problems and sampling: its rollouts are the start
model's. Of what ships it is stated. Between problems rates are taken to be Beta-distributed, fitted to the mean and to
the share of groups with a contrast, so that groups of another size can be worked out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, lgamma, log
from pathlib import Path

from algorithms.base import Algorithm
from harness.config.experiment import Experiment
from harness.records import DataError, Plan, RunFolder, StepRecord, read_jsonl

_SPREAD = (1e-4, 1e6)
"""of the Beta distribution's a + b: from rates of 0 and 1 alone to equal rates"""


@dataclass(frozen=True)
class SolveRates:
    """Of groups that were sampled from the start model on training problems."""

    mean: float
    """share of right rollouts"""
    contrast: float
    """share of groups in which some are right and some are not"""
    size: int
    """K of these groups"""
    source: str
    """where it is known from, in words"""

    def passing(self, algorithm: Algorithm, size: int) -> float | None:
        """Share of groups of this size that the algorithm keeps; None where its filter cannot be told."""
        kept = [algorithm.keeps(correct, size) for correct in range(size + 1)]
        if any(one is None for one in kept):
            return None
        chances = _chances(self.mean, self._spread(), size)
        return sum(chance for chance, one in zip(chances, kept, strict=True) if one)

    def _spread(self) -> float:
        """a + b, by bisection: the more, the more alike are the problems, and the more groups have a contrast."""
        low, high = map(log, _SPREAD)
        for _ in range(60):
            middle = (low + high) / 2
            ends = _chances(self.mean, exp(middle), self.size)
            low, high = (middle, high) if 1 - ends[0] - ends[-1] < self.contrast else (low, middle)
        return exp((low + high) / 2)


STATED = {
    ("quickstart-base", "mini_rl"): SolveRates(
        0.299, 0.896, 8, "stated: 8,192 rollouts on 1,024 prompts, 30 November 2026"
    ),
}
"""start model and training set that ship -> at temperature 1, at most 48 tokens, template `bare`"""
_STATED_SAMPLING = (1.0, 48, "bare")


def known(experiment: Experiment, plan: Plan, runs: list[Path]) -> SolveRates | None:
    """From the first of these runs that tells, else as stated; None where neither is.

    Args:
        plan: of the experiment.
        runs: folders of a pilot, or of the experiment itself, which need not be there.
    """
    for run in runs:
        if (found := _measured(plan, RunFolder(run))) is not None:
            return found
    sampling = (experiment.recipe.temperature, experiment.recipe.max_tokens, experiment.template)
    return STATED.get((experiment.model, experiment.train)) if sampling == _STATED_SAMPLING else None


def _measured(plan: Plan, run: RunFolder) -> SolveRates | None:
    """None where the run is another's model, problems or sampling, or has no step."""
    try:
        other = Plan.read(run.plan) if run.plan.exists() else None
        if other is None or sampled(other) != sampled(plan):
            return None
        firsts = list(_first_steps(other, run))
    except DataError:
        return None
    groups = sum(first["groups/generated"] for first in firsts)
    if not groups:
        return None
    mean = sum(first["generated/score/mean"] * first["groups/generated"] for first in firsts) / groups
    alike = sum(first["groups/all_correct"] + first["groups/all_wrong"] for first in firsts)
    source = f"{groups:,.0f} groups of the first steps of {run.root}"
    return SolveRates(mean, 1 - alike / groups, other.recipe["group_size"], source)


def sampled(plan: Plan) -> tuple[object, ...]:
    """What a rollout of the start model depends on."""
    sampling = (plan.recipe.get("temperature"), plan.recipe.get("max_tokens"))
    return plan.model_hash, plan.train, plan.train_hash, plan.template, *sampling


def _first_steps(plan: Plan, run: RunFolder) -> Iterator[dict[str, float]]:
    """Of each seed one: arms of a seed ask the same prompts first, and get the same answers. That with most groups."""
    names = ("groups/generated", "groups/all_correct", "groups/all_wrong", "generated/score/mean")
    own = {"group_size", "temperature", "max_tokens"}
    arms = [arm.name for arm in plan.arms if not own & {*arm.recipe_differences}]
    for seed in plan.seeds:
        logs = [trial.steps for arm in arms if (trial := run.trial(arm, seed)).steps.exists()]
        rows = [row.metrics for log in logs if (row := next(read_jsonl(log, StepRecord), None)) is not None]
        numbers = [{name: value for name in names if (value := row.get(name)) is not None} for row in rows]
        told = [row for row in numbers if len(row) == len(names)]
        if told:
            yield max(told, key=lambda row: row["groups/generated"])


def _chances(mean: float, spread: float, size: int) -> list[float]:
    """Of 0 to `size` right rollouts in a group: beta-binomial."""
    if mean in (0.0, 1.0):
        return [float(right == mean * size) for right in range(size + 1)]
    a, b = mean * spread, (1 - mean) * spread

    def beta(x: float, y: float) -> float:
        return lgamma(x) + lgamma(y) - lgamma(x + y)

    ways = [lgamma(size + 1) - lgamma(right + 1) - lgamma(size - right + 1) for right in range(size + 1)]
    return [exp(way + beta(a + right, b + size - right) - beta(a, b)) for right, way in enumerate(ways)]
