"""What a run folder has to say since the last look: new steps, complete evaluations, how a trial ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypedDict

from harness.records import EvalFolder, EvalRecord, Mark, StepRecord, Timing, TrialFolder, read_json, tables
from harness.records.files import decode_line, opened

COUNTERS = ("rollouts", "tokens", "updates", "cursor")
ARM_NUMBERS = ("mean", "se", "ci_low", "ci_high")
PAIR_NUMBERS = ("delta", "ci_low", "ci_high", "p_value", "p_adjusted", "mde")


class Tail:
    """The new whole lines of `steps.jsonl`. Starts over when the file was cut back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self._last = b""

    def read(self) -> list[StepRecord]:
        """The lines that were added since the last call, parsed; all of them after the file was cut back. A line
        without its end is left for later: somebody is writing it.

        Raises: DataError if a line is no step.
        """
        if not self.path.exists():
            return []
        with opened(self.path) as file:
            file.seek(self._offset - len(self._last))
            if file.read(len(self._last)) != self._last:
                self._offset, self._last = 0, b""
                file.seek(0)
            lines = [line for line in file if line.endswith(b"\n")]
        if lines:
            self._offset += sum(map(len, lines))
            self._last = lines[-1]
        return [decode_line(line, f"a line of {self.path}", StepRecord) for line in lines]


@dataclass(frozen=True)
class MetricRow:
    """Numbers that belong to one step and are written together."""

    step: int
    seconds: float
    """when they came to be, since the epoch"""
    numbers: dict[str, float]
    sentinel: str
    """the name in `numbers` that tells whether this row was written"""


def step_row(line: StepRecord, seconds: float) -> MetricRow:
    """A line of `steps.jsonl`. A metric for which nothing was counted is left out, never zero."""
    numbers = {f"progress/{name}": float(getattr(line, name)) for name in COUNTERS}
    numbers |= {name: float(value) for name, value in line.metrics.items() if value is not None}
    return MetricRow(line.step, seconds, numbers, sentinel="progress/rollouts")


@dataclass(frozen=True)
class EvaluationCounts:
    """A complete evaluation: its header and the counts of its marks."""

    header: EvalRecord
    marks: Counter[str]
    tokens: int
    seconds: float

    @property
    def attempts(self) -> int:
        return self.marks.total()

    @property
    def score(self) -> float:
        """Correct over all attempts, as a fraction."""
        return self.marks[Mark.CORRECT] / self.attempts

    def rows(self) -> list[MetricRow]:
        """Against training steps, and the score once more against rollouts, the axis on which arms are compared."""
        name = self.header.folder
        numbers = {f"eval/{name}/{mark.value}": self.marks[mark] / self.attempts for mark in Mark}
        numbers |= {f"eval/{name}/mean_tokens": self.tokens / self.attempts, f"eval/{name}/k": float(self.header.k)}
        by_step, by_rollouts = f"eval/{name}/score", f"eval_by_rollouts/{name}/score"
        return [
            MetricRow(self.header.step, self.seconds, numbers | {by_step: self.score}, sentinel=by_step),
            MetricRow(self.header.grid, self.seconds, {by_rollouts: self.score}, sentinel=by_rollouts),
        ]


def evaluated(folder: EvalFolder) -> EvaluationCounts | None:
    """None while the evaluation is open, or if it holds no attempt."""
    if not folder.complete:
        return None
    with tables.opened(folder.attempts, ["mark", "tokens"]) as file:
        table = file.read(columns=["mark", "tokens"])
        if not table.num_rows:
            return None
        marks, tokens = Counter(table["mark"].to_pylist()), sum(n or 0 for n in table["tokens"].to_pylist())
    return EvaluationCounts(EvalRecord.read(folder.header), marks, tokens, modified(folder.attempts))


class VerdictPair(TypedDict):
    """A comparison in `verdict.json`, with its numbers under the names of `PAIR_NUMBERS`."""

    benchmark: str
    family: str
    a: str
    b: str


@dataclass(frozen=True)
class VerdictArm:
    """An arm in `verdict.json`, with numbers under the names of `ARM_NUMBERS`."""

    arm: str
    per_benchmark: dict[str, dict[str, Any] | None]
    average: dict[str, Any] | None


@dataclass(frozen=True)
class VerdictFile:
    """What is read of `verdict.json`."""

    arms: list[VerdictArm] = field(default_factory=list)
    pairs: list[VerdictPair] = field(default_factory=list)


def read_verdict(path: Path) -> VerdictFile:
    """Raises: DataError."""
    return read_json(path, VerdictFile, "`rence report RUN` writes it anew.")


def verdict_numbers(verdict: VerdictFile) -> dict[str, float]:
    """The main numbers of `verdict.json` under flat names; what could not be estimated is left out."""
    numbers: dict[str, float] = {}
    for arm in verdict.arms:
        for benchmark, score in {**arm.per_benchmark, "average": arm.average}.items():
            numbers |= _numbers(f"verdict/{benchmark}/{arm.arm}", score or {}, ARM_NUMBERS)
    for pair in verdict.pairs:
        name = f"verdict/{pair['benchmark']}/{pair['family']}/{pair['a']} - {pair['b']}"
        numbers |= _numbers(name, pair, PAIR_NUMBERS)
    return numbers


def _numbers(name: str, entry: Mapping[str, Any], wanted: tuple[str, ...]) -> dict[str, float]:
    return {f"{name}/{word}": float(entry[word]) for word in wanted if type(entry.get(word)) in (int, float)}


def begun(folder: TrialFolder) -> bool:
    """Whether a process has worked on it; its header alone is written before that."""
    return any(path.exists() for path in (folder.timing, folder.steps, folder.root / "evals", folder.done))


def began(folder: TrialFolder) -> float:
    """When it was first started, in seconds since the epoch."""
    started = Timing.read(folder.timing).started if folder.timing.exists() else ""
    if started:
        return datetime.fromisoformat(started).timestamp()
    return modified(folder.root)


def modified(path: Path) -> float:
    """When a file was last written, in seconds since the epoch."""
    return path.stat().st_mtime
