"""A folder of `rence eval` that may still grow, as far as it has come; or anything complete, as if it had grown.

Raises, everywhere in this module: records.DataError; ValueError as `measure` does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from harness.records import Attempt, DataError, EvalFolder, EvalRecord, Mark, OrderRecord, random_order, read_jsonl
from reports.compared_side import ComparedSide
from reports.data import columns
from reports.data.checked import Checked, check
from reports.data.load import READINGS
from reports.gate.measure import Measured, measure, results_of
from reports.gate.results import Counts, GateResults, ids_hash
from reports.words import listing


@dataclass(frozen=True)
class Answered:
    """What is there of a run."""

    measured: Measured
    """its results hold the problems that are answered; their `ids` are those of all"""
    orders: Mapping[str, list[str]]
    """benchmark -> ids of all problems, in the order in which they are asked"""

    @property
    def there(self) -> dict[str, int]:
        """Benchmark -> problems answered, the first ones of the order."""
        return {name: len(ids) for name, ids in self.measured.problems.items()}

    @property
    def complete(self) -> bool:
        """Whether all problems are answered."""
        return all(self.there[name] == len(ids) for name, ids in self.orders.items())

    def cut(self, size: Mapping[str, int], old: GateResults) -> tuple[GateResults, GateResults]:
        """Both sides on the first problems alone.

        Args:
            old: the baseline, on all problems
        """
        chosen = {name: sorted(self.orders[name][:n]) for name, n in size.items()}
        whole = {name: sorted(ids) for name, ids in self.orders.items()}
        return (
            _cut(self.measured.results, self.measured.problems, chosen),
            _cut(old, whole, chosen),
        )


def _cut(results: GateResults, there: Mapping[str, Collection[str]], chosen: Mapping[str, list[str]]) -> GateResults:
    benchmarks = {}
    for name, ids in chosen.items():
        counts, place = results.benchmarks[name], {problem: i for i, problem in enumerate(there[name])}
        columns_ = [place[problem] for problem in ids]
        rows = np.array(counts.correct)[:, columns_].tolist()
        answers = counts.answers if len(ids) == len(place) else ()
        # a gate that looks decides by the rule alone
        benchmarks[name] = replace(counts, correct=tuple(map(tuple, rows)), answers=answers, readings={})
    return replace(results, benchmarks=benchmarks)


def read(name: str, wanted: Collection[str], accept: str | None = None) -> Answered:
    """
    Args:
        name: as `measure` takes it
        wanted: the benchmarks that are needed
        accept: why a broken seal does not matter; None: it does
    """
    folders = {benchmark: EvalFolder(Path(name) / "evals" / benchmark) for benchmark in sorted(wanted)}
    if not any(folder.order.exists() for folder in folders.values()):
        measured = measure(name, wanted, accept=accept)
        counts = measured.results.benchmarks
        orders = {one: random_order(counts[one].hash, ids) for one, ids in measured.problems.items()}
        return Answered(measured, orders)
    gone = [benchmark for benchmark, folder in folders.items() if not folder.header.exists()]
    if gone:
        raise DataError(
            f"{name} has no result on {listing(gone)}, which the baseline has.\n"
            "Evaluate again with all benchmarks of the baseline, into a new folder."
        )
    return _growing(name, folders, check(Path(name), accept))


def _growing(name: str, folders: Mapping[str, EvalFolder], checked: Checked) -> Answered:
    headers = {benchmark: EvalRecord.read(folder.header) for benchmark, folder in folders.items()}
    for benchmark, header in headers.items():
        if header.benchmark != benchmark:
            raise DataError(
                f"{folders[benchmark].header} is of {header.benchmark}, but stands in the folder of {benchmark}. "
                "Evaluate again, into a new folder."
            )
    orders = {benchmark: _order(folder, headers[benchmark]) for benchmark, folder in folders.items()}
    found = [_table(e, folders[b], headers[b].k, orders[b]) for e, b in enumerate(folders)]
    begun = [benchmark for benchmark, table in zip(folders, found, strict=True) if table.empty]
    if begun:
        raise DataError(f"{name}: nothing is answered yet on {listing(begun)}. Run the command that began it again.")
    evals = pd.DataFrame([asdict(header) for header in headers.values()])
    evals["seed"] = evals["seed"].fillna(-1).astype(int)
    measured = results_of(name, ComparedSide(name, {}, evals, pd.concat(found, ignore_index=True)), evals)
    counts = {b: _of_all(one, orders[b]) for b, one in measured.results.benchmarks.items()}
    results = replace(measured.results, benchmarks=counts)
    return Answered(replace(measured, results=results, checked=checked), orders)


def _of_all(counts: Counts, order: list[str]) -> Counts:
    return replace(counts, ids=ids_hash(sorted(order)))


def _order(folder: EvalFolder, header: EvalRecord) -> list[str]:
    """Raises: DataError unless it is the one that is drawn for these problems."""
    if not folder.order.exists():
        raise DataError(f"{folder.order} is missing. Evaluate again, into a new folder.")
    record = OrderRecord.read(folder.order)
    if record.problems != random_order(header.benchmark_hash, record.problems):
        raise DataError(f"{folder.order} does not have the order that is drawn for these problems. It was changed.")
    return record.problems


def _table(e: int, folder: EvalFolder, k: int, order: list[str]) -> pd.DataFrame:
    """As `Run.problems` has them: the problems that are answered, without a gap from the first of the order on."""
    attempts: Counter[str] = Counter()
    correct: Counter[str] = Counter()
    for problem, mark in _marks(folder):
        attempts[problem] += 1
        correct[problem] += mark == Mark.CORRECT
    ready = 0
    while ready < len(order) and attempts[order[ready]] == k:
        ready += 1
    ids = sorted(order[:ready])
    counts = {"correct": [correct[one] for one in ids], "attempts": [k] * len(ids)}
    # A gate that looks decides by the rule alone: other readings are not counted on the way.
    return pd.DataFrame({"eval": e, "problem_id": ids, **counts, **dict.fromkeys(READINGS, np.nan)})


def _marks(folder: EvalFolder) -> list[tuple[str, str]]:
    if folder.complete:
        table = columns.read(folder.attempts)
        columns.check_scored(folder.attempts, table)
        return list(zip(table["problem_id"].to_pylist(), table["mark"].to_pylist(), strict=True))
    return [(row.problem_id, row.mark) for row in read_jsonl(folder.open_attempts, Attempt, EvalRecord.mend)]
