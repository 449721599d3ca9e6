"""Scores, differences, arms and trials in rows: the numbers of results.csv, verdict.json and timing.json."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from harness.records import START
from reports.data import cost_axis, decoded, readings, second_marker
from reports.data.analysis import Analysis, Score
from reports.data.load import MARKS, TrialData
from reports.data.pairs import UNTRAINED, Pair
from reports.data.readings import FormatPart
from reports.data.scores import AVERAGE, Cells, complete, final
from reports.data.source_marks import MarkerPart
from reports.frames.frame_columns import FRAMES
from reports.frames.framing import of_columns, of_rows
from reports.verdict_json import pair_json

_TIMES = ("cpu_seconds", "wall_seconds", "generate_seconds", "train_seconds", "evaluate_seconds")
_SPENT = ("steps", "rollouts", "discarded", "updates", "tokens")


def arms(a: Analysis) -> pd.DataFrame:
    """A row for each of the table's rows: the untrained model, then the arms as planned."""
    return of_rows("arms", (_arm(a, name) for name in a.rows))


def _arm(a: Analysis, name: str) -> dict[str, Any]:
    record = next((arm for arm in a.arms if arm.name == name and arm.algorithm), None)
    score = a.scores.get((name, AVERAGE))
    seeds = [seed for seed in a.run.plan.seeds if name != START and seed != UNTRAINED]
    return {
        "arm": name,
        "label": a.label(name),
        "algorithm": record and record.algorithm,
        "role": _role(a, name),
        "seeds_planned": len(seeds),
        "seeds_scored": _seeds(score) if score else 0,
        "settings": record and json.dumps(record.hyperparameters, sort_keys=True),
        "recipe_differences": record and json.dumps(record.recipe_differences, sort_keys=True),
        "fingerprint": record.fingerprint if record else a.run.plan.model_hash,
    }


def _role(a: Analysis, name: str) -> str:
    if name == START:
        return START
    if a.run.plan.seeds == [UNTRAINED]:
        return "model"
    if name == a.target and a.run.plan.comparison.baselines:
        return "target"
    return "baseline" if name in a.run.plan.comparison.baselines else "arm"


def _seeds(score: Score) -> int:
    return len([seed for seed in score.seeds if seed != UNTRAINED])


def trials(a: Analysis) -> pd.DataFrame:
    """A row for each planned trial, begun or not."""
    return of_rows("trials", (_trial(a, arm, seed) for arm, seed in _planned(a)))


def _planned(a: Analysis) -> list[tuple[str, int]]:
    """Arm and seed of each trial, in the plan's order."""
    return [(arm.name, seed) for arm in a.arms for seed in a.run.plan.seeds if seed != UNTRAINED]


def _trial(a: Analysis, arm: str, seed: int) -> dict[str, Any]:
    trial = a.run.trials.get((arm, seed))
    spent: Mapping[str, float] = cost_axis.counts(a, arm, seed)
    timing = trial.timing if trial else None
    return {
        "arm": arm,
        "seed": seed,
        "status": status(a, trial),
        "score": a.by_seed(arm).get(seed),
        **{name: spent.get(name) for name in _SPENT},
        **{name: getattr(timing, name) if timing else None for name in _TIMES},
    }


def status(a: Analysis, trial: TrialData | None) -> str:
    """Of a trial, in a word or two."""
    if a.run.plan.imported:
        return "imported"
    if trial is None:
        return "not begun"
    return trial.done.status if trial.done else "unfinished"


def missing(a: Analysis) -> pd.DataFrame:
    """A row for each planned result at the headline that is not there."""
    under = decoded.cells(a) or {"": a.cells}
    first = next(iter(under))
    return of_rows("missing", (row for name, cells in under.items() for row in _gaps(a, name, first, cells)))


def _gaps(a: Analysis, decoding: str, first: str, cells: Cells) -> Iterator[dict[str, Any]]:
    start = [(START, UNTRAINED)] if START in a.rows else []
    for arm, seed in [*start, *_planned(a)]:
        for benchmark in a.benchmarks:
            scores = cells.get((arm, benchmark))
            if scores is None or seed not in scores.seeds:
                told = status(a, a.run.trials.get((arm, seed))) if arm != START else "not begun"
                where = "" if decoding == first else decoding
                yield {"arm": arm, "seed": seed, "benchmark": benchmark, "decoding": where, "status": told}


