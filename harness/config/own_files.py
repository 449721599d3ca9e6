"""Files of problems of your own, as an experiment names them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.config.limits import Attempts


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
    rule: Literal["maths", "numbers", "choice"] | None = None
    """what its answers are: mathematical expressions, numbers, or letters of multiple choice; null: what each line's
    `rule` says, and `maths` where it says nothing"""


@dataclass(frozen=True)
class TrainFile:
    """A training set of your own, from a file of JSON lines."""

    file: str
    """its path, beside the experiment's file or from the current folder"""
    hash: str = ""
    """what its problems must hash to, as `rence benchmarks pin` prints it; empty: whatever the file holds now"""
