"""Every benchmark and training set by name. A package of its own adds some through the entry-point group
`rence.benchmarks`: an entry point that loads to a `Benchmark` or a `TrainingSet` of the entry point's name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from benchmarks.maths import suite as maths
from benchmarks.miniature import suite as miniature
from benchmarks.problems import Benchmark, TrainingSet

T = TypeVar("T", Benchmark, TrainingSet)

GROUP = "rence.benchmarks"

BENCHMARKS: Mapping[str, Benchmark] = {
    b.name: b for b in (*miniature.BENCHMARKS, miniature.EASY_BENCHMARK, *maths.BENCHMARKS)
}
TRAINING_SETS: Mapping[str, TrainingSet] = {t.name: t for t in (*miniature.TRAINING_SETS, *maths.TRAINING_SETS)}


class UnknownBenchmark(LookupError):
    """No benchmark or training set has this name; the message names the nearest."""

    def __str__(self) -> str:
        return str(self.args[0])


class BrokenPlugin(ImportError):
    """An installed package offers a benchmark that cannot be loaded."""


def benchmark(name: str) -> Benchmark:
    """Raises: UnknownBenchmark, or BrokenPlugin."""
    return _get("benchmark", name, benchmarks())


def training_set(name: str) -> TrainingSet:
    """Raises: UnknownBenchmark, or BrokenPlugin."""
    return _get("training set", name, training_sets())


def benchmarks() -> Mapping[str, Benchmark]:
    """Ours and those of installed packages."""
    return {**BENCHMARKS, **{name: found for name, found in _plugins().items() if isinstance(found, Benchmark)}}


def training_sets() -> Mapping[str, TrainingSet]:
    return {**TRAINING_SETS, **{name: found for name, found in _plugins().items() if isinstance(found, TrainingSet)}}


@cache
def _plugins() -> Mapping[str, Benchmark | TrainingSet]:
    return {point.name: _load(point) for point in entry_points(group=GROUP)}


def _load(point: EntryPoint) -> Benchmark | TrainingSet:
    """Raises: BrokenPlugin, which names the entry point and its package."""
    origin = f"`{point.name}` = `{point.value}` of package `{point.dist.name if point.dist else 'unknown'}`"
    mend = "Mend or uninstall that package."
    try:
        found = point.load()
    except Exception as error:
        raise BrokenPlugin(f"benchmark plug-in {origin} fails to load: {error!r}. {mend}") from error
    if not isinstance(found, Benchmark | TrainingSet):
        raise BrokenPlugin(
            f"plug-in {origin} must be a Benchmark or a TrainingSet, but is {type(found).__name__}. {mend}"
        )
    if found.name != point.name:
        raise BrokenPlugin(f"plug-in {origin} calls itself `{found.name}`; the two names must agree. {mend}")
    if point.name in BENCHMARKS or point.name in TRAINING_SETS:
        raise BrokenPlugin(f"plug-in {origin} takes a name that rence-bench uses itself. {mend}")
    return found


def _get(what: str, name: str, known: Mapping[str, T]) -> T:
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean `{close[0]}`?" if close else f"Allowed: {', '.join(sorted(known))}."
        raise UnknownBenchmark(f"unknown {what} `{name}`. {hint} `rence list benchmarks` shows all.")
    return known[name]
