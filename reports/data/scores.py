"""Scores as matrices of seeds x problems, and counts of marks, from the tables of `load`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
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
    ids = problems["problem_id"].to_numpy()
    # Lists and arrays, for a report asks thirty times, and pandas' groups cost three times as much.
    by_eval = problems["eval"].to_numpy()
    order = np.argsort(by_eval, kind="stable")
    starts = np.flatnonzero(np.diff(by_eval[order], prepend=-1)).tolist()
    rows = {int(by_eval[order[start]]): order[start:end] for start, end in pairwise([*starts, len(order)])}
    groups: dict[tuple[str, str], list[tuple[int, int, int]]] = {}
    headers = zip(*(evals[name].tolist() for name in ("arm", "benchmark", "seed", "k")), evals.index, strict=True)
    for arm, benchmark, seed, k, index in sorted(headers):
        groups.setdefault((arm, benchmark), []).append((seed, k, index))
    cells = {}
    for (arm, benchmark), group in groups.items():
        seeds, ks, places = zip(*group, strict=True)
        twice = [seed for seed, after in pairwise(seeds) if seed == after]
        if twice:
            raise DataError(f"{arm} seed {twice[0]} was evaluated twice on {benchmark} at the same point of the grid.")
        asked = {tuple(ids[rows[index]]) for index in places}
        if len(asked) != 1:
            raise DataError(
                f"{arm}: the seeds were asked different problems of {benchmark}.\n--common keeps the problems that all "
                "have, and says what it leaves out."
            )
        matrix = np.stack([values[rows[index]] for index in places])
        cells[arm, benchmark] = Scores(seeds, asked.pop(), matrix, ks)
    return cells


def _one_version(evals: pd.DataFrame) -> None:
    versions: dict[str, dict[str, str]] = {}
    columns = (evals[name].tolist() for name in ("benchmark", "benchmark_hash", "arm"))
    for benchmark, version, arm in zip(*columns, strict=True):
        versions.setdefault(benchmark, {}).setdefault(version, arm)
    for benchmark, found in sorted(versions.items()):
        if len(found) > 1:
            seen = ", ".join(f"{version} by {arm}" for version, arm in found.items())
            raise DataError(f"{benchmark} was asked in {len(found)} versions ({seen}); they cannot be put together.")


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
