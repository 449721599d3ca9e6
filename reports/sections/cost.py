"""Times from timing.json: the one section that may differ between equal runs."""

from __future__ import annotations

from reports.data.analysis import Analysis
from reports.document import Cell, Column, Row, Section, Table, text
from reports.sections import spending


def section(a: Analysis) -> Section | None:
    """None where no trial has begun."""
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
