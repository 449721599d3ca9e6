"""Tables -> rows of arm, seed, benchmark, step and score, each with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from harness.base.errors import UserError
from harness.importing.scalars import layouts
from harness.importing.scalars.empty_cells import empty_runs, filled, without_any
from harness.importing.scalars.layouts import TableLayout
from harness.importing.scalars.run_labels import Label, of_path, seeds_alone, split_all, split_run
from harness.importing.scalars.scalar_tables import ScalarTable
from harness.importing.scalars.vocabulary import PREFERRED, SYNONYMS, plain
from harness.records import DataError

UNNAMED = "score"
"""the benchmark of a table that names none"""
SAYS_NOTHING = ("score", "scores", "value", "result", "mean", "avg", "average")
"""columns of scores that are no name of a benchmark"""


@dataclass(frozen=True)
class ScalarOptions:
    """What the command says of the tables."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """role -> column"""
    metrics: Sequence[str] = ()
    arm: str | None = None
    seed: int | None = None
    benchmark: str | None = None
    number_seeds: bool = False


@dataclass
class LongRows:
    """Cells of one table or of all, one for each score; arrays of one length."""

    table: np.ndarray
    """which of the tables, int"""
    row: np.ndarray
    """its row, from 0"""
    arm: np.ndarray
    """texts; None where nothing says it"""
    seed: np.ndarray
    """as written, or a number; None where nothing says it"""
    benchmark: np.ndarray
    step: np.ndarray
    """as written; None where there is none"""
    score: np.ndarray
    """as written"""

    def __len__(self) -> int:
        return len(self.score)


@dataclass(frozen=True)
class ResolvedScores:
    """What was found."""

    tables: Sequence[ScalarTable]
    rows: LongRows
    shape: str
    """in words, for people"""
    notes: Sequence[str]

    def at(self, i: int) -> str:
        """Where a row is."""
        return self.tables[int(self.rows.table[i])].at(int(self.rows.row[i]))


def resolve(tables: Sequence[ScalarTable], asked: ScalarOptions) -> ResolvedScores:
    """Raises: UserError with all that is missing and a command that works; DataError with its place."""
    labels = [_label(table, asked) for table in tables]
    found = [layouts.layout(t, asked.columns, bool(asked.arm or t.source.name.arm), asked.metrics) for t in tables]
    chosen, notes = _choose(tables, found, asked)
    _check_arms(tables, found, labels)
    empty: set[tuple[Any, Any]] = set()
    parts = [
        part
        for place, (table, one, label) in enumerate(zip(tables, found, labels, strict=True))
        for part in _rows(place, table, one, label, chosen, asked, empty)
    ]
    if not parts:
        raise DataError(f"{tables[0].source.path}: no score is filled.")
    for table, one in zip(tables, found, strict=True):
        empty |= empty_runs(table, one, chosen)
    rows = _joined(parts)
    notes += without_any(empty, rows.arm, rows.seed)
    notes += [note for table in tables for note in table.notes]
    ignored = dict.fromkeys(name for one in found for name in one.ignored)
    if ignored:
        named = ", ".join(f"`{name}`" for name in ignored)
        notes.append(f"Columns of numbers that were not taken for scores: {named}.")
    notes += _means(tables, found)
    shapes = dict.fromkeys(
        f"{table.shape}, {layouts.WORDS[one.values]}" for table, one in zip(tables, found, strict=True)
    )
    return ResolvedScores(tables, rows, "; ".join(shapes), notes)


def _means(tables: Sequence[ScalarTable], found: Sequence[TableLayout]) -> list[str]:
    """Of exports of charts whose points are means: of a group of runs, or of several steps."""
    apart = 0
    for table, one in zip(tables, found, strict=True):
        for column in one.columns if one.values == "runs and metrics" else ():
            low, high = (table.cells.get(f"{column}{end}") for end in ("__MIN", "__MAX"))
            if low is not None and high is not None:
                apart += int((low.astype(str) != high.astype(str)).sum())
    if not apart:
        return []
    return [
        f"In {apart:,} cells of the chart MIN and MAX differ: these scores are means, of several runs or steps, and "
        "how much they vary is not in the file. Export ungrouped runs to compare seeds."
    ]


def _label(table: ScalarTable, asked: ScalarOptions) -> Label:
    """Arm and seed of a whole table: what the command names, then the path, then the file itself. A path's words are
    taken for an arm only where the table has no column of arms; that is seen to later."""
    named = table.source.name
    arm, seed = of_path(str(table.source.path))
    if table.arm and (table.of_one_run or arm is None):
        own = split_run(table.arm)
        arm = own[0] if table.arm_first else arm or own[0]
        seed = own[1] if seed is None else seed
    seed = table.seed if table.seed is not None else seed
    return asked.arm or named.arm or arm, next((s for s in (asked.seed, named.seed, seed) if s is not None), None)


def _choose(
    tables: Sequence[ScalarTable], found: Sequence[TableLayout], asked: ScalarOptions
) -> tuple[set[str] | None, list[str]]:
    """The metrics that are imported, of all tables together; None where there is nothing to choose."""
    named = list(dict.fromkeys(name for one in found for name in one.metrics))
    if not named:
        benchmarks = list(dict.fromkeys(name for one in found if one.values == "benchmarks" for name in one.columns))
        if asked.metrics and not benchmarks:
            raise UserError(f"--metric {asked.metrics[0]}: {tables[0].source.path} has one column of scores. "
                            "Leave it out.")  # fmt: skip
        return (set(layouts.choose(benchmarks, asked.metrics, _where(tables), ())[0]) if asked.metrics else None), []
    chosen, note = layouts.choose(named, asked.metrics, _where(tables), PREFERRED)
    return set(chosen), [note] if note else []


def _where(tables: Sequence[ScalarTable]) -> str:
    more = len(tables) - 1
    return f"{tables[0].source.path}" + (f" with {more:,} more" if more else "")


def _check_arms(tables: Sequence[ScalarTable], found: Sequence[TableLayout], labels: Sequence[Label]) -> None:
    """Raises: UserError if nothing says whose a table's scores are."""
    says = ("runs and metrics", "runs", "arms")
    for table, one, (arm, _) in zip(tables, found, labels, strict=True):
        if "arm" not in one.roles and one.values not in says and arm is None:
            raise UserError(
                f"{table.source.path} does not say which arm it is of: no column is called "
                f"{', '.join(SYNONYMS['arm'][:3])} ..., and neither is its path.\n"
                f"Name it before the path, grpo/seed0={table.source.path}; or --column arm=NAME; or "
                "a pattern: 'out/{arm}-seed{seed}/...'."
            )


