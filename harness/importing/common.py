"""`--common`: of rows that are not complete, the problems that every evaluation of a benchmark has.

Raises, everywhere in this module: DataError where no problem is left.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.records import DataError, LeftOut

NEXT = "--common keeps the problems that all have, and says what it leaves out"
"""what a refusal names as another way"""
_WHO = ["arm", "seed", "step"]


@dataclass(frozen=True)
class CommonRows:
    rows: pd.DataFrame
    left: list[LeftOut]
    """of every evaluation of a benchmark that lost problems"""
    notes: list[str]


def keep(rows: pd.DataFrame) -> CommonRows:
    """Of each benchmark the problems that all its evaluations answered, each as often as it usually does.

    An evaluation's k is its problems' most frequent number of attempts. A problem with fewer is not complete; of one
    with more the first k are kept, by their numbers, which say nothing of whether they are correct.

    Args:
        rows: sorted by arm, seed, step, benchmark, problem and sample, the words as categories.
    """
    wanted, left, surplus = np.zeros(len(rows), bool), [], 0
    correct, numbers = rows["mark"].eq("correct").to_numpy(), rows.groupby("benchmark", observed=True).indices
    for benchmark, places in numbers.items():
        part = rows.iloc[places]
        who, evaluation = _codes(part)
        problem, names = pd.factorize(part["problem_id"].astype(str))
        size, right = np.zeros((2, len(who), len(names)), int)
        np.add.at(size, (evaluation, problem), 1)
        np.add.at(right, (evaluation, problem), correct[places])
        k = np.array([_usual(row) for row in size])
        common = (size >= k[:, None]).all(axis=0)
        _some(str(benchmark), who, size >= k[:, None], common)
        sample = part.groupby([*_WHO, "problem_id"], observed=True).cumcount().to_numpy()
        within = sample < k[evaluation]
        wanted[places] = common[problem] & within
        surplus += int(np.sum(common[problem] & ~within))
        if not common.all():
            left += _left(str(benchmark), who, size, right, k, common)
    notes = [f"{surplus:,} attempts more than others have of their problem were left out."] if surplus else []
    return CommonRows(rows[wanted].reset_index(drop=True), left, notes)


def _codes(part: pd.DataFrame) -> tuple[list[tuple[str, int, int]], np.ndarray]:
    """The evaluations of one benchmark, and of each row which it is of."""
    keys = pd.MultiIndex.from_frame(part[_WHO].astype({"arm": str}))
    codes, found = pd.factorize(keys)
    return [(str(arm), int(seed), int(step)) for arm, seed, step in found], codes


def _usual(sizes: np.ndarray) -> int:
    """The most frequent number of attempts; of two that are as frequent the larger."""
    values, counts = np.unique(sizes[sizes > 0], return_counts=True)
    return int(values[counts == counts.max()].max())


def _some(benchmark: str, who: Iterable[tuple[str, int, int]], whole: np.ndarray, common: np.ndarray) -> None:
    if common.any():
        return
    counts = whole.sum(axis=1)
    arm, seed, _ = list(who)[int(counts.argmin())]
    raise DataError(
        f"{benchmark}: no problem was answered in full by all of its {len(counts):,} evaluations; "
        f"{arm}{'' if seed < 0 else f' seed {seed}'} has {counts.min():,} of {len(common):,}.\n"
        "There is nothing in common to compare: leave out a source, or complete it."
    )


def _left(
    benchmark: str,
    who: Iterable[tuple[str, int, int]],
    size: np.ndarray,
    right: np.ndarray,
    k: np.ndarray,
    common: np.ndarray,
) -> list[LeftOut]:
    """Args: size, right: evaluations x problems, attempts and correct ones; k: evaluations; common: problems."""
    out = ~common
    asked = np.maximum(size, k[:, None])[:, out]
    low = right[:, out] / asked
    high = (right + np.maximum(k[:, None] - size, 0))[:, out] / asked
    return [
        LeftOut(
            arm=arm,
            seed=None if seed < 0 else seed,
            step=step,
            benchmark=benchmark,
            kept=int(common.sum()),
            problems=int(out.sum()),
            lacks=int(np.sum(size[i, out] < k[i])),
            low=float(low[i].sum()),
            high=float(high[i].sum()),
        )
        for i, (arm, seed, step) in enumerate(who)
    ]
