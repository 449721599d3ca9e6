"""What an evaluation leaves behind, besides its attempts (`schema.py`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.records.record import Record


@dataclass(frozen=True)
class EvalRecord(Record):
    """`eval.json`, the header of one evaluation of one checkpoint on one benchmark; written before the attempts."""

    arm: str
    seed: int | None
    """None for a model that was not trained here, as the untrained one"""
    step: int
    rollouts: int
    """generated in training when the checkpoint was taken; 0 in an imported run, which does not know"""
    grid: int
    """the point of the rollout grid this evaluation belongs to (of steps, in an imported run); 0 for the untrained
    model"""
    benchmark: str
    benchmark_hash: str
    problems: int
    k: int
    model_hash: str
    template: str
    engine: str
    engine_version: str
    grader_version: str
    sampling: dict[str, Any]
    """temperature, top_p, max_tokens, the evaluation seed, and problems generated together"""
    limit: int | None = None
    """only so many problems were asked, the first ones; None: all"""
    second_marker: bool = False
    """whether rows have `mark_second`"""
    title: str = ""
    """what tables call the benchmark; empty in older files and imports"""
    rule: str = ""
    """what counted as equal to a gold, in words; empty in older files and imports"""
