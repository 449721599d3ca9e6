"""The same answers by other readings, problem by problem: what a baseline keeps, and what it makes of a change.

By the last box or anywhere in the text a problem has another count of correct attempts; without truncated attempts, and
others that have no verdict on an answer, it has fewer attempts. A reading that some answers lack is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from harness.records import ImportRecord, RunFolder
from reports.data.alternatives import LEFT_OUT, MeasuringChoice, of_readings, without
from reports.data.load import where
from reports.data.readings import TITLES
from reports.gate.results import Counts, GateResults, Rows
from reports.statistics import Floats
from reports.statistics.dependence import Matrices

NAMES = (*TITLES, *LEFT_OUT)
"""as evaluations have them: a column each, or a mark"""


def counted(
    evals: pd.DataFrame, problems: pd.DataFrame, benchmark: str, seeds: Sequence[int], coarse: Collection[str]
) -> dict[str, Rows]:
    """Reading -> S x J: how many attempts are correct by it, or are left out.

    Args:
        coarse: benchmarks of which nothing but correct or not is known.
    """
    there = where(evals, evals["benchmark"] == benchmark)
    places = dict(zip(there["seed"], there.index, strict=True))
    e = problems["eval"].to_numpy()
    found = {}
    for name in NAMES:
        if name not in problems or (name in LEFT_OUT and benchmark in coarse):
            continue
        counts = problems[name].to_numpy(dtype=float)
        rows = [counts[e == places[seed]] for seed in seeds]
        if all(np.isfinite(row).all() for row in rows):
            found[name] = tuple(tuple(row.astype(int).tolist()) for row in rows)
    return found


def coarse(name: str) -> set[str]:
    """Benchmarks of an import whose source told correct from not correct, and no more."""
    path = Path(name)
    records = (RunFolder(folder).imported for folder in (path, path.parent, path.parent.parent))
    return {benchmark for one in records if one.exists() for benchmark in ImportRecord.read(one).coarse}


def usual(counts: Counts, name: str) -> Rows:
    """S x J: what a reading has where it changes nothing."""
    return tuple((0,) * counts.n for _ in counts.correct) if name in LEFT_OUT else counts.correct


def differing(counts: Counts, name: str) -> list[dict[str, int]]:
    """Of each seed, problem -> count, where the reading changes something."""
    pairs = zip(counts.readings[name], usual(counts, name), strict=True)
    return [
        {problem: one for problem, one, other in zip(counts.problems, row, plain, strict=True) if one != other}
        for row, plain in pairs
    ]


def choice(new: GateResults, old: GateResults) -> MeasuringChoice:
    """The reading of answers, with the readings that both sides know on every benchmark of the baseline."""
    sides = {
        "run": [new.benchmarks[name] for name in old.benchmarks],
        "baseline": list(old.benchmarks.values()),
    }
    titles = {**TITLES, **LEFT_OUT}
    read: dict[str, Mapping[str, Matrices]] = {}
    for name in NAMES:
        every = [counts for side in sides.values() for counts in side]
        known = all(name in counts.readings for counts in every)
        if known and any(counts.readings[name] != usual(counts, name) for counts in every):
            read[titles[name]] = {side: [_values(one, name) for one in found] for side, found in sides.items()}
    return of_readings({side: [one.values for one in found] for side, found in sides.items()}, read)


def _values(counts: Counts, name: str) -> Floats:
    """S x J, in the place of `Counts.values`."""
    rows, k = np.array(counts.readings[name], dtype=float), np.array(counts.k)[:, None]
    return without(np.array(counts.correct), k - rows) if name in LEFT_OUT else rows / k
