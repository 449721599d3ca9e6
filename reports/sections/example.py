"""Small run folders for the contract of sections: every kind of file, full of words that a format could act on."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness.records import (
    START,
    ArmRecord,
    Comparison,
    DataRecord,
    DoneRecord,
    EvalFolder,
    EvalRecord,
    ImportRecord,
    Mark,
    Plan,
    Published,
    RunFolder,
    StepRecord,
    Sweep,
    Timing,
    TrialRecord,
    add_published,
    append_jsonl,
    eval_name,
)
from harness.records.plans import ActivityRecord
from harness.records.schema import COLUMNS, Attempt

HOSTILE = "<script>alert(1)</script> a|b & 50 % x_y # $ ~ ^ {z} \\q `c` *d* [e](f) \u202e\x00"
"""acts in HTML, Markdown, TeX or a terminal where it is not escaped"""
ARMS = ("<script>|&%_", "b_&|<i>", "c%${}")
"""names of folders too, so without a slash"""
SEEDS, GRID = (0, 1, 2), (50, 100)
BENCHMARKS = {"first_one": (12, 4), "mini_second": (6, 4)}
"""name -> problems, and attempts at each"""


OTHER = "cooler"
"""the decoding beside the first"""
_SAMPLED = {"temperature": 1.0, "top_p": 1.0, "max_tokens": 48}


def full(root: Path) -> None:
    """A run in which all that can be there is there, some of it unfinished: one trial failed, one was not begun."""
    folder = RunFolder(root)
    _plan().write(folder.plan)
    DataRecord(HOSTILE, 100, "hash", {HOSTILE: 3}).write(folder.data)
    percent: dict[str, dict[str, float | None]] = {
        ARMS[0]: {"average": 40.0, "first_one": 41.7},
        START: {"average": 20.0},
    }
    add_published(folder.expected, [Published(HOSTILE, HOSTILE, "https://example.org", HOSTILE, HOSTILE, percent)])
    _start(folder)
    for arm in ARMS:
        for seed in SEEDS[: 2 if arm == ARMS[2] else 3]:
            _trial(folder, arm, seed, failed=arm == ARMS[1] and seed == 1)


def untouched(root: Path) -> None:
    """A plan of which nothing has begun."""
    _plan().write(RunFolder(root).plan)


def only_start(root: Path) -> None:
    """The untrained model is evaluated, and no trial has begun."""
    untouched(root)
    _start(RunFolder(root))


def imported(root: Path) -> None:
    """Results that were made elsewhere, of which little is known: no trials, no lengths, no texts, two arms."""
    folder, known = RunFolder(root), {name for name, column in COLUMNS.items() if column.needed}
    _plan(arms=ARMS[:2], imported=HOSTILE, sweeps=[], budget_rollouts=0, recipe={}, tuning={}).write(folder.plan)
    ImportRecord(
        HOSTILE, {HOSTILE: HOSTILE}, [{"path": HOSTILE, "bytes": 1, "sha256": "0"}], ["mini_second"], []
    ).write(folder.imported)
    for arm in ARMS[:2]:
        for seed in SEEDS:
            for benchmark in BENCHMARKS:
                place = folder.trial(arm, seed).eval(10, benchmark)
                _evaluation(place, arm, seed, 2, benchmark, known)


def later(root: Path) -> None:
    """The whole run, with other times."""
    full(root)
    for path in root.rglob("timing.json"):
        known = Timing.read(path)
        replace(known, attempts=9, wall_seconds=977.7, cpu_seconds=877.7, train_seconds=377.7).write(path)


WHOLE, AGAIN, LATER, NOTHING = "a whole run", "a whole run elsewhere", "a whole run later", "nothing begun"
RUNS: Mapping[str, Callable[[Path], None]] = {
    WHOLE: full,
    AGAIN: full,
    LATER: later,
    NOTHING: untouched,
    "the untrained model alone": only_start,
    "an import that knows little": imported,
}
"""shape -> what writes it into a new folder"""
SPARSE = tuple(RUNS)[3:]
"""shapes in which little or nothing is known"""


def _plan(arms: tuple[str, ...] = ARMS, **changes: Any) -> Plan:
    """A plan in which every text is hostile.

    Args:
        changes: fields of `Plan`.
    """
    activity = [ActivityRecord(metric="actor/pg_clipfrac", label=HOSTILE, inactive_below=0.5)]
    asked, cooler = {"benchmarks": {name: k for name, (_, k) in BENCHMARKS.items()}}, {**_SAMPLED, "temperature": 0.5}
    cells = {arm: {"f_1": level} for arm, level in zip(ARMS, ("on", "off", HOSTILE), strict=True)}
    # three arms, so that there is a family of differences; a sweep over them; a margin, so that they may be equivalent
    whole: dict[str, Any] = {
        "experiment": HOSTILE,
        "arms": [
            ArmRecord(arm, HOSTILE, f"{i} {HOSTILE}", {HOSTILE: i}, {HOSTILE: arm}, {HOSTILE: i}, activity, f"f{i}")
            for i, arm in enumerate(arms)
        ],
        "seeds": list(SEEDS),
        "benchmarks": {name: k for name, (_, k) in BENCHMARKS.items()},
        "curve_benchmarks": {"first_one": 4},
        "comparison": Comparison(arms[0], list(arms[1:]), margin=0.02),
        "budget_rollouts": GRID[-1],
        "grid_rollouts": list(GRID),
        "backend": HOSTILE,
        "model": HOSTILE,
        "model_hash": "m0",
        "train": HOSTILE,
        "template": HOSTILE,
        "recipe": {HOSTILE: HOSTILE},
        "evaluation": {HOSTILE: HOSTILE, "decodings": {"sampled": _SAMPLED | asked, OTHER: cooler | asked}},
        "tuning": {HOSTILE: [{HOSTILE: HOSTILE}]},
        "lock": "lock",
        "sweeps": [Sweep("one_at_a_time", ARMS[0], {"f_1": ["on", "off", HOSTILE]}, cells)],
    }
    return Plan(**{**whole, **changes})


def _start(folder: RunFolder) -> None:
    for benchmark in BENCHMARKS:
        for decoding, name in _asked(benchmark):
            _evaluation(folder.start_eval(name), START, None, 0, benchmark, decoding=decoding)


def _asked(benchmark: str) -> list[tuple[str, str]]:
    """Decoding as a header has it, and the name of its folder."""
    return [("", benchmark), (OTHER, eval_name(benchmark, OTHER))]


def _trial(folder: RunFolder, arm: str, seed: int, failed: bool) -> None:
    """Every file of a trial; one that failed stops at half of its steps, and is not asked at the headline."""
    place = folder.trial(arm, seed)
    known = {HOSTILE: HOSTILE, "torch": "1"}
    TrialRecord(HOSTILE, arm, seed, "t", arm, f"order{seed}", "m0", GRID[-1], HOSTILE, known).write(place.trial)
    metrics = ("actor/pg_clipfrac", "generated/score/mean", "actor/entropy", "response_length/mean")
    metrics += (f"activity/{HOSTILE}/norm", f"activity/{HOSTILE}/angle", "activity/halves/angle")
    metrics += ("reward/failed",)
    metrics += ("rollout_corr/k3_kl", "training/rollout_probs_diff_mean", "training/rollout_probs_diff_max")
    steps = [
        StepRecord(n, 10 * n, 200 * n, n, 2 * n, dict.fromkeys(metrics, 0.1 + 0.01 * n + seed), HOSTILE)
        for n in range(1, 6 if failed else 11)
    ]
    append_jsonl(place.steps, [asdict(step) for step in steps])
    last = steps[-1]
    Timing(1, 61.5, 60.0, 20.0, 30.0, 10.0, "2001-02-03T04:05:06", "2001-02-03T04:06:07").write(place.timing)
    status, reason = ("diverged", HOSTILE) if failed else ("finished", "")
    DoneRecord(status, last.step, last.rollouts, last.tokens, last.updates, 7, "w", reason).write(place.done)
    for point in (1,) if failed else (1, 2):
        for benchmark in BENCHMARKS if point == 2 else ("first_one",):
            for decoding, name in _asked(benchmark) if point == 2 else [("", benchmark)]:
                _evaluation(place.eval(5 * point, name), arm, seed, point, benchmark, decoding=decoding)


def _evaluation(
    place: EvalFolder,
    arm: str,
    seed: int | None,
    point: int,
    benchmark: str,
    known: set[str] | None = None,
    decoding: str = "",
) -> None:
    """
    Args:
        point: of the grid, from 1; 0 for the untrained model.
        known: columns that are filled; None: all.
    """
    problems, k = BENCHMARKS[benchmark]
    grid = GRID[point - 1] if point else 0
    EvalRecord(
        arm=arm,
        seed=seed,
        step=5 * point,
        rollouts=grid,
        grid=grid,
        benchmark=benchmark,
        benchmark_hash=f"h-{benchmark}",
        problems=problems,
        k=k,
        model_hash="m",
        template=HOSTILE,
        engine=HOSTILE,
        engine_version=HOSTILE,
        grader_version="1",
        sampling={**_SAMPLED, **({"temperature": 0.5} if decoding else {}), "seed": 0} if known is None else {},
        decoding=decoding,
        second_marker=known is None,
        title=HOSTILE if known is None else "",
        rule=HOSTILE if known is None else "",
    ).write(place.header)
    # by the schema, so that a new column is there without an edit
    rows = [asdict(row) for row in _attempts(arm, seed, point, benchmark)]
    for row in rows:
        row.update(dict.fromkeys(COLUMNS.keys() - (COLUMNS if known is None else known)))
    schema = pa.schema([(name, pa.type_for_alias(column.arrow)) for name, column in COLUMNS.items()])
    pq.write_table(pa.Table.from_pylist(rows, schema), place.attempts)


def _attempts(arm: str, seed: int | None, point: int, benchmark: str) -> Iterator[Attempt]:
    """Marks that are mixed and the same each time; every column that is measured has a value."""
    problems, k = BENCHMARKS[benchmark]
    for problem in range(problems):
        for sample in range(k):
            # a hash and no generator: the same marks in any order of writing
            draw = zlib.crc32(f"{arm} {seed} {point} {benchmark} {problem} {sample}".encode()) % 100
            mark = "correct" if draw < 30 + 20 * point else list(Mark)[1 + draw % 4].value
            measured: dict[str, Any] = {
                name: (1 + draw if column.type is int else 0.5 + draw) if column.is_number else f"{draw} {HOSTILE}"
                for name, column in COLUMNS.items()
                if column.measured
            }
            yield Attempt(
                arm=arm,
                seed=seed,
                step=5 * point,
                benchmark=benchmark,
                problem_id=f"{problem:02} {HOSTILE}",
                sample=sample,
                response=f"1+1=2 {HOSTILE} {draw}",
                answer=f"{draw % 5} {HOSTILE}" if mark in ("correct", "wrong") else None,
                gold=HOSTILE,
                mark=mark,
                finish_reason="length" if mark == "truncated" else "stop",
                tokens=48 if mark == "truncated" else 5 + draw % 30,
                template=HOSTILE,
                engine=HOSTILE,
                generation_key=f"{problem} {sample}",
                grader_version="1",
                mark_second="correct" if draw < 35 + 20 * point else "wrong",
                **measured,
            )
