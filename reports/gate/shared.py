"""`rence gate --common`: RUN and a baseline on the problems that both have.

Raises, everywhere in this module: records.DataError where the baseline does not name its problems, or none is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from harness.records import DataError, LeftOut
from harness.records.left_out import sentences
from reports.compared_side import ComparedSide
from reports.data import common, same_problems
from reports.data.readings import ANYWHERE
from reports.data.scores import Scores, matrices
from reports.gate.results import Counts, GateResults, Rows, ids_hash


@dataclass(frozen=True)
class SharedProblems:
    """Both sides, restricted."""

    subject: ComparedSide
    """with the evaluations of the baseline's benchmarks alone"""
    old: GateResults
    notes: list[str]
    """what was left out on which side, and what it could change"""
    fewer: set[str]
    """benchmarks that lost problems"""


def share(name: str, subject: ComparedSide, evals: pd.DataFrame, file: str, old: GateResults) -> SharedProblems:
    """
    Args:
        evals: of the run, on the baseline's benchmarks.
        file: the baseline's name.
    """
    nameless = [benchmark for benchmark, counts in old.benchmarks.items() if not counts.problems]
    if nameless:
        raise DataError(
            f"{file} does not name the problems of {', '.join(nameless)}: it was made before baselines did.\n"
            "Make it anew from the run it was made of, with `--update`; then --common can be used."
        )
    evals = _one_version(name, evals, file, old)
    headers, problems = _tables(old)
    sides = [("the run", evals, subject.problems), ("the baseline", headers, problems)]
    ((evals, ours), (headers, theirs)), left = common.restrict_tables(sides)
    cells = matrices(headers, theirs)
    kept = {benchmark: _only(counts, cells[old.arm, benchmark]) for benchmark, counts in old.benchmarks.items()}
    limit = None if any(map(len, left)) or all(pd.isna(one) for one in evals["limit"]) else old.limit
    restricted = replace(subject, evals=evals, problems=ours)
    new = {benchmark: scores for (_, benchmark), scores in matrices(evals, ours).items()}
    return SharedProblems(
        restricted,
        replace(old, benchmarks=kept, limit=limit),
        _notes(list(old.benchmarks), (new, left[0]), ({b: cells[old.arm, b] for b in kept}, left[1])),
        {one.benchmark for one in left[0]},
    )


def _one_version(name: str, evals: pd.DataFrame, file: str, old: GateResults) -> pd.DataFrame:
    """The run's headers with the baseline's hashes, where both are over ids and golds, and those agree.

    The baseline does not hold golds: what it holds is the hash, and that tells whether they are the run's.
    """
    same = {}
    for benchmark, version in same_problems.of_each(evals).items():
        theirs = old.benchmarks[benchmark]
        if version == theirs.hash:
            continue
        golds = same_problems.golds(Path(name), benchmark)
        asked = {problem: golds.get(problem) for problem in theirs.problems}
        if not same_problems.agree((version, golds), (theirs.hash, asked)):
            raise DataError(
                f"{benchmark}: the problems of {name} are not those of {file} (`hash` {version}, not {theirs.hash}).\n"
                "--common cannot help: that the problems of one id are the same in both versions is not known. Make "
                "the baseline anew with `--update`."
            )
        same[benchmark] = theirs.hash
    return same_problems.adopt(evals, same)


def _tables(old: GateResults) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The baseline as `Run.evals` and `Run.problems`, as far as they are needed here."""
    rows = [(seed, b, i) for b in old.benchmarks for i, seed in enumerate(old.seeds)]
    headers = pd.DataFrame(
        [
            {
                "arm": old.arm,
                "seed": seed,
                "step": 0,
                "benchmark": b,
                "benchmark_hash": old.benchmarks[b].hash,
                "problems": old.benchmarks[b].n,
                "limit": old.limit,
                "k": old.benchmarks[b].k[i],
            }
            for seed, b, i in rows
        ]
    )
    tables = [
        pd.DataFrame(
            {
                "eval": e,
                "problem_id": list(old.benchmarks[b].problems),
                "correct": old.benchmarks[b].correct[i],
                "attempts": old.benchmarks[b].k[i],
            }
        )
        for e, (_, b, i) in enumerate(rows)
    ]
    return headers, pd.concat(tables, ignore_index=True)


def _only(counts: Counts, scores: Scores) -> Counts:
    """The counts of the problems that are kept, by each reading; hashes of all answers are not theirs."""
    if scores.problems == counts.problems:
        return counts
    places = [counts.problems.index(problem) for problem in scores.problems]

    def kept(rows: Rows) -> Rows:
        return tuple(tuple(row[place] for place in places) for row in rows)

    readings = {name: kept(rows) for name, rows in counts.readings.items()}
    return replace(
        counts,
        ids=ids_hash(scores.problems),
        correct=kept(counts.correct),
        answers=(),
        problems=scores.problems,
        anywhere=tuple(map(sum, readings.get(ANYWHERE, ()))),
        readings=readings,
    )


def _notes(
    benchmarks: Sequence[str],
    new: tuple[dict[str, Scores], Sequence[LeftOut]],
    old: tuple[dict[str, Scores], Sequence[LeftOut]],
) -> list[str]:
    if not new[1]:
        return []
    named = [*(replace(one, arm="the run") for one in new[1]), *(replace(one, arm="the baseline") for one in old[1])]
    a, b = ([scores[name] for name in benchmarks] for scores, _ in (new, old))
    low, high = common.extremes(a, b, (new[1], old[1]), benchmarks)
    value = sum(float(x.values.mean() - y.values.mean()) for x, y in zip(a, b, strict=True)) / len(benchmarks)
    return [*sentences(named), common.said("The run", "the baseline", value, low, high)]
