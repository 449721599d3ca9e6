"""Whether what must be there is there, as often as it must, and is of what its place says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.records import (
    START,
    DataError,
    DoneRecord,
    EvalFolder,
    EvalRecord,
    Mark,
    TrialFolder,
    TrialRecord,
    read_jsonl,
)
from harness.verifying.found import Discrepancy, VerifiedEvaluation
from harness.verifying.scope import EvaluationPlace, VerifiedFolder

_COLUMNS = ("arm", "seed", "step", "benchmark", "problem_id", "sample", "mark", "template", "engine", "generation_key")
_COUNTERS = {"step": "steps", "rollouts": "rollouts", "tokens": "tokens", "updates": "updates"}
"""of the last line of steps.jsonl -> of done.json"""
_AWAY = "Move it out of the run, or give it its own name again"
_AGAIN = "Bring it back from a copy, or move the folder away and run the same again"


def count(scope: VerifiedFolder, place: EvaluationPlace) -> tuple[VerifiedEvaluation, list[Discrepancy]]:
    """An evaluation's rows against its header, and its header against its place."""
    folder = place.folder
    made = VerifiedEvaluation(folder.root, place.arm or "", place.seed, place.step, place.benchmark)
    if not folder.header.exists():
        return made, [Discrepancy("missing", folder.header, "is gone, and nothing else says what was asked", _AGAIN)]
    try:
        header = EvalRecord.read(folder.header)
        made.problems, made.k, made.grid = header.problems, header.k, header.grid
        made.decoding = header.decoding
        if place.arm is None:
            made.arm, made.seed, made.step = header.arm, header.seed, header.step
        if not folder.complete:
            unfinished = "is not there: the evaluation was begun and not completed"
            return made, [Discrepancy("missing", folder.attempts, unfinished, _go_on(scope))]
        rows = _rows(folder.attempts)
    except DataError as error:
        return made, [Discrepancy("differs", folder.header, f"cannot be read: {_line(error)}", _AGAIN)]
    except (OSError, ValueError, KeyError) as error:  # what Arrow raises for a file that is none of its own
        return made, [Discrepancy("differs", folder.attempts, f"cannot be read: {_line(error)}", _AGAIN)]
    made.attempts, made.complete = len(rows["mark"]), True
    made.marks = dict(sorted(Counter(map(str, rows["mark"])).items()))
    return made, list(_wrong_rows(scope, folder.attempts, header, rows))


def _rows(path: Path) -> dict[str, list[Any]]:
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path, columns=list(_COLUMNS))
    return {name: table[name].to_pylist() for name in _COLUMNS}


def _wrong_rows(
    scope: VerifiedFolder, path: Path, header: EvalRecord, rows: dict[str, list[Any]]
) -> Iterator[Discrepancy]:
    """Each problem k times, by who and what the header says, with marks that there are and keys of their own."""
    attempts, wanted = len(rows["mark"]), header.problems * header.k
    pairs = set(zip(rows["problem_id"], rows["sample"], strict=True))
    samples = set(rows["sample"]) <= set(range(header.k))
    problems = len(set(rows["problem_id"]))
    if attempts != wanted or len(pairs) != wanted or not samples or problems != header.problems:
        yield Discrepancy(
            "differs",
            path,
            f"must hold {header.problems:,} problems x {header.k} samples once, which are {wanted:,} rows, but holds "
            f"{attempts:,} rows of {problems:,} problems, {len(pairs):,} of them distinct",
            _AGAIN,
        )
    # The seals bind bytes; this finds rows that were exchanged before there were any.
    for name in ("arm", "seed", "step", "benchmark", "template", "engine"):
        held, here = getattr(header, name), set(rows[name])
        if here and here != {held}:
            others = ", ".join(sorted(map(_word, here - {held})))
            yield Discrepancy(
                "differs", path, f"holds answers of {name} {others}, and eval.json says {_word(held)}", _AGAIN
            )
    unknown = sorted(set(map(str, rows["mark"])) - {mark.value for mark in Mark})
    if unknown:
        yield Discrepancy("differs", path, f"has the mark {unknown[0]}", f"Allowed: {', '.join(Mark)}")
    keys = rows["generation_key"]
    if not scope.imported and (None in keys or len(set(keys)) != attempts):
        what = (
            f"must have a generation key of its own for each of {attempts:,} rows, but has {len(set(keys) - {None}):,}"
        )
        yield Discrepancy("differs", path, what, _AGAIN)


