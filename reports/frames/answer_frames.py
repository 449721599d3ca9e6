"""Attempts and problems in rows, read from the evaluations' files when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from harness.records import START
from harness.records.schema import COLUMNS
from reports.data import columns
from reports.data.analysis import Analysis
from reports.data.flips import CATEGORIES, KINDS, FlipCounts, flips, tallies, tally
from reports.data.load import MARKS, Run
from reports.data.scores import final
from reports.frames.frame_columns import FRAMES, FrameColumn, attempt_columns
from reports.frames.framing import TEXT, check, of_columns

_HEADER = ("arm", "seed", "step", "benchmark")
_TOLD = ("wrong", "no_answer", "truncated", "grader_failed")
"""marks that an import which only tells correct or not does not know"""


def attempts(run: Run, text: bool, everywhere: bool) -> pd.DataFrame:
    """A row for each attempt, by evaluation, problem and sample.

    Args:
        text: with what was answered, and how.
        everywhere: those of earlier points too, not the headline's alone.
    """
    table = attempt_columns(text)
    evals = run.evals if everywhere else final(run)
    parts = [_of_evaluation(run, int(e), table) for e in evals.index]
    found = pd.concat(parts, ignore_index=True) if parts else of_columns(table, {one.name: [] for one in table})
    check("attempts", found, table)
    return found


def _of_evaluation(run: Run, e: int, table: list[FrameColumn]) -> pd.DataFrame:
    found, header = run.attempts[e], run.evals.loc[e]
    problems, k = found.marks.shape
    known: dict[str, Any] = {
        **{name: _words([str(header[name])], np.zeros(problems * k, int)) for name in ("arm", "benchmark")},
        **{name: np.full(problems * k, header[name], np.int64) for name in ("seed", "step")},
        "problem_id": _words(found.ids, np.repeat(np.arange(problems), k)),
        "sample": np.tile(np.arange(k), problems),
        "mark": _words(MARKS, found.marks.ravel()),
        "correct": (found.marks == MARKS.index("correct")).ravel(),
        "tokens": found.tokens.ravel().astype(float),
    }
    for one in table:
        if one.name not in known:
            known[one.name] = _read(run, e, one.name)
    return pd.DataFrame({one.name: known[one.name] for one in table})


def _read(run: Run, e: int, name: str) -> Any:
    """A column of one evaluation's file; all missing where the file does not have it."""
    path, rows = run.folder(e).attempts, run.attempts[e].rows
    if COLUMNS[name].is_number:
        values = columns.values(path, name, rows)
        return np.full(rows.size, np.nan) if values is None else values.ravel().astype(float)
    words, codes = columns.words(path, name, rows) or ([], np.full(rows.shape, -1))
    return _words(words, codes.ravel())


def _words(words: list[str], codes: np.ndarray) -> Any:
    """Each text once in memory until it is taken; -1 is a missing one."""
    return pd.array(words, dtype=TEXT).take(codes, allow_fill=True) if words else pd.array([None] * len(codes), TEXT)


def problems(run: Run, by_seed: bool) -> pd.DataFrame:
    """A row for each arm and problem of the headline, or for each arm, seed and problem; arms as planned."""
    found = _by_seed(run) if by_seed else [({"arm": arm, "benchmark": b}, t) for (arm, b), t in tallies(run).items()]
    order = [[START, *(arm.name for arm in run.plan.arms)], [*run.plan.benchmarks]]
    found = [one for one in found if one[0]["benchmark"] in order[1]]
    found.sort(key=lambda one: (order[0].index(one[0]["arm"]), one[0].get("seed"), order[1].index(one[0]["benchmark"])))
    table = FRAMES["problems by seed" if by_seed else "problems"]
    parts = [of_columns(table, _problem_columns(run, about, one)) for about, one in found]
    return pd.concat(parts, ignore_index=True) if parts else of_columns(table, {one.name: [] for one in table})


def _by_seed(run: Run) -> list[tuple[dict[str, Any], FlipCounts]]:
    """Arm, seed and benchmark with its counts, of each evaluation of the headline."""
    coarse = set(run.imported.coarse) if run.imported else set()
    evals = final(run).sort_values(["arm", "benchmark", "seed"])
    headers = zip(evals.index, evals["arm"], evals["seed"], evals["benchmark"], strict=True)
    return [
        ({"arm": arm, "seed": seed, "benchmark": benchmark}, tally(run, [int(e)], benchmark in coarse))
        for e, arm, seed, benchmark in headers
    ]


def _problem_columns(run: Run, about: Mapping[str, Any], found: FlipCounts) -> dict[str, Any]:
    n = len(found.ids)
    tokens = np.sum([run.attempts[e].tokens.astype(float).sum(axis=1) for e in found.evals], axis=0)
    counts = {mark: found.marks[:, place].astype(float) for place, mark in enumerate(MARKS)}
    if found.coarse:
        counts |= {mark: np.full(n, np.nan) for mark in _TOLD}
    return {
        **{name: [value] * n for name, value in about.items()},
        "problem_id": found.ids,
        "pass_rate": found.share,
        "solved": found.solved,
        "attempts": found.attempts,
        **counts,
        "mean_tokens": tokens / found.attempts,
    }


def flipped(a: Analysis, one: str, other: str) -> pd.DataFrame:
    """A row for each problem that two arms were asked, by benchmark.

    Raises: DataError if they were asked different problems.
    """
    known, table = tallies(a.run), FRAMES["flips"]
    parts = []
    for benchmark in a.benchmarks:
        if (one, benchmark) not in known or (other, benchmark) not in known:
            continue
        found = flips(known[one, benchmark], known[other, benchmark])
        values = {
            "benchmark": [benchmark] * len(found.a.ids),
            "problem_id": found.a.ids,
            "pass_rate_a": found.a.share,
            "pass_rate_b": found.b.share,
            "difference": found.difference,
            "category": np.array(CATEGORIES, object)[found.category],
            # the place -1 takes the None at the end
            "kind": np.array([*KINDS, None], object)[found.kind],
        }
        parts.append(of_columns(table, values))
    return pd.concat(parts, ignore_index=True) if parts else of_columns(table, {column.name: [] for column in table})
