"""Bounds of a mean over problems that keep their level at the edges: few discordances, none at all, everything right.

A t interval knows a mean and a variance. That is enough where many problems contribute. Where few do, the sum is skewed
and lies on a lattice, its variance is badly estimated, and if nothing differs it is estimated as zero. The bounds here
use the third cumulant, the lattice, and what a problem not yet seen could do. They work on single numbers and on arrays
of replicates alike.

**One variable.** X_j in 0..1 for each problem, weight w = 1 / (benchmarks x problems). With the variance c2 and the
third cumulant c3 of the weighted mean, and e = c3 / c2, n = c2 / e^2, the sum behaves like n events of size e
(Pearson's type III): its upper bound is

    mean + e (G_(1 - alpha)(n + 1/2 + lattice / 2 e) - n),      G: quantile of a gamma variable of unit scale

For 0/1 values of which few are 1 this is the exact bound of a Poisson mean (Garwood 1936, Biometrika 28, 437-442), near
1/2 it is the normal bound with its continuity correction, and for weights that differ it is that of Fay & Feuer (1997,
Statistics in Medicine 16, 791-801). With nothing but zeros it is exact: w J (1 - alpha^(1/J)).

**A difference.** D = gains - losses, each such a variable. Their bounds are put together by recovery of variance
estimates (MOVER: Zou & Donner 2008, Statistics in Medicine 27, 1693-1702; Newcombe 1998, ibid. 17, 2635-2650):

    d - L = sqrt(g^2 + l^2 + 2 r g l),   g = gains - their lower bound,  l = upper bound of the losses - losses

with r the (negative) correlation of the two, in absolute value.

**What was not seen.** An event larger than all that were seen may still come. To the cumulants is added one whose size
is a whole problem where nothing tells how large events are, and shrinks as more problems differ (`DOUBT`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from reports.statistics.lean_scipy import special
from reports.statistics.satterthwaite import Floats, Real

ROUNDING = 1e-9
DOUBT = 6
"""problems that must differ before they weigh as much as the worst that could be, when the size of an event is judged.
At 2 the rate of false passes of a gate was up to .067 (docs/LOG.md); at 6 it is at most .055 in all 380 rows
of `bench/gating.py`"""
DOUBT_WITH_SEEDS = 1
"""the same where seeds are new, and how much they differ is in the interval beside it: there 6 made intervals near .95
of 30 problems 1.4 times as wide as they need to be, and with 1 coverage is still .94 and more"""
NORMAL = 1e5
"""events from which a gamma variable is as good as normal; the next term of the expansion is kept"""


@dataclass(frozen=True)
class Cumulants:
    """Of the weighted mean of X_j in 0..1 over the problems of all benchmarks; each may be an array of replicates."""

    mean: Real
    second: Real
    """unbiased"""
    third: Real
    none: Real
    """whether no X is above 0, and nothing tells how large one could be"""
    full: Real
    """the same of 1 - X"""
    lattice: Real
    """the step on which the mean lies; 0 if it lies on none"""
    unseen: tuple[Real, Real, Real]
    """the first three moments of one event that was not seen"""
    missing: tuple[Real, Real, Real]
    """the same of 1 - X"""
    weight: float
    """the largest weight of one problem"""
    problems: int
    """of the benchmark with that weight"""

    @property
    def mirrored(self) -> Cumulants:
        """Of 1 - X."""
        return replace(
            self,
            mean=1 - np.asarray(self.mean),
            third=-np.asarray(self.third),
            none=self.full,
            full=self.none,
            unseen=self.missing,
            missing=self.unseen,
        )

    def above(self, alpha: Real) -> Floats:
        """How far the one-sided upper bound at level alpha lies above the mean; never beyond 1."""
        first, second, third = (np.asarray(moment, float) for moment in self.unseen)
        c2, step = np.asarray(self.second, float), np.asarray(self.lattice, float) / 2
        both = c2 + second
        size = np.where(both > 0, (np.asarray(self.third, float) + third) / np.where(both > 0, both, 1.0), 0.0)
        # a whole event more than was seen on a lattice, half of one on none, and at least the one that was not seen
        more = np.maximum(np.abs(size) / 2 + np.where(size > 0, step, -step), np.where(size > 0, first, -np.inf))
        found = _reach(c2, size, step, more, np.asarray(alpha, float))
        none = -self.weight * self.problems * np.expm1(np.log(alpha) / self.problems)
        return np.clip(np.where(self.none, none, found), 0.0, 1 - np.asarray(self.mean, float))

    def below(self, alpha: Real) -> Floats:
        """How far the one-sided lower bound at level alpha lies below the mean; never beyond 0."""
        return self.mirrored.above(alpha)


def _reach(variance: Floats, size: Floats, half_step: Floats, more: Floats, alpha: Floats) -> Floats:
    """Pearson's type III, of events of this size: see the top. Events that pull the other way have a negative size.

    Args:
        more: what is added to the events that were seen, in the units of size.
    """
    a, z = np.abs(size), -special.ndtri(alpha)
    safe = np.where(a > 0, a, 1.0)
    events = variance / safe**2
    shape = np.maximum(np.minimum(events, NORMAL) + more / safe, 1e-12)
    with np.errstate(invalid="ignore", over="ignore"):
        right = a * (special.gammainccinv(shape, alpha) - events)
        left = a * (events - special.gammaincinv(shape, alpha))
    normal = z * np.sqrt(variance) + half_step + size * (2 * z**2 + 1) / 6
    return np.where((events >= NORMAL) | (a == 0), normal, np.where(size > 0, right, left))


@dataclass(frozen=True)
class Gain:
    """A difference over problems, in -1..1: gains less losses."""

    gains: Cumulants
    losses: Cumulants
    correlation: Real
    """of the two, in absolute value; it is negative"""

    def below(self, alpha: Real) -> Floats:
        """How far the one-sided lower bound at level alpha lies below gains - losses."""
        return self._apart(self.gains.below(alpha), self.losses.above(alpha))

    def above(self, alpha: Real) -> Floats:
        """How far the upper bound lies above it."""
        return self._apart(self.gains.above(alpha), self.losses.below(alpha))

    def _apart(self, one: Floats, other: Floats) -> Floats:
        return np.sqrt(one**2 + other**2 + 2 * np.asarray(self.correlation) * one * other)


@dataclass(frozen=True)
class Scaled:
    """The same on another scale: contrasts whose weights do not add up to 1."""

    of: Cumulants | Gain
    scale: float

    def below(self, alpha: float) -> float:
        return self.scale * float(self.of.below(alpha))

    def above(self, alpha: float) -> float:
        return self.scale * float(self.of.above(alpha))


@dataclass(frozen=True)
class Independent:
    """sum_a weight_a x mean_a of independent means."""

    arms: tuple[Cumulants, ...]
    weights: tuple[float, ...]

    def below(self, alpha: float) -> float:
        return self._reach(alpha, False)

    def above(self, alpha: float) -> float:
        return self._reach(alpha, True)

    def _reach(self, alpha: float, up: bool) -> float:
        sides = [
            w * float(arm.above(alpha) if (w > 0) == up else arm.below(alpha))
            for w, arm in zip(self.weights, self.arms, strict=True)
        ]
        return float(np.hypot.reduce(sides))


def cumulants(
    values: Sequence[Floats],
    attempts: Sequence[float],
    differing: Sequence[Real] | None = None,
    doubt: float = DOUBT,
) -> Cumulants:
    """
    Args:
        values: for each benchmark, ... x J_b numbers in 0..1.
        attempts: for each benchmark, the answers that one of them is the mean of; infinity if of none.
        differing: for each benchmark, how many problems tell how large an event is; None: those above 0.
        doubt: `DOUBT` or `DOUBT_WITH_SEEDS`.
    """
    b = len(values)
    second = third = 0.0
    for v in values:
        j = v.shape[-1]
        rest = v - v.mean(axis=-1, keepdims=True)
        second = second + (rest**2).sum(axis=-1) / max(j - 1, 1) / j / b**2
        third = third + (rest**3).sum(axis=-1) / j**3 / b**3
    sizes = [v.shape[-1] for v in values]
    most, least = int(np.argmax(sizes)), int(np.argmin(sizes))
    above = [(v > ROUNDING).sum(axis=-1) for v in values]
    short = [(v < 1 - ROUNDING).sum(axis=-1) for v in values]
    seen, full = sum(above), sum(sizes) - sum(short)
    known = above if differing is None else differing
    # answers of one checkpoint to one problem often agree: what was seen may lie on a coarser lattice than 1 / k
    step = np.maximum(1 / attempts[most], full / np.maximum(seen, 1))
    return Cumulants(
        mean=sum(v.mean(axis=-1) for v in values) / b,
        second=second,
        third=third,
        none=(seen == 0) & ((attempts[least] == 1) | (sum(known) == 0)),
        full=sum(short) == 0,
        lattice=step / (b * sizes[most]),
        unseen=_unseen(known, sizes, attempts, doubt),
        missing=_unseen(short, sizes, attempts, doubt),
        weight=1 / (b * sizes[least]),
        problems=sizes[least],
    )


def _unseen(
    known: Sequence[Real], sizes: Sequence[int], attempts: Sequence[float], doubt: float
) -> tuple[Real, Real, Real]:
    """Moments of one event that was not seen, on any of the benchmarks alike. It may be a whole problem; where a
    problem has several answers those that differ say how large events are, the more of them the better, and wholly
    where every problem differs."""
    size = [
        (1.0 if k == 1 else doubt / (doubt + np.asarray(n, float)) * (1 - np.asarray(n, float) / j)) / (len(sizes) * j)
        for n, j, k in zip(known, sizes, attempts, strict=True)
    ]
    first, second, third = (sum(s**power for s in size) / len(sizes) for power in (1, 2, 3))
    return first, second, third


def gain(differences: Sequence[Floats], attempts: Sequence[float], doubt: float = DOUBT) -> Gain:
    """
    Args:
        differences: for each benchmark, ... x J_b numbers in -1..1.
        attempts, doubt: as in `cumulants`.
    """
    up, down = [np.maximum(d, 0.0) for d in differences], [np.maximum(-d, 0.0) for d in differences]
    differing = [(np.abs(d) > ROUNDING).sum(axis=-1) for d in differences]
    gains, losses = (cumulants(side, attempts, differing, doubt) for side in (up, down))
    return Gain(gains, losses, _correlation(gains, losses, [d.shape[-1] for d in differences]))


def _correlation(gains: Cumulants, losses: Cumulants, sizes: Sequence[int]) -> Floats:
    """Of the means of gains and losses, in absolute value: a problem that is gained is not lost. If there is no loss,
    or nothing but gains, half an event is counted: where all are right and all were wrong, what is not gained is lost.
    """
    whole = sum(1 / size for size in sizes) / len(sizes) ** 2
    least = gains.weight / 2
    (up, up_square), (down, down_square) = (
        (
            np.clip(side.mean, least, 1 - least),
            np.maximum(
                side.second,
                np.where((np.asarray(side.mean) == 0) | (np.asarray(side.mean) == 1), least * (1 - least) * whole, 0.0),
            ),
        )
        for side in (gains, losses)
    )
    product = np.sqrt(up_square * down_square)
    return np.minimum(np.where(product > 0, up * down * whole / np.where(product > 0, product, 1.0), 0.0), 1.0)


def answers(arm: Sequence[Floats], attempts: Sequence[Sequence[float]]) -> Cumulants | None:
    """Of one arm's mean when only its answers are new: cells are independent, each a share of k answers. None where a
    cell has one answer, for its variance is not to be seen, or is no share.

    Args:
        arm: for each benchmark, S x J_b shares.
        attempts: for each benchmark, k of each seed.
    """
    ks = [np.broadcast_to(np.asarray(k, float)[:, None], m.shape) for m, k in zip(arm, attempts, strict=True)]
    if min(k.min() for k in ks) < 2 or any(m.min() < 0 or m.max() > 1 for m in arm):
        return None
    b, second, third = len(arm), 0.0, 0.0
    for m, k in zip(arm, ks, strict=True):
        second += float((m * (1 - m) / (k - 1)).sum()) / m.size**2 / b**2
        third += float((m * (1 - m) * (1 - 2 * m) / k**2).sum()) / m.size**3 / b**3
    # one answer is what may turn out otherwise, so events are answers here and not problems
    right = sum(float((m * k).sum()) for m, k in zip(arm, ks, strict=True))
    least = int(np.argmin([m.shape[1] for m in arm]))
    of_one = int(ks[least][:, 0].sum())
    steps = [1 / (b * m.size * float(k.max())) for m, k in zip(arm, ks, strict=True)]
    weight = 1 / (b * arm[least].shape[1] * of_one)
    unseen = (weight, weight**2, weight**3)
    return Cumulants(
        mean=float(np.mean([m.mean() for m in arm])),
        second=second,
        third=third,
        none=right == 0,
        full=round(sum(float(k.sum()) for k in ks) - right) == 0,
        lattice=min(steps),
        unseen=unseen,
        missing=unseen,
        weight=weight,
        problems=of_one,
    )
