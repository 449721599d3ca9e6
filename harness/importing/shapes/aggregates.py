"""Means that files tell themselves, beside their rows or in a file of results beside them, against what was read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.importing.shapes.judging import number
from harness.importing.shapes.paths import matches, plain, written
from harness.importing.shapes.recognise import FoundShape, PeekedFile
from harness.importing.shapes.vocabulary import AGGREGATES, word

_LARGEST = 0.0051
"""difference of two means that rounding to per cent can make"""


def differences(
    shape: FoundShape,
    files: Sequence[PeekedFile],
    beside: Sequence[PeekedFile],
    benchmarks: Mapping[int, str | None],
    counts: Mapping[int, Sequence[int]],
) -> Iterator[str]:
    """Where a mean that was told is not that of the answers that were read, in words.

    Args:
        files: that were read.
        beside: those that hold no answers.
        benchmarks: id of a file -> its benchmark.
        counts: place among `files` -> correct answers, all answers.
    """
    for place, one in enumerate(files):
        right, total = counts.get(place, (0, 0))
        told = [(one, *mean) for mean in own_means(one, shape)]
        told += _results(shape, one, beside, benchmarks.get(id(one)))
        for file, name, mean in told:
            if total and abs(mean - right / total) > _LARGEST:
                read = "it" if file is one else str(one.source.path)
                yield (
                    f"{file.source.path} says {name} {mean:.4f}, but {right:,} of {total:,} answers read from {read} "
                    f"are correct, {right / total:.4f}."
                )


def own_means(file: PeekedFile, shape: FoundShape) -> list[tuple[str, float]]:
    """Places and values, as fractions, of the means that a file tells of the result that was taken."""
    patterns = shape.family.aggregates if shape.family else ()
    for _, beside, _ in file.rows(1):
        numbers = [
            (written(path), value if value <= 1 else value / 100)
            for path, value in _numbers(beside, (), _metric_steps(shape))
            if 0 <= value <= 100 and _is_mean(path, patterns)
        ]
        # a family says which of them are means; of other files the first that is called so
        return numbers if patterns else numbers[:1]
    return []


def _is_mean(path: tuple[str, ...], patterns: Sequence[str]) -> bool:
    text = plain(written(path))
    named = any(matches(pattern.replace("[]", ""), text) for pattern in patterns)
    return named or (len(path) == 1 and word(path[0]) in AGGREGATES)


def _metric_steps(shape: FoundShape) -> tuple[str, ...]:
    """Keys on the way to the result that was taken."""
    column = shape.roles.columns.get("correct")
    return column.path if column else ()


def _numbers(value: Any, path: tuple[str, ...], metric: Sequence[str]) -> Iterator[tuple[tuple[str, ...], float]]:
    """Every number, with its place. Of several entries that have names those count that are named for the result."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _numbers(inner, (*path, str(key)), metric)
    elif isinstance(value, list):
        named = (
            value if len(value) == 1 else [one for one in value if isinstance(one, dict) and one.get("name") in metric]
        )
        for inner in named:
            yield from _numbers(inner, (*path, "[0]"), metric)
    elif not isinstance(value, bool | str) and (found := number(value)) is not None:
        yield path, found


def _name(entry: Any) -> Any:
    return entry.get("name") if isinstance(entry, dict) else None


def _results(
    shape: FoundShape, one: PeekedFile, beside: Sequence[PeekedFile], benchmark: str | None
) -> list[tuple[PeekedFile, str, float]]:
    """What a file of results in the same folder says of one file of answers; none if several files may be meant."""
    pattern = shape.family.results if shape.family else ""
    steps = _metric_steps(shape)
    if not (pattern and benchmark and steps):
        return []
    wanted = pattern.replace("{benchmark}", benchmark).replace("{metric}", steps[-1])
    found = []
    for file in beside:
        if file.source.path.parent == one.source.path.parent and len(file.documents) == 1:
            numbers = {written(path): value for path, value in _numbers(file.documents[0][1], (), ())}
            found += [(file, name, value) for name, value in numbers.items() if matches(wanted, name)]
    values = {value for _, _, value in found}
    return found[:1] if len(values) == 1 else []
