"""On which machine answers were made: another processor rounds otherwise, and a sampled token may then be another."""

from __future__ import annotations

from typing import Any

from harness.records import START, DataError, Timing, TrialRecord
from harness.records.environment import environment
from harness.records.machines import MACHINES, MachineRecord, MachinesRecord
from harness.verifying.found import VerifiedEvaluation
from harness.verifying.scope import VerifiedFolder


def other(scope: VerifiedFolder, one: VerifiedEvaluation) -> str:
    """Why this machine is not the one that answered, as far as that is recorded; empty if it may be."""
    here = environment()["processor"]
    others = sorted(_processors(scope, one) - {here})
    return f"it was made on another processor ({', '.join(others)}), and this is {here}" if others else ""


def unknown(scope: VerifiedFolder, one: VerifiedEvaluation) -> str:
    """Empty where the machine that answered is recorded."""
    return "" if _processors(scope, one) else "which processor made them is not recorded"


def as_then(scope: VerifiedFolder) -> None:
    """With as many threads as the answers of a folder of `rence eval` were made with, where that is recorded."""
    import torch

    threads = {machine["threads"] for machine in _machines(scope)}
    if len(threads) == 1:
        torch.set_num_threads(threads.pop())


def _processors(scope: VerifiedFolder, one: VerifiedEvaluation) -> set[str]:
    """All that are recorded. A trial's header has the processor that it was planned on, `timing.json` those of its
    starts; the untrained model's answers were made in the same run as the trials."""
    if scope.kind == "evaluation":
        return {machine["processor"] for machine in _machines(scope) if machine["processor"]}
    if one.seed is None:
        folder = scope.root if scope.arm == START else scope.root / START
        trials = scope.run.root.glob("*/seed*") if scope.run else ()
        found = _starts(folder / "timing.json")
        return found or {processor for trial in trials for processor in _planned(trial / "trial.json")}
    trial = scope.run.trial(one.arm, one.seed) if scope.run else None
    root = trial.root if trial else scope.root
    return _starts(root / "timing.json") | _planned(root / "trial.json")


def _starts(path: Any) -> set[str]:
    try:
        return {str(start["processor"]) for start in Timing.read(path).starts if start.get("processor")}
    except DataError:
        return set()


def _planned(path: Any) -> set[str]:
    try:
        return {found for found in [TrialRecord.read(path).environment.get("processor", "")] if found}
    except DataError:
        return set()


def _machines(scope: VerifiedFolder) -> list[MachineRecord]:
    try:
        return MachinesRecord.read(scope.root / MACHINES).machines
    except DataError:
        return []
