"""Answers that are there again: evaluations that were run twice, other filters of the same answers, repeated rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from harness.importing.raw import Raw
from harness.importing.shapes.missing import Missing
from harness.importing.shapes.recognise import FoundShape, PeekedFile, distinct
from harness.importing.shapes.whose import Whose
from harness.records import DataError


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


def filters(shape: FoundShape, asked: Sequence[str], missing: Missing) -> None:
    """Rows that look at the same answers in several ways."""
    if "filter" in shape.roles.columns:
        there = distinct(shape.values("filter"))
        wanted = [name for name in asked if name in there]
        if len(there) > 1 and not wanted:
            missing.add(
                f"the same answers are there with several filters: {', '.join(there)}.", "--filter", str(there[0])
            )


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
    """The problems of one file in their order, where nothing numbers its answers and nothing names its arm."""

    def __init__(self) -> None:
        self._parts: list[np.ndarray] = []
        self._known = False
        """whether answers to one problem stand together, as samples do"""

    def add(self, problems: Any, count: int) -> None:
        """
        Args:
            problems: ids, one for each of `count` rows.
        """
        if self._known or not count:
            return
        codes = np.fromiter(map(hash, problems), np.int64, count)
        before = self._parts[-1][-1:] if self._parts else codes[:0]
        joined = np.concatenate([before, codes])
        self._known = bool((joined[1:] == joined[:-1]).any())
        self._parts = [] if self._known else [*self._parts, codes]

    def check(self, where: str) -> None:
        """Raises: DataError if all problems come again in the same order: as another arm's, or another sample's."""
        order = np.concatenate(self._parts) if self._parts else np.zeros(0, np.int64)
        again = np.flatnonzero(order[1:] == order[0]) + 1 if len(order) else order
        size = int(again[0]) if len(again) else len(order)
        if size < 2 or size == len(order) or len(order) % size or (order.reshape(-1, size) != order[:size]).any():
            return
        raise DataError(
            f"{where}: the same {size:,} problems come {len(order) // size} times in the same order. Nothing says "
            "whether these are arms, or samples of one arm.\nOf several arms: add a column that names them. Of one "
            "arm: add --arm NAME."
        )
