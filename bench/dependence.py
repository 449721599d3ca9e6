"""How often a report says that a sign depends on a choice: where nothing depends on it, and where something does.

    OMP_NUM_THREADS=1 PYTHONPATH=. python bench/dependence.py [--replicates 2000]

Four arms are answered under the planned decoding and under another, by the same checkpoints:

    logit p_asjx = difficulty_j + gain_ax + effect_ajx + seed_asx + rest_asjx,     y_asjx = Binomial(k, p_asjx) / k

where effects, seeds and rests correlate by .8 between the two. The first arm is the target, the others are its
baselines. Prints Markdown: how often the order of the arms changes, and the sign of one of the target's three
differences; how often an unpaired z test of the changes (the four scores taken as independent) would find one; and what
the rule of `reports/statistics/dependence.py` says of this choice by itself; a whole verdict, in which all choices are
one family, is in bench/causes.py. See docs/statistics.md, which holds the table.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from reports.data.alternatives import Alternative, average
from reports.statistics.dependence import (
    MARGIN,
    Interaction,
    Matrices,
    change,
    checkpoint_left_out,
    common,
    interaction,
    seed_left_out,
)

ALPHA, ARMS, CORRELATION, K = 0.05, 4, 0.8, 4
SIX = (30, 30, 40, 272, 500, 675)
"""problems: AIME24, AIME25, AMC23, Minerva, MATH-500, OlympiadBench"""
SD_DIFFICULTY, SD_EFFECT, SD_REST = 2.0, 0.28, 0.3
"""logits, as in bench/truth.py"""


@dataclass(frozen=True)
class Choices:
    """One row of the study."""

    name: str
    sizes: tuple[int, ...]
    """problems of each benchmark"""
    seeds: int
    sd_seed: float
    """logits, of every arm"""
    planned: float = 0.0
    """logits by which the target is above all baselines as planned"""
    under: float = 0.0
    """logits by which it is above them under the other decoding"""

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """2 decodings x arms, each a list over benchmarks of S x J shares."""
        seed = _correlated(rng, self.sd_seed, (ARMS, self.seeds, 1))
        gain = np.zeros((2, ARMS, 1, 1))
        gain[:, 0, 0, 0] = self.planned, self.under
        drawn = np.empty((2, ARMS), dtype=object)
        for x in range(2):
            for arm in range(ARMS):
                drawn[x, arm] = []
        for size in self.sizes:
            difficulty = rng.normal(0, SD_DIFFICULTY, size)
            effect = _correlated(rng, SD_EFFECT, (ARMS, 1, size))
            rest = _correlated(rng, SD_REST, (ARMS, self.seeds, size))
            shares = rng.binomial(K, special.expit(difficulty + gain + effect + seed + rest)) / K
            for x in range(2):
                for arm in range(ARMS):
                    drawn[x, arm].append(shares[x, arm])
        return drawn


@dataclass(frozen=True)
class Rates:
    """Shares of replicates."""

    order: float
    sign: float
    unpaired: float
    excludes: float
    material: float
    depends: float


def _correlated(rng: np.random.Generator, sd: float, shape: tuple[int, ...]) -> np.ndarray:
    """Two normal variables of this sd with `CORRELATION`, first axis."""
    both = rng.normal(0, sd * CORRELATION**0.5, shape)
    return both + rng.normal(0, sd * (1 - CORRELATION) ** 0.5, (2, *shape))


def measure(row: Choices, replicates: int, rng: np.random.Generator, margin: float = MARGIN) -> Rates:
    """Of each replicate: whether the order changes, and whether anything of the family of three is found."""
    counts = np.zeros(6)
    for _ in range(replicates):
        drawn = row.draw(rng)
        mean = np.array([[np.mean([m.mean() for m in arm]) for arm in arms] for arms in drawn])
        changes = [change(drawn[1, arm], drawn[0, arm]) for arm in range(ARMS)]
        confidence = common(ALPHA, ARMS - 1)
        estimates = [interaction(changes[0], other, "algorithm", confidence) for other in changes[1:]]
        judged = [Interaction(estimate, ARMS - 1, margin) for estimate in estimates]
        signs = (mean[0, 0] - mean[0, 1:]) * (mean[1, 0] - mean[1, 1:]) < 0
        counts += (
            (np.argsort(mean[0]) != np.argsort(mean[1])).any(),
            signs.any(),
            any(_unpaired(drawn[:, [0, arm]]) < ALPHA / (ARMS - 1) for arm in range(1, ARMS)),
            any(one.excludes_zero for one in judged),
            any(one.material for one in judged),
            any(one.material and sign for one, sign in zip(judged, signs, strict=True)),
        )
    return Rates(*(counts / replicates))


def named(arms: np.ndarray) -> dict[str, Matrices]:
    """One decoding's arms by the number of each, the target's `0`."""
    return {str(place): matrices for place, matrices in enumerate(arms)}


def without_seed(planned: Mapping[str, Matrices], seed: int) -> Alternative:
    """The arms without one of their seeds."""
    moved = {arm: average(m) + average(checkpoint_left_out(m, seed)) for arm, m in planned.items()}
    return Alternative("", moved, {arm: seed_left_out(m, seed) for arm, m in planned.items()}, "benchmark")


def family(alternatives: Sequence[Alternative], planned: Mapping[str, Matrices]) -> tuple[bool, bool]:
    """Of one choice, whether some change is material, and whether it changes a sign."""
    target, *baselines = planned
    tests = [(one, arm) for one in alternatives for arm in baselines]
    confidence = common(ALPHA, len(tests))
    material, depends = [], []
    for one, arm in tests:
        found = interaction(one.changes[target], one.changes[arm], one.estimand or "algorithm", confidence)
        gap = average(planned[target]) - average(planned[arm])
        material.append(Interaction(found, len(tests), MARGIN).material)
        depends.append(material[-1] and (one.averages[target] - one.averages[arm]) * gap < 0)
    return any(material), any(depends)


def _unpaired(cells: np.ndarray) -> float:
    """p of a z test of the change, with the four scores taken as independent, each with its clustered error."""
    value = variance = 0.0
    for weight, matrices in zip((-1, 1, 1, -1), cells.ravel(), strict=True):
        value += weight * np.mean([m.mean() for m in matrices])
        variance += sum(m.mean(axis=0).var(ddof=1) / m.shape[1] for m in matrices) / len(matrices) ** 2
    return float(2 * special.ndtr(-abs(value) / variance**0.5))


def rows() -> list[Choices]:
    """Equal arms first, then arms of which something depends. One seed is a question about checkpoints, and of these
    nothing depends if seeds do not differ."""
    found = [Choices("equal, 500 problems, 1 seed, sd 0", (500,), 1, 0.0)]
    found += [
        Choices(f"equal, {name}, {seeds} seeds, sd {sd:g}", sizes, seeds, sd)
        for name, sizes in (("30 problems", (30,)), ("500 problems", (500,)), ("six benchmarks", SIX))
        for seeds, sd in ((3, 0.0), (3, 0.1), (3, 0.4), (5, 0.1), (10, 0.1))
    ]
    for name, planned, under in (
        ("same lead of 4 points", 0.32, 0.32),
        ("from +4 to +2", 0.32, 0.16),
        ("from +4 to 0", 0.32, 0.0),
        ("from +2 to −2", 0.16, -0.16),
        ("from +4 to −4", 0.32, -0.32),
    ):
        for seeds in (3, 5):
            found.append(Choices(f"{name}, 500 problems, {seeds} seeds, sd 0.1", (500,), seeds, 0.1, planned, under))
    return found


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--margin", type=float, default=100 * MARGIN, help="points")
    args = parser.parse_args(argv)
    print("| | order changes | a sign changes | unpaired z finds | excludes 0 | and beyond the margin | depends |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for place, row in enumerate(rows()):
        one = measure(row, args.replicates, np.random.default_rng([7, place]), args.margin / 100)
        cells = (one.order, one.sign, one.unpaired, one.excludes, one.material, one.depends)
        print(f"| {row.name} | {' | '.join(f'{rate:.3f}'.removeprefix('0') for rate in cells)} |", flush=True)


if __name__ == "__main__":
    main()
