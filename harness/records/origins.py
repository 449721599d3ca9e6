"""Where data come from: the training set, and the results of an import."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NotRequired, TypedDict

from harness.records.allowed import Whole
from harness.records.fields import LATER
from harness.records.left_out import LeftOut
from harness.records.record import Record


@dataclass(frozen=True)
class DataRecord(Record):
    """`data.json`: what the training set was made of."""

    mend = "Delete it: the next `rence run` of the experiment writes it anew."

    train: str
    """the training set's name"""
    problems: Whole
    """how many there are to learn from"""
    hash: str
    """of the problems' ids in order"""
    removed: dict[str, Whole]
    """reason -> problems that were left out: copies, contradictions, what is in a benchmark or near one"""
    kept: dict[str, Whole] = field(default_factory=dict, metadata=LATER)
    """`in` or `near` and a benchmark that is evaluated -> problems of it that were kept, as the user asked"""


class ImportedFile(TypedDict):
    """What an import has read; arm, seed and step where the command named them."""

    path: str
    """as given"""
    bytes: Whole
    sha256: str
    arm: NotRequired[str]
    seed: NotRequired[int]
    step: NotRequired[int]


@dataclass(frozen=True)
class ImportRecord(Record):
    """`import.json`: where the results of an imported run come from."""

    mend = "`rence import` with --clean writes it anew."

    source: str
    """attempts, generations, verl, lm-eval or lighteval"""
    options: dict[str, Any]
    """that were given and decide what was read"""
    files: list[ImportedFile]
    """that were read: path, size, sha256"""
    coarse: list[str]
    """benchmarks of which only correct or not is known: there `wrong` may also be one of the other marks"""
    notes: list[str]
    """choices that were made, and what the source does not tell"""
    left_out: list[LeftOut] = field(default_factory=list, metadata=LATER)
    """of `--common`: what was not kept, for each evaluation of a benchmark that lost problems"""
