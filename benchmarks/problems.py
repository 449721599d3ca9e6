"""A problem, a benchmark, and a training set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Self

from benchmarks.files import jsonl
from benchmarks.files.hub import Hub
from benchmarks.marks import MATHS, Rule


class ProblemsError(Exception):
    """A set's problems are not here, or not what they must be: exit code 3, but 2 for a file of the user's own."""


class ProblemsMissing(ProblemsError):
    """They are neither on this machine nor to be had from the hub."""


@dataclass(frozen=True)
class Problem:
    """One question with its exact answer."""

    question: str
    gold: str
    """the answer, as the marker compares it"""
    tags: Mapping[str, str] = field(default_factory=dict)
    """kind, level, subject, source: for breakdowns, never for marking"""
    rule: Rule = MATHS
    """what counts as equal to the gold"""
    note: str = ""
    """a sentence on the form of the answer that every prompt adds; no part of the id"""

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
    also: tuple[int, ...] = ()
    """counts of other copies that are right as well"""
    licence: str = ""
    """of the problems"""
    origin: str = ""
    """where the problems come from"""
    rule: Rule | None = None
    """what counts as equal to a gold, for all problems; None: what each problem says"""
    k: int = 1
    """attempts a problem that the usual protocol asks for; an experiment or an evaluation says how many it makes"""
    content: str = ""
    """`hash` that the problems must have; empty: only their number is checked"""
    hub: Hub | None = None
    """the data set of the hub that has the problems, where one has"""
    is_here: Callable[[], bool] = lambda: True
    """whether the problems can be had without the hub"""

    @classmethod
    def from_file(
        cls,
        path: Path,
        name: str = "",
        title: str = "",
        k: int = 1,
        rule: Rule | None = None,
        count: int | None = None,
        content: str = "",
        description: str = "",
    ) -> Self:
        """A benchmark from a file of JSON lines (`files/jsonl.py` says what one holds), without code.

        Args:
            name: if empty, the file's, without its ending.
            title: if empty, the name.
            rule: of all problems; None: what each line says, and mathematical expressions where it says nothing.
            count: of its problems, as `rence benchmarks pin` prints it; None reads the file now and counts.
            content: the hash that it prints with it.
        Raises: ProblemsError, now or, if `count` is given, when the problems are asked for.
        """
        path, name = Path(path), name or Path(path).stem
        if count is not None:
            problems, load = None, lambda: _from_file(path, rule)
        else:
            problems = _from_file(path, rule)
            count, load = len(problems), lambda: problems
        about = description or f"problems of {path.name}"
        return cls(name, title or name, about, count, load, origin=path.name, rule=rule, k=k, content=content)

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Raises: ProblemsError if the count, the content or an id is not what it must be, or the problems cannot be
        had."""
        problems = self.load()
        if self.rule is not None:
            rule = self.rule
            problems = tuple(one if one.rule == rule else replace(one, rule=rule) for one in problems)
        if len(problems) not in (self.count, *self.also):
            raise ProblemsError(
                f"benchmark `{self.name}` must have {self.count} problems, but has {len(problems)} instead."
            )
        if len({problem.id for problem in problems}) != len(problems):
            raise ProblemsError(f"benchmark `{self.name}` holds the same problem twice.")
        if self.content and hash_of(problems) != self.content:
            raise ProblemsError(_changed(f"benchmark `{self.name}`", self.content, problems))
        return problems

    @property
    def rule_in_words(self) -> str:
        """What counts as equal to a gold. Raises: like `problems`."""
        rules = [self.rule] if self.rule else dict.fromkeys(problem.rule for problem in self.problems)
        return "; ".join(rule.in_words for rule in rules)

    def first(self, n: int | None) -> Benchmark:
        """The first n problems under the same name, with a hash of their own; all of them if n is None."""
        if n is None:
            return self
        counts = [min(n, count) for count in (self.count, *self.also)]
        return replace(self, count=counts[0], also=tuple(counts[1:]), load=lambda: self.problems[:n], content="")

    @cached_property
    def hash(self) -> str:
        """Of the problem ids in order: two runs compare only if it is equal."""
        return hash_of(self.problems)


@dataclass(frozen=True)
class Selection:
    """Problems that were kept, and how many were not."""

    problems: tuple[Problem, ...]
    removed: Mapping[str, int] = field(default_factory=dict)
    """reason -> number of problems"""
    kept: Mapping[str, int] = field(default_factory=dict)
    """`in` or `near` and a benchmark -> number of problems that are of it and were kept, as the user asked"""


@dataclass(frozen=True)
class TrainingSet:
    """Problems to learn from; the experiment's seed decides their order."""

    name: str
    description: str
    load: Callable[[], Selection]
    count: int
    """expected number of problems; another copy of the data may lead to another"""
    expected_removed: Mapping[str, int] = field(default_factory=dict)
    """reason -> number, of the same copy as `count`"""
    licence: str = ""
    """of the problems"""
    origin: str = ""
    """where the problems come from"""
    unchecked: tuple[str, ...] = ()
    """benchmarks that are evaluated and whose problems are not on this machine to be looked for in it"""

    @classmethod
    def from_file(
        cls,
        path: Path,
        name: str = "",
        content: str = "",
        rule: Rule | None = None,
        tolerance: float | None = None,
        limit: int | None = None,
    ) -> Self:
        """A training set from a file of JSON lines, read now. Nothing is removed from it.

        Args:
            name: if empty, the file's, without its ending.
            content: the hash its problems must have, as `rence benchmarks pin` prints it.
            rule: of all answers, whatever their lines say; None: what each line says.
            tolerance: what all decimals may differ by, whatever their lines say; None: what each line says.
            limit: the first so many problems; None: all.
        Raises: ProblemsError.
        """
        problems, name = _from_file(Path(path), rule)[:limit], name or Path(path).stem
        if tolerance is not None:
            problems = tuple(replace(one, rule=replace(one.rule, tolerance=tolerance)) for one in problems)
        if content and hash_of(problems) != content:
            raise ProblemsError(f"{path}: {_changed(f'training set `{name}`', content, problems)}")
        return cls(name, f"problems of {path.name}", lambda: Selection(problems), len(problems), origin=path.name)

    @cached_property
    def _selection(self) -> Selection:
        return self.load()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Raises: ProblemsError if they cannot be had."""
        return self._selection.problems

    @property
    def removed(self) -> Mapping[str, int]:
        """Reason -> number of problems that were left out. Raises: like `problems`."""
        return self._selection.removed

    @property
    def kept(self) -> Mapping[str, int]:
        """Benchmark -> number of its problems that were kept though it is evaluated. Raises: like `problems`."""
        return self._selection.kept


def hash_of(problems: Iterable[Problem]) -> str:
    """Sixteen hex digits over the ids in order."""
    return content_hash(*(problem.id for problem in problems))[:16]


def _from_file(path: Path, rule: Rule | None) -> tuple[Problem, ...]:
    try:
        lines = jsonl.read(path, rule)
    except ValueError as error:
        raise ProblemsError(str(error)) from None
    return tuple(Problem(line.question, line.gold, line.tags, line.rule, line.note) for line in lines)


def _changed(what: str, content: str, problems: Iterable[Problem]) -> str:
    return (
        f"{what} must have the hash {content}, but has {hash_of(problems)} instead: its problems or their answers were "
        "changed."
    )


def content_hash(*parts: str) -> str:
    """SHA-256 in hex of some strings, unambiguous about where each ends."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()
