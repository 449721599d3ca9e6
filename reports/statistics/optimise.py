"""The cheapest design that sees a margin: how many seeds, and how many attempts a problem on each benchmark.

A cost is in responses: rollouts of training and attempts of evaluation, each counted as one. For a number of seeds the
attempts go where they buy most: of all designs with so many attempts, the variance of the average is least if each next
one is asked of the benchmark with the largest gain a response (the parts add up, and each gains less and less; Fox
1966, Management Science 13(3), 210-216). So the choice is a line for each number of seeds, along which effects shrink.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from reports.statistics.design import Sight
from reports.statistics.planned import PowerTarget, Variances, expected_parts, planned_effect

MOST_SEEDS, MOST_SAMPLES = 256, 256
"""an arm, and a problem: what is looked at"""
_SHOWN = 5
_TRIED = 8
"""numbers of seeds beyond the fewest that would do"""

Samples = tuple[int, ...]
"""attempts a problem, of each benchmark"""


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

    def trained(self, seeds: int) -> int:
        """Rollouts, all trials."""
        return self.arms * seeds * self.rollouts

    def asked(self, seeds: int, samples: Samples) -> int:
        """Attempts, all trials, and of the untrained model."""
        headline = sum(j * k for j, k in zip(self.problems, samples, strict=True))
        return headline + self.arms * seeds * (headline + self.earlier)

    def responses(self, seeds: int, samples: Samples) -> int:
        return self.trained(seeds) + self.asked(seeds, samples)


class DesignBasis(Protocol):
    """What is known of variances: stated ones, or a pilot's."""

    @property
    def least_seeds(self) -> int:
        """for the test to be made"""
        ...

    @property
    def weights(self) -> Sequence[float]:
        """variance of one attempt on each benchmark, up to a factor"""
        ...

    def sight(self, seeds: int, samples: Samples) -> Sight | None:
        """minimum detectable effect on the average; None where there is no test"""
        ...

    def variances(self, seeds: int, samples: Samples) -> Mapping[str, float]:
        """what the average's variance is made of: `seeds`, `problems`, `samples`"""
        ...


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


@dataclass(frozen=True)
class StatedBasis:
    """Stated variances."""

    problems: tuple[int, ...]
    """of each benchmark"""
    stated: Variances
    target: PowerTarget

    @property
    def least_seeds(self) -> int:
        return 1 if self.target.estimand == "checkpoints" else 2

    @property
    def weights(self) -> tuple[float, ...]:
        return (1.0,) * len(self.problems)

    def sight(self, seeds: int, samples: Samples) -> Sight | None:
        parts = expected_parts(list(zip(self.problems, samples, strict=True)), seeds, self.stated)
        found = planned_effect(parts, self.stated, self.target)
        return None if found is None else Sight(found, found)

    def variances(self, seeds: int, samples: Samples) -> dict[str, float]:
        v, count, estimand = self.stated, len(self.problems) ** 2, self.target.estimand
        both = list(zip(self.problems, samples, strict=True))
        apart = 1 - v.correlation if self.target.pair_seeds else 1
        return {
            "seeds": 0.0 if estimand == "checkpoints" else 2 * v.sd_seed**2 / seeds * apart,
            "problems": 0.0 if estimand == "benchmark" else sum(v.sd_effect**2 / j for j in self.problems) / count,
            "samples": sum(2 * v.sampling / (seeds * j * k) for j, k in both) / count,
        }


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
    """Effects shrink along the line, and with more seeds: both are halved, not walked."""

    def __init__(self, prices: DesignPrices, basis: DesignBasis, margin: float) -> None:
        self.prices, self.basis, self.margin = prices, basis, margin
        self.line = line_of(prices.problems, basis.weights)

    def option(self, seeds: int, samples: Samples) -> DesignOption:
        return option(self.prices, self.basis, seeds, samples)

    def reaching(self) -> list[DesignOption]:
        """The cheapest design of each number of seeds that can see the margin, cheapest first; of the fewest seeds and
        of some more, until more seeds alone cost more than all."""
        first = self._fewest()
        if first is None:
            return []
        found: list[DesignOption] = []
        place = len(self.line) - 1
        for seeds in range(first, min(first + _TRIED, MOST_SEEDS + 1)):
            least = min((one.responses for one in found), default=None)
            if least is not None and len(found) >= _SHOWN and self.prices.responses(seeds, self.line[0]) > least:
                break
            place = self._shortest(seeds, place)
            found.append(self.option(seeds, self.line[place]))
        found = [one for one in found if one.sight and one.sight.upper <= self.margin]
        return sorted(found, key=lambda one: (one.responses, one.seeds))

    def best(self, budget: int) -> DesignOption | None:
        """Within the budget: most attempts that it pays, for as many seeds as it pays and for fewer."""
        per_seed = self.prices.responses(2, self.line[0]) - self.prices.responses(1, self.line[0])
        most = (budget - self.prices.responses(0, self.line[0])) // per_seed
        most, least = min(most, MOST_SEEDS), self.basis.least_seeds
        tried = sorted({max(least, round(most * share)) for share in (1, 0.9, 0.75, 0.5)} | {max(least, most - 1)})
        found = [self.option(s, self.line[self._longest(s, budget)]) for s in tried if s <= most]
        seen = [one for one in found if one.sight]
        return min(seen, key=lambda one: one.sight.upper if one.sight else 1.0, default=None)

    def _sees(self, seeds: int, place: int) -> bool:
        sight = self.basis.sight(seeds, self.line[place])
        return sight is not None and sight.upper <= self.margin

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

    def _shortest(self, seeds: int, high: int) -> int:
        low = -1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._sees(seeds, middle) else (middle, high)
        return high

    def _longest(self, seeds: int, budget: int) -> int:
        low, high = 0, len(self.line)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.prices.responses(seeds, self.line[middle]) <= budget else (low, middle)
        return low
