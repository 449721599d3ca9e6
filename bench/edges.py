"""The study at the edges: bench/rows.py through the report's own function, one replicate at a time, and what others
would print on the same draws.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import numpy as np
from scipy import special

from bench.contenders import CONTENDERS, Summary, joined, summary
from bench.designs import Data, Design
from bench.proportions import clopper_pearson, tango
from bench.rows import FEW, ONE_SIDED, REQUIRED, WIDEST, Row
from bench.tables import rate
from reports.statistics import Estimate, contrast
from reports.statistics.satterthwaite import Floats

Z = float(special.ndtri(0.975))
CHECKED = 50


@dataclass(frozen=True)
class Found:
    """What an interval did on a row."""

    coverage: float
    width: float
    """median of those that there are"""
    replicates: int


@dataclass(frozen=True)
class Outcome:
    """Of one row. Widths are medians, whole."""

    row: Row
    ours: Found
    below: float
    """how often a one-sided bound of 95 % puts the truth too low: it lies above the bound"""
    above: float
    none: float
    """how often there is no interval"""
    beyond: float
    """how often a limit lies outside what can be"""
    disagreements: int
    """of p-values and intervals, among the first `CHECKED` replicates"""
    estimands: frozenset[str]
    oracle: float
    """width of an interval that knows the variance: normal, or near 0 and 1 exact"""
    yardstick: float
    others: dict[str, Found] = field(default_factory=dict)

    @property
    def over_oracle(self) -> float:
        return self.ours.width / self.oracle

    @property
    def over_yardstick(self) -> float:
        return self.ours.width / self.yardstick

    @property
    def failures(self) -> list[str]:
        """In words; empty if the row does what was asked of it."""
        found = []
        if self.estimands != {self.row.design.estimand}:
            found.append(f"covers {' or '.join(sorted(self.estimands))}, not {self.row.design.estimand}")
        if not self.row.exempt_coverage:
            if self.ours.coverage < REQUIRED:
                found.append(f"coverage {rate(self.ours.coverage)}")
            if max(self.below, self.above) > ONE_SIDED:
                found.append(f"one-sided misses {rate(self.below)} below, {rate(self.above)} above")
        if not self.row.exempt_width and not self.over_yardstick <= WIDEST:
            found.append(f"width {self.over_yardstick:.2f}")
        if self.disagreements:
            found.append(f"p-values against intervals: {self.disagreements} of {CHECKED}")
        if self.none or self.beyond:
            found.append(f"no interval {rate(self.none)}, out of range {rate(self.beyond)}")
        return found


def run(row: Row, replicates: int, others: bool = True) -> Outcome:
    """
    Args:
        others: whether the contenders are run too.
    """
    rng = np.random.default_rng([7, zlib.crc32(f"{row.group}: {row.name}".encode())])
    limits, truths, parts, estimands, disagreements = [], [], [], set(), 0
    for data, truth in row.design.draw(rng, replicates):
        for i in range(len(truth)):
            estimate = estimated(row, data, i)
            estimands.add(estimate.estimand)
            limits.append([*_limits(estimate, 0.95), *_limits(estimate, 0.9)])
            if len(limits) <= CHECKED:
                disagreements += not _agree(estimate, float(truth[i]))
        truths.append(truth)
        parts.append(summary(row.design, data))
    seen, truth = joined(parts), np.concatenate(truths)
    low, high, lower, upper = np.array(limits).T
    reach = (0.0, 1.0) if len(row.design.arms) == 1 else (-1.0, 1.0)
    oracle, yardstick = _exact(seen) if row.yardstick == "exact" else _t(row.design)
    return Outcome(
        row=row,
        ours=_found(low, high, truth),
        below=float(np.mean(truth > upper)),
        above=float(np.mean(truth < lower)),
        none=float(np.mean(np.isnan(low))),
        beyond=float(np.mean((low < reach[0] - 1e-9) | (high > reach[1] + 1e-9))),
        disagreements=disagreements,
        estimands=frozenset(estimands),
        oracle=oracle,
        yardstick=yardstick,
        others=_others(seen, truth, rng) if others else {},
    )


def estimated(row: Row, data: Data, i: int) -> Estimate:
    """As a report has it."""
    arms = [[y[i] for y in arm] for arm in data]
    attempts = [[[row.design.k] * len(y) for y in arm] for arm in arms]
    return contrast(arms, row.design.weights, paired=row.paired, attempts=attempts)


def _agree(estimate: Estimate, truth: float) -> bool:
    """Whether tests say what intervals say: of the truth on either side, and, of a difference, of nothing."""
    (low, high), (lower, upper) = _limits(estimate, 0.95), _limits(estimate, 0.9)
    tests = [(estimate.p_above(truth), lower > truth), (estimate.p_below(truth), upper < truth)]
    if estimate.span[0] < 0:
        tests.append((estimate.p_value, low > 0 or high < 0))
    return all(p is not None and (p < 0.05) == rejects for p, rejects in tests)


def _limits(estimate: Estimate, confidence: float) -> tuple[float, float]:
    return estimate.at(confidence).interval or (np.nan, np.nan)


def _found(low: Floats, high: Floats, truth: Floats) -> Found:
    """An interval that is missing holds nothing."""
    inside = (low <= truth + 1e-12) & (truth <= high + 1e-12)
    width = np.nanmedian(high - low) if np.isfinite(low).any() else np.nan
    return Found(float(np.mean(inside)), float(width), len(truth))


def _others(seen: Summary, truth: Floats, rng: np.random.Generator) -> dict[str, Found]:
    found = {}
    for name, (contender, most) in CONTENDERS.items():
        n = len(truth) if most is None else min(most, len(truth))
        limits = contender(seen.first(n), rng)
        if limits is not None:
            found[name] = _found(*limits, truth[:n])
    return found


def _t(design: Design) -> tuple[float, float]:
    """Widths that know the variance, and beside it no more than the degrees of freedom."""
    quantile = float(special.stdtrit(design.df, 0.975))
    return 2 * Z * design.variance**0.5, 2 * quantile * design.variance**0.5


def _exact(seen: Summary) -> tuple[float, float]:
    """Median widths of Clopper & Pearson's or Tango's interval: of as many independent answers as have the true
    variance, and of the number that `Yardstick` says."""
    (contrasts,), design = seen.contrasts, seen.design
    score = len(design.arms) == 1
    better, worse = np.maximum(contrasts, 0).mean(axis=1), np.maximum(-contrasts, 0).mean(axis=1)
    answer = design.mean * (1 - design.mean) if score else float((better + worse).mean()) - design.mean**2
    quantile = Z if design.estimand == "checkpoints" else float(special.stdtrit(design.df, 0.975))
    number = np.full(len(contrasts), answer / design.variance)
    contribute = (np.abs(contrasts) > 1e-9).sum(axis=1)
    if score:
        contribute = np.minimum(contribute, (contrasts < 1 - 1e-9).sum(axis=1))
    granted = number * (Z / quantile) ** 2
    granted = np.where(contribute < FEW, np.minimum(granted, design.problems[0]), granted)
    widths = []
    for n in (number, granted):
        low, high = clopper_pearson(better * n, n) if score else tango(better * n, worse * n, n)
        widths.append(float(np.median(high - low)))
    return widths[0], widths[1]
