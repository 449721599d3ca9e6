"""What would make an inconclusive gate decisive, in times of what there is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reports.gate.decide import ScoreChange
from reports.gate.results import Counts, GateResults


@dataclass(frozen=True)
class Sharper:
    """Either of the two, on both sides, makes a gate pass four times in five if nothing was lost."""

    problems: float
    """times as many problems, and seeds where they vary"""
    samples: float | None
    """times as many attempts a problem; None where they alone cannot do it, or one attempt does not tell"""


def sharper(average: ScoreChange, margin: float, new: GateResults, old: GateResults) -> Sharper | None:
    """None where the design is sharp enough for this margin already, or nothing varied.

    The variance V of the difference must fall by (provable margin / margin)^2. More attempts lower only the part of V
    that comes from sampling answers; the change of the degrees of freedom is neglected.
    """
    se, provable = average.estimate.se, average.provable_margin
    if not se or provable is None or provable <= margin:
        return None
    times = (provable / margin) ** 2
    sampling = sampling_variance(new, old)
    if sampling is None:
        return Sharper(times, None)
    room = se**2 / times - max(se**2 - sampling, 0.0)
    return Sharper(times, min(sampling, se**2) / room if room > 0 else None)


def sampling_variance(new: GateResults, old: GateResults) -> float | None:
    """Of the difference of the averages, given the problems and seeds: sum over sides and benchmarks of the mean of
    p (1 - p) / (k - 1), p being the share of correct attempts, over S J B^2. None where k is 1."""
    if min(k for side in (new, old) for counts in side.benchmarks.values() for k in counts.k) < 2:
        return None
    return (
        sum(_sampling(counts) for side in (new, old) for counts in side.benchmarks.values()) / len(old.benchmarks) ** 2
    )


def _sampling(counts: Counts) -> float:
    p = counts.values
    within = p * (1 - p) / (np.array(counts.k)[:, None] - 1)  # unbiased for P (1 - P) / k
    return float(within.mean()) / p.size
