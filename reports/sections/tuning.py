"""What was tried to choose settings before the experiment: in words, or trial by trial where `rence run` did it."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import mean

from harness.records.tuned import TuningRecord
from reports.data.analysis import Analysis
from reports.document import Block, Cell, Column, Folded, Row, Table, Text, text
from reports.words import GAP, listing, percent, plural

Scores = dict[tuple[str, str], float | None]
"""(arm, candidate) -> score; None: a trial diverged"""


def executed(a: Analysis) -> list[Block]:
    """Empty where the plan has words of somebody's own, or nothing."""
    tuning = a.run.plan.tuned
    if tuning is None:
        return []
    scores: Scores = {(row["arm"], row["candidate"]): row["score"] for row in tuning["tried"]}
    return [Text(_said(a, tuning, scores)), Folded("Every score in tuning", [_table(a, tuning, scores)])]


def _said(a: Analysis, tuning: TuningRecord, scores: Scores) -> str:
    arms, candidates = _names(arm for arm, _ in scores), _names(candidate for _, candidate in scores)
    asked = [f"{a.benchmark_title(name)} (k = {k})" for name, k in tuning["benchmarks"].items()]
    seeds = tuning["seeds"]
    diverged = sum(len(row["diverged"]) for row in tuning["tried"])
    lost = f" {plural(diverged, 'trial')} diverged, which cannot be chosen." if diverged else ""
    on = f"{'seed' if len(seeds) == 1 else 'seeds'} {listing(list(map(str, seeds)))} and {listing(asked)}"
    return (
        f"Tuned before the experiment, in the run {tuning['run']}: {plural(len(candidates), 'candidate')}, the same "
        f"for each of {plural(len(arms), 'arm')}, on {on}; no number of this report is of one of these seeds or "
        f"problems. {_choice(a, tuning)}{lost}"
    )


def _choice(a: Analysis, tuning: TuningRecord) -> str:
    chosen = {arm: one["candidate"] for arm, one in tuning["chosen"].items()}
    if tuning.get("choose") != "per_arm":
        return f"Chosen for all arms, by the mean over them: {next(iter(chosen.values()))}."
    if len(set(chosen.values())) == 1:
        return f"Each arm's own best is the same: {next(iter(chosen.values()))}."
    return "Each arm has its own best: " + listing([f"{a.label(arm)} {one}" for arm, one in chosen.items()]) + "."


def _table(a: Analysis, tuning: TuningRecord, scores: Scores) -> Table:
    """Arms x candidates, percent correct in tuning; a last row has the mean where one choice was made for all arms."""
    candidates = _names(candidate for _, candidate in scores)
    chosen = {arm: one["candidate"] for arm, one in tuning["chosen"].items()}
    rows = []
    for arm, best in chosen.items():
        cells = [_cell(scores[arm, one], best == one) for one in candidates]
        rows.append(Row([text(a.label(arm)), *cells]))
    if tuning.get("choose") != "per_arm":
        means = [_mean([scores[arm, one] for arm in chosen]) for one in candidates]
        best = next(iter(chosen.values()))
        cells = [
            Cell(GAP) if value is None else Cell(percent(value), value, bold=one == best)
            for one, value in zip(candidates, means, strict=True)
        ]
        rows.append(Row([text("mean over the arms"), *cells], quiet=True))
    caption = (
        "Percent correct at the end of each tuning trial, mean over benchmarks and seeds. Bold: chosen. Of equal ones "
        "the first in the file is taken; a candidate that diverged cannot win, in a shared choice not for any arm."
    )
    return Table("tuning", [Column("", numeric=False), *map(Column, candidates)], rows, caption)


def _cell(score: float | None, chosen: bool) -> Cell:
    return Cell("diverged") if score is None else Cell(percent(score), score, bold=chosen)


def _mean(scores: list[float | None]) -> float | None:
    known = [score for score in scores if score is not None]
    return mean(known) if len(known) == len(scores) else None


def _names(of: Iterable[str]) -> list[str]:
    """In the order in which they first appear."""
    return list(dict.fromkeys(of))
