"""What reporting each seed's best checkpoint adds over reporting its last, and how much of it noise alone explains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from reports.seed_scores.compared import ComparedScores, mean
from reports.seed_scores.found import SeedCurve
from reports.statistics import Estimate
from reports.statistics.best_of_curve import (
    LEAST_POINTS,
    MOST_POINTS,
    NoiseGain,
    chosen_by_others,
    gains,
    noise_gain,
)
from reports.statistics.draws import generator


@dataclass(frozen=True)
class BestCheckpoint:
    """One arm on one column."""

    arm: str
    column: str
    curve: SeedCurve
    last: float
    best: float
    """mean over seeds of the highest of each"""
    gain: Estimate
    """best less last, over seeds"""
    noise: NoiseGain | None
    """None where curves are too short to tell"""
    others: float | None
    """what the step that the other seeds choose adds; None with one seed"""

    @property
    def share(self) -> float | None:
        """Of the gain, what noise alone explains: at most all of it; None where nothing was gained or noise is not
        known."""
        if self.noise is None or self.gain.value <= 0:
            return None
        return min(1.0, self.noise.expected / self.gain.value)

    @property
    def beyond_noise(self) -> bool:
        """Whether the gain is above what 97.5 % of curves without a peak show."""
        return self.noise is not None and self.gain.value > self.noise.high

    @property
    def lacks(self) -> str:
        """Why noise is not known."""
        points = self.curve.values.shape[1]
        if points > MOST_POINTS:
            return f"{points:,} points are no checkpoints: at most {MOST_POINTS:,} are looked at"
        return f"{points} evaluations are too few to tell trend from noise: {LEAST_POINTS} are needed"


@lru_cache(maxsize=128)
def found(a: ComparedScores, column: str) -> list[BestCheckpoint]:
    """Of every arm with a curve of two steps or more, in their order."""
    return list(_found(a, column))


def _found(a: ComparedScores, column: str) -> Iterator[BestCheckpoint]:
    for arm in a.run.plan.arms:
        curve = a.run.curve(arm, column)
        if curve is None or curve.values.shape[1] < 2:
            continue
        of_seeds = dict(zip(curve.seeds, gains(curve.values).tolist(), strict=True))
        rng = generator(a.run.plan.lock, arm, column, "best checkpoint")
        yield BestCheckpoint(
            arm,
            column,
            curve,
            float(curve.values[:, -1].mean()),
            float(curve.values.max(axis=1).mean()),
            mean(of_seeds, 1 - a.alpha, a.run.raw),
            noise_gain(curve.steps, curve.values, rng),
            chosen_by_others(curve.values),
        )


def differences(a: ComparedScores, rows: list[BestCheckpoint]) -> list[tuple[str, float, float]]:
    """Baseline, the target's difference by last checkpoints, and by each seed's best, where both arms have curves."""
    by_arm = {row.arm: row for row in rows}
    target = by_arm.get(a.target)
    if target is None:
        return []
    return [
        (other, target.last - by_arm[other].last, target.best - by_arm[other].best)
        for other in a.run.plan.comparison.baselines
        if other in by_arm
    ]


def to_json(a: ComparedScores) -> list[dict[str, object]]:
    """The key `best_checkpoint` of verdict.json; scores as everywhere."""
    return [_one(row) for column in a.run.columns for row in found(a, column)] if a.run.has_curves else []


def _one(row: BestCheckpoint) -> dict[str, object]:
    low, high = row.gain.interval or (None, None)
    return {
        "arm": row.arm,
        "benchmark": row.column,
        "seeds": len(row.curve.seeds),
        "evaluations": row.curve.values.shape[1],
        "last": row.last,
        "best": row.best,
        "gain": row.gain.value,
        "ci_low": low,
        "ci_high": high,
        "noise_alone": row.noise.expected if row.noise else None,
        "noise_low": row.noise.low if row.noise else None,
        "noise_high": row.noise.high if row.noise else None,
        "noise_sd": row.noise.sigma if row.noise else None,
        "explained_by_noise": row.share,
        "chosen_by_other_seeds": row.others,
    }
