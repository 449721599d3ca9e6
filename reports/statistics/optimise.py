"""The cheapest design that sees a margin: how many seeds, and how many attempts a problem on each benchmark.

A cost is in responses: rollouts of training and attempts of evaluation, each counted as one. For a number of seeds the
attempts go where they buy most: of all designs with so many attempts, the variance of the average is least if each next
one is asked of the benchmark with the largest gain a response (the parts add up, and each gains less and less; Fox
1966, Management Science 13(3), 210-216). So the choice is a line for each number of seeds, along which effects shrink.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, isfinite

from reports.statistics.basis import DesignBasis, Samples
from reports.statistics.design import Sight

MOST_SEEDS, MOST_SAMPLES = 256, 256
"""an arm, and a problem: what is looked at"""
_SHOWN = 5
_BESIDE = 2
"""numbers of seeds beside the cheapest that are shown too"""
_GUESSES = 8
"""then the bracket is halved"""


@dataclass(frozen=True)
class DesignPrices:
    """What seeds and attempts cost."""

    arms: int
    rollouts: int
    """a trial"""
    problems: tuple[int, ...]
    """of each benchmark"""
    earlier: int
    """attempts of a trial at the earlier points of the grid"""
    beside: int = 0
    """attempts of a checkpoint at the headline by other decodings, the same in every design"""
    following: int = 0
    """other decodings that ask as often as the one that is compared"""
    most_samples: int = MOST_SAMPLES
    """a problem; 1 where each further one would be the same answer"""

    def trained(self, seeds: int) -> int:
        """Rollouts, all trials."""
        return self.arms * seeds * self.rollouts

    def asked(self, seeds: int, samples: Samples) -> int:
        """Attempts, all trials, and of the untrained model."""
        own = sum(j * k for j, k in zip(self.problems, samples, strict=True))
        headline = (1 + self.following) * own + self.beside
        return headline + self.arms * seeds * (headline + self.earlier)

    def responses(self, seeds: int, samples: Samples) -> int:
        return self.trained(seeds) + self.asked(seeds, samples)


@dataclass(frozen=True)
class DesignOption:
    """A design, what it costs and what it sees."""

    seeds: int
    samples: Samples
    rollouts: int
    attempts: int
    sight: Sight | None
    shares: Mapping[str, float]
    """of the variance that is left: seeds, problems, samples; the largest is what binds"""

    @property
    def responses(self) -> int:
        return self.rollouts + self.attempts


@dataclass(frozen=True)
class Optimum:
    """What a search found."""

    designs: list[DesignOption]
    """that see the margin within the budget, the cheapest first"""
    cheapest: DesignOption | None
    """that sees the margin, whatever it costs; None where none does"""
    best: DesignOption | None
    """where none fits: the one within the budget that sees the smallest difference; None where the budget pays none"""
    limit: DesignOption
    """the largest that was looked at: what it cannot see, no seeds and no attempts will show"""

    @property
    def binds(self) -> str:
        """`seeds`, `problems` or `samples`: most of the variance of the cheapest design that fits. Where none fits:
        `budget`, or `problems` where no budget would do."""
        if self.designs:
            return max(self.designs[0].shares, key=self.designs[0].shares.__getitem__)
        return "budget" if self.cheapest else "problems"


def optimise(prices: DesignPrices, basis: DesignBasis, margin: float, budget: int | None) -> Optimum:
    """
    Args:
        margin: a fraction; it is seen by a design whose `sight.upper` is no larger.
        budget: responses; None: no bound.
    """
    search = _Search(prices, basis, margin)
    found = search.reaching()
    fitting = [one for one in found if budget is None or one.responses <= budget]
    best = search.best(budget) if budget is not None and not fitting else None
    limit = search.option(MOST_SEEDS, search.line[-1])
    return Optimum(fitting[:_SHOWN], found[0] if found else None, best, limit)


def option(prices: DesignPrices, basis: DesignBasis, seeds: int, samples: Samples) -> DesignOption:
    """A design, priced."""
    left = basis.variances(seeds, samples)
    total = sum(left.values()) or 1.0
    shares = {name: variance / total for name, variance in left.items()}
    asked = prices.asked(seeds, samples)
    return DesignOption(seeds, samples, prices.trained(seeds), asked, basis.sight(seeds, samples), shares)


def line_of(problems: Sequence[int], weights: Sequence[float], most: int = MOST_SAMPLES) -> list[Samples]:
    """Attempts a problem, from one each on, every step to where it buys most; benchmarks of no weight stay at one."""
    samples = [1] * len(problems)
    line = [tuple(samples)]

    def gain(b: int) -> float:
        k = samples[b]
        return weights[b] / (problems[b] ** 2 * k * (k + 1)) if k < most else 0.0

    while True:
        b = max(range(len(problems)), key=gain)
        if gain(b) <= 0:
            return line
        samples[b] += 1
        line.append(tuple(samples))


class _Search:
    """Effects shrink along the line and with more seeds, and what the cheapest design of a number of seeds costs first
    falls with it and then rises: so nothing is walked through."""

    def __init__(self, prices: DesignPrices, basis: DesignBasis, margin: float) -> None:
        self.prices, self.basis, self.margin = prices, basis, margin
        self.line = line_of(prices.problems, basis.weights, prices.most_samples)
        self.asked = [sum(j * k for j, k in zip(prices.problems, samples, strict=True)) for samples in self.line]
        self.seen: dict[tuple[int, int], float] = {}
        self.places: dict[int, int] = {}

    def option(self, seeds: int, samples: Samples) -> DesignOption:
        return option(self.prices, self.basis, seeds, samples)

    def reaching(self) -> list[DesignOption]:
        """The designs that can see the margin, the cheapest of each number of seeds that was looked at, cheapest
        first."""
        first = self._fewest()
        if first is None:
            return []
        self._spread(first)
        self._narrow()
        best = min(self.places, key=self._cost)
        for seeds in range(max(first, best - _BESIDE), min(best + _BESIDE, MOST_SEEDS) + 1):
            self._place(seeds)
        nearest = sorted(self.places, key=lambda seeds: (self._cost(seeds), seeds))[:_SHOWN]
        return [self.option(seeds, self.line[self.places[seeds]]) for seeds in nearest]

    def best(self, budget: int) -> DesignOption | None:
        """Within the budget: most attempts that it pays, for as many seeds as it pays and for fewer."""
        per_seed = self.prices.responses(2, self.line[0]) - self.prices.responses(1, self.line[0])
        most = (budget - self.prices.responses(0, self.line[0])) // per_seed
        most, least = min(most, MOST_SEEDS), self.basis.least_seeds
        tried = sorted({max(least, round(most * share)) for share in (1, 0.9, 0.75, 0.5)} | {max(least, most - 1)})
        found = [self.option(s, self.line[self._longest(s, budget)]) for s in tried if s <= most]
        seen = [one for one in found if one.sight]
        return min(seen, key=lambda one: one.sight.upper if one.sight else 1.0, default=None)

    def _spread(self, first: int) -> None:
        """At growing distances, until more seeds alone cost more than the cheapest design so far."""
        seeds, step = first, 1
        while seeds <= MOST_SEEDS:
            if self.places and self.prices.responses(seeds, self.line[0]) > min(map(self._cost, self.places)):
                return
            self._place(seeds)
            seeds, step = seeds + step, 2 * step

    def _narrow(self) -> None:
        """Between the cheapest and its neighbours, until they are next to it."""
        while True:
            known = sorted(self.places)
            at = known.index(min(known, key=self._cost))
            beside = [(a, b) for a, b in pairwise(known[max(0, at - 1) : at + 2]) if b - a > 1]
            if not beside:
                return
            for a, b in beside:
                self._place((a + b) // 2)

    def _cost(self, seeds: int) -> int:
        return self.prices.responses(seeds, self.line[self.places[seeds]])

    def _fewest(self) -> int | None:
        """Seeds with which all attempts that are looked at would see the margin."""
        low, high, last = self.basis.least_seeds - 1, self.basis.least_seeds, len(self.line) - 1
        while not self._sees(high, last):
            if high == MOST_SEEDS:
                return None
            low, high = high, min(2 * high, MOST_SEEDS)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._sees(middle, last) else (middle, high)
        return high

    def _place(self, seeds: int) -> None:
        """Where on the line so many seeds first see the margin. The square of an effect falls with one over the
        attempts, nearly as a straight line does, so the next guess is on the line through the ends of the bracket."""
        if seeds in self.places:
            return
        high = min((place for fewer, place in self.places.items() if fewer < seeds), default=len(self.line) - 1)
        high = high if self._sees(seeds, high) else len(self.line) - 1
        low = -1 if self._sees(seeds, 0) else 0
        if low < 0:
            high = 0
        guesses = 0
        while high - low > 1:
            guesses += 1
            middle = self._between(seeds, low, high) if guesses <= _GUESSES else (low + high) // 2
            low, high = (low, middle) if self._sees(seeds, middle) else (middle, high)
        self.places[seeds] = high

    def _between(self, seeds: int, low: int, high: int) -> int:
        above, below = self._effect(seeds, low) ** 2, self._effect(seeds, high) ** 2
        if not isfinite(above):
            return (low + high) // 2
        share = (above - self.margin**2) / (above - below)
        fewer = 1 / self.asked[low] + share * (1 / self.asked[high] - 1 / self.asked[low])
        return min(max(bisect_left(self.asked, 1 / fewer), low + 1), high - 1)

    def _sees(self, seeds: int, place: int) -> bool:
        return self._effect(seeds, place) <= self.margin

    def _effect(self, seeds: int, place: int) -> float:
        if (seeds, place) not in self.seen:
            sight = self.basis.sight(seeds, self.line[place])
            self.seen[seeds, place] = sight.upper if sight else inf
        return self.seen[seeds, place]

    def _longest(self, seeds: int, budget: int) -> int:
        low, high = 0, len(self.line)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.prices.responses(seeds, self.line[middle]) <= budget else (low, middle)
        return low
