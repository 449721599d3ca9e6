"""A trial's health (`harness/records/health.py`), from its files: what a kill and a resume do not change."""

from __future__ import annotations

import pyarrow as pa
from pyarrow import parquet

from harness.records import EvalFolder, EvalRecord, Mark, Timing, TrialFolder, health, read_jsonl, reward_failures
from harness.records.health import Answers


def examine(folder: TrialFolder, max_grad_norm: float) -> list[str]:
    """The findings of all that a trial has written so far, its complete evaluations included.

    Args:
        max_grad_norm: the recipe's limit.
    Raises: DataError if a file is broken.
    """
    rows = list(read_jsonl(folder.steps))
    steps, failed = [row.get("metrics", {}) for row in rows], reward_failures.count(rows)
    complete = [answers(one) for one in folder.evals() if one.complete]
    still = Timing.read(folder.timing).still_seconds if folder.timing.exists() else 0.0
    learning = [*health.in_steps(steps, max_grad_norm), *health.in_rewards(failed)]
    return [*learning, *health.in_answers(complete), *health.in_time(still)]


def answers(folder: EvalFolder) -> Answers:
    """Of a complete evaluation."""
    header = EvalRecord.read(folder.header)
    table = parquet.read_table(folder.attempts, columns=["response", "gold", "mark"])
    return Answers(
        step=header.step,
        benchmark=header.folder,
        attempts=table.num_rows,
        truncated=table["mark"].to_pylist().count(Mark.TRUNCATED),
        most_common=_most_common(table["response"]),
        most_common_gold=_most_common(table["gold"]),
    )


def _most_common(column: pa.ChunkedArray) -> int:
    """How often its most frequent value is there."""
    return max((one["counts"] for one in column.value_counts().to_pylist()), default=0)
