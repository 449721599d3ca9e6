"""Bayesian hierarchies, as a reviewer would fit them.

Of one checkpoint or two, after Bowyer, Aitchison & Ivanova (2025, arXiv:2503.01747) and their `bayes_evals`, written
anew: a uniform prior of the rate (one attempt a problem); rates of problems from a beta distribution of mean uniform
and size Gamma(1, 1) (several); and, of paired differences, two probits with a uniform correlation. By importance
sampling, as they do, but from proposals near the data, without which 500 problems leave a handful of draws.

Of several seeds, which theirs do not know: the crossed model of bench/reml.py with half-normal priors of its standard
deviations, by Metropolis's algorithm. Many replicates are sampled at once.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from bench.proportions import Bounds
from bench.reml import Squares
from reports.statistics.satterthwaite import Floats

DRAWS = 4000
WARMUP = 600
SWEEPS = 1500
PRIOR_SEED, PRIOR = 0.1, 0.5
"""sd of the half-normal priors of standard deviations, as fractions: of seeds, of all others"""
TAILS = (0.025, 0.975)


def rate(correct: Floats, problems: int) -> Bounds:
    low, high = (special.betaincinv(1 + correct, 1 + problems - correct, tail) for tail in TAILS)
    return low, high


def clustered(counts: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draws of the rate, and their weights, of several attempts a problem.

    Args:
        counts: replicates x (k + 1): how many problems have 0, 1, ... k correct answers.
    """
    n, k = len(counts), counts.shape[1] - 1
    problems = counts.sum(axis=1, keepdims=True)
    share = counts @ np.arange(k + 1)[:, None] / k
    a, b = 1 + share / 2, 1 + (problems - share) / 2
    theta = np.clip(rng.beta(a, b, (n, DRAWS)), 1e-9, 1 - 1e-9)
    size = rng.gamma(1.0, 1.0, (n, DRAWS))
    one, other = size * theta, size * (1 - theta)
    # of c correct: prod_{i<c} (one + i) prod_{i<k-c} (other + i) / prod_{i<k} (size + i)
    rises = [np.cumsum([np.log(x + i) for i in range(k)], axis=0) for x in (one, other)]
    weight = -problems * sum(np.log(size + i) for i in range(k))
    for c in range(k + 1):
        up = (rises[0][c - 1] if c else 0.0) + (rises[1][k - c - 1] if c < k else 0.0)
        weight = weight + counts[:, c : c + 1] * up
    weight -= (a - 1) * np.log(theta) + (b - 1) * np.log1p(-theta)
    return theta, np.exp(weight - weight.max(axis=1, keepdims=True))


def paired(cells: Floats, rng: np.random.Generator) -> Bounds:
    """Of a difference, one attempt a problem.

    Args:
        cells: replicates x (both correct, the first alone, the second alone, neither).
    """
    lows, highs = [], []
    for both, first, second, neither in cells:
        n = both + first + second + neither
        a, b = both + first, both + second
        one = rng.beta(1 + a / 2, 1 + (n - a) / 2, DRAWS)
        two = rng.beta(1 + b / 2, 1 + (n - b) / 2, DRAWS)
        p11 = _both(*(special.ndtri(np.clip(x, 1e-12, 1 - 1e-12)) for x in (one, two)), rng.uniform(-1, 1, DRAWS))
        table = np.array([p11, one - p11, two - p11, 1 - one - two + p11])
        weight = np.array([both, first, second, neither]) @ np.log(np.maximum(table, 1e-15))
        for x, c in ((one, a), (two, b)):
            weight -= c / 2 * np.log(x) + (n - c) / 2 * np.log1p(-x)
        low, high = quantiles((one - two)[None], np.exp(weight - weight.max())[None])
        lows.append(low[0])
        highs.append(high[0])
    return np.array(lows), np.array(highs)


