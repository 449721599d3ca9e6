"""How often `rence same` and `rence reproduce` err where nothing differs, with known truth.

    OMP_NUM_THREADS=1 PYTHONPATH=. python bench/reproducing.py [--replicates 4000]

Problems' difficulties are normal on the logit scale and drawn once a setting, for both questions are about the problems
that are there; seeds are shifts of all logits. Same numbers every time.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from scipy import special

from reports.questions.same import TESTS
from reports.statistics.exchange import AnswerCounts, interval, mean_test, pattern_test
from reports.statistics.reproduction import own_training, same_weights

ALPHA = 0.05
ROUNDING = 0.0005
"""half of the last digit of percent printed with one decimal"""
SD_DIFFICULTY = 1.5
SAME_SHARE = 5
"""one pair of checkpoints to so many tables: `same` draws 9,999 exchanges a pair"""


@dataclass(frozen=True)
class SameSetting:
    """One checkpoint asked twice."""

    problems: int
    k_a: int
    k_b: int
    rate: float


@dataclass(frozen=True)
class PublishedSetting:
    """One published score, printed with one decimal, and ours."""

    seeds: int
    theirs: int
    """seeds of the published score; 0: the very checkpoint"""
    problems: int
    k: int
    k_theirs: int
    sd: float
    """between seeds, logits"""


SAME = [
    SameSetting(30, 32, 32, 0.5),
    SameSetting(500, 4, 4, 0.5),
    SameSetting(500, 1, 1, 0.5),
    SameSetting(100, 4, 16, 0.95),
]
PUBLISHED = [
    PublishedSetting(1, 0, 30, 4, 1, 0.0),
    PublishedSetting(1, 0, 30, 32, 32, 0.0),
    PublishedSetting(1, 0, 500, 1, 1, 0.0),
    PublishedSetting(3, 1, 500, 4, 1, 0.1),
    PublishedSetting(5, 3, 500, 4, 1, 0.1),
    PublishedSetting(3, 1, 500, 1, 1, 0.1),
    PublishedSetting(3, 1, 30, 32, 32, 0.1),
    PublishedSetting(3, 1, 30, 32, 32, 0.0),
    PublishedSetting(2, 1, 500, 4, 1, 0.1),
]


def difficulties(problems: int, rate: float, draw: np.random.Generator) -> np.ndarray:
    """Logits of one set of problems."""
    return draw.normal(special.logit(rate), SD_DIFFICULTY, problems)


def called_different(s: SameSetting, pairs: int, draw: np.random.Generator) -> tuple[float, float]:
    """Shares of pairs of a checkpoint with itself: called different at 5 %, and with 0 in the 95 % interval."""
    p = special.expit(difficulties(s.problems, s.rate, draw))
    different = covered = 0
    for _ in range(pairs):
        table = AnswerCounts(draw.binomial(s.k_a, p), draw.binomial(s.k_b, p), s.k_a, s.k_b)
        found = [test.p_value for test in (mean_test([table], draw), pattern_test([table], draw)) if test]
        different += TESTS * min(found) < ALPHA
        low, high = interval([table], 1 - ALPHA)
        covered += low <= 0 <= high
    return different / pairs, covered / pairs


def false_alarms(s: PublishedSetting, tables: int, draw: np.random.Generator) -> float:
    """Share of published scores of the same training, or checkpoint, that are called not consistent at 5 %."""
    logits, alarms = difficulties(s.problems, 0.5, draw), 0

    def checkpoints(n: int) -> np.ndarray:
        return special.expit(logits + draw.normal(0, s.sd, (n, 1)))

    for _ in range(tables):
        p = checkpoints(s.seeds)
        ours, q = draw.binomial(s.k, p) / s.k, checkpoints(s.theirs) if s.theirs else p
        printed = round(100 * float(draw.binomial(s.k_theirs, q).mean() / s.k_theirs), 1) / 100
        noise = (
            own_training([ours], [(s.k,) * s.seeds], [s.k_theirs], s.theirs)
            if s.theirs
            else same_weights([ours], [s.k], [s.k_theirs])
        )
        assert noise is not None
        alarms += noise.p_value(float(ours.mean()) - printed, ROUNDING) < ALPHA
    return alarms / tables


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--replicates", type=int, default=4000)
    replicates = parser.parse_args().replicates
    pairs = max(1, replicates // SAME_SHARE)
    print(
        f"| same: problems, k, rate | called different, of {pairs:,} pairs | 95 % interval holds 0 |\n|---|---:|---:|"
    )
    for number, one in enumerate(SAME):
        different, covered = called_different(one, pairs, np.random.default_rng([1, number]))
        rate = f"{one.rate:.2f}".lstrip("0")
        print(f"| {one.problems}, {one.k_a} against {one.k_b}, {rate} | {different:.3f} | {covered:.3f} |", flush=True)
    print(f"\n| reproduce: seeds, problems, k, sd of seeds in logits | false alarms, of {replicates:,} |\n|---|---:|")
    for number, other in enumerate(PUBLISHED):
        alarms = false_alarms(other, replicates, np.random.default_rng([2, number]))
        seeds = f"{other.seeds} against {other.theirs}" if other.theirs else "the same weights"
        design = f"{seeds}, {other.problems}, {other.k} against {other.k_theirs}, {other.sd:g}"
        print(f"| {design} | {alarms:.3f} |", flush=True)


if __name__ == "__main__":
    main()
