"""What a trial leaves behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from harness.records.allowed import Count, Date, FolderName, NonNegative, Whole
from harness.records.fields import LATER
from harness.records.record import Record


@dataclass(frozen=True)
class TrialRecord(Record):
    """`trial.json`: one arm with one seed; written first."""

    mend = "Delete this trial's folder and run the experiment again."

    experiment: str
    """the experiment's name"""
    arm: FolderName
    """its name in the plan"""
    seed: Whole
    """of the order of prompts, and of all sampling"""
    fingerprint: str
    """of the trial: the arm's fingerprint with seed, data order, initial weights and budget"""
    arm_fingerprint: str
    """of the arm, as in the plan"""
    data_order: str
    """hash of the permutation of prompts that this seed consumes; equal in all arms of a matched seed"""
    initial_weights: str
    """hash of the checkpoint that training starts from"""
    budget_rollouts: Whole
    """it stops at the first step at or past it"""
    backend: str
    """what trains"""
    environment: dict[str, str]
    """versions of the packages that matter, git commit and dirty flag, processor"""
    plan: str = field(default="", metadata=LATER)
    """hash of plan.json; empty in a trial from before there were seals"""
    data: str = field(default="", metadata=LATER)
    """hash of data.json, likewise"""
    reward: str = field(default="", metadata=LATER)
    """the function of the user's that rewards rollouts, the hash of its source, and from which number on one is right;
    empty where a word of the recipe says what rewards them"""


@dataclass(frozen=True)
class StepRecord(Record):
    """One line of `steps.jsonl`. Counters run over the whole trial."""

    mend = TrialRecord.mend

    step: Count
    """rollout batches learnt from, starting at 1"""
    rollouts: Whole
    """generated so far, filtered and discarded ones included"""
    tokens: Whole
    """generated so far"""
    updates: Whole
    """optimiser steps so far"""
    cursor: Whole
    """prompts consumed so far from the seed's permutation"""
    metrics: dict[str, float | None] = field(default_factory=dict)
    """verl's names where verl has one; None where nothing was counted"""
    reward_failure: str = field(default="", metadata=LATER)
    """why a reward of the user's own failed on the first rollout of this step on which it did; empty where on none"""


@dataclass(frozen=True)
class DoneRecord(Record):
    """`done.json`: written last, so its existence means that the trial is complete."""

    mend = TrialRecord.mend

    status: Literal["finished", "diverged"]
    """finished, or diverged (the loss or the weights became not finite; reason says where)"""
    steps: Whole
    """rollout batches learnt from"""
    rollouts: Whole
    """generated, filtered and discarded ones included"""
    tokens: Whole
    """generated"""
    updates: Whole
    """optimiser steps"""
    discarded_rollouts: Whole
    """generated but never learnt from: dropped by the filter, or surplus"""
    final_weights: str
    """hash of the last checkpoint's weights"""
    reason: str = ""
    """where and how it diverged; else empty"""
    trial: str = field(default="", metadata=LATER)
    """hash of trial.json; empty in a trial from before there were seals"""
    step_lines: str = field(default="", metadata=LATER)
    """hash of steps.jsonl, likewise"""
    evaluations: dict[str, str] = field(default_factory=dict, metadata=LATER)
    """`step_8/math500` -> hash of its attempts.parquet, of every evaluation of this trial, likewise"""
    health: list[str] = field(default_factory=list, metadata=LATER)
    """`code: words` of each sign that something was not well (`health.py`)"""


@dataclass(frozen=True)
class Timing(Record):
    """`timing.json`: the one file that differs between an uninterrupted run and a resumed one."""

    mend = "Delete it: times are then not known, and nothing else is lost."

    attempts: Whole
    """times the trial was started"""
    wall_seconds: NonNegative
    """by the clock, over all attempts"""
    cpu_seconds: NonNegative
    """of processors, over all attempts"""
    generate_seconds: NonNegative
    """by the clock, in sampling rollouts"""
    train_seconds: NonNegative
    """likewise, in learning"""
    evaluate_seconds: NonNegative
    """likewise, in evaluations"""
    started: Date
    """ISO date of the first start"""
    finished: Date
    """ISO date, empty while running"""
    starts: list[dict[str, Any]] = field(default_factory=list, metadata=LATER)
    """one entry a start: its number, its ISO date, the processor it ran on, and the runtime settings it had, dotted,
    such as `recipe.microbatch_tokens`; empty in files from before these could change"""
    still_seconds: float = field(default=0.0, metadata=LATER)
    """how long a worker stood still in all attempts, counted where it did for a minute or longer"""
    rests_on: str = field(default="", metadata=LATER)
    """hash of the trial.json beside it, of the untrained model of plan.json; empty in files from before seals"""