def trials(scope: VerifiedFolder, evaluations: Sequence[VerifiedEvaluation]) -> Iterator[Discrepancy]:
    """What the plan has against what is there: trials, their steps, their evaluations."""
    for _, _, folder in () if scope.imported else scope.planned():
        if not folder.trial.exists():
            yield Discrepancy("missing", folder.trial, "is not there: the trial was never begun", _go_on(scope))
        elif not folder.done.exists():
            yield Discrepancy("missing", folder.done, "is not there: the trial is not finished", _go_on(scope))
        else:
            yield from _counters(folder)
    for path in scope.strangers():
        yield Discrepancy("differs", path, "is no trial of the plan, and is not counted", _AWAY)
    yield from _unanswered(scope, evaluations)
    yield from _asked_alike(scope, evaluations)


def gaps(scope: VerifiedFolder, evaluations: Sequence[VerifiedEvaluation]) -> list[str]:
    """What of an import has no answers: that may always have been so, for an import need not have every seed."""
    there = {(one.arm, one.seed) for one in evaluations}
    lost = [f"{arm} seed {seed}" for arm, seed, _ in scope.planned() if scope.imported and (arm, seed) not in there]
    return [f"Without answers, as it was imported or since: {', '.join(lost)}."] if lost else []


def _asked_alike(scope: VerifiedFolder, evaluations: Sequence[VerifiedEvaluation]) -> Iterator[Discrepancy]:
    """A folder of `rence eval` was asked in one way; what was taken out of a run, in one by decoding."""
    firsts: dict[str, dict[str, Any]] = {}
    for one in evaluations if scope.kind == "evaluation" else ():
        path = EvalFolder(one.folder).header
        try:
            header = EvalRecord.read(path)
        except DataError:
            continue  # which `count` has said
        asked = {name: getattr(header, name) for name in ("template", "engine", "limit")}
        asked |= {name: value for name, value in header.sampling.items() if name != "chunk_problems"}
        first = firsts.setdefault(header.decoding, asked)
        for name in first.keys() | asked.keys():
            held, others = asked.get(name), first.get(name)
            if held != others:
                what = f"says `{name}: {_word(held)}`, and the first of the folder says {_word(others)}"
                yield Discrepancy("differs", path, what, _AGAIN)


def _counters(folder: TrialFolder) -> Iterator[Discrepancy]:
    """The end of steps.jsonl against done.json, of a trial from before there were seals: the chain compares others."""
    try:
        done, lines = DoneRecord.read(folder.done), list(read_jsonl(folder.steps))
        sealed = TrialRecord.read(folder.trial).plan
    except DataError:
        return  # which the chain has said
    last = lines[-1] if lines else {}
    for ours, theirs in () if sealed else _COUNTERS.items():
        held, said = last.get(ours, 0), getattr(done, theirs)
        if held != said:
            yield Discrepancy("differs", folder.done, f"says {said} {theirs}, and steps.jsonl ends with {held}", _AGAIN)


def _unanswered(scope: VerifiedFolder, evaluations: Sequence[VerifiedEvaluation]) -> Iterator[Discrepancy]:
    """Benchmarks of the plan that were not asked at the headline, and those asked another number of times."""
    plan = scope.plan
    if plan is None or scope.run is None:
        return
    headline: dict[tuple[str, int | None], dict[str, int]] = {}
    for one in evaluations:
        if one.arm == START or one.grid == plan.grid_rollouts[-1]:
            headline.setdefault((one.arm, one.seed), {})[one.benchmark] = one.k
    wanted: list[tuple[str, int | None, Path]] = [
        (arm, seed, place.root) for arm, seed, place in scope.planned() if plan.imported or _finished(place)
    ]
    if scope.has_start:
        wanted.insert(0, (START, None, scope.run.root / START))
    for arm, seed, root in wanted:
        there = headline.get((arm, seed), {})
        # An import need not have the untrained model, nor every seed of every arm.
        for name, _, k in plan.headline if there or not plan.imported else ():
            if name not in there:
                what = f"has no answers to {name} at the headline, which the plan asks"
                yield Discrepancy("missing", root, what, _go_on(scope))
            elif there[name] != k:
                what = f"has {there[name]} answers a problem of {name} at the headline, and the plan asks for {k}"
                yield Discrepancy("differs", root, what, _AGAIN)


def _finished(folder: TrialFolder) -> bool:
    try:
        return DoneRecord.read(folder.done).status == "finished"
    except DataError:
        return False


def _go_on(scope: VerifiedFolder) -> str:
    if scope.imported:
        return "`rence import ... --clean` makes the folder again"
    if scope.kind == "evaluation":
        return "The same `rence eval` goes on where it was stopped"
    return "`rence run` with the experiment's file goes on where it was stopped"


def _word(value: Any) -> str:
    return "(none)" if value is None else str(value)


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__).rstrip(".")