def scores(a: Analysis, decoding: str) -> pd.DataFrame:
    """`results.csv`: a row for each arm and column, a gap where there is no complete result.

    Args:
        decoding: one of the plan's; empty for the headline's.
    """
    under = next((one for one in decoded.found(a) if one.name == decoding), None)
    found, marks = (under.scores, decoded.counts(under)) if under else (a.scores, a.marks)
    return of_rows(
        "scores", (_score(a, arm, column, found.get((arm, column)), marks) for arm in a.rows for column in a.columns)
    )


def _score(
    a: Analysis, arm: str, column: str, score: Score | None, marks: Mapping[tuple[str, str], Mapping[str, int]]
) -> dict[str, Any]:
    """One arm in one column; None where there is a gap."""
    estimate = score.estimate if score else None
    low, high = (estimate.interval if estimate else None) or (None, None)
    # as in results.csv: where there is no score there are no counts, which may be of some seeds alone
    counts = marks.get((arm, column), {}) if score else {}
    return {
        "arm": arm,
        "benchmark": column,
        "score": estimate and estimate.value,
        "se": estimate and (estimate.se or None),
        "df": estimate and estimate.stated_df,
        "ci_low": low,
        "ci_high": high,
        "covers": estimate.estimand if low is not None and estimate else None,
        "n_problems": score and score.n_problems,
        "k": score.k[0] if score and len(score.k) == 1 else None,
        "seeds": _seeds(score) if score else 0,
        **{mark: counts.get(mark) for mark in MARKS},
        "title": column if column == AVERAGE else a.benchmark_title(column),
        "rule": a.rules.get(column),
    }


def seed_scores(a: Analysis, decoding: str) -> pd.DataFrame:
    """A row for each checkpoint of the headline and column; arguments as `scores`."""
    cells = decoded.cells(a).get(decoding, a.cells)
    return of_rows(
        "scores by seed", (row for arm in a.rows for column in a.columns for row in _each(a, cells, arm, column))
    )


def _each(a: Analysis, cells: Cells, arm: str, column: str) -> Iterator[dict[str, Any]]:
    if column == AVERAGE and not any(name == AVERAGE for _, name in a.scores):
        return
    group = complete(cells, arm, a.benchmarks if column == AVERAGE else [column])
    for place, seed in enumerate(group[0].seeds if group else ()):
        assert group is not None
        ks = {scores.k[place] for scores in group}
        yield {
            "arm": arm,
            "seed": seed,
            "benchmark": column,
            "score": sum(scores.by_seed[seed] for scores in group) / len(group),
            "n_problems": sum(len(scores.problems) for scores in group),
            "k": ks.pop() if len(ks) == 1 else None,
        }


def differences(a: Analysis) -> pd.DataFrame:
    """The pairs of verdict.json, in their order."""
    parts = readings.parts(a)
    return of_rows("differences", (_pair(a, pair, parts.get((pair.a, pair.b, pair.benchmark))) for pair in a.pairs))


def _pair(a: Analysis, pair: Pair, part: FormatPart | MarkerPart | None) -> dict[str, Any]:
    return {**pair_row(pair, a.checked.accepted, part), "finding": pair.finding}


def pair_row(pair: Pair, accepted: bool, part: FormatPart | MarkerPart | None) -> dict[str, Any]:
    """What verdict.json says of a pair, flat."""
    told = pair_json(pair, accepted, part)
    bounds = told["simultaneous"]
    known = {"anywhere": None, "format": None, "box": None, **(told.get("readings") or {})}
    return {**told, "simultaneous_low": bounds["low"], "simultaneous_high": bounds["high"], **known}


def markers(a: Analysis) -> pd.DataFrame:
    """A row for each evaluation of the headline that two markers marked."""
    evals = final(a.run)
    rows = []
    for e, found in second_marker.compare(a).items():
        judged = found.attempts - found.failed
        same = (judged - found.first_only - found.second_only) / judged if judged else None
        about = {name: evals.loc[e, name] for name in ("arm", "seed", "benchmark")}
        rows.append({**about, **vars(found), "agreement": same})
    return of_rows("markers", rows)


def steps(a: Analysis) -> pd.DataFrame:
    """What trials logged, a row for each step; a column for each metric, NaN where it was not counted."""
    logged, columns = a.run.steps, FRAMES["steps"]
    known = of_columns(columns, {one.name: logged[one.name].to_numpy() if len(logged) else [] for one in columns})
    metrics = [name for name in logged.columns if name not in known.columns]
    return known.join(logged[metrics].astype(float)) if metrics else known
