"""Scores as matrices of seeds x problems, and counts of marks, from the tables of `load`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd

from harness.records import START, DataError
from reports.data.load import MARKS, Run, where
from reports.statistics import Floats

AVERAGE = "average"
"""the column of the unweighted mean over the planned benchmarks"""


@dataclass(frozen=True)
class Scores:
    """One arm on one benchmark at one point of the grid."""

    seeds: tuple[int, ...]
    """ascending; (-1,) for the untrained model"""
    problems: tuple[str, ...]
    """ids, ascending"""
    values: Floats
    """seeds x problems: the share of a problem's k attempts that were correct"""
    k: tuple[int, ...]
    """attempts a problem, for each seed"""

    def only(self, seeds: tuple[int, ...]) -> Scores:
        """With these seeds alone, in the order given; each must be one of `seeds`."""
        rows = [self.seeds.index(seed) for seed in seeds]
        return Scores(seeds, self.problems, self.values[rows], tuple(self.k[row] for row in rows))

    @property
    def by_seed(self) -> dict[int, float]:
        """seed -> share correct, mean over problems."""
        return dict(zip(self.seeds, self.values.mean(axis=1).tolist(), strict=True))


Cells = Mapping[tuple[str, str], Scores]
"""(arm, benchmark) -> scores; a missing key is a gap"""


def headline(run: Run) -> Cells:
    """Scores at the full budget, and of the untrained model.

    Raises: DataError if a benchmark was asked in two versions, or one checkpoint twice.
    """
    return matrices(final(run), run.problems)


def final(run: Run) -> pd.DataFrame:
    """The evaluations of the headline: at the full budget, and of the untrained model."""
    return where(run.evals, (run.evals["grid"] == run.plan.grid_rollouts[-1]) | (run.evals["arm"] == START))


def matrices(evals: pd.DataFrame, problems: pd.DataFrame) -> Cells:
    """Group evaluations by arm and benchmark; each seed must appear once."""
    _one_version(evals)
    values = (problems["correct"] / problems["attempts"]).to_numpy(dtype=float)
    rows = problems.groupby("eval", sort=False).indices
    ids = problems["problem_id"].to_numpy()
    cells = {}
    for key, group in evals.sort_values(["arm", "benchmark", "seed"]).groupby(["arm", "benchmark"]):
        arm, benchmark = cast(tuple[str, str], key)
        twice = where(group, group["seed"].duplicated())
        if len(twice):
            raise DataError(
                f"{arm} seed {twice['seed'].iloc[0]} was evaluated twice on {benchmark} at the same point of the grid."
            )
        order = [tuple(ids[rows[index]]) for index in group.index]
        if len(set(order)) != 1:
            raise DataError(
                f"{arm}: the seeds were asked different problems of {benchmark}.\n--common keeps the problems that all "
                "have, and says what it leaves out."
            )
        matrix = np.stack([values[rows[index]] for index in group.index])
        cells[arm, benchmark] = Scores(tuple(group["seed"]), order[0], matrix, tuple(group["k"]))
    return cells


def _one_version(evals: pd.DataFrame) -> None:
    for benchmark, group in evals.groupby("benchmark"):
        versions = group.drop_duplicates("benchmark_hash")
        if len(versions) > 1:
            pairs = zip(versions["benchmark_hash"], versions["arm"], strict=True)
            seen = ", ".join(f"{version} by {arm}" for version, arm in pairs)
            raise DataError(f"{benchmark} was asked in {len(versions)} versions ({seen}); they cannot be put together.")


def complete(cells: Cells, arm: str, benchmarks: list[str]) -> list[Scores] | None:
    """The arm on all these benchmarks, with the seeds that have them all; None if there is no such seed."""
    found = [cells.get((arm, benchmark)) for benchmark in benchmarks]
    if not found or any(scores is None for scores in found):
        return None
    present = [scores for scores in found if scores is not None]
    seeds = tuple(sorted(set.intersection(*(set(scores.seeds) for scores in present))))
    return [scores.only(seeds) for scores in present] if seeds else None


def marks(run: Run) -> dict[tuple[str, str], dict[str, int]]:
    """(arm, benchmark) -> counts of the five marks, of `attempts` and `tokens`, over all seeds at the headline.

    What is not known is missing: `tokens` where one of them does not tell it, marks other than correct and wrong where
    an import told correct from not correct.
    """
    table = run.problems.merge(final(run)[["arm", "benchmark"]], left_on="eval", right_index=True)
    table["tokens"] = table["tokens"].astype(float).fillna(np.inf)  # no sum of what is not known
    columns = ["arm", "benchmark", *MARKS, "attempts", "tokens"]
    sums = cast(pd.DataFrame, table[columns].groupby(["arm", "benchmark"], as_index=False).sum())
    rows = sums.to_dict("records")
    return {
        (row["arm"], row["benchmark"]): {n: int(row[n]) for n in columns[2:] if _is_known(run, row, n)} for row in rows
    }


def _is_known(run: Run, row: dict[Any, Any], name: str) -> bool:
    if name in MARKS[2:] and run.imported and row["benchmark"] in run.imported.coarse:
        return False
    return bool(np.isfinite(row[name]))


def curve(run: Run) -> pd.DataFrame:
    """Every evaluation's score: arm, seed, benchmark, grid, step, rollouts, score (the mean over problems)."""
    share = run.problems["correct"] / run.problems["attempts"]
    score = share.astype(float).groupby(run.problems["eval"]).mean()
    headers = cast(pd.DataFrame, run.evals[["arm", "seed", "benchmark", "grid", "step", "rollouts"]])
    return headers.assign(score=score)