def _both(h: Floats, k: Floats, r: Floats) -> Floats:
    """P(X <= h, Y <= k) of two standard normal variables with correlation r: Phi(h) Phi(k) + the integral of their
    density over the correlation (Plackett 1954), by Gauss's quadrature over its arcsine."""
    node, weight = np.polynomial.legendre.leggauss(16)
    angle = np.arcsin(r)[:, None] * (node + 1) / 2
    exponent = -(h[:, None] ** 2 + k[:, None] ** 2 - 2 * (h * k)[:, None] * np.sin(angle)) / (2 * np.cos(angle) ** 2)
    return special.ndtr(h) * special.ndtr(k) + np.arcsin(r) / 2 * (np.exp(exponent) @ weight) / (2 * np.pi)


def quantiles(values: Floats, weights: Floats) -> Bounds:
    """Of weighted draws, a row for each replicate."""
    order = np.argsort(values, axis=1)
    sorted_values = np.take_along_axis(values, order, axis=1)
    reach = np.cumsum(np.take_along_axis(weights, order, axis=1), axis=1)
    reach /= reach[:, -1:]
    low, high = (np.take_along_axis(sorted_values, (reach < t).sum(axis=1)[:, None], axis=1)[:, 0] for t in TAILS)
    return low, high


def crossed(value: Floats, benchmarks: list[Squares], rng: np.random.Generator) -> Bounds:
    """Of a score or difference with several seeds; benchmarks are fitted one at a time."""
    noise = sum(_noise(found, rng) for found in benchmarks) / len(benchmarks)
    low, high = (value + np.quantile(noise, tail, axis=0) for tail in TAILS)
    return low, high


def _noise(found: Squares, rng: np.random.Generator) -> Floats:
    """Draws x replicates: posterior of the mean's deviation from the estimate."""
    n, two = len(found.rest), len(found.seeds) > 1
    prior = np.array([PRIOR, PRIOR, PRIOR, PRIOR_SEED])[:, None]
    at = np.log(np.tile([[0.3], [0.1], [0.3], [0.03]], n))
    density, step, kept = _density(found, at, prior), np.full((4, n), 0.3), []
    moved = [0, 1, 2, 3] if two else [0, 1, 3]
    for sweep in range(WARMUP + SWEEPS):
        for c in moved:
            new = at.copy()
            new[c] += step[c] * rng.standard_normal(n)
            other = _density(found, new, prior)
            taken = np.log(rng.random(n)) < other - density
            at, density = np.where(taken, new, at), np.where(taken, other, density)
            if sweep < WARMUP:
                step[c] *= np.exp((taken - 0.44) / (1 + sweep) ** 0.6)
        if sweep >= WARMUP:
            cell, own, shared, seed = np.exp(2 * at)
            variance = found.variance(cell, own, shared if two else np.zeros(n), seed)
            kept.append(np.sqrt(variance) * rng.standard_normal(n))
    return np.array(kept)


def _density(found: Squares, at: Floats, prior: Floats) -> Floats:
    """Logarithm of the posterior of the logarithms of four standard deviations."""
    cell, own, shared, seed = np.exp(2 * at)
    s, dp = found.seeds, found.df_problem
    tau = cell + found.problems * seed
    value = found.df_seed * (dp * np.log(cell) + np.log(tau)) + found.rest / cell + found.seed / tau
    if len(s) > 1:
        diagonal = [cell + x * (own + shared) for x in s]
        aside = shared * (s[0] * s[1]) ** 0.5
        det = np.maximum(diagonal[0] * diagonal[1] - aside**2, 1e-300)
        b = found.between
        value += dp * np.log(det)
        value += (diagonal[1] * b[:, 0, 0] + diagonal[0] * b[:, 1, 1] - 2 * aside * b[:, 0, 1]) / det
        used = at
    else:
        c = cell + s[0] * own
        value += dp * np.log(c) + found.between[:, 0, 0] / c
        used, prior = at[[0, 1, 3]], prior[[0, 1, 3]]
    return -value / 2 + (used - np.exp(2 * used) / (2 * prior**2)).sum(axis=0)
