"""Trials that failed or are missing: what became of each, and how the averages would look if failures counted."""

from __future__ import annotations

from collections.abc import Iterator

from harness.records import START
from reports.data.analysis import Analysis
from reports.data.scores import AVERAGE
from reports.document import Block, Bullets, Cell, Column, Row, Section, Table, text
from reports.words import GAP, count, listing, percent, plural


def section(a: Analysis) -> Section | None:
    """None where every planned trial finished, none has begun, or there were none to begin, as in an imported run."""
    rows = list(_rows(a)) if a.run.trials else []
    if not rows:
        return None
    titles = ("Seed", "Status", "Step", "Reason", "Its evaluations")
    columns = [Column("", numeric=False), *(Column(title, numeric=title == "Step") for title in titles)]
    caption = "Trials of the plan that did not finish. None is dropped in silence: each that lacks a score is a gap."
    blocks: list[Block] = [Table("failures", columns, rows, caption)]
    bounds = list(_bounds(a))
    if bounds:
        blocks.append(Bullets(bounds))
    return Section("failures", "Trials that did not finish", blocks)


def failed(a: Analysis, arm: str) -> list[int]:
    """Seeds whose training ended by itself before its budget, as when the loss was no number."""
    trials = {seed: trial for (name, seed), trial in a.run.trials.items() if name == arm}
    return [seed for seed in a.run.plan.seeds if (t := trials.get(seed)) and t.done is not None and not t.finished]


def _rows(a: Analysis) -> Iterator[Row]:
    """A row for each trial that failed or is unfinished; those of an arm that were not run share one."""
    for arm in a.arms:
        name, lost = text(a.label(arm.name)), failed(a, arm.name)
        for seed in a.run.plan.seeds:
            trial = a.run.trials.get((arm.name, seed))
            found = text(_evaluations(a, arm.name, seed))
            if trial is not None and trial.done is None:
                yield Row([name, text(seed), text("unfinished"), _step(_reached(a, arm.name, seed)), text(GAP), found])
            elif trial is not None and trial.done is not None and seed in lost:
                status = text(trial.done.status, bold=True)
                yield Row([name, text(seed), status, _step(trial.done.steps), text(trial.done.reason or GAP), found])
        missing = [str(seed) for seed in a.run.plan.seeds if (arm.name, seed) not in a.run.trials]
        if missing:
            yield Row([name, text(", ".join(missing)), text("not run"), _step(None), text(GAP), text("none")])


def _step(step: int | None) -> Cell:
    return Cell(GAP) if step is None else Cell(count(step), step)


def _reached(a: Analysis, arm: str, seed: int) -> int | None:
    """The last step in the log."""
    steps = a.run.steps
    if steps.empty:
        return None
    mine = steps.loc[(steps["arm"] == arm) & (steps["seed"] == seed), "step"]
    return int(mine.max()) if len(mine) else None


def _evaluations(a: Analysis, arm: str, seed: int) -> str:
    """What there is of the headline, and whether it counts."""
    got = [b for b in a.benchmarks if (arm, b) in a.cells and seed in a.cells[arm, b].seeds]
    if len(got) == len(a.benchmarks):
        return "headline complete; counted"
    if got:
        return f"headline on {listing(got)} only; not in the average"
    evals = a.run.evals
    grid = evals.loc[(evals["arm"] == arm) & (evals["seed"] == seed), "grid"]
    if len(grid):
        return f"up to {count(int(grid.max()))} rollouts; not counted"
    return "none"


def _bounds(a: Analysis) -> Iterator[str]:
    start = a.scores.get((START, AVERAGE))
    for arm in a.arms:
        scored = a.by_seed(arm.name)
        lost = [seed for seed in failed(a, arm.name) if seed not in scored]
        if not lost:
            continue
        name, seeds = a.label(arm.name), plural(len(lost), "failed seed")
        if start is None:
            yield f"{name}: {seeds} without a score, and no untrained model to score them as."
            continue
        level = start.estimate.value
        bound = (sum(scored.values()) + len(lost) * level) / (len(scored) + len(lost))
        without = percent(sum(scored.values()) / len(scored)) if scored else "none"
        yield (
            f"{name}: average {without} without its {seeds}; {percent(bound)} if each scored as the untrained model "
            f"({percent(level)}). That is a bound for a failed seed that is no worse than its start, not an estimate."
        )
