"""Designs at the edges, of known truth: seeds that differ in number between arms, that collapse or share the order of
data, several benchmarks, single checkpoints.

    logit p_abjs = base_b + difficulty_bj + effect_abj + gain_a + seed_as + rest_abjs,   y = Binomial(k, p) / k

as in bench/truth.py, whose constants these are. An effect of a seed is one effect on all benchmarks. What is expected
of an arm and every variance follow by quadrature, not by simulation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np
from scipy import optimize, special

from bench.truth import CHUNK, SD_DIFFICULTY, SD_REST, _logistic, _nodes
from reports.statistics import Estimand
from reports.statistics.satterthwaite import Floats

SD_EFFECT = 0.4 / 2**0.5
SD_OTHER = float(np.hypot(np.hypot(SD_DIFFICULTY, SD_EFFECT), SD_REST))
"""logits, of everything but a seed"""
SD_CELL = float(np.hypot(SD_EFFECT, SD_REST))

Data = list[list[Floats]]
"""data[arm][benchmark] is replicates x S x J shares"""


@dataclass(frozen=True)
class Arm:
    seeds: int
    gain: float = 0.0
    sd_seed: float = 0.0
    """logits"""
    collapse: float = 0.0
    """logits by which a seed in five is worse"""

    @cached_property
    def nodes(self) -> tuple[Floats, Floats]:
        """Effects of a seed, and their weights."""
        z, weight = _nodes()
        if not self.collapse:
            return self.sd_seed * z, weight
        effects = np.concatenate([self.sd_seed * z, self.sd_seed * z - self.collapse])
        return effects, np.concatenate([0.8 * weight, 0.2 * weight])


@dataclass(frozen=True)
class Design:
    problems: tuple[int, ...]
    """of each benchmark"""
    arms: tuple[Arm, ...]
    """one, whose score it is; or two, whose difference"""
    bases: tuple[float, ...] = (0.0,)
    """logit of each benchmark's average problem"""
    k: int = 1
    correlation: float = 0.0
    """of the effects of two arms' seeds of the same number"""
    estimand: Estimand = "algorithm"

    @property
    def weights(self) -> tuple[float, ...]:
        return (1.0, -1.0)[: len(self.arms)]

    @cached_property
    def by_benchmark(self) -> list[list[_Cell]]:
        """[benchmark][arm]"""
        return [[_Cell(base + arm.gain, arm, self.k) for arm in self.arms] for base in self.bases]

    @cached_property
    def mean(self) -> float:
        """Of the score or difference, over new seeds and new problems."""
        return float(sum(w * np.mean([c[a].mean for c in self.by_benchmark]) for a, w in enumerate(self.weights)))

    def truth(self, effects: list[Floats]) -> Floats:
        """What an interval has to hold, for each replicate: with `checkpoints` what the seeds that were drawn come to.

        Args:
            effects: of each arm, replicates x S.
        """
        if self.estimand == "algorithm":
            return np.full(len(effects[0]), self.mean)
        total = np.zeros(len(effects[0]))
        for weight, arm, effect in zip(self.weights, self.arms, effects, strict=True):
            for base in self.bases:
                expected = _logistic((base + arm.gain + effect).ravel(), SD_OTHER).reshape(effect.shape)
                total += weight * expected.mean(axis=1) / len(self.bases)
        return total

    @cached_property
    def parts(self) -> list[tuple[float, float, int]]:
        """(expected mean square over what it is divided by, degrees of freedom, sign) of all that an interval is made
        of: seeds of each arm (together if their effects are correlated), problems of each benchmark, what is left."""
        paired = self.correlation != 0
        seeds, rest, problem, sizes = [], [], [], len(self.bases)
        sized = list(zip(self.by_benchmark, self.problems, strict=True))
        for a, arm in enumerate(self.arms):
            own = float(_variance(arm.nodes, np.mean([c[a].by_seed for c in self.by_benchmark], axis=0)))
            left = [c[a].residual / (arm.seeds * j * sizes**2) for c, j in sized]
            seeds.append(own / arm.seeds + sum(left))
            rest.append(left)
        for b, (cells, j) in enumerate(sized):
            shared = 2 * _shared_problem(*cells) if len(cells) > 1 else 0.0
            own = (sum(c.problem for c in cells) - shared) / (j * sizes**2)
            problem.append(own + sum(left[b] for left in rest) - (2 * self._joint[b] if paired else 0.0))
        dfs = [arm.seeds - 1 for arm in self.arms]
        if paired:
            seed = sum(seeds) - 2 * (self._shared_seed / self.arms[0].seeds + sum(self._joint))
            found = [(seed, float(dfs[0]), 1)]
            left = [sum(one) - 2 * joint for one, joint in zip(zip(*rest, strict=True), self._joint, strict=True)]
            minus = [(r, dfs[0] * (j - 1.0), -1) for r, j in zip(left, self.problems, strict=True)]
        else:
            found = [(seed, float(df), 1) for seed, df in zip(seeds, dfs, strict=True)]
            minus = [
                (r, df * (j - 1.0), -1)
                for left, df in zip(rest, dfs, strict=True)
                for r, j in zip(left, self.problems, strict=True)
            ]
        plus = [(v, j - 1.0, 1) for v, j in zip(problem, self.problems, strict=True)]
        return plus if self.estimand == "checkpoints" else [*found, *plus, *minus]

    @property
    def variance(self) -> float:
        return sum(sign * v for v, _, sign in self.parts)

    @property
    def df(self) -> float:
        """Satterthwaite's, of the true mean squares."""
        return self.variance**2 / sum(v**2 / df for v, df, _ in self.parts)

    @cached_property
    def _shared_seed(self) -> float:
        """Covariance of two arms' scores of one seed."""
        one, two = self.arms
        z, weight = _nodes()
        r = self.correlation
        h = [
            np.mean([_logistic(base + one.gain + one.sd_seed * z, SD_OTHER) for base in self.bases], axis=0),
            np.mean(
                [
                    _logistic(
                        base + two.gain + r * two.sd_seed * z,
                        float(np.hypot(SD_OTHER, two.sd_seed * (1 - r**2) ** 0.5)),
                    )
                    for base in self.bases
                ],
                axis=0,
            ),
        ]
        return float(weight @ (h[0] * h[1]) - (weight @ h[0]) * (weight @ h[1]))

    @cached_property
    def _joint(self) -> list[float]:
        """Of each benchmark, what two arms' cells of one seed have in common beside seed and problem, over S J B^2."""
        one, two = self.arms
        z, weight = _nodes()
        r, found = self.correlation, []
        for base, j, cells in zip(self.bases, self.problems, self.by_benchmark, strict=True):
            at = (base + SD_DIFFICULTY * z)[:, None]
            first = _logistic((at + one.gain + one.sd_seed * z).ravel(), SD_CELL).reshape(len(z), -1)
            sd = float(np.hypot(SD_CELL, two.sd_seed * (1 - r**2) ** 0.5))
            second = _logistic((at + two.gain + r * two.sd_seed * z).ravel(), sd).reshape(len(z), -1)
            both = weight @ (first * second) @ weight - cells[0].mean * cells[1].mean
            seed = weight @ ((weight @ first) * (weight @ second)) - cells[0].mean * cells[1].mean
            found.append((both - seed - _shared_problem(*cells)) / (one.seeds * j * len(self.bases) ** 2))
        return found

    def draw(self, rng: np.random.Generator, replicates: int) -> Iterator[tuple[Data, Floats]]:
        """Chunks of replicates, with what an interval has to hold in each."""
        cells = sum(arm.seeds for arm in self.arms) * sum(self.problems)
        size = max(1, min(200, CHUNK // cells))
        for first in range(0, replicates, size):
            n = min(size, replicates - first)
            effects = self._effects(rng, n)
            drawn = [self._answers(rng, effects, base, j) for base, j in zip(self.bases, self.problems, strict=True)]
            yield [[of_arms[a] for of_arms in drawn] for a in range(len(self.arms))], self.truth(effects)

    def _effects(self, rng: np.random.Generator, n: int) -> list[Floats]:
        found = []
        for arm in self.arms:
            z = rng.standard_normal((n, arm.seeds))
            if found and self.correlation:
                z = self.correlation * found[0] / self.arms[0].sd_seed + (1 - self.correlation**2) ** 0.5 * z
            found.append(arm.sd_seed * z - arm.collapse * (rng.random((n, arm.seeds)) < 0.2))
        return found

    def _answers(self, rng: np.random.Generator, effects: list[Floats], base: float, j: int) -> list[Floats]:
        n, found = len(effects[0]), []
        difficulty = base + SD_DIFFICULTY * rng.standard_normal((n, 1, j), np.float32)
        for arm, effect in zip(self.arms, effects, strict=True):
            x = SD_REST * rng.standard_normal((n, arm.seeds, j), np.float32)
            x += difficulty + np.float32(SD_EFFECT) * rng.standard_normal((n, 1, j), np.float32)
            x += (effect[..., None] + arm.gain).astype(np.float32)
            special.expit(x, out=x)
            right = sum((rng.random(x.shape, np.float32) < x).astype(np.int8) for _ in range(self.k))
            found.append(np.asarray(right, float) / self.k)
        return found


@dataclass(frozen=True)
class _Cell:
    """An arm on a benchmark."""

    at: float
    """logit of the average problem"""
    arm: Arm
    k: int

    @cached_property
    def by_seed(self) -> Floats:
        """Expected score, for each of a seed's possible effects."""
        return _logistic(self.at + self.arm.nodes[0], SD_OTHER)

    @cached_property
    def by_difficulty(self) -> Floats:
        """Expected score of problems of each difficulty."""
        z, _ = _nodes()
        effects, weight = self.arm.nodes
        at = (self.at + SD_DIFFICULTY * z[:, None] + effects).ravel()
        return _logistic(at, SD_CELL).reshape(len(z), -1) @ weight

    @property
    def mean(self) -> float:
        return float(self.arm.nodes[1] @ self.by_seed)

    @cached_property
    def problem(self) -> float:
        """Variance between problems of what is expected over seeds."""
        z, inner = _nodes()
        effects, weight = self.arm.nodes
        own = float(np.hypot(SD_DIFFICULTY, SD_EFFECT))
        p = _logistic((self.at + own * z[:, None] + effects).ravel(), SD_REST).reshape(len(z), -1) @ weight
        return float(inner @ p**2 - (inner @ p) ** 2)

    @cached_property
    def residual(self) -> float:
        """Variance of one cell, a share of k answers, beside its seed's and its problem's."""
        z, inner = _nodes()
        effects, weight = self.arm.nodes
        p = special.expit(self.at + SD_OTHER * z[:, None] + effects)
        whole = float(inner @ p**2 @ weight) - self.mean**2
        return (
            whole
            - float(_variance(self.arm.nodes, self.by_seed))
            - self.problem
            + float(inner @ (p * (1 - p)) @ weight) / self.k
        )


def _shared_problem(one: _Cell, other: _Cell) -> float:
    """Covariance over problems of what is expected of two arms."""
    _, weight = _nodes()
    return float(weight @ (one.by_difficulty * other.by_difficulty)) - one.mean * other.mean


def _variance(nodes: tuple[Floats, Floats], values: Floats) -> Floats:
    weight = nodes[1]
    return weight @ values**2 - (weight @ values) ** 2


@cache
def base_of(rate: float) -> float:
    """The average problem's logit at which an arm without gain and seeds scores `rate`."""
    return float(optimize.brentq(lambda at: _logistic(at, SD_OTHER)[0] - rate, -40, 40, xtol=1e-6))


def sd_of(points: float, base: float = 0.0) -> float:
    """The sd between seeds, in logits, that makes seeds' scores differ by so many points (sd)."""

    def off(sd: float) -> float:
        return 100 * float(_variance(Arm(1, sd_seed=sd).nodes, _Cell(base, Arm(1, sd_seed=sd), 1).by_seed)) ** 0.5

    return float(optimize.brentq(lambda sd: off(sd) - points, 0, 3, xtol=1e-4))


def level(arm: Arm, other: Arm, base: float = 0.0) -> Arm:
    """The arm, with the gain that makes its expected score the other's."""
    aim = _Cell(base + other.gain, other, 1).mean
    gain = optimize.brentq(lambda g: _Cell(base + g, replace(arm, gain=g), 1).mean - aim, -5, 5, xtol=1e-6)
    return replace(arm, gain=float(gain))
