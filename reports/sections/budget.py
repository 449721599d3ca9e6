"""What was spent: rollouts, tokens, steps and updates of every trial."""

from __future__ import annotations

from reports.data.analysis import Analysis
from reports.data.cost_axis import counts
from reports.document import Cell, Column, Row, Section, Table, text
from reports.words import GAP, count

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
    return Section("budget", "Budget", [Table("budget", columns, rows, caption)])


def _row(a: Analysis, arm: str, seed: int) -> Row:
    trial = a.run.trials.get((arm, seed))
    status = "not run" if trial is None else trial.done.status if trial.done else "unfinished"
    numbers = counts(a, arm, seed)
    cells = [Cell(GAP) if (n := numbers.get(name)) is None else Cell(count(n), n) for name in COUNTS]
    return Row([text(a.label(arm)), text(seed), Cell(status, bold=status != "finished"), *cells])
