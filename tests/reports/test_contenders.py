"""Yardsticks and contenders of bench/coverage.py are what they are called: held against other people's code, against
the likelihood in full, and against each other where they must agree.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from bench import bayes, reml
from bench.contenders import CONTENDERS, summary
from bench.designs import Arm, Design
from bench.proportions import clopper_pearson, tango


def test_clopper_pearson_is_scipys() -> None:
    for correct, n in ((0, 30), (1, 30), (29, 30), (30, 30), (250, 500)):
        theirs = stats.binomtest(correct, n).proportion_ci(method="exact")
        low, high = clopper_pearson(np.array([float(correct)]), np.array([float(n)]))
        assert (low[0], high[0]) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@pytest.mark.parametrize(("better", "worse", "pairs"), [(12.0, 2.0, 50.0), (3.0, 1.0, 30.0), (5.0, 4.0, 500.0)])
def test_tangos_limits_are_where_the_score_test_rejects(better: float, worse: float, pairs: float) -> None:
    """With the likelihood of the table maximised numerically at the difference in question."""
    limits = tango(np.array([better]), np.array([worse]), np.array([pairs]))
    for limit, z in zip(limits, (1.96, -1.96), strict=True):
        delta = float(limit[0])

        def surprise(q: float, delta: float = delta) -> float:
            same = (pairs - better - worse) * np.log(1 - 2 * q - delta)
            return -float(better * np.log(q + delta) + worse * np.log(q) + same)

        inside = (max(0.0, -delta) + 1e-10, (1 - delta) / 2 - 1e-10)
        q = optimize.minimize_scalar(surprise, bounds=inside, method="bounded", options={"xatol": 1e-12}).x
        score = (better - worse - pairs * delta) / np.sqrt(pairs * (2 * q + delta * (1 - delta)))
        assert score == pytest.approx(z, abs=1e-3)


def test_tango_of_nothing_that_differs() -> None:
    z2 = stats.norm.ppf(0.975) ** 2
    low, high = tango(np.zeros(1), np.zeros(1), np.full(1, 30.0))
    assert (-low[0], high[0]) == pytest.approx((z2 / (30 + z2),) * 2, abs=1e-6)


@pytest.mark.parametrize("seeds", [(3, 3), (2, 4)])
def test_reml_maximises_the_likelihood_of_all_cells(seeds: tuple[int, int]) -> None:
    design = Design((8,), (Arm(seeds[0], 0.3, 0.5), Arm(seeds[1], 0.0, 0.5)), k=4)
    data, _ = next(design.draw(np.random.default_rng(0), 2))
    found = reml.variance(reml.squares([arm[0] for arm in data]))
    for i in range(2):
        assert found[i] == pytest.approx(_in_full([arm[0][i] for arm in data]), rel=1e-3)


def _in_full(arms: list[np.ndarray]) -> float:
    """Of the difference: the restricted likelihood with the covariance matrix of all cells written out."""
    y = np.concatenate([a.ravel() for a in arms])
    arm = np.concatenate([np.full(a.size, i) for i, a in enumerate(arms)])
    problem = np.concatenate([np.tile(np.arange(a.shape[1]), a.shape[0]) for a in arms])
    seed = np.concatenate([100 * i + np.repeat(np.arange(a.shape[0]), a.shape[1]) for i, a in enumerate(arms)])
    x = np.eye(2)[arm]
    kernels = [np.eye(len(y)), *((v[:, None] == v).astype(float) for v in (100 * arm + problem, problem, seed))]

    def covariance(theta: np.ndarray) -> np.ndarray:
        return sum(np.exp(t) * kernel for t, kernel in zip(theta, kernels, strict=True))

    def deviance(theta: np.ndarray) -> float:
        v = covariance(theta)
        inner = x.T @ np.linalg.solve(v, x)
        rest = y - x @ np.linalg.solve(inner, x.T @ np.linalg.solve(v, y))
        return np.linalg.slogdet(v)[1] + np.linalg.slogdet(inner)[1] + rest @ np.linalg.solve(v, rest)

    options = {"maxiter": 4000, "xatol": 1e-6, "fatol": 1e-10}
    starts = ([-3.0, -5.0, -3.0, -5.0], [-3.0, -4.0, -2.0, -3.0])
    fit = min(
        (optimize.minimize(deviance, s, method="Nelder-Mead", options=options) for s in starts), key=lambda f: f.fun
    )
    c = np.array([1.0, -1.0])
    return float(c @ np.linalg.solve(x.T @ np.linalg.solve(covariance(fit.x), x), c))


def test_posterior_of_a_clustered_rate_is_that_of_a_grid() -> None:
    counts = np.array([[2.0, 1.0, 2.0, 5.0, 20.0]])
    theta, size = np.meshgrid(np.linspace(0.001, 0.999, 999), np.linspace(0.01, 12, 600))
    weight = np.exp(-size)
    for c, times in enumerate(counts[0]):
        weight = weight * stats.betabinom.pmf(c, 4, size * theta, size * (1 - theta)) ** times
    reach = np.cumsum(weight.sum(axis=0)) / weight.sum()
    exact = [theta[0][np.searchsorted(reach, tail)] for tail in bayes.TAILS]
    low, high = bayes.quantiles(*bayes.clustered(counts, np.random.default_rng(0)))
    assert [low[0], high[0]] == pytest.approx(exact, abs=0.015)


def test_both_probits_are_scipys() -> None:
    h, k, r = np.array([0.3, -1.0, 2.0]), np.array([-0.5, 1.5, 2.2]), np.array([0.4, -0.8, 0.95])
    theirs = [
        stats.multivariate_normal.cdf([a, b], cov=[[1, c], [c, 1]])  # pyright: ignore[reportArgumentType]
        for a, b, c in zip(h, k, r, strict=True)
    ]
    assert bayes._both(h, k, r) == pytest.approx(theirs, abs=1e-6)


def test_contenders_agree_where_all_must() -> None:
    """500 problems, ten seeds that hardly differ: all that allow for problems and pair them have one width."""
    design = Design((500,), (Arm(10, 0.3, 0.02), Arm(10, 0.0, 0.02)), k=4)
    data, _ = next(design.draw(np.random.default_rng(2), 40))
    seen, rng = summary(design, data), np.random.default_rng(3)
    widths = {}
    for name, (contender, _) in CONTENDERS.items():
        limits = contender(seen, rng)
        assert limits is not None
        widths[name] = float(np.median(limits[1] - limits[0]))
    oracle = 2 * 1.96 * design.variance**0.5
    near = ["clustered z", "bootstrap, problems", "REML, z", "REML, t"]
    assert [widths[name] / oracle for name in near] == pytest.approx([1.0] * 4, abs=0.1)
    assert widths["unpaired z"] > 1.5 * oracle and widths["rliable, runs"] < 0.8 * oracle
