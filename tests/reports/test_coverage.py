"""Intervals and tests held against known truth: binary attempts, crossed seeds and problems, new ones in every draw.

A short form of the coverage study: enough replicates to see a wrong formula (a z interval clustered by problem covers
.67 where seed noise dominates; seeds alone .80 with 30 problems), few enough for seconds.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from reports.multiple import below_best_p, holm
from reports.power import detectable
from reports.statistics import contrast

K = 4
ERROR = 0.011  # one standard error of a rate of .05 in 400 replicates
SD_EFFECT, SD_INTERACTION = 0.4, 0.3  # logits: of the arms' difference between problems; of seed x problem


def draw(
    rng: np.random.Generator, seeds: int, problems: int, sd_seed: float, gains: tuple[float, ...], base: float
) -> list[np.ndarray]:
    """One S x J matrix of shares for each arm, from new seeds and new problems."""
    difficulty = rng.normal(base, 2.0, problems)
    arms = []
    for gain in gains:
        effect = rng.normal(gain, SD_EFFECT / np.sqrt(2), problems)
        noise = rng.normal(0, sd_seed, (seeds, 1)) + rng.normal(0, SD_INTERACTION, (seeds, problems))
        arms.append(rng.binomial(K, special.expit(difficulty + effect + noise)) / K)
    return arms


def truth(sd_seed: float, gain: float, base: float) -> float:
    """Expected share over new seeds and problems: the logistic mean of a normal, by quadrature."""
    z, weight = np.polynomial.hermite_e.hermegauss(80)
    sd = np.sqrt(2.0**2 + SD_EFFECT**2 / 2 + SD_INTERACTION**2 + sd_seed**2)
    return float(weight @ special.expit(base + gain + sd * z) / np.sqrt(2 * np.pi))


@pytest.mark.parametrize(
    ("problems", "seeds", "sd_seed", "base"),
    [
        (30, 3, 0.0, 0.0),
        (30, 5, 0.3, -3.0),
        (500, 3, 0.1, 0.0),
        (500, 5, 0.3, 0.0),
        (500, 3, 0.8, 2.0),
    ],
)
def test_coverage_of_a_paired_difference(problems: int, seeds: int, sd_seed: float, base: float) -> None:
    rng = np.random.default_rng([problems, seeds])
    difference = truth(sd_seed, 0.3, base) - truth(sd_seed, 0.0, base)
    replicates = 500
    hits = 0
    for _ in range(replicates):
        interval = contrast([[y] for y in draw(rng, seeds, problems, sd_seed, (0.3, 0.0), base)], (1, -1)).interval
        hits += interval is not None and interval[0] <= difference <= interval[1]
    assert hits / replicates >= 0.93


def test_type_one_error_of_the_average_over_benchmarks() -> None:
    rng = np.random.default_rng(11)
    replicates = 400
    rejected = 0
    for _ in range(replicates):
        shared = rng.normal(0, 0.2, (2, 3))  # one seed effect for each arm and seed, over all benchmarks
        arms: list[list[np.ndarray]] = [[], []]
        for problems in (30, 40, 200):
            difficulty = rng.normal(0, 2.0, problems)
            for arm in range(2):
                effect = rng.normal(0, SD_EFFECT / np.sqrt(2), problems)
                p = special.expit(difficulty + effect + shared[arm][:, None])
                arms[arm].append(rng.binomial(K, p) / K)
        p_value = contrast(arms, (1, -1)).p_value
        rejected += p_value is not None and p_value < 0.05
    assert rejected / replicates <= 0.06 + ERROR


def test_holm_keeps_the_family_wise_error() -> None:
    rng = np.random.default_rng(12)
    replicates = 400
    any_rejected = 0
    for _ in range(replicates):
        target, *baselines = draw(rng, 5, 100, 0.2, (0.0, 0.0, 0.0, 0.0), 0.0)
        adjusted = holm([contrast([[target], [b]], (1, -1)).p_value for b in baselines])
        any_rejected += any(p is not None and p < 0.05 for p in adjusted)
    assert any_rejected / replicates <= 0.06 + ERROR


def test_the_best_arm_is_rarely_lost_from_bold() -> None:
    """Multiple comparisons with the best: the truly best arm stays among the bold in at least 95 % of draws."""
    rng = np.random.default_rng(13)
    replicates = 300
    lost = 0
    for _ in range(replicates):
        arms = draw(rng, 3, 100, 0.2, (0.05, 0.0, 0.0, 0.0), 0.0)
        top = max(arms, key=lambda y: y.mean())
        gap = contrast([[top], [arms[0]]], (1, -1))
        lost += bool(gap.se) and below_best_p(gap.value / gap.se, gap.df, 3) < 0.05
    assert lost / replicates <= 0.05 + ERROR


def test_power_at_the_detectable_effect() -> None:
    """For stated variances the power is 80 % within 3 points: normal scores, five seeds a side, seed noise alone."""
    rng = np.random.default_rng(14)
    sd, seeds, replicates = 0.02, 5, 4000
    effect = detectable(sd * np.sqrt(2 / seeds), 2 * (seeds - 1))
    a = rng.normal(0.5 + effect, sd, (replicates, seeds, 1))
    b = rng.normal(0.5, sd, (replicates, seeds, 1))
    se = np.sqrt((a.var(axis=1, ddof=1) + b.var(axis=1, ddof=1)) / seeds)[:, 0]
    t = (a.mean(axis=1) - b.mean(axis=1))[:, 0] / se
    power = float(np.mean(np.abs(t) > special.stdtrit(2 * (seeds - 1), 0.975)))
    assert power == pytest.approx(0.80, abs=0.03)
