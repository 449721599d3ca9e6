"""RUN as results. A seed, a benchmark or a chunk that is missing is an error, never a mean over fewer.

Raises, everywhere in this module: records.DataError; ValueError where a folder holds benchmarks that are never
averaged.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness.records import START, DataError, EvalFolder, Plan, RunFolder
from reports.compared_side import ComparedSide, find
from reports.data import by_decoding
from reports.data.checked import UNCHECKED, Checked
from reports.data.load import where
from reports.data.matching import ABSENT, LISTED, in_several_ways
from reports.data.readings import ANYWHERE
from reports.data.scores import Scores, matrices
from reports.data.source_marks import is_ours
from reports.data.titles import titles
from reports.gate import by_reading
from reports.gate.answers import answer_hashes
from reports.gate.results import Counts, GateResults, ids_hash
from reports.words import listing, plural


@dataclass(frozen=True)
class Measured:
    results: GateResults
    extra: list[str]
    """benchmarks that are there and were not asked for"""
    notes: tuple[str, ...]
    problems: Mapping[str, tuple[str, ...]]
    """benchmark -> ids, ascending: which problem each column of its counts is"""
    checked: Checked = UNCHECKED
    """whether its files are sealed, and what was let through"""


def measure(
    name: str,
    wanted: Collection[str] | None = None,
    restrict: Callable[[ComparedSide, pd.DataFrame], ComparedSide] | None = None,
    accept: str | None = None,
) -> Measured:
    """
    Args:
        name: whatever `rence compare` takes: an arm's or a trial's folder, a run of one arm, a folder of `rence eval`;
            of a run of several arms the one that its comparison is about.
        wanted: the benchmarks that are needed; all that are there if None
        restrict: what to keep of the evaluations on these
        accept: why a broken seal does not matter; None: it does
    """
    name, chosen = _target(name)
    subject, begun = find(name, accept), _begun(Path(name))
    there = sorted(set(subject.evals["benchmark"]))
    asked = sorted(wanted) if wanted is not None else sorted({*there, *begun})
    open_ones, missing = sorted(set(asked) & begun), sorted(set(asked) - set(there))
    if open_ones:
        raise DataError(
            f"{name}: the evaluation on {listing(open_ones)} was begun and is not complete.\n"
            "Run the command that began it again: it goes on where it stopped."
        )
    if missing:
        raise DataError(
            f"{name} has no result on {listing(missing)}, which the baseline has.\n"
            f"Evaluate {'it' if len(missing) == 1 else 'them'} too, or make a baseline without with `--update`."
        )
    evals = where(subject.evals, subject.evals["benchmark"].isin(asked))
    _check_whole(name, evals)
    # before seeds are put together: one that lacks problems would be refused there
    if restrict:
        subject = restrict(subject, evals)
        evals = subject.evals
    found = results_of(name, subject, evals)
    extra = sorted(set(there) - set(asked))
    return replace(found, extra=extra, notes=(*chosen, *subject.notes), checked=subject.checked)


def _check_whole(name: str, evals: pd.DataFrame) -> None:
    stopped = where(evals, evals["stopped_by"] != "")
    if len(stopped):
        first = stopped.iloc[0]
        raise DataError(
            f"{name} was stopped by a {first['stopped_by']} after {first['problems']:,} problems of "
            f"{first['benchmark']}: when it stopped depends on what was seen.\n"
            "`rence gate ... --sequential` takes that into account; a baseline needs all problems."
        )


def _target(name: str) -> tuple[str, list[str]]:
    """The folder to measure, and a note if it is not the one that was named."""
    folder = RunFolder(Path(name))
    plan = Plan.read(folder.plan) if folder.plan.exists() else None
    if plan is None or len(plan.arms) == 1:
        return name, []
    target = plan.comparison.target
    others = listing([arm.name for arm in plan.arms if arm.name != target])
    return str(folder.root / target), [f"Of {name} the target arm, {target}; not gated: {others}."]


def _begun(path: Path) -> set[str]:
    """Benchmarks with an evaluation that was begun and is not complete; of an arm, not of what it started from."""
    folders = [EvalFolder(p.parent) for p in path.rglob("eval.json") if START not in p.relative_to(path).parts]
    return {folder.root.name for folder in by_decoding.first(folders) if not folder.complete}


def results_of(name: str, subject: ComparedSide, evals: pd.DataFrame) -> Measured:
    """Counts of correct attempts, where every seed is complete on every benchmark and all were asked in one way."""
    one = {field: _only(name, evals, field) for field in ("arm", "template", "grader_version", "limit", "engine")}
    # an average over fewer benchmarks or seeds would be another quantity, so one that lacks a cell is refused
    cells = matrices(evals, subject.problems)
    benchmarks = {benchmark: scores for (_, benchmark), scores in sorted(cells.items())}
    seeds = sorted({*subject.trials, *evals["seed"]})
    for benchmark, scores in benchmarks.items():
        gone = [str(seed) for seed in seeds if seed not in scores.seeds]
        if gone:
            raise DataError(f"{name}: seed {listing(gone)} has no complete result on {benchmark}; the others have.")
    _check_apart(name, benchmarks)
    hashes = dict(zip(evals["benchmark"], evals["benchmark_hash"], strict=True))
    texts = answer_hashes(Path(name), evals)
    coarse = by_reading.coarse(name)
    read = {one: by_reading.counted(evals, subject.problems, one, seeds, coarse) for one in benchmarks}
    counts = {
        benchmark: replace(
            _counts(hashes[benchmark], scores, [texts.get((seed, benchmark)) for seed in seeds]),
            rule=_only(name, where(evals, evals["benchmark"] == benchmark), "rule"),
            # of the marks of an import's source, a reading of ours does not tell what is format
            anywhere=tuple(map(sum, read[benchmark].get(ANYWHERE, ()))) if is_ours(one["grader_version"]) else (),
            readings=read[benchmark],
        )
        for benchmark, scores in benchmarks.items()
    }
    results = GateResults(
        made_from=Path(name).as_posix(),
        arm=one["arm"],
        models={seed: _only(name, where(evals, evals["seed"] == seed), "model_hash") for seed in seeds},
        template=one["template"],
        marker=one["grader_version"],
        sampling=_sampling(name, evals),
        limit=None if pd.isna(one["limit"]) else int(one["limit"]),
        benchmarks=counts,
        titles=titles(evals),
        engine=one["engine"],
        engine_version=_all(evals["engine_version"]),
        environment=_environment(subject),
    )
    return Measured(results, [], (), {benchmark: scores.problems for benchmark, scores in benchmarks.items()})


def _counts(benchmark_hash: str, scores: Scores, texts: Sequence[str | None]) -> Counts:
    """
    Args:
        texts: hash of each seed's answers; None where they are not known
    """
    correct = np.rint(scores.values * np.array(scores.k)[:, None]).astype(int)
    answers = tuple(text for text in texts if text)
    known = answers if len(answers) == len(texts) else ()
    return Counts(
        benchmark_hash, ids_hash(scores.problems), scores.k, tuple(map(tuple, correct.tolist())), known, scores.problems
    )


def _only(name: str, evals: pd.DataFrame, field: str) -> Any:
    _check_one(name, evals, {field: evals[field].tolist()})
    return evals[field].iloc[0]


def _sampling(name: str, evals: pd.DataFrame) -> dict[str, Any]:
    """As all evaluations have it; what may differ among them is left out where it does."""
    every = list(evals["sampling"])
    differ = {key for one in every for key in one if f"sampling.{key}" in LISTED and one[key] != every[0].get(key)}
    keys = sorted({key for one in every for key in one} - differ)
    _check_one(name, evals, {f"sampling.{key}": [one.get(key, ABSENT) for one in every] for key in keys})
    return {key: every[0][key] for key in keys}


def _environment(subject: ComparedSide) -> dict[str, str]:
    """What its trials ran on; where they differ, all of it."""
    records = [trial.record.environment for trial in subject.trials.values()]
    return {key: _all(one[key] for one in records if key in one) for key in sorted({k for one in records for k in one})}


def _all(values: Iterable[str]) -> str:
    return "; ".join(sorted({str(value) for value in values}))


def _check_one(name: str, evals: pd.DataFrame, settings: Mapping[str, Sequence[Any]]) -> None:
    """
    Args:
        settings: key -> its value in each evaluation.
    """
    seeds = [f" (seed {seed})" if seed >= 0 else "" for seed in evals["seed"]]
    places = [f"{benchmark}{seed}" for benchmark, seed in zip(evals["benchmark"], seeds, strict=True)]
    found = [in_several_ways(key, zip(places, values, strict=True)) for key, values in settings.items()]
    if any(found):
        raise DataError(
            f"{name} was not evaluated in one way: {'; '.join(filter(None, found))}.\n"
            "A gate takes one model, or the seeds of one arm, with one template, sampling and marker. Evaluate each "
            "way into a folder of its own (rence eval ... --out NEW), with a baseline of its own."
        )


def _check_apart(name: str, benchmarks: dict[str, Scores]) -> None:
    """Problems that two benchmarks share would count twice, as if they were independent."""
    for one, other in combinations(benchmarks, 2):
        shared = set(benchmarks[one].problems) & set(benchmarks[other].problems)
        if shared:
            raise ValueError(
                f"{name}: {one} and {other} have {plural(len(shared), 'problem')} in common and are never averaged.\n"
                "Evaluate them into folders of their own, each with a baseline of its own."
            )
