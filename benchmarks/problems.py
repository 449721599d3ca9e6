"""A problem, a benchmark, and a training set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class Problem:
    """One question with its exact answer."""

    question: str
    gold: str
    """the answer, as the marker compares it"""
    tags: Mapping[str, str] = field(default_factory=dict)
    """kind, level, subject, source: for breakdowns, never for marking"""

    @cached_property
    def id(self) -> str:
        """Content, never position: a hash of question and answer."""
        return content_hash(self.question, self.gold)[:16]


@dataclass(frozen=True)
class Benchmark:
    """A fixed list of problems, asked in this order."""

    name: str
    title: str
    """what tables print"""
    description: str
    count: int
    """expected number of problems; checked when they are loaded"""
    load: Callable[[], tuple[Problem, ...]]

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Raises: ValueError if the count or an id is not what it must be."""
        problems = self.load()
        if len(problems) != self.count:
            raise ValueError(
                f"benchmark `{self.name}` must have {self.count} problems, but has {len(problems)} instead."
            )
        if len({problem.id for problem in problems}) != len(problems):
            raise ValueError(f"benchmark `{self.name}` holds the same problem twice.")
        return problems

    @cached_property
    def hash(self) -> str:
        """Of the problem ids in order: two runs compare only if it is equal."""
        return content_hash(*(problem.id for problem in self.problems))[:16]


@dataclass(frozen=True)
class TrainingSet:
    """Problems to learn from; the experiment's seed decides their order."""

    name: str
    description: str
    load: Callable[[], tuple[Problem, ...]]

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        return self.load()


def content_hash(*parts: str) -> str:
    """SHA-256 in hex of some strings, unambiguous about where each ends."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()
