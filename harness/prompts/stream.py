"""The prompts of one seed as an endless stream: the same for every arm, so that arms are matched by construction.

Refill only advances the cursor; two arms that have consumed the same number of prompts have consumed the same prompts.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from benchmarks.problems import Problem, content_hash
from harness.base.seeds import derive


@dataclass(frozen=True)
class Prompt:
    """One place of the stream."""

    problem: Problem
    epoch: int

    def sample_seed(self, seed: int, sample: int) -> int:
        """The seed of one rollout: of identity, never of position in a batch."""
        return derive("rollout", seed, self.epoch, self.problem.id, sample)


@dataclass(frozen=True)
class PromptStream:
    """A training set in the order of a seed; every epoch is a permutation of its own."""

    problems: Sequence[Problem]
    seed: int

    def take(self, cursor: int, count: int) -> list[Prompt]:
        """`count` prompts from place `cursor` on."""
        size = len(self.problems)
        places = (divmod(i, size) for i in range(cursor, cursor + count))
        return [Prompt(self.problems[self._order(epoch)[i]], epoch) for epoch, i in places]

    @property
    def order_hash(self) -> str:
        """Of the first epoch's problem ids in order; later epochs follow from the same seed and problems."""
        ids = [self.problems[i].id for i in self._order(0)]
        return content_hash(str(self.seed), *ids)[:16]

    def _order(self, epoch: int) -> tuple[int, ...]:
        return _permutation(len(self.problems), derive("order", self.seed, epoch))


@lru_cache(maxsize=8)
def _permutation(size: int, seed: int) -> tuple[int, ...]:
    order = list(range(size))
    random.Random(seed).shuffle(order)
    return tuple(order)
