"""What a search for a design rests on: stated variances, or those of a pilot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from reports.statistics.design import Sight
from reports.statistics.planned import PowerTarget, Variances, expected_parts, planned_effect

Samples = tuple[int, ...]
"""attempts a problem, of each benchmark"""


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
class StatedBasis(DesignBasis):
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
