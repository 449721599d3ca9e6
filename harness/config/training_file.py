"""A training set that is a file of the user's: read as the experiment says, and without what is evaluated."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from benchmarks.loading.selection import Overlap
from benchmarks.marks import MATHS, Form, Rule
from benchmarks.problems import Problem, ProblemsError, ProblemsMissing, Selection, TrainingSet, content_hash
from harness.config.evaluation import Evaluation
from harness.config.own_files import TrainFile

_MOST_KNOWN = 8


def read(path: Path, name: str, wanted: TrainFile) -> TrainingSet:
    """All that it holds. Raises: ProblemsError if it cannot be read, or is not what `wanted` says that it was."""
    status = path.stat() if path.is_file() else None
    version = (status.st_mtime_ns, status.st_size, status.st_ino) if status else ()
    return _read(path, name, wanted, version)


@lru_cache(_MOST_KNOWN)
def _read(path: Path, name: str, wanted: TrainFile, version: tuple[int, ...]) -> TrainingSet:
    """
    Args:
        version: of the file on the disk: one that was written to is read again.
    """
    rule = Rule(Form(wanted.rule)) if wanted.rule else None
    found = TrainingSet.from_file(path, name, wanted.hash, rule, wanted.tolerance, wanted.limit)
    if wanted.reading and reading_of(found.problems) != wanted.reading:
        raise ProblemsError(
            f"{path}: training set `{name}` has other rules, tolerances or tags in its lines than when it was planned; "
            "problems and answers are the same."
        )
    return found


def reading_of(problems: Sequence[Problem]) -> str:
    """Hash of what is said of them beside problem and answer; empty where that is nothing."""
    if all(one.rule == MATHS and not one.tags for one in problems):
        return ""
    return content_hash(*(json.dumps([one.rule.to_json(), dict(one.tags)], sort_keys=True) for one in problems))[:16]


def learnable(file: TrainFile, name: str, evaluation: Evaluation, *, preview: bool = False) -> TrainingSet:
    """What may be learnt from: without the problems of benchmarks that are evaluated, which are counted.

    Args:
        preview: leave out of the comparison what is not on this machine, and say so in `unchecked`.
    Raises: ProblemsError, also if nothing is left; like `Evaluation.benchmark`.
    """
    whole = read(Path(file.file), name, file)
    held_out: dict[str, Sequence[Problem]] = {}
    unchecked = []
    every = replace(evaluation, limit=None)  # those too that are not asked this time
    for benchmark in dict.fromkeys((*evaluation.benchmarks, *evaluation.curve)):
        try:
            held_out[benchmark] = every.benchmark(benchmark).problems
        except ProblemsMissing:
            if not preview:
                raise
            unchecked.append(benchmark)
    reasons = Overlap(held_out).of(whole.problems)
    found = Counter(reasons.values())
    counts = {f"{how} {one}": found[f"{how} {one}"] for one in held_out for how in ("in", "near")}
    counts = {reason: count for reason, count in counts.items() if count}
    if file.overlap == "keep":
        return _selected(whole, Selection(whole.problems, kept=counts), unchecked)
    kept = tuple(one for one in whole.problems if one.id not in reasons)
    if not kept:
        what = ", ".join(f"{count:,} {reason}" for reason, count in counts.items())
        raise ProblemsError(
            f"{file.file}: all {len(whole.problems):,} problems are of benchmarks that are evaluated ({what}), and "
            "none is left to learn from.\nTrain on other problems, evaluate others, or set `train.overlap: keep` to "
            "learn from them all the same; the report says so."
        )
    return _selected(whole, Selection(kept, counts), unchecked)


def _selected(whole: TrainingSet, selection: Selection, unchecked: Sequence[str]) -> TrainingSet:
    return replace(
        whole,
        load=lambda: selection,
        count=len(selection.problems),
        expected_removed=selection.removed,
        unchecked=tuple(unchecked),
    )
