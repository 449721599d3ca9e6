"""What a trial leaves behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harness.records.fields import LATER
from harness.records.record import Record


@dataclass(frozen=True)
class TrialRecord(Record):
    """`trial.json`: one arm with one seed; written first."""

    experiment: str
    arm: str
    seed: int
    fingerprint: str
    """of the trial: the arm's fingerprint with seed, data order, initial weights and budget"""
    arm_fingerprint: str
    data_order: str
    """hash of the permutation of prompts that this seed consumes; equal in all arms of a matched seed"""
    initial_weights: str
    """hash of the checkpoint that training starts from"""
    budget_rollouts: int
    backend: str
    environment: dict[str, str]
    """versions of the packages that matter, git commit and dirty flag, processor"""
    plan: str = field(default="", metadata=LATER)
    """hash of plan.json; empty in a trial from before there were seals"""
    data: str = field(default="", metadata=LATER)
    """hash of data.json, likewise"""


@dataclass(frozen=True)
class StepRecord(Record):
    """One line of `steps.jsonl`. Counters run over the whole trial."""

    step: int
    """rollout batches learnt from, starting at 1"""
    rollouts: int
    """generated so far, filtered and discarded ones included"""
    tokens: int
    """generated so far"""
    updates: int
    """optimiser steps so far"""
    cursor: int
    """prompts consumed so far from the seed's permutation"""
    metrics: dict[str, float | None] = field(default_factory=dict)
    """verl's names where verl has one; None where nothing was counted"""


@dataclass(frozen=True)
class DoneRecord(Record):
    """`done.json`: written last, so its existence means that the trial is complete."""

    status: str
    """finished, or diverged (the loss or the weights became not finite; reason says where)"""
    steps: int
    rollouts: int
    tokens: int
    updates: int
    discarded_rollouts: int
    """generated but never learnt from: dropped by the filter, or surplus"""
    final_weights: str
    reason: str = ""
    trial: str = field(default="", metadata=LATER)
    """hash of trial.json; empty in a trial from before there were seals"""
    step_lines: str = field(default="", metadata=LATER)
    """hash of steps.jsonl, likewise"""
    evaluations: dict[str, str] = field(default_factory=dict, metadata=LATER)
    """`step_8/math500` -> hash of its attempts.parquet, of every evaluation of this trial, likewise"""


@dataclass(frozen=True)
class Timing(Record):
    """`timing.json`: the one file that differs between an uninterrupted run and a resumed one."""

    attempts: int
    """times the trial was started"""
    wall_seconds: float
    cpu_seconds: float
    generate_seconds: float
    train_seconds: float
    evaluate_seconds: float
    started: str
    """ISO date of the first start"""
    finished: str
    """ISO date, empty while running"""
    starts: list[dict[str, Any]] = field(default_factory=list, metadata=LATER)
    """one entry a start: its number, its ISO date, the processor it ran on, and the runtime settings it had, dotted,
    such as `recipe.microbatch_tokens`; empty in files from before these could change"""
