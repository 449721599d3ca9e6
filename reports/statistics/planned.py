"""What a design can see before it is run: stated variances, and the test that is planned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from reports.statistics.estimate import Estimand, MeanSquare, Parts
from reports.statistics.power import POWER, detectable_effect
from reports.statistics.satterthwaite import Floats, pool

_STEPS = 12
_CLOSE = 0.003
"""correlations are shown with two digits"""


@dataclass(frozen=True)
class Variances:
    """What a plan assumes of two arms that do not differ; all on the scale of scores, 0 to 1."""

    sd_seed: float = 0.02
    """of one arm's score between training seeds"""
    sd_effect: float = 0.10
    """of the true difference between the arms from problem to problem"""
    difficulty: tuple[float, float] = (0.5, 0.7)
    """Beta(a, b) of a problem's chance of being solved; most are nearly always or nearly never solved"""
    correlation: float = 0.0
    """of the arms' scores over seeds; a plan that pairs by seed gains from it"""

    @property
    def sampling(self) -> float:
        """Variance of one attempt given its problem: E[p (1 - p)] = a b / ((a + b) (a + b + 1))."""
        a, b = self.difficulty
        return a * b / ((a + b) * (a + b + 1))


@dataclass(frozen=True)
class PowerTarget:
    """The test that is planned."""

    estimand: Estimand = "algorithm"
    alpha: float = 0.05
    """its level, two-sided"""
    pair_seeds: bool = False
    """whether seeds are paired"""
    power: float = POWER


def detectable_effects(
    benchmarks: Mapping[str, tuple[int, int]],
    seeds: int,
    variances: Variances = Variances(),
    target: PowerTarget = PowerTarget(),
) -> dict[str, float | None]:
    """Minimum detectable difference between two arms, for each benchmark and for the `average`.

    V = 2 sd_seed^2 / S + mean over benchmarks of (sd_effect^2 / J + 2 sampling / (S J k)), and the test as it is made,
    `detectable_effect`. None with one seed unless these checkpoints are the target: what another seed would do cannot
    be told from one.

    Args:
        benchmarks: name -> (problems, attempts a problem)
    """
    designs = {name: [design] for name, design in benchmarks.items()} | {"average": list(benchmarks.values())}
    return {
        name: planned_effect(expected_parts(one, seeds, variances), variances, target) for name, one in designs.items()
    }


def planned_effect(parts: Parts, variances: Variances, target: PowerTarget) -> float | None:
    """Of a design whose mean squares have these expectations; None where the test cannot be made."""
    if target.estimand != "checkpoints" and not parts.seeds:
        return None
    if target.pair_seeds:
        parts = paired(parts, variances.correlation)
    return detectable_effect(parts, target.estimand, target.alpha, target.power)


def paired(parts: Parts, correlation: float) -> Parts:
    """Expected mean squares of two arms that are compared seed by seed, from those of two that are not: the seeds'
    differences are one mean square, which shrinks as the arms agree, with the degrees of freedom of one arm.

    Args:
        correlation: of the arms' scores over seeds.
    """
    if len(parts.seeds) != 2:
        return parts
    a, b = parts.seeds
    variance = a.variance + b.variance - 2 * correlation * (a.variance * b.variance) ** 0.5
    rest = parts.residual
    halved = rest and MeanSquare(rest.variance, max(1.0, rest.df / 2))
    return replace(parts, seeds=(MeanSquare(variance, min(a.df, b.df)),), residual=halved)


def pairing_pays_from(parts: Parts, target: PowerTarget) -> float | None:
    """The correlation of two arms' scores over seeds from which their comparison seed by seed sees smaller differences.

    Pairing takes what seeds share out of the difference, and half of the degrees of freedom with it. The test of
    unpaired seeds gains from a correlation too, for its interval is then wider than it need be; so both are averaged at
    the correlation in question. None where pairing never pays, or seeds cannot be paired.
    """
    if len(parts.seeds) != 2 or target.estimand == "checkpoints":
        return None

    def gain(correlation: float) -> float:
        apart = detectable_effect(parts, target.estimand, target.alpha, target.power, correlation)
        together = detectable_effect(paired(parts, correlation), target.estimand, target.alpha, target.power)
        return -np.inf if apart is None or together is None else apart - together

    # What single cells add to a seed's score is drawn for each arm, so scores agree no further than this.
    drawn = parts.residual.variance if parts.residual and target.estimand == "algorithm" else 0.0
    low, high = 0.0, 1 - max(1e-6, drawn / sum(seed.variance for seed in parts.seeds))
    return _zero(gain, low, high)


def _zero(gain: Callable[[float], float], low: float, high: float) -> float | None:
    """Where an increasing function becomes positive, by false position, for a call costs milliseconds and what is
    asked here is nearly a straight line. None if it does not, `low` if it is already."""
    at_low, at_high = gain(low), gain(high)
    if at_low >= 0:
        return low
    if at_high < 0:
        return None
    root = high
    for _ in range(_STEPS):
        usual = np.isfinite(at_low)
        before, root = root, (high - at_high * (high - low) / (at_high - at_low)) if usual else (low + high) / 2
        if abs(root - before) < _CLOSE:
            break
        here = gain(root)
        low, at_low, high, at_high = (low, at_low, root, here) if here >= 0 else (root, here, high, at_high)
    return float(root)


def expected_parts(design: Sequence[tuple[int, int]], seeds: int, variances: Variances) -> Parts:
    """Expected mean squares of the difference between two arms, averaged over some benchmarks. As in
    `statistics.contrast`, one seed has no part of seeds, and a benchmark of one problem leaves none of problems.

    Args:
        design: problems and attempts a problem of each benchmark.
    """
    j, k = np.array(design, dtype=float).T
    rest = variances.sampling / (seeds * j * k) / len(design) ** 2
    problem = None
    if j.min() > 1:
        problem = _pooled(variances.sd_effect**2 / j / len(design) ** 2 + 2 * rest, j - 1)
    if seeds < 2:
        return Parts((), problem, None)
    seed = MeanSquare(variances.sd_seed**2 / seeds + float(rest.sum()), seeds - 1)
    return Parts((seed, seed), problem, _pooled(2 * rest, np.maximum(2 * (seeds - 1) * (j - 1), 1)))


def _pooled(variances: Floats, dfs: Floats) -> MeanSquare:
    variance, df = pool(list(variances), list(dfs))
    return MeanSquare(float(variance), float(df))