def _rows(
    place: int, table: ScalarTable, one: TableLayout, label: Label, chosen: set[str] | None, asked: ScalarOptions,
    empty: set[tuple[Any, Any]],
) -> Iterator[LongRows]:  # fmt: skip
    """One part for each column of scores, gaps left out.

    Args:
        empty: arm and seed of each gap are put into it.
    """
    cells = table.cells
    arms, seeds = _column(cells, one, "arm"), _column(cells, one, "seed")
    # `base-seed0` in a column of arms or runs says both
    if arms is not None and seeds is None and (split := split_all(map(str, pd.unique(pd.Series(arms).dropna())))):
        known = dict(zip(map(str, pd.unique(pd.Series(arms).dropna())), split, strict=True))
        arms, seeds = (np.array([known.get(str(arm), (None, None))[i] for arm in arms], object) for i in (0, 1))
    benchmarks = _column(cells, one, "benchmark")
    metrics, steps = _column(cells, one, "metric"), _column(cells, one, "step")
    alone = seeds_alone(one.columns) if one.values == "seeds" else None
    several = chosen is not None and len(chosen) > 1
    for i, column in enumerate(one.columns):
        arm, seed, metric = *label, None
        found = layouts.OF_RUN.fullmatch(column) if one.values == "runs and metrics" else None
        if found:
            (arm, said), metric = split_run(found["run"]), found["metric"]
            seed = label[1] if said is None else said
        elif one.values == "runs":
            arm, seed = split_run(column)
        elif one.values == "arms":
            arm = column
        elif alone is not None:
            seed = alone[i]
        elif one.values in ("metrics", "benchmarks"):
            metric = column
        if metric is not None and chosen is not None and metric not in chosen:
            continue
        keep = filled(cells[column])
        gaps = ~keep
        if one.values == "score" and metrics is not None and chosen is not None:
            of_chosen = np.isin(metrics.astype(str), list(chosen))
            keep, gaps = keep & of_chosen, gaps & of_chosen
        where, gap = np.flatnonzero(keep), np.flatnonzero(gaps)
        empty.update(
            zip(
                arms[gap].tolist() if arms is not None else [arm] * len(gap),
                seeds[gap].tolist() if seeds is not None else [seed] * len(gap),
                strict=True,
            )
        )
        by_column = one.values == "score"
        names = _benchmark(benchmarks, metrics if by_column else metric, several, column, by_column, asked, where)
        yield LongRows(
            np.full(len(where), place, np.int32),
            where,
            _at(arms, where) if arms is not None else np.full(len(where), arm, object),
            _at(seeds, where) if seeds is not None else np.full(len(where), seed, object),
            names,
            _at(steps, where) if steps is not None else np.full(len(where), table.source.name.step, object),
            _at(cells[column].to_numpy(object), where),
        )


def _at(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Values at ascending places; where that is all, themselves: of a million rows a copy is 8 MB."""
    return values if len(where) == len(values) else values[where]


def _benchmark(
    benchmarks: np.ndarray | None,
    metric: Any,
    several: bool,
    column: str,
    by_column: bool,
    asked: ScalarOptions,
    where: np.ndarray,
) -> np.ndarray:
    """What each score is of: the column of benchmarks, with the metric behind it where there are several.

    Args:
        by_column: whether the column of scores is called by what it holds, and not by a run, an arm or a seed.
    """
    named = metric[where].astype(str).astype(object) if isinstance(metric, np.ndarray) else None
    if benchmarks is not None and asked.benchmark is None:
        found = _at(benchmarks, where)
        if several:
            tail = named if named is not None else np.full(len(where), metric, object)
            found = np.array([f"{one} {other}" for one, other in zip(found, tail, strict=True)], object)
        return found
    if asked.benchmark is not None:
        return np.full(len(where), asked.benchmark, object)
    if named is not None:
        return named
    name = metric or (column if by_column and plain(column) not in SAYS_NOTHING else UNNAMED)
    return np.full(len(where), name, object)


def _column(cells: pd.DataFrame, one: TableLayout, role: str) -> np.ndarray | None:
    return cells[one.roles[role]].to_numpy(object) if role in one.roles else None


def _joined(parts: Sequence[LongRows]) -> LongRows:
    if len(parts) == 1:
        return parts[0]
    names = LongRows.__dataclass_fields__
    return LongRows(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})
