"""What was spent: rollouts, tokens, steps and updates of every trial."""

from __future__ import annotations

from reports.data.analysis import Analysis
from reports.data.cost_axis import counts
from reports.data.fates import fates
from reports.document import Cell, Column, Row, Section, Table, text
from reports.words import GAP, count, percent

COUNTS = ("rollouts", "discarded", "tokens", "steps", "updates", "cursor")


def section(a: Analysis) -> Section | None:
    if not a.run.trials:
        return None
    columns = [Column("", numeric=False), Column("Seed"), Column("Status", numeric=False), *map(Column, COUNTS)]
    rows = [_row(a, arm.name, seed) for arm in a.arms for seed in a.run.plan.seeds]
    caption = (
        f"Budget: {a.run.plan.budget_rollouts:,} generated rollouts a trial, filtered ones included; a trial stops at "
        "the first step at or past it. Discarded: generated and never learnt from. Cursor: prompts consumed from the "
        "seed's order."
    )
    return Section("budget", "Budget", [Table("budget", columns, rows, caption), *_groups(a)])


def _groups(a: Analysis) -> list[Table]:
    """Nothing where every group was learnt from, or none is on record."""
    found = fates(a)
    if not any(one.dropped or one.surplus for one in found.values()):
        return []
    titles = ("Prompts a step", "Learnt from", "Dropped", "Surplus", "Surplus of passing", "Short steps", "Steps")
    rows = []
    for arm in a.arms:
        if (one := found.get(arm.name)) is None:
            continue
        parts = [part / one.generated for part in (one.kept, one.dropped, one.surplus)]
        wasted = one.wasted
        cells = [
            Cell(f"{one.generated / one.steps:.1f}", one.generated / one.steps),
            *(Cell(percent(part), part) for part in parts),
            Cell(GAP) if wasted is None else Cell(percent(wasted), wasted),
            Cell(GAP) if one.short is None else Cell(count(one.short), one.short),
            Cell(count(one.steps), one.steps),
        ]
        rows.append(Row([text(a.label(arm.name)), *cells]))
    caption = (
        "What became of the prompts that were asked, in percent, all seeds together: generated = learnt from + dropped "
        "+ surplus. Dropped: by the algorithm's filter, or not one rollout could be marked. Surplus: passed the "
        "filter and was thrown away, for the step had its groups. Short steps: of arms that refill, those that reached "
        "`recipe.refill_batches` before they had their groups."
    )
    return [Table("groups", [Column("", numeric=False), *map(Column, titles)], rows, caption)]


def _row(a: Analysis, arm: str, seed: int) -> Row:
    trial = a.run.trials.get((arm, seed))
    status = "not run" if trial is None else trial.done.status if trial.done else "unfinished"
    numbers = counts(a, arm, seed)
    cells = [Cell(GAP) if (n := numbers.get(name)) is None else Cell(count(n), n) for name in COUNTS]
    return Row([text(a.label(arm)), text(seed), Cell(status, bold=status != "finished"), *cells])
