"""Rows that are attempts already, marked or to be marked: JSON lines, CSV or Parquet with a column for each thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.files.rules import LineMistake, rule_of
from benchmarks.marks import MATHS
from harness.base.errors import UserError, nearest
from harness.importing import cells
from harness.importing.marking import Marker
from harness.importing.readers import Raw, read
from harness.importing.rows import NO_SEED, UNKNOWN, Facts, FoundRows, frame
from harness.importing.sources import ImportSource, check_arm
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


def read_all(sources: Sequence[ImportSource], asked: AttemptOptions, marker: Marker | None) -> FoundRows:
    """
    Args:
        marker: marks the rows' responses; None if they have marks.
    """
    unknown = sorted(set(asked.columns) - set(KNOWN))
    if unknown:
        raise UserError(f"there is no column `{unknown[0]}`. {nearest(unknown[0], KNOWN)}")
    raws = [_renamed(read(source), asked.columns) for source in sources]
    dropped: list[str] = []
    if asked.common:
        raws, dropped = _with_results(raws, "response" if marker else None)
    rows = pd.concat([_rows(i, raw, asked, marked=marker is None) for i, raw in enumerate(raws)], ignore_index=True)
    if marker:
        rows = marker.mark(rows).drop(columns="rule", errors="ignore")
    marked = marker.notes(rows) if marker else []
    return FoundRows(rows, sources, [Facts()] * len(sources), [*_notes(raws, marker), *marked, *dropped])


def _with_results(raws: Sequence[Raw], column: str | None) -> tuple[list[Raw], list[str]]:
    """The rows whose result is there, and a note on the others.

    Args:
        column: that holds the result; None: mark and correct, those that a file has.
    """
    kept = []
    for raw in raws:
        named = [name for name in ([column] if column else ["mark", "correct"]) if name in raw]
        there = np.ones(len(raw.cells), bool)
        for name in named:
            # an answer may be the empty text, a mark may not
            there &= ~(np.array(cells.each(raw[name], cells.is_missing), bool) if column else cells.is_empty(raw[name]))
        kept.append(raw.only(there))
    rows, without = (sum(len(raw.cells) for raw in some) for some in (kept, raws))
    if without and not rows:
        raise DataError(f"none of the {without:,} rows has a result, so --common keeps nothing.")
    return kept, [f"{without - rows:,} rows have no result and were left out."] if without > rows else []


def _renamed(raw: Raw, columns: Mapping[str, str]) -> Raw:
    """Columns by our names, without those that are empty and need not be there."""
    for ours, theirs in columns.items():
        raw.need(theirs)
        if ours in raw and ours != theirs:
            raise DataError(f"{raw.source.path} has a column `{ours}` already, so `{theirs}` cannot be read as it.")
    named = raw.cells.rename(columns={theirs: ours for ours, theirs in columns.items()})
    unsaid = [name for name in KNOWN if name in named and name not in REQUIRED and bool(named[name].isna().all())]
    return Raw(raw.source, named.drop(columns=unsaid), raw.lines)


def _rows(place: int, raw: Raw, asked: AttemptOptions, marked: bool) -> pd.DataFrame:
    """One file's rows: what every attempt needs by rules of its own, other columns as the schema says.

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
    if wrong.any():
        raw.refuse(int(wrong.argmax()), f"`{START}` is the untrained model, and its `seed` must be empty.")
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
        other = correct != (marks == "correct").to_numpy()
        if other.any():
            row = int(other.argmax())
            raw.refuse(row, f"`mark` is `{marks.iloc[row]}`, but `correct` is `{raw['correct'].iloc[row]}`.")
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


def _notes(raws: Sequence[Raw], marker: Marker | None) -> list[str]:
    notes = []
    if marker is None and any("mark" not in raw for raw in raws):
        notes.append(
            "The source tells which answers are correct, not whether the others are wrong, missing or cut off."
        )
    unused = sorted(
        {str(name) for raw in raws for name in raw.cells if name not in KNOWN or (name == "rule" and not marker)}
    )
    if unused:
        notes.append(f"Columns that were not used: {', '.join(unused)}.")
    return notes
