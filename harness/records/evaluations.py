"""What an evaluation leaves behind, besides its attempts (`schema.py`)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from harness.records.allowed import Count, FolderName, Whole
from harness.records.fields import LATER
from harness.records.layout import eval_name
from harness.records.record import Record


@dataclass(frozen=True)
class EvalRecord(Record):
    """`eval.json`, the header of one evaluation of one checkpoint on one benchmark; written before the attempts."""

    mend = "Delete this evaluation's folder and run the experiment again."

    arm: str
    """its name in the plan; `start`: the untrained model"""
    seed: Whole | None
    """None for a model that was not trained here, as the untrained one"""
    step: Whole
    """of the checkpoint; 0: the untrained model"""
    rollouts: Whole
    """generated in training when the checkpoint was taken; 0 in an imported run, which does not know"""
    grid: Whole
    """the point of the rollout grid this evaluation belongs to (of steps, in an imported run); 0 for the untrained
    model"""
    benchmark: FolderName
    """its name"""
    benchmark_hash: str
    """of the problems' ids in order"""
    problems: Count
    """how many were asked"""
    k: Count
    """attempts a problem"""
    model_hash: str
    """of the checkpoint's weights"""
    template: str
    """how a problem became a prompt"""
    engine: str
    """what answered"""
    engine_version: str
    """of it"""
    grader_version: str
    """of the marker"""
    sampling: dict[str, Any]
    """temperature, top_p, max_tokens, the evaluation seed, and problems generated together"""
    limit: Count | None = None
    """only so many problems were asked, the first ones; None: all"""
    second_marker: bool = False
    """whether rows have `mark_second`"""
    title: str = ""
    """what tables call the benchmark; empty in older files and imports"""
    rule: str = ""
    """what counted as equal to a gold, in words; empty in older files and imports"""
    order: str = field(default="", metadata=LATER)
    """`random`: the problems were asked in the order of order.json beside this file; empty: in the benchmark's own"""
    stopped_by: str = field(default="", metadata=LATER)
    """`gate`: it was decided before all problems were asked, and `problems` is how many were; it is complete"""
    decoding: str = field(default="", metadata=LATER)
    """one of the plan's after the first, whose scores are not the headline's; empty: the first, or only, one"""
    seals: int = field(default=0, metadata=LATER)
    """1: it has a seal when it is complete; 0: it was begun before there were seals, or somewhere else"""
    readings: str = field(default="", metadata=LATER)
    """version of the marker that marked by the readings too (`mark_box`, `mark_anywhere`); empty: rows lack them"""

    @property
    def folder(self) -> str:
        """The name of the folder that it belongs in."""
        return eval_name(self.benchmark, self.decoding)


@dataclass(frozen=True)
class OrderRecord(Record):
    """`order.json`: all problems of an evaluation that may stop early, in the order in which they are asked."""

    mend = "Evaluate again, into a new folder."

    benchmark: str
    """its name"""
    benchmark_hash: str
    """of the problems' ids in order"""
    problems: list[str]
    """ids"""


def identity(*parts: Any) -> str:
    """Sixteen hex digits over content: a problem's id, or a benchmark's hash, where an import's source has none."""
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def random_order(benchmark_hash: str, ids: Iterable[str]) -> list[str]:
    """A permutation of problems that is drawn by their identity: nobody can choose it, and everybody draws the same."""

    def draw(problem: str) -> str:
        return hashlib.sha256(json.dumps(["order", benchmark_hash, problem]).encode()).hexdigest()

    return sorted(ids, key=draw)
