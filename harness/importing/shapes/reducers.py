"""How a tool makes one number of the answers to a problem, before it takes the mean over problems.

By inspect's names: `mean`, `median`, `mode`, `max`, `at_least_k`, `pass_at_k` (Chen et al. 2021, arXiv:2107.03374) and
`pass_k`, the chance that all of k are correct.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

import pandas as pd

_NUMBERED = re.compile(r"(at_least|pass_at|pass_k)_(\d+)")


class FileTally:
    """How many answers read from one file are correct, and of those to each problem."""

    def __init__(self, by_problem: bool) -> None:
        """
        Args:
            by_problem: whether a reducer may be asked for.
        """
        self.correct, self.total = 0, 0
        self._problems: dict[object, list[int]] | None = {} if by_problem else None

    def add(self, rows: pd.DataFrame) -> None:
        """Rows with `mark` and `problem_id`."""
        right = (rows["mark"] == "correct").to_numpy()
        self.correct += int(right.sum())
        self.total += len(rows)
        if self._problems is not None:
            groups = pd.DataFrame({"right": right, "id": rows["problem_id"].to_numpy()}).groupby("id", sort=False)
            for problem, correct, total in groups["right"].agg(["sum", "count"]).itertuples():
                found = self._problems.setdefault(problem, [0, 0])
                found[0] += int(correct)
                found[1] += int(total)

    def mean(self, reducer: str = "") -> float | None:
        """Over problems; over answers without a reducer. None if there are none, or the reducer is not known."""
        if not self.total:
            return None
        if not reducer:
            return self.correct / self.total
        values = [_reduced(reducer, *found) for found in (self._problems or {}).values()]
        return _mean(values)


def _mean(values: Iterable[float | None]) -> float | None:
    there = list(values)
    known = [value for value in there if value is not None]
    return sum(known) / len(known) if known and len(known) == len(there) else None


def _reduced(name: str, correct: int, total: int) -> float | None:
    """Of one problem; None where the numbers of answers do not tell."""
    if name == "mean":
        return correct / total
    if name in ("mode", "median") and 2 * correct == total:
        return 0.5 if name == "median" else None  # the mode is then the one that came first
    if name in ("mode", "median"):
        return float(2 * correct > total)
    if name == "max":
        return float(correct > 0)
    match = _NUMBERED.fullmatch(name)
    k = int(match[2]) if match else 0
    if not match or not 1 <= k <= total:
        return None
    if match[1] == "at_least":
        return float(correct >= k)
    if match[1] == "pass_at":
        return 1 - math.comb(total - correct, k) / math.comb(total, k)
    return math.comb(correct, k) / math.comb(total, k)
