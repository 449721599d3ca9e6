"""Answers of several arms in one table, where no known key names the arm."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Hashable

from harness.importing.shapes import judging
from harness.importing.shapes.missing import Missing
from harness.importing.shapes.recognise import FoundShape, distinct

_MOST = 20
_DIGITS = re.compile(r"\d+")


def of_pool(shape: FoundShape, missing: Missing) -> None:
    """Adds the question which arm an answer is of, where a column may tell."""
    if text := pooled(shape):
        values = ", ".join(map(str, distinct(shape.sampled.columns[text])[:3]))
        reason = f"`{text}` ({values}) may name the arms: every problem has answers of each."
        missing.add(reason, "--column", f"arm={text}")


def pooled(shape: FoundShape) -> str | None:
    """A column without a role whose every value stands beside every problem of a file equally often, as the names of
    arms do; None if there is none. Values that differ in numbers alone are samples."""
    taken = {column.text for column in shape.roles.columns.values()}
    problems = list(zip(shape.files_of, shape.problems(), strict=True))
    for text, values in shape.sampled.columns.items():
        names = set(map(str, values))
        if text in taken or shape.columns[text].where != "row" or not 2 <= len(names) <= _MOST:
            continue
        if judging.are_arms(values) and len({_DIGITS.sub("", name) for name in names}) == len(names):
            by: defaultdict[Hashable, Counter[str]] = defaultdict(Counter)
            for problem, value in zip(problems, values, strict=True):
                by[problem][str(value)] += 1
            if all(len(found) == len(names) and len(set(found.values())) == 1 for found in by.values()):
                return text
    return None
