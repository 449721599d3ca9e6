"""What a score cost: rollouts and tokens of each arm against its headline score; and, for the cost block, seconds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.records import START
from reports.data import cost_axis
from reports.data.analysis import Analysis
from reports.data.cost_axis import Costs
from reports.data.scores import AVERAGE
from reports.document import Block, Cell, Column, Figure, Row, Section, Table, text
from reports.figures import arm_colours
from reports.figures.scatter import Cloud, scatter
from reports.words import GAP, count, percent

MARKED = "Every seed is a dot, the mean of an arm a cross; dashed: the untrained model. "
SCALES = ((1e9, "billions"), (1e6, "millions"), (1e3, "thousands"))


def section(a: Analysis) -> Section | None:
    """None where no trial that has a score says what it has generated, as in a run that was made elsewhere."""
    costs = cost_axis.generated(a)
    if not any(costs.values()):
        return None
    names = {"rollouts": "Rollouts", "tokens": "Generated tokens", "updates": "Updates"}
    caption = (
        "Means over the seeds that have a headline score; the score is the average of the benchmarks in percent. "
        f"Tokens of {a.label(a.target)} = 100 in the column beside them."
    )
    legend = f"Headline score in percent against tokens generated in training. {MARKED}{arm_colours.rule(a)}"
    table = Table("spending", *_rows(a, costs, names, "tokens"), caption)
    return Section(
        "spending",
        "Cost against score",
        [table, *_picture(a, costs, "spending", "tokens", "generated tokens", legend.strip())],
    )


def seconds(a: Analysis) -> list[Block]:
    """The same in seconds of processors and of the clock, from timing.json."""
    costs = cost_axis.seconds(a)
    if not any(costs.values()):
        return []
    caption = (
        "Means over the seeds that have a headline score, of training with its evaluations. Seconds depend on the "
        f"machine and on what else it did. cpu-seconds of {a.label(a.target)} = 100 in the column beside them."
    )
    legend = f"Headline score in percent against cpu-seconds. {MARKED}{arm_colours.rule(a)}"
    table = Table("cost-score", *_rows(a, costs, {"cpu": "cpu s", "wall": "wall s"}, "cpu"), caption)
    return [table, *_picture(a, costs, "cost-cpu", "cpu", "cpu-seconds", legend.strip())]


def _rows(a: Analysis, costs: Costs, names: Mapping[str, str], relative: str) -> tuple[list[Column], list[Row]]:
    """Columns and rows; beside `relative` it is set against the target's."""
    columns = [Column("", numeric=False), Column("Seeds")]
    for key, title in names.items():
        columns += [Column(title), *([Column("target = 100")] if key == relative else [])]
    base = _mean(costs[a.target], relative)
    rows = []
    for arm in a.arms:
        seeds = costs[arm.name]
        cells = [text(a.label(arm.name)), Cell(str(len(seeds)), len(seeds))]
        for key in names:
            mean = _mean(seeds, key)
            cells.append(Cell(_amount(mean), mean))
            if key == relative:
                share = 100 * mean / base if mean is not None and base else None
                cells.append(Cell(GAP if share is None else f"{share:.0f}", share))
        scores = [score for seed, score in a.by_seed(arm.name).items() if seed in seeds]
        score = float(np.mean(scores)) if scores else None
        rows.append(Row([*cells, Cell(percent(score), score)]))
    return [*columns, Column("Score")], rows


def _amount(mean: float | None) -> str:
    return f"{mean:.1f}" if mean is not None and mean < 100 and mean % 1 else count(mean)


def _mean(seeds: Mapping[int, Mapping[str, float]], key: str) -> float | None:
    values = [one[key] for one in seeds.values() if key in one]
    return float(np.mean(values)) if values else None


def _picture(a: Analysis, costs: Costs, name: str, key: str, words: str, caption: str) -> list[Figure]:
    found, level, unit = clouds(a, costs, key, words)
    return [Figure(name, scatter(name, found, level, unit), caption)] if found else []


def clouds(a: Analysis, costs: Costs, key: str, words: str) -> tuple[list[Cloud], float | None, str]:
    """For a picture: each arm's seeds, cost and percent; the untrained model's percent; and what the cost is called,
    with its scale.

    Args:
        key: of the costs.
        words: what that is.
    """
    most = max((one.get(key, 0.0) for seeds in costs.values() for one in seeds.values()), default=0.0)
    scale, unit = next(((scale, f"{words}, {many}") for scale, many in SCALES if most >= 10 * scale), (1.0, words))
    tints, named = arm_colours.tints(a), arm_colours.named(a)
    found = []
    for arm in a.arms:
        scores = a.by_seed(arm.name)
        points = [(one[key] / scale, 100 * scores[s]) for s, one in costs[arm.name].items() if key in one]
        if points:
            found.append(Cloud(arm_colours.short(a, arm.name), tints[arm.name], points, quiet=arm.name not in named))
    start = a.scores.get((START, AVERAGE))
    level = None if start is None else 100 * start.estimate.value
    return found, level, unit
