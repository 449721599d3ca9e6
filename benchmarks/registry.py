"""Every benchmark and training set by name: ours, and what other packages offer in the group `rence.benchmarks`, where
an entry point names a `Benchmark` or a `TrainingSet` of the entry point's name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from benchmarks.maths import suite as maths
from benchmarks.miniature import suite as miniature
from benchmarks.problems import Benchmark, TrainingSet
from plugins import Plugins, Unfit

T = TypeVar("T", Benchmark, TrainingSet)

BENCHMARKS: Mapping[str, Benchmark] = {
    b.name: b for b in (*miniature.BENCHMARKS, miniature.EASY_BENCHMARK, *maths.BENCHMARKS)
}
TRAINING_SETS: Mapping[str, TrainingSet] = {t.name: t for t in (*miniature.TRAINING_SETS, *maths.TRAINING_SETS)}


class UnknownBenchmark(LookupError):
    """No benchmark or training set has this name; the message names the nearest."""

    def __str__(self) -> str:
        return str(self.args[0])


def _accept(name: str, offered: Any) -> Benchmark | TrainingSet:
    if not isinstance(offered, Benchmark | TrainingSet):
        raise Unfit(f"it must be a Benchmark or a TrainingSet, but is {type(offered).__name__} instead")
    if offered.name != name:
        raise Unfit(f"it calls itself `{offered.name}`, and the two names must agree")
    return offered


PLUGINS = Plugins("rence.benchmarks", "benchmark", lambda: (*BENCHMARKS, *TRAINING_SETS), _accept)


def benchmark(name: str) -> Benchmark:
    """Raises: UnknownBenchmark, or PluginError."""
    return _get("benchmark", name, BENCHMARKS, Benchmark)


def training_set(name: str) -> TrainingSet:
    """Raises: UnknownBenchmark, or PluginError."""
    return _get("training set", name, TRAINING_SETS, TrainingSet)


def benchmark_names() -> list[str]:
    """Ours in their order, then plug-ins, which may turn out to be training sets; imports none of them."""
    return [*BENCHMARKS, *PLUGINS.names()]


def training_set_names() -> list[str]:
    """Ours in their order, then plug-ins, which may turn out to be benchmarks; imports none of them."""
    return [*TRAINING_SETS, *PLUGINS.names()]


def benchmarks() -> Mapping[str, Benchmark]:
    """Ours, and the plug-ins that can be used. Imports all."""
    return {**BENCHMARKS, **{name: found for name, found in PLUGINS.usable().items() if isinstance(found, Benchmark)}}


def training_sets() -> Mapping[str, TrainingSet]:
    """Ours, and the plug-ins that can be used. Imports all."""
    usable = PLUGINS.usable()
    return {**TRAINING_SETS, **{name: found for name, found in usable.items() if isinstance(found, TrainingSet)}}


def _get(what: str, name: str, ours: Mapping[str, T], kind: type[T]) -> T:
    if name in ours:
        return ours[name]
    if name not in PLUGINS.names():
        raise _unknown(what, name, [*ours, *PLUGINS.names()])
    found = PLUGINS.get(name)
    if not isinstance(found, kind):
        raise UnknownBenchmark(f"`{name}` of {PLUGINS.origin(name)} is no {what}. `rence list benchmarks` shows all.")
    return found


def _unknown(what: str, name: str, known: Sequence[str]) -> UnknownBenchmark:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean `{close[0]}`?" if close else f"Allowed: {', '.join(sorted(known))}."
    return UnknownBenchmark(f"unknown {what} `{name}`. {hint} `rence list benchmarks` shows all.")
