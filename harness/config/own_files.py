"""Files of problems of your own, as an experiment names them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Ge, Le

from benchmarks.files.rules import MOST_TOLERANCE
from harness.config.limits import Attempts, Count
from harness.records.fields import LATER, later

Answers = Literal["maths", "numbers", "choice"]


@dataclass(frozen=True)
class ProblemFile:
    """A benchmark of your own, from a file of JSON lines (docs/how-to/evaluate.md)."""

    file: str
    """its path, beside the experiment's file or from the current folder"""
    k: Attempts = 1
    """attempts a problem"""
    title: str = ""
    """what tables call it; empty: its name"""
    hash: str = ""
    """what its problems must hash to, as `rence benchmarks pin` prints it; empty: whatever the file holds now"""
    rule: Answers | None = None
    """what its answers are: mathematical expressions, numbers, or letters of multiple choice; null: what each line's
    `rule` says, and `maths` where it says nothing"""


@dataclass(frozen=True)
class TrainFile:
    """A training set of your own, from a file of JSON lines (docs/how-to/own-data.md)."""

    file: str
    """its path, beside the experiment's file or from the current folder"""
    hash: str = ""
    """what its problems must hash to, as `rence benchmarks pin` prints it; empty: whatever the file holds now"""
    name: str = field(default="", metadata=LATER)
    """what plan and report call it; empty: the file's name without its ending"""
    limit: Count | None = field(default=None, metadata=LATER)
    """the first so many problems; null: all"""
    rule: Answers | None = field(default=None, metadata=LATER)
    """what its answers are: mathematical expressions, numbers, or letters of multiple choice; null: what each line's
    `rule` says, and `maths` where it says nothing"""
    tolerance: Annotated[float, Ge(0), Le(MOST_TOLERANCE)] | None = field(default=None, metadata=LATER)
    """what a decimal may differ by, relative; null: what each line's `tolerance` says, and 0 where it says nothing"""
    overlap: Literal["remove", "keep"] = field(default="remove", metadata=later("keep"))
    """problems that are of an evaluated benchmark, or near one: `remove` leaves them out of training; `keep` learns
    from them, and the report says that these scores are not of unseen problems"""
    reading: str = field(default="", metadata=LATER)
    """hash of what its lines say beside problem and answer: rules, tolerances, tags; written when the file is read"""

    @property
    def identity(self) -> str:
        """What it holds, wherever it is: what a plan locks."""
        return f"{self.hash}, {self.reading}" if self.reading else self.hash
