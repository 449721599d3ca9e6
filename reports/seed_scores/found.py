"""The files of a run with scores alone, as matrices of seeds.

Raises, everywhere in this module: DataError for a file that is missing or broken; BrokenSeal; ValueError for a reason
without words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from harness.records import DataError, ImportRecord, RunFolder
from harness.records.seed_scores import COLUMN_TYPES, ScoresPlan
from reports.data.checked import Checked, check
from reports.statistics import Floats

AVERAGE = "average"
NO_STEP = -1


@dataclass(frozen=True)
class SeedCurve:
    """One arm's scores over steps: those steps that all of its seeds have."""

    steps: Floats
    """n, ascending"""
    seeds: Sequence[int]
    values: Floats
    """S x n"""
    left_out: int
    """steps that some of its seeds have and others lack"""


@dataclass(frozen=True)
class SeedScores:
    """A run."""

    folder: RunFolder
    plan: ScoresPlan
    record: ImportRecord
    rows: Any
    """a DataFrame: arm, seed, benchmark, step (NO_STEP where there is none), score"""
    checked: Checked

    @property
    def raw(self) -> bool:
        """Whether scores have no known scale."""
        return self.plan.unit == "raw"

    @property
    def columns(self) -> list[str]:
        """The benchmarks, then `average` where there are several."""
        return [*self.plan.benchmarks, *([AVERAGE] if len(self.plan.benchmarks) > 1 else [])]

    @property
    def headline(self) -> str:
        """The column that the comparison is about."""
        return self.columns[-1]

    @cached_property
    def final(self) -> Any:
        """The rows that are compared."""
        if self.plan.step is not None:
            return self.rows.loc[self.rows["step"] == self.plan.step]
        return self.rows.loc[self.rows.groupby(["arm", "seed", "benchmark"])["step"].idxmax()]

    @cached_property
    def by_seed(self) -> Mapping[tuple[str, str], Mapping[int, float]]:
        """(arm, column) -> seed -> score; the average of seeds that have every benchmark."""
        found: dict[tuple[str, str], dict[int, float]] = {}
        for arm, group in self.final.groupby("arm", sort=False):
            table = group.pivot(index="seed", columns="benchmark", values="score")
            for name in table.columns:
                found[str(arm), str(name)] = {int(s): float(v) for s, v in table[name].dropna().items()}
            if len(self.plan.benchmarks) > 1:
                whole = table.reindex(columns=self.plan.benchmarks).dropna()
                found[str(arm), AVERAGE] = {int(s): float(v) for s, v in whole.mean(axis=1).items()}
        return {key: value for key, value in found.items() if value}

    @cached_property
    def has_curves(self) -> bool:
        return bool(self.rows["step"].nunique() > 1)

    def curve(self, arm: str, column: str) -> SeedCurve | None:
        """Up to the step that is compared; None where no step is common to the arm's seeds."""
        mine = self.rows.loc[self.rows["arm"] == arm]
        if self.plan.step is not None:
            mine = mine.loc[mine["step"] <= self.plan.step]
        names = self.plan.benchmarks if column == AVERAGE else [column]
        table = mine.loc[mine["benchmark"].isin(names)].pivot(
            index="step", columns=["seed", "benchmark"], values="score"
        )
        whole = table.dropna()
        if whole.empty:
            return None
        by_seed = whole.T.groupby(level="seed").mean().T
        seeds = [int(seed) for seed in by_seed.columns]
        steps = by_seed.index.to_numpy(float)
        return SeedCurve(steps, seeds, by_seed.to_numpy(float).T.copy(), len(table) - len(whole))


def read(root: Path, accept: str | None = None) -> SeedScores:
    """
    Args:
        accept: why a broken seal does not matter; None: it does.
    """
    checked = check(root, accept)
    folder = RunFolder(root)
    plan, record = ScoresPlan.read(folder.scores_plan), ImportRecord.read(folder.imported)
    return SeedScores(folder, plan, record, _rows(folder, plan), checked)


def _rows(folder: RunFolder, plan: ScoresPlan) -> Any:
    mend = ScoresPlan.mend
    try:
        table = pq.read_table(folder.scores)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{folder.scores} cannot be read: {str(error).splitlines()[0]}. {mend}") from None
    kinds = {name: str(table.schema.field(name).type) for name in table.schema.names}
    if kinds != COLUMN_TYPES:
        raise DataError(f"{folder.scores} must have the columns {COLUMN_TYPES}, but has {kinds}. {mend}")
    filled = all(table[name].null_count == 0 for name in COLUMN_TYPES if name != "step")
    rows = table.set_column(3, "step", table["step"].fill_null(NO_STEP)).to_pandas() if filled else pd.DataFrame()
    if not filled or len(rows) != plan.rows or not np.isfinite(rows["score"]).all():
        raise DataError(f"{folder.scores} must hold {plan.rows:,} scores without gaps. {mend}")
    wrong = (set(rows["arm"]) ^ set(plan.arms)) | (set(rows["benchmark"]) ^ set(plan.benchmarks))
    if wrong or rows.duplicated(["arm", "seed", "benchmark", "step"]).any():
        what = ", ".join(sorted(wrong)) or "copies of a score"
        raise DataError(f"{folder.scores} and {folder.scores_plan.name} do not agree: {what}. {mend}")
    return rows
