"""The second marker's marks, where one ran: read from disk, and set against the first's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from reports.data import columns
from reports.data.analysis import Analysis
from reports.data.load import MARKS, Run
from reports.data.scores import final

CORRECT, FAILED = MARKS.index("correct"), MARKS.index("grader_failed")


@dataclass(frozen=True)
class Markers:
    """One evaluation's attempts by what both markers said."""

    attempts: int
    both: int
    """correct to both"""
    first_only: int
    """correct to the first, and the second said otherwise"""
    second_only: int
    failed: int
    """on which at least one marker broke or ran out of time; in none of the others"""

    def __add__(self, other: Markers) -> Markers:
        return Markers(*(getattr(self, name) + getattr(other, name) for name in Markers.__dataclass_fields__))


def compare(a: Analysis) -> Mapping[int, Markers]:
    """Evaluation of the headline -> both markers, where every attempt has both marks."""
    found = {}
    evals = final(a.run)
    for e, asked in zip(evals.index, evals["second_marker"], strict=True):
        masks = _masks(a.run, int(e)) if asked else None
        if masks is not None:
            first, second, failed = masks
            counts = (first & second, first & ~second, second & ~first, failed)
            found[int(e)] = Markers(first.size, *(int(mask.sum()) for mask in counts))
    return found


def correct(run: Run, evals: pd.DataFrame) -> list[np.ndarray] | None:
    """Of each of these evaluations, how many attempts at each problem are correct to the second marker; one on which
    either failed is not. None if some attempt does not have both marks."""
    found = []
    for e, asked in zip(evals.index, evals["second_marker"], strict=True):
        masks = _masks(run, int(e)) if asked else None
        if masks is None:
            return None
        found.append(masks[1].sum(axis=1))
    return found or None


def _masks(run: Run, e: int) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Problems x samples: correct to the first marker, to the second, and where either failed, in neither of the two.
    None if a mark of the second is missing."""
    column = columns.read(run.folder(e).attempts, (), ["mark_second"]).get("mark_second")
    second = columns.marks(column, run.attempts[e].rows)
    if second is None:
        return None
    first = run.attempts[e].marks
    failed = (first == FAILED) | (second == FAILED)
    return (first == CORRECT) & ~failed, (second == CORRECT) & ~failed, failed
