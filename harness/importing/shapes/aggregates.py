"""Means that files tell themselves, beside their rows or in a file of results beside them, against what was read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from harness.importing.shapes.judging import number
from harness.importing.shapes.paths import matches, plain, written
from harness.importing.shapes.recognise import FoundShape, PeekedFile
from harness.importing.shapes.reducers import FileTally
from harness.importing.shapes.vocabulary import AGGREGATES, word

_LARGEST = 0.0051
"""difference of two means that rounding to per cent can make"""


@dataclass(frozen=True)
class ToldMean:
    """What a file says of itself or of another."""

    file: PeekedFile
    place: str
    value: float
    """a fraction"""
    reducer: str = ""
    """how the answers to a problem were made one number; empty: every answer counts alike"""


def differences(
    shape: FoundShape,
    files: Sequence[PeekedFile],
    beside: Sequence[PeekedFile],
    benchmarks: Mapping[int, str | None],
    tallies: Mapping[int, FileTally],
) -> Iterator[str]:
    """Where a mean that was told is not that of the answers that were read, in words.

    Args:
        files: that were read.
        beside: those that hold no answers.
        benchmarks: id of a file -> its benchmark.
        tallies: place among `files` -> its answers.
    """
    for place, one in enumerate(files):
        tally = tallies.get(place)
        if tally is None:
            continue
        for told in [*own_means(one, shape), *_results(shape, one, beside, benchmarks.get(id(one)))]:
            mean = tally.mean(told.reducer)
            if mean is None or abs(told.value - mean) <= _LARGEST:
                continue
            read = "it" if told.file is one else str(one.source.path)
            made = (
                f"{told.reducer} of the answers read from {read} is {mean:.4f}"
                if told.reducer not in ("", "mean")
                else f"{tally.correct:,} of {tally.total:,} answers read from {read} are correct, {mean:.4f}"
            )
            yield f"{told.file.source.path} says {told.place} {told.value:.4f}, but {made}."


def own_means(file: PeekedFile, shape: FoundShape) -> list[ToldMean]:
    """The means that a file tells of the result that was taken."""
    patterns = shape.family.aggregates if shape.family else ()
    for _, beside, _ in file.rows(1):
        numbers = [
            ToldMean(file, written(path), value if value <= 1 else value / 100, _reducer(beside, path))
            for path, value in _numbers(beside, (), _metric_steps(shape, file))
            if 0 <= value <= 100 and _is_mean(path, patterns)
        ]
        # a family says which of them are means; of other files the first that is called so
        return numbers if patterns else numbers[:1]
    return []


def _reducer(beside: Any, path: tuple[str, ...]) -> str:
    """What the entry of a list that a mean stands in says of how it was made; empty if nothing."""
    for step in path:
        if re.fullmatch(r"\[\d+\]", step):
            beside = beside[int(step[1:-1])]
            found = beside.get("reducer") if isinstance(beside, dict) else None
            return found if isinstance(found, str) else ""
        beside = beside[step]
    return ""


def _is_mean(path: tuple[str, ...], patterns: Sequence[str]) -> bool:
    text = plain(written(path))
    named = any(matches(pattern.replace("[]", ""), text) for pattern in patterns)
    return named or (len(path) == 1 and word(path[0]) in AGGREGATES)


def _metric_steps(shape: FoundShape, file: PeekedFile) -> tuple[str, ...]:
    """Keys on the way to the result that was taken."""
    column = shape.result_of(file)
    return column.path if column else ()


def _numbers(value: Any, path: tuple[str, ...], metric: Sequence[str]) -> Iterator[tuple[tuple[str, ...], float]]:
    """Every number, with its place. Of several entries that have names those count that are named for the result."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _numbers(inner, (*path, str(key)), metric)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            if len(value) == 1 or (isinstance(inner, dict) and inner.get("name") in metric):
                yield from _numbers(inner, (*path, f"[{place}]"), metric)
    elif not isinstance(value, bool | str) and (found := number(value)) is not None:
        yield path, found


def _results(shape: FoundShape, one: PeekedFile, beside: Sequence[PeekedFile], benchmark: str | None) -> list[ToldMean]:
    """What a file of results in the same folder says of one file of answers; none if several files may be meant."""
    pattern = shape.family.results if shape.family else ""
    steps = _metric_steps(shape, one)
    if not (pattern and benchmark and steps):
        return []
    wanted = pattern.replace("{benchmark}", benchmark).replace("{metric}", steps[-1])
    found = []
    for file in beside:
        if file.source.path.parent == one.source.path.parent and len(file.documents) == 1:
            numbers = {written(path): value for path, value in _numbers(file.documents[0][1], (), ())}
            found += [ToldMean(file, name, value) for name, value in numbers.items() if matches(wanted, name)]
    # of a file of results for each file of answers, the one that is called alike
    alike = [_alike(told.file.source.path.name, one.source.path.name) for told in found]
    found = [told for told, length in zip(found, alike, strict=True) if length == max(alike)]
    return found[:1] if len({told.value for told in found}) == 1 else []


def _alike(one: str, other: str) -> int:
    """With how many characters two names begin alike."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
