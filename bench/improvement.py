"""Coverage and width of the interval of a probability of improvement, beside Brunner & Munzel's own and Newcombe's.

    PYTHONPATH=. python bench/improvement.py [REPLICATES]

Seeds' scores are normal; the first arm may be ahead, have another spread, or collapse now and then.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from scipy import optimize, special, stats

from reports.statistics.improvement import improvement
from reports.statistics.satterthwaite import Floats

SETTINGS = {
    "equal": (0, 1, 0.0),
    "ahead by 1 sd": (1, 1, 0.0),
    "ahead by 3 sd": (3, 1, 0.0),
    "4 times the spread": (0, 4, 0.0),
    "ahead by 2, 4 times the spread": (2, 4, 0.0),
    "ahead by 1, collapses in a fifth": (1, 1, 0.2),
    "ahead by 3, collapses in a fifth": (3, 1, 0.2),
}
"""shift and spread of the first arm, the other's spread being 1, and how often it collapses"""
SIDES = ((8, 8), (10, 10), (8, 20), (20, 8), (30, 30))
Interval = Callable[[Floats, Floats], tuple[float, float]]


def ours(a: Floats, b: Floats) -> tuple[float, float]:
    found = improvement(a.tolist(), b.tolist())
    assert found is not None
    return found.interval


def brunner_munzel(a: Floats, b: Floats) -> tuple[float, float]:
    """Symmetric, with their t."""
    wins = (a[:, None] > b).astype(float)
    parts = np.array([wins.mean(axis=1).var(ddof=1) / len(a), wins.mean(axis=0).var(ddof=1) / len(b)])
    variance = parts.sum()
    if variance == 0:
        return float(wins.mean()), float(wins.mean())
    df = variance**2 / (parts**2 / (len(a) - 1, len(b) - 1)).sum()
    half = special.stdtrit(df, 0.975) * np.sqrt(variance)
    return float(wins.mean() - half), float(wins.mean() + half)


def newcombe(a: Floats, b: Floats) -> tuple[float, float]:
    """His method 5 (2006, Statistics in Medicine 25(4), 559-573)."""
    share, sides = float((a[:, None] > b).mean()), (len(a), len(b))

    def low(of: float) -> float:
        # of the two roots that there are at 1 the one that is not 1
        return float(optimize.brentq(lambda t: (of - t) ** 2 - 1.96**2 * _spread(t, *sides), 0, of * (1 - 1e-9)))

    if share in (0, 1):
        return (0.0, 1 - low(1.0)) if share == 0 else (low(1.0), 1.0)
    return low(share), 1 - low(1 - share)


def _spread(t: float, m: int, n: int) -> float:
    more = (m + n) / 2 - 1
    return t * (1 - t) * (1 + more * (1 - t) / (2 - t) + more * t / (1 + t)) / (m * n)


def main(replicates: int) -> None:
    methods: dict[str, Interval] = {"ours": ours, "Brunner-Munzel": brunner_munzel, "Newcombe": newcombe}
    print("| first arm | seeds |", " | ".join(f"{name}: cover, width" for name in methods), "|")
    print("|---|---|", "---|" * len(methods), sep="")
    for place, (name, (shift, sd, often)) in enumerate(SETTINGS.items()):
        # P(a > b): the other arm's scores are standard normal, and a collapsed seed is below them all
        true = (1 - often) * float(stats.norm.cdf(shift / np.hypot(sd, 1)))
        for m, n in SIDES:
            rng = np.random.default_rng([8, place, m, n])
            pairs = [
                (rng.normal(shift, sd, m) - 1e3 * (rng.random(m) < often), rng.normal(0, 1, n))
                for _ in range(replicates)
            ]
            cells = []
            for method in methods.values():
                low, high = np.array([method(a, b) for a, b in pairs]).T
                cells.append(f"{np.mean((low <= true) & (true <= high)):.3f}, {np.median(high - low):.2f}")
            print("|", name, "|", f"{m} v {n}", "|", " | ".join(cells), "|")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000)
