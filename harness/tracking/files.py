"""What a run folder has to say since the last look: new steps, complete evaluations, how a trial ended."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.records import DataError, EvalFolder, EvalRecord, Mark

COUNTERS = ("rollouts", "tokens", "updates", "cursor")


class Tail:
    """The new whole lines of a JSON-lines file. Starts over when the file was cut back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self._last = b""

    def read(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self._offset - len(self._last))
            if file.read(len(self._last)) != self._last:
                self._offset, self._last = 0, b""
                file.seek(0)
            lines = [line for line in file if line.endswith(b"\n")]
        if lines:
            self._offset += sum(map(len, lines))
            self._last = lines[-1]
        return [self._parse(line) for line in lines]

    def _parse(self, line: bytes) -> dict[str, Any]:
        try:
            return json.loads(line)
        except ValueError as error:
            raise DataError(f"{self.path} holds a line that is not valid JSON: {error}.") from None


@dataclass(frozen=True)
class Row:
    """Numbers that belong to one step and are written together."""

    step: int
    seconds: float
    """when they came to be, since the epoch"""
    numbers: dict[str, float]
    sentinel: str
    """the name in `numbers` that tells whether this row was written"""


def step_row(line: dict[str, Any], seconds: float) -> Row:
    """A line of `steps.jsonl`. A metric for which nothing was counted is left out, never zero."""
    numbers = {f"progress/{name}": float(line[name]) for name in COUNTERS}
    numbers |= {name: float(value) for name, value in line["metrics"].items() if value is not None}
    return Row(line["step"], seconds, numbers, sentinel="progress/rollouts")


@dataclass(frozen=True)
class Evaluated:
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

    def rows(self) -> list[Row]:
        """Against training steps, and the score once more against rollouts, the axis on which arms are compared."""
        name = self.header.benchmark
        numbers = {f"eval/{name}/{mark.value}": self.marks[mark] / self.attempts for mark in Mark}
        numbers |= {f"eval/{name}/mean_tokens": self.tokens / self.attempts, f"eval/{name}/k": float(self.header.k)}
        by_step, by_rollouts = f"eval/{name}/score", f"eval_by_rollouts/{name}/score"
        return [
            Row(self.header.step, self.seconds, numbers | {by_step: self.score}, sentinel=by_step),
            Row(self.header.grid, self.seconds, {by_rollouts: self.score}, sentinel=by_rollouts),
        ]


def evaluated(folder: EvalFolder) -> Evaluated | None:
    """None while the evaluation is open, or if it holds no attempt."""
    if not folder.attempts.exists():
        return None
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(folder.attempts, columns=["mark", "tokens"])
    if not table.num_rows:
        return None
    marks, tokens = Counter(table["mark"].to_pylist()), sum(table["tokens"].to_pylist())
    return Evaluated(EvalRecord.read(folder.header), marks, tokens, folder.attempts.stat().st_mtime)


def verdict_numbers(verdict: dict[str, Any]) -> dict[str, float]:
    """Every number of `verdict.json` under a flat name: of an arm on a benchmark, of an arm's average, of a pair."""
    numbers: dict[str, float] = {}
    for arm in verdict.get("arms", []):
        for benchmark, entry in (arm.get("per_benchmark") or {}).items():
            numbers |= _numbers(f"verdict/{arm['arm']}/{benchmark}", entry)
        numbers |= _numbers(f"verdict/{arm['arm']}/average", arm.get("average"))
    for pair in verdict.get("pairs", []):
        numbers |= _numbers(f"verdict/{pair['a']} - {pair['b']}/{pair['benchmark']}", pair)
    return numbers


def _numbers(name: str, entry: Any) -> dict[str, float]:
    if isinstance(entry, dict):
        return {
            key: number for word, value in entry.items() for key, number in _numbers(f"{name}/{word}", value).items()
        }
    return {name: float(entry)} if isinstance(entry, int | float) and not isinstance(entry, bool) else {}
