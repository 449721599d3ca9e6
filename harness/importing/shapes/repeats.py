"""Answers that are there again: evaluations that were run twice, other filters of the same answers, repeated rows."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from harness.importing.raw import Raw
from harness.importing.shapes.missing import Missing
from harness.importing.shapes.recognise import FoundShape, PeekedFile
from harness.importing.shapes.shape_parts import all_values
from harness.importing.shapes.whose import Whose
from harness.records import DataError

_RARE = 1e-4
"""chance at which rows of one model would look like rows of two, whatever k is"""
_MOST_TURNS = 16
"""rows of a problem that are compared with each other"""
_MOST_EXACT = 1_000


def latest(files: list[PeekedFile], made: Whose, wanted: bool, missing: Missing, notes: list[str]) -> list[PeekedFile]:
    """Of evaluations that were run again the last, if that was asked for."""
    groups: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for i, stamp in enumerate(made.stamp):
        if stamp:
            labels = tuple(part.labels[i] for part in made.parts)
            groups[labels, made.arm[i], made.seed[i], made.step[i], made.benchmark[i], made.order[i][0]].append(i)
    again = [found for found in groups.values() if len({made.stamp[i] for i in found}) > 1]
    if not again:
        return files
    first = [str(files[i].source.path) for i in again[0]]
    if not wanted:
        missing.add(f"one evaluation was run {len(again[0])} times: {', '.join(first[:3])}.", "--latest")
        return files
    old = {i for found in again for i in found if made.stamp[i] != max(made.stamp[j] for j in found)}
    notes.append(f"Of evaluations that were run again the last is taken: {len(old)} earlier files were left out.")
    return [one for i, one in enumerate(files) if i not in old]


def filters(shape: FoundShape, asked: Sequence[str], missing: Missing) -> dict[int, str]:
    """Of each file whose rows look at the same answers in several ways, the one that is taken: the first that is asked
    for and there; where a file has one only, there is no choice."""
    column = shape.roles.columns.get("filter")
    if column is None:
        return {}
    chosen: dict[int, str] = {}
    sampled: dict[int, dict[str, None]] = defaultdict(dict)
    for place, value in zip(shape.files_of, shape.values("filter"), strict=True):
        sampled[place][value] = None
    for place, one in enumerate(shape.files):
        # a tool may write all rows of one filter before those of the next, more than were looked at
        there = dict.fromkeys(all_values(shape, one, column) if shape.family and one.lines else sampled[place])
        if len(there) < 2 and not asked:
            continue
        wanted = [name for name in asked if name in there]
        if len(there) == 1 or wanted:
            chosen[place] = next(iter(wanted or there))
            continue
        if asked:
            named = " or ".join(f"`{name}`" for name in asked)
            missing.add(f"{one.source.path} has no filter {named}. It has {', '.join(map(str, there))}.")
        else:
            missing.add(_several(there), "--filter", str(next(iter(there))))
        break
    return chosen


def check_one_filter(raw: Raw, seen: set[str]) -> None:
    """Of rows of a file for which no filter was chosen. Raises: DataError at the first of a second one.

    Args:
        seen: filters of rows before.
    """
    if "filter" not in raw:
        return
    for row, name in enumerate(raw["filter"]):
        seen.add(name)
        if len(seen) > 1:
            raise DataError(f"{raw.at(row)}: {_several(sorted(map(str, seen)))}\n--filter NAME says which is taken.")


def _several(names: Iterable[object]) -> str:
    return f"the same answers are there with several filters: {', '.join(map(str, names))}."


def check_counted_once(groups: Any, raw: Raw, seen: Mapping[Hashable, int]) -> None:
    """Counts of one problem stand in one row.

    Args:
        groups: answers by evaluation and problem.
        seen: evaluations and problems of rows before, with how many answers they had.
    Raises: DataError: two rows may be of two arms.
    """
    lines = pd.Series(raw.lines)
    for key, rows in groups.indices.items():
        if key in seen or lines.iloc[rows[0]] != lines.iloc[rows[-1]]:
            raise DataError(
                f"{raw.at(rows[-1])}: more than one row counts the answers to the problem `{key[-1]}`. If they are of "
                "several arms, --column arm=KEY says which column names them; of several runs of one arm add them up."
            )


class Blocks:
    """The answers of one file in their order, where nothing numbers the answers to a problem and nothing names the arm:
    they are taken for samples, unless they look like those of several models."""

    def __init__(self) -> None:
        self._problems: list[np.ndarray] = []
        self._correct: list[np.ndarray] = []

    def add(self, problems: Any, marks: Any, count: int) -> None:
        """
        Args:
            problems: ids, one for each of `count` rows.
            marks: theirs; None while they are not marked.
        """
        self._problems.append(np.fromiter(map(hash, problems), np.int64, count))
        self._correct.append(np.fromiter((mark == "correct" for mark in marks), bool, count))

    def check(self, where: str) -> None:
        """Raises: DataError if the rows of a problem may be of several models."""
        order = np.concatenate(self._problems) if self._problems else np.zeros(0, np.int64)
        if len(order) < 2:
            return
        if not (order[1:] == order[:-1]).any():
            self._check_order(where, order)
        self._check_turns(where, order, np.concatenate(self._correct))

    @staticmethod
    def _check_order(where: str, order: np.ndarray) -> None:
        """All problems that come again in the same order may be another arm's, or another sample's."""
        again = np.flatnonzero(order[1:] == order[0]) + 1
        size = int(again[0]) if len(again) else len(order)
        if size < 2 or size == len(order) or len(order) % size or (order.reshape(-1, size) != order[:size]).any():
            return
        raise DataError(
            f"{where}: the same {size:,} problems come {len(order) // size} times in the same order. Nothing says "
            "whether these are arms, or samples of one arm.\nOf several arms: add a column that names them. Of one "
            "arm: add --arm NAME."
        )

    @staticmethod
    def _check_turns(where: str, order: np.ndarray, correct: np.ndarray) -> None:
        """Samples of one model are alike wherever among a problem's rows they stand. Where the first are correct far
        more often than the second, or the other way round, two models may take turns, or somebody has sorted them."""
        _, problem, counts = np.unique(order, return_inverse=True, return_counts=True)
        k = int(counts[0])
        if k < 2 or (counts != k).any():
            return
        table = correct[np.argsort(problem, kind="stable")].reshape(-1, k)
        for a, b in combinations(range(min(k, _MOST_TURNS)), 2):
            only_a, only_b = int((table[:, a] & ~table[:, b]).sum()), int((table[:, b] & ~table[:, a]).sum())
            if _sign_test(only_a, only_b) < _RARE / math.comb(min(k, _MOST_TURNS), 2):
                share_a, share_b = (100 * float(table[:, place].mean()) for place in (a, b))
                raise DataError(
                    f"{where}: row {a + 1} of each problem is correct {share_a:.1f} % of the time and row {b + 1} "
                    f"{share_b:.1f} %, as samples of one model are not. Nothing names a model.\nIf rows of several "
                    "models take turns, add a column that names them, and --column arm=KEY. If they are samples of one "
                    "model, sorted by what came of them: --arm NAME."
                )


def _sign_test(one: int, other: int) -> float:
    """Chance that so few of so many fall on one side by a fair coin, or on the other."""
    many = one + other
    if many > _MOST_EXACT:
        return math.erfc((abs(one - other) - 1) / math.sqrt(2 * many))
    tail = sum(math.comb(many, few) for few in range(min(one, other) + 1))
    return min(1.0, 2 * tail / 2**many)
