"""The winner's curse, simulated: what the best of several arms seems to gain over a base, and what it gains.

    OMP_NUM_THREADS=1 PYTHONPATH=. python bench/best.py

Arms are equal, or one of them is better. Scores are normal: difficulty of the problem, an effect of each training seed
(sd 2 points), of the arm on each problem (sd 10 points), and of single cells (sd 20 points), on two benchmarks of
60 and 40 problems. Same numbers every time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reports.statistics import Floats
from reports.statistics.best import cross_fit

PROBLEMS = (60, 40)
SEED, ARM_X_PROBLEM, CELL = 0.02, 0.1, 0.2
SPLITS = 20
"""enough for means over many sweeps; a report has more"""


@dataclass(frozen=True)
class Gains:
    """Of the best arm over arm 0, in each simulated sweep."""

    naive: Floats
    cross_fitted: Floats


def sweep(rng: np.random.Generator, arms: int, better: float = 0.0, seeds: int = 3) -> list[list[Floats]]:
    """arms x benchmarks of seeds x problems; arm 1 is better than the others by `better`."""
    hard = [rng.normal(0.5, 0.2, problems) for problems in PROBLEMS]
    found = []
    for arm in range(arms):
        by_seed = rng.normal(better if arm == 1 else 0.0, SEED, (seeds, 1))
        found.append(
            [
                row + by_seed + rng.normal(0, ARM_X_PROBLEM, len(row)) + rng.normal(0, CELL, (seeds, len(row)))
                for row in hard
            ]
        )
    return found


def simulate(times: int, arms: int, better: float = 0.0, seeds: int = 3) -> Gains:
    naive, honest = [], []
    for draw in range(times):
        rng = np.random.default_rng([7, draw])
        values = sweep(rng, arms, better, seeds)
        mean = [np.mean([matrix.mean() for matrix in arm]) for arm in values]
        naive.append(max(mean) - mean[0])
        honest.append(cross_fit(values, 0, rng, SPLITS).gain)
    return Gains(np.array(naive), np.array(honest))


def main(times: int = 1000) -> None:
    print("| arms | seeds | one is better by | highest average − base | cross-fitted |\n|---:|---:|---:|---:|---:|")
    for arms in (2, 8, 24):
        for seeds, better in ((1, 0.0), (3, 0.0), (3, 0.02), (3, 0.1)):
            found = simulate(times, arms, better, seeds)
            shown = [f"{100 * of.mean():+.1f} ± {196 * of.std() / times**0.5:.1f}" for of in vars(found).values()]
            print(f"| {arms} | {seeds} | {100 * better:g} | {' | '.join(shown)} |")


if __name__ == "__main__":
    main()
