"""Levels of looks against published boundaries and simulation; what a look may conclude."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from reports.statistics import sequential

FIFTHS = [0.2, 0.4, 0.6, 0.8, 1.0]


def test_boundaries_are_the_published_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jennison & Turnbull 2000, tables of the error-spending functions of Lan & DeMets: five looks, one-sided .025."""

    def bounds() -> list[float]:
        return [float(-special.ndtri(level)) for level in sequential.levels(FIFTHS, 0.025)]

    obrien = lambda share, alpha: 2 * special.ndtr(special.ndtri(alpha / 2) / np.sqrt(share))  # noqa: E731
    monkeypatch.setattr(sequential, "spent", obrien)
    assert bounds() == pytest.approx([4.8769, 3.3569, 2.6803, 2.2898, 2.0310], abs=2e-4)
    pocock = lambda share, alpha: alpha * np.log(1 + (np.e - 1) * share)  # noqa: E731
    monkeypatch.setattr(sequential, "spent", pocock)
    assert bounds() == pytest.approx([2.4380, 2.4268, 2.4101, 2.3966, 2.3859], abs=2e-4)


def test_one_look_has_the_whole_level() -> None:
    assert sequential.levels([1.0], 0.05) == pytest.approx([0.05])


def walks(drift: float, replicates: int = 100_000) -> np.ndarray:
    """replicates x looks: z values of a test whose last look expects `drift`."""
    rng = np.random.default_rng(3)
    steps = rng.normal(0, np.sqrt(0.2), (replicates, 5)) + drift / 5
    return np.cumsum(steps, axis=1) / np.sqrt(FIFTHS)


def test_what_is_spent_is_alpha_t_squared() -> None:
    """100,000 walks without drift: one standard error of 5 % is .07 points."""
    crossed = walks(0.0) >= -special.ndtri(sequential.levels(FIFTHS, 0.05))
    so_far = np.maximum.accumulate(crossed, axis=1).mean(axis=0)
    assert so_far == pytest.approx(0.05 * np.array(FIFTHS) ** 2, abs=0.002)


def test_two_fifths_are_saved_where_the_fixed_test_has_power_98() -> None:
    crossed = walks(1.645 + 2.054) >= -special.ndtri(sequential.levels(FIFTHS, 0.05))
    stopped = np.where(crossed.any(axis=1), crossed.argmax(axis=1), 4)
    assert np.array(FIFTHS)[stopped].mean() < 0.57
    assert crossed.any(axis=1).mean() > 0.97


def test_looks_see_the_same_share_of_every_benchmark() -> None:
    assert sequential.sizes({"a": 500}) == [{"a": 100 * look} for look in (1, 2, 3, 4, 5)]
    # as many of each, at equal steps of the information: 1/30 + 1/500 = .03533 over 2/c
    uneven = sequential.sizes({"a": 500, "b": 30})
    assert uneven[:2] == [{"a": 12, "b": 12}, {"a": 23, "b": 23}] and uneven[-1] == {"a": 500, "b": 30}
    assert all(size["b"] == 30 for size in uneven[2:])
    assert sequential.sizes({"a": 2}) == [{"a": 1}, {"a": 2}], "looks that see the same are one"
    assert sequential.sizes({"a": 1}) == [{"a": 1}]
    assert sequential.information({"a": 100, "b": 6}, {"a": 500, "b": 30}) == pytest.approx(0.2)
    # 1/10 + 1/3 at the end, 1/2 + 1/1 now
    assert sequential.information({"a": 2, "b": 1}, {"a": 10, "b": 3}) == pytest.approx((0.1 + 1 / 3) / 1.5)


def test_conditional_power_is_what_walks_do() -> None:
    """Of those at z near 1 at the second look, how many reject at the last look alone."""
    z = walks(2.5, 400_000)
    near = np.abs(z[:, 1] - 1) < 0.05
    level = sequential.levels(FIFTHS, 0.05)[-1]
    found = (z[near, -1] >= -special.ndtri(level)).mean()
    assert sequential.chance_to_reject(1.0, 0.4, 2.5, level) == pytest.approx(found, abs=0.02)


def test_what_is_out_of_reach() -> None:
    level = sequential.levels(FIFTHS, 0.05)[-1]
    # nothing speaks for it, and it expects little: given up; a good trend, or a sharp design, is not
    assert sequential.out_of_reach(0.6, 0.4, 0.5, level)
    assert not sequential.out_of_reach(0.02, 0.4, 0.5, level)
    assert not sequential.out_of_reach(0.6, 0.4, 4.0, level)
    assert sequential.drift(0.02, 0.02, 0.25, 1000) == pytest.approx(2.0), "the error at the end is half of that now"
    # thirty problems that are all alike: (1 - .02)^30 = .545, z = -.11
    assert sequential.drift(0.02, 0.0, 0.2, 30) == pytest.approx(-special.ndtri(0.98**30))
