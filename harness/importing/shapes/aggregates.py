"""A file's own mean of its results, to be compared with what was read of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.importing.shapes.family import Family
from harness.importing.shapes.judging import number
from harness.importing.shapes.paths import matches, plain, written
from harness.importing.shapes.recognise import PeekedFile
from harness.importing.shapes.vocabulary import AGGREGATES, word


def own_mean(file: PeekedFile, family: Family | None) -> tuple[str, float] | None:
    """Its place and value as a fraction; None if the file has none beside its rows."""
    for _, beside, _ in file.rows(1):
        for path, value in _numbers(beside, ()):
            text = plain(written(path))
            named = any(matches(pattern.replace("[]", ""), text) for pattern in (family.aggregates if family else ()))
            if (named or (len(path) == 1 and word(path[0]) in AGGREGATES)) and 0 <= value <= 100:
                return written(path), value if value <= 1 else value / 100
    return None


def _numbers(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], float]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _numbers(inner, (*path, str(key)))
    elif isinstance(value, list) and len(value) == 1:
        yield from _numbers(value[0], (*path, "[0]"))
    elif not isinstance(value, bool | str) and (found := number(value)) is not None:
        yield path, found
