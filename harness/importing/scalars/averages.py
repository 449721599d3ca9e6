"""Rows of a benchmark that is the average of the others: it is none, and would be averaged once more."""

from __future__ import annotations

from typing import Any

import pandas as pd

from harness.base.errors import UserError
from harness.importing.scalars.layouts import ROUNDED
from harness.importing.scalars.resolving import ResolvedScores
from harness.importing.scalars.vocabulary import is_average


def without_averages(found: ResolvedScores, frame: Any, notes: list[str]) -> Any:
    """The rows without those of a benchmark that is called an average, stands beside two others or more and is their
    mean.

    Args:
        frame: arm, seed, benchmark, step and score as written, `place` among the rows that were found.
        notes: what was left out is added.
    Raises: UserError where it is called so and is not the mean.
    """
    names = list(pd.unique(frame["benchmark"]))
    averages = [name for name in names if is_average(name)]
    others = [name for name in names if name not in averages]
    if not averages or len(others) < 2:
        return frame
    wide = frame.pivot_table(index=["arm", "seed", "step"], columns="benchmark", values="score", aggfunc="first")
    mean = wide[others].mean(axis=1, skipna=False)
    for name in averages:
        apart = (wide[name] - mean).abs()
        most = ROUNDED * (100 if (frame["score"] > 1).any() else 1)
        if (apart > most).any():
            first = frame[frame["benchmark"] == name].iloc[0]
            raise UserError(
                f"{found.at(int(first['place']))}: `{name}` is called an average, and is not the mean of "
                f"{', '.join(others[:6])}: they are up to {apart.max():.3g} apart. Leave its rows out, for benchmarks "
                "are averaged here; or rename it, if it is a benchmark."
            )
    notes.append(f"Rows of `{'`, `'.join(averages)}` are the mean of the other benchmarks, and were left out.")
    return frame[~frame["benchmark"].isin(averages)].reset_index(drop=True)
