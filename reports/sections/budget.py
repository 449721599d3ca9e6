"""What was spent: rollouts, tokens, steps and updates of every trial; and, apart, time."""

from __future__ import annotations

from reports.data.analysis import Analysis
from reports.data.cost_axis import counts
from reports.document import Cell, Column, Row, Section, Table, text
from reports.sections import spending
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


def cost(a: Analysis) -> Section | None:
    """Times from timing.json: the one section that may differ between equal runs."""
    trials = {key: trial.timing for key, trial in a.run.trials.items() if trial.timing is not None}
    if not trials:
        return None
    titles = ["wall s", "cpu s", "generate s", "train s", "evaluate s", "starts"]
    columns = [Column("", numeric=False), Column("Seed"), *map(Column, titles)]
    rows = []
    for (arm, seed), t in trials.items():
        seconds = [t.wall_seconds, t.cpu_seconds, t.generate_seconds, t.train_seconds, t.evaluate_seconds]
        cells = [Cell(f"{second:,.1f}", second) for second in seconds]
        rows.append(Row([text(a.label(arm)), text(seed), *cells, Cell(str(t.attempts), t.attempts)]))
    caption = "From timing.json, which no score depends on. Starts: times the trial was begun or continued."
    return Section("cost", "Time", [Table("cost", columns, rows, caption), *spending.seconds(a)], kind="cost")
