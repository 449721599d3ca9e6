"""Rows that are attempts already, marked or to be marked: JSON lines, CSV or Parquet with a column for each thing."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.files.rules import LineMistake, rule_of
from benchmarks.marks import MATHS
from harness.base.errors import UserError, nearest
from harness.importing import cells
from harness.importing.marking import MarkCount, Marker
from harness.importing.raw import Raw, each_part, refuse_column
from harness.importing.readers import columns, parts
from harness.importing.rows import NO_SEED, UNKNOWN, Facts, FoundRows, frame
from harness.importing.sources import ImportSource, check_arm, check_size
from harness.records import START, DataError
from harness.records.schema import COLUMNS, IMPORTED, AttemptColumn

REQUIRED = ("arm", "seed", "benchmark", "problem_id", "sample")
KNOWN = (*IMPORTED, "correct", "benchmark_hash", "rule")


@dataclass(frozen=True)
class AttemptOptions:
    """What the command says where rows do not."""

    arm: str | None = None
    seed: int | None = None
    benchmark: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    """our name -> theirs"""
    common: bool = False
    """whether rows without a result are left out, as if they were not there, instead of being refused"""


@dataclass(frozen=True)
class _Table:
    """One file and its columns."""

    source: ImportSource
    names: Mapping[str, str]
    """theirs -> ours, of those that are read"""
    unused: Sequence[str]

    @property
    def has_marks(self) -> bool:
        return "mark" in self.names.values()


def read_all(sources: Sequence[ImportSource], asked: AttemptOptions, marker: Marker | None) -> FoundRows:
    """
    Args:
        marker: marks the rows' responses; None if they have marks.
    """
    unknown = sorted(set(asked.columns) - set(KNOWN))
    if unknown:
        raise UserError(f"there is no column `{unknown[0]}`. {nearest(unknown[0], KNOWN)}")
    if asked.seed is not None:
        check_size("--seed", asked.seed)
    tables = [_table(source, columns(source), asked.columns) for source in sources]
    count, results = MarkCount(), _Results(("response",) if marker else ("mark", "correct"))
    found = _marked(tables, asked, marker, results, count) if marker else _found(tables, asked, results, marked=True)

    def notes() -> list[str]:
        return [*_notes(tables, marker), *(marker.notes(count) if marker else ()), *results.notes()]

    return FoundRows(found, sources, [Facts()] * len(sources), notes)


@dataclass
class _Results:
    """Rows that have a result, and how many have none."""

    columns: Sequence[str]
    """that hold it, those that a file has"""
    rows: int = 0
    without: int = 0

    def only(self, raws: Iterable[Raw]) -> Iterator[Raw]:
        """The rows that have one, counted."""
        for raw in raws:
            there = np.ones(len(raw.cells), bool)
            for name in self.columns:
                if name in raw:
                    # an answer may be the empty text, a mark may not
                    cell = raw[name]
                    there &= ~(cells.each(cell, cells.is_missing, bool) if name == "response" else cells.is_empty(cell))
            self.rows += len(there)
            self.without += int(np.sum(~there))
            yield raw.only(there)

    def check(self) -> None:
        """Raises: DataError if none of the rows has one."""
        if self.rows and self.rows == self.without:
            raise DataError(f"none of the {self.rows:,} rows has a result, so --common keeps nothing.")

    def notes(self) -> list[str]:
        return [f"{self.without:,} rows have no result and were left out."] if self.without else []


def _table(source: ImportSource, there: Mapping[str, bool], asked: Mapping[str, str]) -> _Table:
    """Columns by our names, without those that are empty and need not be there.

    Args:
        there: the file's columns, and whether each is filled.
        asked: our name -> theirs.
    """
    for ours, theirs in asked.items():
        if theirs not in there:
            refuse_column(source, theirs, list(there))
        if ours in there and ours != theirs:
            raise DataError(f"{source.path} has a column `{ours}` already, so `{theirs}` cannot be read as it.")
    ours = {theirs: name for name, theirs in asked.items()}
    named = {theirs: ours.get(theirs, theirs) for theirs in there}
    said = {theirs: name for theirs, name in named.items() if there[theirs] or name in REQUIRED or name not in KNOWN}
    unused = [name for name in said.values() if name not in KNOWN]
    return _Table(source, {theirs: name for theirs, name in said.items() if name in KNOWN}, unused)


def _found(tables: Sequence[_Table], asked: AttemptOptions, results: _Results, marked: bool) -> Iterator[pd.DataFrame]:
    for place, table in enumerate(tables):
        raws = parts(table.source, table.names)
        convert = functools.partial(_rows, place, asked=asked, marked=marked)
        found = each_part(results.only(raws) if asked.common else raws, convert)
        yield from (rows for rows in found if len(rows))
    results.check()


def _marked(
    tables: Sequence[_Table], asked: AttemptOptions, marker: Marker, results: _Results, count: MarkCount
) -> Iterator[pd.DataFrame]:
    """Read twice: what is wrong is said before anything is marked, which takes longer than reading."""
    for _ in _found(tables, asked, replace(results), marked=False):
        pass
    for rows in _found(tables, asked, results, marked=False):
        yield count.of(marker.mark(rows).drop(columns="rule", errors="ignore"))


def _rows(place: int, raw: Raw, asked: AttemptOptions, marked: bool) -> pd.DataFrame:
    """Rows of one file: what every attempt needs by rules of its own, other columns as the schema says.

    Args:
        place: of the file among the sources.
        marked: whether rows have marks; if not, they need what is marked.
    """
    arms = _arms(raw, asked)
    found: dict[str, Any] = {
        "arm": arms,
        "seed": _seeds(raw, asked, arms),
        "step": _steps(raw, arms),
        "benchmark": _said(raw, "benchmark", asked.benchmark, "--benchmark NAME"),
        "problem_id": cells.names(raw, "problem_id", raw.need("problem_id", "--column problem_id=THEIRS names it.")),
        "sample": cells.whole(raw, "sample", raw.need("sample", "It numbers the answers to one problem, from 0.")),
    }
    if marked:
        found |= {"mark": _marks(raw), "coarse": "mark" not in raw}
    else:
        raw.need("response", "--column response=THEIRS names it.")
        raw.need("gold", "--column gold=THEIRS names it.")
        if "rule" in raw:
            found["rule"] = _rules(raw)
    others = [COLUMNS[name] for name in IMPORTED if name in raw and not COLUMNS[name].needed]
    found |= {column.name: _cells(raw, column) for column in others}
    if "benchmark_hash" in raw:
        found["version"] = cells.names(raw, "benchmark_hash", raw["benchmark_hash"])
    return frame(place, raw.lines, found)


def _cells(raw: Raw, column: AttemptColumn) -> Any:
    """A column that rows need not have, as the schema says what it holds."""
    name = column.name
    if column.word:
        return raw[name].where(~cells.is_empty(raw[name]), UNKNOWN).map(cells.written)
    if column.is_number:
        check = cells.whole if column.type is int else cells.numbers
        return cells.where_there(raw, name, check) if column.nullable else check(raw, name, raw[name])
    if not column.nullable:
        return cells.texts(raw, name, raw[name])
    # an answer may be the empty text; what is optional is missing where CSV has nothing
    return cells.written_or_none(raw[name].where(~cells.is_empty(raw[name]), None) if column.optional else raw[name])


def _said(raw: Raw, column: str, option: Any, hint: str) -> Any:
    """The rows' own word, or the command's where they have none."""
    if column in raw:
        if option is not None:
            raise UserError(f"{raw.source.path} has a column `{column}`, so the command must not say it too.")
        return cells.names(raw, column, raw[column])
    return option if option is not None else raw.need(column, f"{hint} says it for all rows.")


def _arms(raw: Raw, asked: AttemptOptions) -> pd.Series:
    named = raw.source.name.arm or asked.arm
    arms = _said(raw, "arm", named, "A name before the path, as in grpo/seed0=PATH, or --arm NAME")
    for arm in dict.fromkeys([arms] if isinstance(arms, str) else arms):
        check_arm(arm)
    raw.checks.passed += 1
    return pd.Series(arms, index=raw.cells.index, dtype=object)


def _seeds(raw: Raw, asked: AttemptOptions, arms: pd.Series) -> np.ndarray:
    """`start` has none, and every other arm has one."""
    start = (arms == START).to_numpy()
    seeds = np.full(len(arms), NO_SEED, dtype=np.int64)
    said = raw.source.name.seed if raw.source.name.seed is not None else asked.seed
    if "seed" not in raw:
        if said is None and not start.all():
            raw.need("seed", "A name before the path, as in grpo/seed0=PATH, or --seed N says it for all rows.")
        return np.where(start, NO_SEED, -1 if said is None else said)
    if said is not None:
        raise UserError(f"{raw.source.path} has a column `seed`, so the command must not say it too.")
    column = raw["seed"]
    wrong = start & ~cells.is_empty(column)
    raw.check(wrong, lambda _: f"`{START}` is the untrained model, and its `seed` must be empty.")
    trained = raw.only(~start)
    seeds[~start] = cells.whole(trained, "seed", trained["seed"])
    return seeds


def _steps(raw: Raw, arms: pd.Series) -> np.ndarray:
    steps, start = np.zeros(len(arms), dtype=np.int64), (arms == START).to_numpy()
    if "step" in raw:
        if raw.source.name.step is not None:
            raise UserError(f"{raw.source.path} has a column `step`, so the command must not say it too.")
        trained = raw.only(~start)
        steps[~start] = cells.whole(trained, "step", trained["step"])
    else:
        steps[~start] = raw.source.name.step or 0
    return steps


def _marks(raw: Raw) -> pd.Series:
    if "mark" not in raw:
        correct = cells.yes_or_no(raw, "correct", raw.need("correct", "`correct` (0 or 1) or `mark` is needed."))
        return pd.Series(np.where(correct, "correct", "wrong"), index=raw.cells.index)
    marks = cells.marks(raw, "mark", raw["mark"])
    if "correct" in raw:
        correct = cells.yes_or_no(raw, "correct", raw["correct"])
        raw.check(
            correct != (marks == "correct").to_numpy(),
            lambda row: f"`mark` is `{marks.iloc[row]}`, but `correct` is `{raw['correct'].iloc[row]}`.",
        )
    return marks


def _rules(raw: Raw) -> pd.Series:
    """A word of `Form`, or None where a row does not say it."""
    words = raw["rule"].where(~cells.is_empty(raw["rule"]), None)
    for row, word in enumerate(words):
        try:
            rule_of({"rule": word}, MATHS)
        except LineMistake as mistake:
            raw.refuse(row, f"{mistake}.")
    return words


def _notes(tables: Sequence[_Table], marker: Marker | None) -> list[str]:
    notes = []
    if marker is None and not all(table.has_marks for table in tables):
        notes.append(
            "The source tells which answers are correct, not whether the others are wrong, missing or cut off."
        )
    rules = {"rule"} & {name for table in tables for name in table.names.values()} if marker is None else set()
    unused = sorted({name for table in tables for name in table.unused} | rules)
    if unused:
        notes.append(f"Columns that were not used: {', '.join(unused)}.")
    return notes
