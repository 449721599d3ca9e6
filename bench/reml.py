"""Crossed random effects by restricted maximum likelihood: what lme4 or statsmodels would fit to the shares of cells,

    y_asj = mean_a + problem_j + (arm x problem)_aj + seed_as + rest_asj,

with one variance for all arms, as their defaults have it. The likelihood hangs on five mean squares alone, so that a
fit takes microseconds; with equal numbers of seeds it is solved exactly, by isotonic regression of the mean squares
(Robertson, Wright & Dykstra 1988, Order Restricted Statistical Inference, ch. 1). Benchmarks are fitted one at a time
and their variances are summed, as separate fits would be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from reports.statistics.satterthwaite import Floats


@dataclass(frozen=True)
class Squares:
    """Sums of squares of one benchmark, for each replicate, and the degrees of freedom they have."""

    rest: Floats
    """within arm and problem; expected s_e"""
    seed: Floats
    """between seeds of an arm, times J; expected s_e + J s_seed"""
    between: Floats
    """replicates x arms x arms: scatter over problems of sqrt(S_a) x the arm's mean; expected
    s_e I + s_arm_problem diag(S) + s_problem sqrt(S) sqrt(S)'"""
    seeds: tuple[int, ...]
    problems: int

    @property
    def df_seed(self) -> int:
        return sum(self.seeds) - len(self.seeds)

    @property
    def df_problem(self) -> int:
        return self.problems - 1

    def variance(self, cell: Floats, own: Floats, shared: Floats, seed: Floats) -> Floats:
        """Of the score or of the difference of the arms' means, of these components."""
        each = sum(1 / s for s in self.seeds)
        problem = len(self.seeds) * own if len(self.seeds) > 1 else own + shared
        return seed * each + (problem + cell * each) / self.problems


def squares(arms: list[Floats]) -> Squares:
    """
    Args:
        arms: of each arm, replicates x S x J shares of one benchmark.
    """
    rest, seed, centred = 0.0, 0.0, []
    for y in arms:
        of_seed, of_problem = y.mean(axis=2, keepdims=True), y.mean(axis=1, keepdims=True)
        whole = of_problem.mean(axis=2, keepdims=True)
        rest = rest + ((y - of_seed - of_problem + whole) ** 2).sum(axis=(1, 2))
        seed = seed + y.shape[2] * ((of_seed - whole) ** 2).sum(axis=(1, 2))
        centred.append(y.shape[1] ** 0.5 * (of_problem - whole)[:, 0])
    between = np.einsum("anj,bnj->nab", centred, centred)
    return Squares(np.asarray(rest), np.asarray(seed), between, tuple(y.shape[1] for y in arms), arms[0].shape[2])


def variance(found: Squares) -> Floats:
    """The estimated variance of the score or difference, for each replicate."""
    if len(set(found.seeds)) == 1:
        return _balanced(found)
    return np.array([_fitted(found, i) for i in range(len(found.rest))])


def _balanced(found: Squares) -> Floats:
    """Expected mean squares are in order: rest <= own <= shared, and rest <= seed."""
    s, dp = found.seeds[0], found.df_problem
    df = {"rest": found.df_seed * dp, "seed": found.df_seed, "own": dp, "shared": dp}
    b = found.between
    own, shared = b[:, 0, 0], None
    if len(found.seeds) > 1:
        own = (b[:, 0, 0] + b[:, 1, 1]) / 2 - b[:, 0, 1]
        shared = (b[:, 0, 0] + b[:, 1, 1]) / 2 + b[:, 0, 1]
    total = {"rest": found.rest, "seed": found.seed, "own": own, "shared": shared}
    sets = [("rest",), ("rest", "seed"), ("rest", "own"), ("rest", "own", "seed")]
    if shared is not None:
        sets += [("rest", "own", "shared"), ("rest", "own", "shared", "seed")]
    # the least expected mean square is the least average over all sets that reach down to it
    least = np.min([sum(total[n] for n in names) / sum(df[n] for n in names) for names in sets], axis=0)
    above = own / dp if shared is None else np.minimum(own / dp, (own + shared) / (2 * dp))
    top, seed = np.maximum(above, least), np.maximum(found.seed / found.df_seed, least)
    return (seed + top - least) * len(found.seeds) / (s * found.problems)


def _fitted(found: Squares, i: int) -> float:
    """Of unequal numbers of seeds: by a quasi-Newton search over the logarithms of three components."""
    s, dp = np.array(found.seeds, float), found.df_problem
    root, scatter = np.sqrt(s), found.between[i]
    cell = max(found.rest[i] / (found.df_seed * dp), 1e-9)

    def seed_of(e: float) -> float:
        return max(found.seed[i] / found.df_seed, e)

    def deviance(theta: Floats) -> float:
        e, own, shared = np.exp(theta)
        c = e * np.eye(2) + own * np.diag(s) + shared * np.outer(root, root)
        det = c[0, 0] * c[1, 1] - c[0, 1] ** 2
        trace = (c[1, 1] * scatter[0, 0] + c[0, 0] * scatter[1, 1] - 2 * c[0, 1] * scatter[0, 1]) / det
        tau = seed_of(e)
        value = found.df_seed * (dp * np.log(e) + np.log(tau)) + found.rest[i] / e + found.seed[i] / tau
        return float(value + dp * np.log(det) + trace)

    start = np.log([cell, 0.1 * cell + 1e-6, cell + 1e-6])
    fit = optimize.minimize(deviance, start, method="L-BFGS-B", bounds=[(-25, 3)] * 3)
    e, own, shared = np.exp(fit.x)
    return float(found.variance(e, own, shared, (seed_of(e) - e) / found.problems))
