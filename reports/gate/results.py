"""What the two sides of a gate are: how often each problem was answered correctly, and how it was asked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reports.statistics import Floats

Rows = tuple[tuple[int, ...], ...]
"""S x J counts"""
SINGLE = -1
"""the seed of a model that was not trained here, as in the tables of `load`"""


@dataclass(frozen=True)
class Counts:
    """One benchmark. Shapes: S seeds, J problems in the order of their ids."""

    hash: str
    """of the problems, as eval.json has it"""
    ids: str
    """hash of the problems' ids, ascending: what place in a list is which problem"""
    k: tuple[int, ...]
    """S: attempts a problem"""
    correct: Rows
    """S x J"""
    answers: tuple[str, ...] = ()
    """S: SHA-256 of all texts (`answers.py`); empty where they are not known, as in a baseline of schema 1"""
    problems: tuple[str, ...] = ()
    """J: their ids, ascending; empty in a baseline that does not name them"""
    rule: str = ""
    """what counted as equal to a gold, in words; empty where it is not known"""
    anywhere: tuple[int, ...] = ()
    """S: attempts that are correct if their answer may stand anywhere in the text; empty where that is not known"""
    readings: Mapping[str, Rows] = field(default_factory=dict)
    """another reading (`by_reading.NAMES`) -> S x J: attempts that are correct by it, or that it leaves out; a missing
    key is a gap, and there is none in a baseline that does not name its problems"""

    @property
    def n(self) -> int:
        """J, the number of problems."""
        return len(self.correct[0])

    @property
    def one_k(self) -> int | list[int]:
        """As files state it: one number where the seeds agree."""
        return self.k[0] if len(set(self.k)) == 1 else list(self.k)

    @property
    def values(self) -> Floats:
        """S x J: the share of a problem's attempts that were correct."""
        return np.array(self.correct, dtype=float) / np.array(self.k, dtype=float)[:, None]

    @property
    def mean(self) -> float:
        """Over seeds and problems, all alike: a fraction."""
        return float(self.values.mean())

    @property
    def mean_anywhere(self) -> float | None:
        """`mean`, if an answer may stand anywhere in the text; None where that is not known."""
        shares = [count / (self.n * k) for count, k in zip(self.anywhere, self.k, strict=False)]
        return float(np.mean(shares)) if shares else None


@dataclass(frozen=True)
class GateResults:
    """One arm, or one model: the same seeds on every benchmark, all asked in one way."""

    made_from: str
    """the folder, as it was named"""
    arm: str
    models: Mapping[int, str]
    """seed -> hash of the weights, ascending; SINGLE alone for a model that was not trained here"""
    template: str
    marker: str
    """its version"""
    sampling: Mapping[str, Any]
    """temperature and others, the evaluation seed, and problems generated together"""
    limit: int | None
    """only so many problems of each benchmark were asked, the first ones; None: all"""
    benchmarks: Mapping[str, Counts]
    """ascending"""
    engine: str = ""
    """who answered; empty in a baseline of schema 1 or 2, which does not know evaluation seed and chunks either"""
    engine_version: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    """what trials ran on: versions, commit, processor; empty for a model that was not trained here"""
    accepted: str = ""
    """of a baseline: what was let through when it was made, and why"""
    titles: Mapping[str, str] = field(default_factory=dict, compare=False)
    """benchmark -> what tables call it; empty in a baseline, which is compared by names"""

    @property
    def seeds(self) -> tuple[int, ...]:
        """S seeds, ascending; (SINGLE,) for a model that was not trained here."""
        return tuple(self.models)

    @property
    def single(self) -> bool:
        """One checkpoint, which says nothing about other seeds."""
        return len(self.models) == 1

    @property
    def average(self) -> float:
        """Unweighted mean of the benchmarks."""
        return float(np.mean([counts.mean for counts in self.benchmarks.values()]))


def ids_hash(ids: Iterable[str]) -> str:
    """16 hex digits of SHA-256, of ids in the order given."""
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()[:16]
