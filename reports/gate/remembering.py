"""`gate.json` beside an evaluation: which gate looks at it, and what it saw. What was looked at once under one baseline
and margin is decided under them, so that looking again, or otherwise, is not another try."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.records import DataError, user_files
from harness.records.record import Record
from reports.gate.hints import margin_words
from reports.gate.looks import Looked, LookPlan
from reports.gate.nodes import MOST_BYTES

NAME = "gate.json"


@dataclass(frozen=True)
class GateRecord(Record):
    baseline: str
    """the file, as it was named"""
    baseline_hash: str
    """SHA-256 of its bytes"""
    margin: float
    """a fraction"""
    command: str = ""
    """what evaluates further, where it is known"""
    looks: list[dict[str, Any]] = field(default_factory=list)
    """made so far"""
    outcome: str = ""
    """empty while it is open"""


def record_of(baseline: Path, margin: float, command: str = "") -> GateRecord:
    """Of a gate that has not looked yet. Raises: DataError if the baseline is gone."""
    try:
        content = user_files.bytes_of(baseline, MOST_BYTES)
    except ValueError as error:
        raise DataError(str(error)) from None
    return GateRecord(baseline.as_posix(), hashlib.sha256(content).hexdigest(), margin, command)


def remembered(run: Path, now: GateRecord) -> GateRecord:
    """What is recorded in a run's folder; `now` where nothing is.

    Raises: ValueError if another gate looks at it.
    """
    path = run / NAME
    if not path.exists():
        return now
    held = GateRecord.read(path)
    differ = []
    if held.margin != now.margin:
        differ.append(f"the margin is {margin_words(now.margin)}, but was {margin_words(held.margin)}")
    if held.baseline_hash != now.baseline_hash:
        differ.append(f"{now.baseline} is not what {held.baseline} was")
    if differ:
        raise ValueError(
            f"{run} is looked at by another gate ({path}): {'; '.join(differ)}.\n"
            "Ask as before: a gate that changes after a look errs more often than it says. Or evaluate anew."
        )
    return replace(held, command=now.command or held.command)


def check_not_looked(run: Path, baseline: Path) -> None:
    """Raises: ValueError if looks were made against the same baseline: one more test, at its full level, would be one
    too many."""
    path = run / NAME
    if path.exists() and GateRecord.read(path).baseline_hash == record_of(baseline, 0.0).baseline_hash:
        raise ValueError(
            f"{run} was looked at while it grew ({path}), and a gate at the end on top of that errs more often.\n"
            f"Go on as it began: `rence gate {run} --baseline {baseline} --sequential`."
        )


def remember(run: Path, record: GateRecord, plan: LookPlan, made: Sequence[Looked]) -> None:
    """Write what was seen, where a run is a folder of `rence eval`; results that stay as they are need no memory."""
    if (run / "evals").is_dir():
        looks = [_look(plan, number, one) for number, one in enumerate(made)]
        outcome = made[-1].decision.outcome.value if made and made[-1].reason else ""
        replace(record, looks=looks, outcome=outcome).write(run / NAME)


def _look(plan: LookPlan, number: int, one: Looked) -> dict[str, Any]:
    average = one.decision.average
    lower, upper = average.bounds or (None, None)
    return {
        "problems": one.size,
        "information": plan.shares[number],
        "alpha": plan.levels[number].average,
        "delta": average.estimate.value,
        "lower": lower,
        "upper": upper,
        "outcome": one.decision.outcome.value,
        "stopped": one.reason,
    }
