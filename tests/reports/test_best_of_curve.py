"""What noise alone adds to the best checkpoint: about all of the gain where there is no peak, little where there is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from reports.statistics import best_of_curve
from reports.statistics.best_of_curve import chosen_by_others, expected_gain, gains, noise, noise_gain

SIGMA = 0.02


def share(trend: np.ndarray, seeds: int, replicates: int, rng: np.random.Generator) -> tuple[float, float]:
    """Mean gain, and mean of what is attributed to noise over it."""
    steps = np.arange(len(trend), dtype=float)
    gained, explained = [], []
    for _ in range(replicates):
        curves = trend + SIGMA * rng.standard_normal((seeds, len(trend)))
        found = noise_gain(steps, curves, rng)
        assert found is not None
        gained.append(gains(curves).mean())
        explained.append(found.expected)
    return float(np.mean(gained)), float(np.mean(explained) / np.mean(gained))


def test_the_largest_of_equal_normals() -> None:
    # the expected largest of two standard normals is 1 / sqrt(pi), of three 3 / (2 sqrt(pi))
    assert expected_gain(np.zeros(2), 1.0) == pytest.approx(np.pi**-0.5, abs=1e-6)
    assert expected_gain(np.zeros(3), 1.0) == pytest.approx(1.5 * np.pi**-0.5, abs=1e-6)
    # a trend that is far below its end gives nothing more
    assert expected_gain(np.array([-50.0, 0.0, 0.0]), 1.0) == pytest.approx(np.pi**-0.5, abs=1e-6)
    assert expected_gain(np.array([0.0, 3.0, 2.0]), 0.0) == 1.0


def test_noise_is_found_on_a_line_with_uneven_steps() -> None:
    rng = np.random.default_rng(0)
    steps = np.cumsum(rng.integers(1, 9, 4000)).astype(float)
    line = 0.3 + 1e-5 * steps
    assert noise(steps, np.stack([line])) == 0
    found = noise(steps, np.stack([line + SIGMA * rng.standard_normal(4000) for _ in range(3)]))
    assert found == pytest.approx(SIGMA, rel=0.03)


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize(
    ("name", "trend"),
    [
        ("flat", np.zeros(20)),
        ("rise and plateau", 0.1 * (1 - np.exp(-8 * np.linspace(0, 1, 20)))),
        ("saturating", 0.2 * (1 - np.exp(-3 * np.linspace(0, 1, 20)))),
    ],
)
def test_without_a_peak_noise_explains_about_all(name: str, trend: np.ndarray, seeds: int) -> None:
    gain, explained = share(trend, seeds, 40, np.random.default_rng(7))
    # means over 40 replicates, with a standard error of up to .1 here; with 400, see docs/LOG.md
    assert gain > SIGMA / 2 and 0.7 <= explained <= 1.25, (name, gain, explained)


def test_a_real_peak_is_not_called_noise() -> None:
    t = np.linspace(0, 1, 20)
    falls = 0.2 * np.minimum(t / 0.6, 1) - 0.15 * np.clip((t - 0.6) / 0.4, 0, None)
    gain, explained = share(falls, 3, 20, np.random.default_rng(8))
    assert gain > 0.14 and explained < 0.35


def test_the_range_of_noise_holds_what_curves_without_a_peak_give() -> None:
    rng, inside = np.random.default_rng(9), 0
    steps = np.arange(20.0)
    for _ in range(60):
        curves = SIGMA * rng.standard_normal((3, 20))
        found = noise_gain(steps, curves, rng)
        assert found is not None
        inside += gains(curves).mean() <= found.high
    # nominally 97.5 %; the estimated trend costs a little
    assert stats.binomtest(int(inside), 60, 0.93).pvalue > 0.001


def test_the_choice_of_the_other_seeds() -> None:
    curves = np.array([[0.1, 0.5, 0.3], [0.2, 0.4, 0.6], [0.1, 0.3, 0.2]])
    # the others choose for seed 0 the last step, 0; for seed 1 the second, 0.4 - 0.6; for seed 2 the second, 0.3 - 0.2
    assert chosen_by_others(curves) == pytest.approx((0.0 - 0.2 + 0.1) / 3)
    assert chosen_by_others(curves[:1]) is None


def test_short_and_silent_curves() -> None:
    rng = np.random.default_rng(0)
    few = best_of_curve.LEAST_POINTS - 1
    assert noise_gain(np.arange(float(few)), rng.standard_normal((2, few)), rng) is None
    still = noise_gain(np.arange(8.0), np.tile(np.arange(8.0), (2, 1)), rng)
    assert still is not None and (still.expected, still.sigma) == (0.0, 0.0)


def test_long_curves_take_few_knots() -> None:
    rng = np.random.default_rng(1)
    curves = SIGMA * rng.standard_normal((2, 2000))
    found = noise_gain(np.arange(2000.0), curves, rng)
    # the expected largest of 2,000 normals is 3.44 standard deviations
    assert found is not None and found.expected == pytest.approx(3.44 * SIGMA, rel=0.1)
