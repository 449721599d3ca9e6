"""Coverage of the intervals of pass@k, of its differences, and of pass^k, at nominal .95.

    PYTHONPATH=. python bench/pass_at_k.py [REPLICATES]

Binary answers whose logits are a problem's difficulty (sd 2) and a seed's effect (sd .2, none with one seed), 16
attempts a problem; the second arm is .5 logits ahead of the first.
"""

from __future__ import annotations

import sys
from collections import defaultdict

import numpy as np
from scipy import special

from reports.statistics import Floats, contrast, pass_at_k, pass_hat_k

MEANS = {"hard": -1.0, "middle": 1.5, "easy": 4.0}
"""logits"""
SHAPES = ((30, 3), (100, 3), (30, 1))
"""problems, seeds"""
ATTEMPTS, AHEAD, SD_PROBLEM, SD_SEED = 16, 0.5, 2.0, 0.2
KS = (1, 4, 16)
DRAWS = 400_000


def main(replicates: int) -> None:
    heads = [f"{what} {k}" for k in KS for what in ("pass@", "difference at", "pass^")]
    print("| problems | n, seeds |", " | ".join(heads), "|")
    print("|---|---|", "---|" * len(heads), sep="")
    for place, (name, mean) in enumerate(MEANS.items()):
        for problems, seeds in SHAPES:
            rng = np.random.default_rng([9, place, problems, seeds])
            sd = SD_SEED if seeds > 1 else 0.0
            true = truth(mean, sd, rng)
            held: dict[tuple[str, int], int] = defaultdict(int)
            for _ in range(replicates):
                for key, interval in intervals(mean, sd, problems, seeds, rng).items():
                    held[key] += interval is not None and interval[0] <= true[key] <= interval[1]
            cells = " | ".join(f"{held[what, k] / replicates:.3f}" for k in KS for what in ("one", "gap", "all"))
            print("|", name, "|", f"{problems}, {seeds}", "|", cells, "|", flush=True)


def truth(mean: float, sd: float, rng: np.random.Generator) -> dict[tuple[str, int], float]:
    """Over new seeds and new problems."""
    logits = rng.normal(mean, SD_PROBLEM, DRAWS) + rng.normal(0, 1, DRAWS) * sd
    p, ahead = special.expit(logits), special.expit(logits + AHEAD)
    found = {("one", k): float(np.mean(1 - (1 - p) ** k)) for k in KS}
    found |= {("gap", k): float(np.mean((1 - p) ** k - (1 - ahead) ** k)) for k in KS}
    return found | {("all", k): float(np.mean(p**k)) for k in KS}


def intervals(
    mean: float, sd: float, problems: int, seeds: int, rng: np.random.Generator
) -> dict[tuple[str, int], tuple[float, float] | None]:
    difficulty = rng.normal(mean, SD_PROBLEM, problems)
    n = np.full((seeds, problems), ATTEMPTS)
    first, second = (
        rng.binomial(ATTEMPTS, special.expit(difficulty + gain + rng.normal(0, 1, (seeds, 1)) * sd))
        for gain in (0.0, AHEAD)
    )
    found = {}
    for k in KS:
        one, other = pass_at_k(n, first, k), pass_at_k(n, second, k)
        found["one", k] = _interval([one], (1.0,), k)
        found["gap", k] = _interval([other, one], (1.0, -1.0), k)
        found["all", k] = _interval([pass_hat_k(n, first, k)], (1.0,), k)
    return found


def _interval(arms: list[Floats], weights: tuple[float, ...], k: int) -> tuple[float, float] | None:
    attempts = [[[ATTEMPTS // k] * len(arm)] for arm in arms]
    return contrast([[arm] for arm in arms], weights, attempts=attempts).interval


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)
