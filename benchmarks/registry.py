"""Our benchmarks and training sets by name. The harness adds those of other packages (`harness/base/registry.py`)."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping

from benchmarks.maths import aime, amc, gsm8k, hendrycks_math, hmmt, minerva, olymmath, olympiadbench, training
from benchmarks.miniature import suite as miniature
from benchmarks.problems import Benchmark, TrainingSet

FAMILIES = (miniature, hendrycks_math, aime, amc, hmmt, minerva, olympiadbench, olymmath, gsm8k)
"""one file each; its BENCHMARKS are listed in this order"""
BENCHMARKS: Mapping[str, Benchmark] = {one.name: one for family in FAMILIES for one in family.BENCHMARKS}
TRAINING_SETS: Mapping[str, TrainingSet] = {t.name: t for t in (*miniature.TRAINING_SETS, *training.TRAINING_SETS)}


class UnknownBenchmark(LookupError):
    """No benchmark or training set has this name; the message names the nearest."""

    def __str__(self) -> str:
        return str(self.args[0])


def benchmark(name: str) -> Benchmark:
    """Raises: UnknownBenchmark."""
    if name not in BENCHMARKS:
        raise unknown("benchmark", name, BENCHMARKS)
    return BENCHMARKS[name]


def training_set(name: str) -> TrainingSet:
    """Raises: UnknownBenchmark."""
    if name not in TRAINING_SETS:
        raise unknown("training set", name, TRAINING_SETS)
    return TRAINING_SETS[name]


def unknown(what: str, name: str, known: Collection[str]) -> UnknownBenchmark:
    """What to raise for a name that is not among those that are known.

    Args:
        what: `benchmark` or `training set`.
    """
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean `{close[0]}`?" if close else f"Allowed: {', '.join(sorted(known))}."
    return UnknownBenchmark(f"unknown {what} `{name}`. {hint} `rence list benchmarks` shows all.")
