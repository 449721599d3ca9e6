"""One evaluation's rows: put in order, and what must be known of them when they are on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from harness.importing.sources import ImportSource
from harness.records import EvalRecord
from harness.records.schema import COLUMNS

WORDS = tuple(n for n, column in COLUMNS.items() if column.word and n in EvalRecord.__dataclass_fields__)
"""what all attempts of an evaluation share: they stand in its header too"""


@dataclass(frozen=True)
class Problems:
    """What was asked."""

    ids: tuple[str, ...]
    """ascending"""
    golds: tuple[tuple[str, str | None], ...]
    """distinct problems with their golds, by problem; None where a row does not say it"""
    versions: tuple[str, ...]
    """of the benchmark, that rows say"""


@dataclass(frozen=True)
class Repeats:
    """Attempts that are there more than once."""

    count: int
    """of pairs"""
    here: str
    """places of the first pair"""
    there: str
    problem: str
    sample: int


@dataclass(frozen=True)
class Uneven:
    """Problems that were asked less often than others."""

    problems: int
    """how many"""
    few: str
    """the first of them"""
    least: int
    """its attempts"""
    full: str
    most: int


@dataclass(frozen=True)
class Mixed:
    """A word that should be one."""

    place: str
    """of the first row that says another"""
    column: str
    first: str
    second: str


@dataclass(frozen=True)
class MeasuredRows:
    """What is known of an evaluation's rows."""

    attempts: int
    correct: int
    coarse: bool
    """whether of the marks only correct or not is known"""
    unknown_lengths: bool
    has_readings: bool
    """whether our marker marked all of them by every reading"""
    has_second: bool
    """whether all have marks of ours, and of the source beside them"""
    problems: Problems
    words: Mapping[str, str]
    """of WORDS, by the first row"""
    source: int
    """place among the sources of the first row"""
    repeats: Repeats | None
    uneven: Uneven | None
    mixed: Mixed | None

    def with_problems(self, problems: Problems) -> MeasuredRows:
        """The same, with equal problems in another place of memory."""
        return replace(self, problems=problems)


def ordered(rows: pa.Table, sources: Sequence[ImportSource]) -> tuple[pa.Table, MeasuredRows]:
    """By problem and sample; samples are then numbered 0..k-1.

    Args:
        rows: of one evaluation, in the order in which they were found.
    """
    ids, problem = _codes(rows["problem_id"])
    sample = rows["sample"].to_numpy()
    order = np.lexsort((sample, problem))
    if not (order == np.arange(len(order))).all():
        rows, problem, sample = rows.take(pa.array(order)), problem[order], sample[order]
    counts = np.bincount(problem, minlength=len(ids))
    measured = MeasuredRows(
        attempts=len(sample),
        correct=sum(one["counts"] for one in rows["mark"].value_counts().to_pylist() if one["values"] == "correct"),
        coarse=True in rows["coarse"].unique().to_pylist(),
        unknown_lengths=rows["tokens"].null_count > 0,
        has_readings=rows["mark_anywhere"].null_count == 0,
        has_second=rows["mark_second"].null_count == 0,
        problems=Problems(tuple(ids), _golds(ids, problem, rows["gold"]), tuple(_distinct(rows["version"]))),
        words={name: rows[name][0].as_py() for name in WORDS},
        source=rows["source"][0].as_py(),
        repeats=_repeats(rows, problem, sample, ids, sources),
        uneven=_uneven(ids, counts),
        mixed=next((mixed for name in WORDS if (mixed := _mixed(rows, name, sources))), None),
    )
    numbers = np.arange(len(sample)) - np.repeat(np.cumsum(counts) - counts, counts)
    place = rows.schema.get_field_index("sample")
    return rows.set_column(place, "sample", pa.array(numbers)), measured


def _codes(column: pa.ChunkedArray) -> tuple[list[str], np.ndarray]:
    """Sorted distinct words, and the place of each row's among them."""
    encoded = column.combine_chunks().dictionary_encode()
    words = encoded.dictionary.to_pylist()
    places = sorted(range(len(words)), key=words.__getitem__)
    rank = np.empty(len(words), dtype=np.int64)
    rank[places] = np.arange(len(words))
    return [words[i] for i in places], rank[encoded.indices.to_numpy(zero_copy_only=False)]


def _golds(ids: list[str], problem: np.ndarray, golds: pa.ChunkedArray) -> tuple[tuple[str, str | None], ...]:
    encoded = golds.combine_chunks().dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    words = [*encoded.dictionary.to_pylist(), None]  # the place -1 takes the None
    _, first = np.unique(problem * len(words) + codes, return_index=True)
    return tuple((ids[problem[row]], words[codes[row]]) for row in np.sort(first).tolist())


def _distinct(column: pa.ChunkedArray) -> list[str]:
    """In the order in which they appear."""
    return column.unique().drop_null().to_pylist()


def _place(rows: pa.Table, row: int, sources: Sequence[ImportSource]) -> str:
    return sources[rows["source"][row].as_py()].at(rows["line"][row].as_py())


def _repeats(
    rows: pa.Table, problem: np.ndarray, sample: np.ndarray, ids: list[str], sources: Sequence[ImportSource]
) -> Repeats | None:
    twice = np.flatnonzero((np.diff(problem) == 0) & (np.diff(sample) == 0))
    if not len(twice):
        return None
    first = int(twice[0])
    here, there = (_place(rows, row, sources) for row in (first, first + 1))
    return Repeats(len(twice), here, there, ids[problem[first]], int(sample[first]))


def _uneven(ids: list[str], counts: np.ndarray) -> Uneven | None:
    fewer = counts < counts.max()
    if not fewer.any():
        return None
    few, full = int(fewer.argmax()), int(counts.argmax())
    return Uneven(int(fewer.sum()), ids[few], int(counts[few]), ids[full], int(counts[full]))


def _mixed(rows: pa.Table, column: str, sources: Sequence[ImportSource]) -> Mixed | None:
    seen = _distinct(rows[column])
    if len(seen) < 2:
        return None
    row = rows[column].cast(pa.string()).index(seen[1]).as_py()
    return Mixed(_place(rows, row, sources), column, seen[0], seen[1])
