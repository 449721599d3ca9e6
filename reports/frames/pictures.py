"""The report's pictures on matplotlib axes: the same lines, colours and numbers, in percent and points.

Axes that are given keep their figure and style; without any, pyplot makes a figure of its own.

Raises, everywhere in this module: ValueError for a column or a cost that the run does not have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.records import START
from reports.data import cost_axis, pass_family
from reports.data.analysis import Analysis
from reports.data.axes import curve_benchmarks
from reports.data.scores import AVERAGE
from reports.figures import arm_colours
from reports.figures.curves import Line, draw_curves
from reports.figures.intervals import IntervalRow, draw_intervals
from reports.figures.scatter import draw_scatter
from reports.figures.svg import MUTED, RULE
from reports.frames import curve_frames
from reports.sections import curves, differences, passing, scores, spending
from reports.words import listing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PERCENT = "percent correct"
COSTS = {
    "rollouts": "rollouts",
    "tokens": "generated tokens",
    "updates": "updates",
    "cpu_seconds": "cpu-seconds",
    "wall_seconds": "seconds",
}
"""column of the frame of trials -> what its axis is called"""
AXES = {"rollouts": "rollouts", "updates": "updates", "tokens": "generated tokens", "step": "steps"}


def panel(ax: Axes | None, height: float = 3.6) -> Axes:
    """The axes to draw on.

    Args:
        height: of a figure of its own, in inches.
    """
    if ax is not None:
        return ax
    from matplotlib import pyplot

    _, made = pyplot.subplots(figsize=(6.4, height), layout="constrained")
    made.spines[["top", "right"]].set_visible(False)
    made.tick_params(grid_color=RULE, grid_linewidth=0.6)
    made.set_axisbelow(True)
    return made


def score_rows(a: Analysis, column: str, ax: Axes | None) -> Axes:
    """Each arm's score in one column with its interval and every seed."""
    _known(column, a.columns)
    return _titled(a, interval_rows(scores.entries_of(a, column), PERCENT, False, ax), column)


def difference_rows(a: Analysis, by_benchmark: bool, ax: Axes | None) -> Axes:
    """The planned comparison: the target minus each baseline, with simultaneous intervals."""
    entries = differences.grouped(a) if by_benchmark else differences.averages(a)
    if not entries:
        raise ValueError("This run has no planned comparison. `compare(a, b)` sets two arms side by side.")
    return rows(entries, arm_colours.short(a, a.target), ax)


def rows(entries: Sequence[IntervalRow], title: str, ax: Axes | None) -> Axes:
    """Differences in points, one below the other."""
    drawn = interval_rows(entries, "points", True, ax)
    drawn.set_title(title, loc="left", fontsize="medium")
    return drawn


def interval_rows(entries: Sequence[IntervalRow], xlabel: str, zero: bool, ax: Axes | None) -> Axes:
    """Means or differences with their intervals, one below the other.

    Args:
        zero: with a line at zero.
    """
    drawn = panel(ax, 1.0 + 0.3 * len(entries))
    draw_intervals(drawn, entries, xlabel, zero)
    drawn.set_yticks(range(len(entries)), [entry.label for entry in entries])
    drawn.tick_params(axis="y", length=0)
    for label, entry in zip(drawn.get_yticklabels(), entries, strict=True):
        label.set_fontweight("bold" if entry.strong else "normal")
    return drawn


def learning_curves(a: Analysis, column: str, x: str, ax: Axes | None) -> Axes:
    """The mean of each arm with its band and every seed, against what was spent in training."""
    tables = curve_frames.tables(a)
    _known(column, list(tables))
    if x not in AXES:
        raise ValueError(f"`x` must be one of {', '.join(AXES)}, but is `{x}` instead.")
    table = tables[column]
    trained = table["arm"] != START
    if not table.loc[trained, x].notna().any():
        others = [name for name in AXES if table.loc[trained, name].notna().any()]
        raise ValueError(f"The run does not say `{x}` of its checkpoints. It says: {', '.join(others) or 'nothing'}.")
    lines, start = curves.panel(a, table, x)
    drawn = panel(ax)
    draw_curves(drawn, lines, start, AXES[x])
    legend(drawn, names(lines), a.label(START) if start is not None else "")
    drawn.set_ylabel(PERCENT)
    averaged = curve_benchmarks(a)
    # a curve may be of fewer benchmarks than the headline, and its average is then another one
    few = column == AVERAGE and len(averaged) < len(a.benchmarks)
    return _titled(a, drawn, column, listing([a.benchmark_title(name) for name in averaged]) if few else "")


def attempts_curve(a: Analysis, column: str, ax: Axes | None) -> Axes:
    """pass@k of each arm against k, with every seed thin."""
    _known(column, a.columns)
    lines = passing.lines(a, pass_family.by_k(a), column)
    drawn = panel(ax)
    draw_curves(drawn, lines, None, "k, attempts", doubling=True)
    legend(drawn, names([line for line in lines if not line.dashed]), a.label(START) if START in a.rows else "")
    drawn.set_ylabel("pass@k, percent")
    return _titled(a, drawn, column)


def cost_cloud(a: Analysis, x: str, ax: Axes | None) -> Axes:
    """Each seed's average against what its training took, a cross at the mean of an arm."""
    if x not in COSTS:
        raise ValueError(f"`x` must be one of {', '.join(COSTS)}, but is `{x}` instead.")
    costs = cost_axis.seconds(a) if x.endswith("_seconds") else cost_axis.generated(a)
    found, start, words = spending.clouds(a, costs, x.removesuffix("_seconds"), COSTS[x])
    if not found:
        raise ValueError("No trial that has a score says what it has spent, as in results made elsewhere.")
    drawn = panel(ax)
    draw_scatter(drawn, found, start, words)
    names = {cloud.label: cloud.colour for cloud in found if not cloud.quiet}
    legend(drawn, names, a.label(START) if start is not None else "")
    drawn.set_ylabel(PERCENT)
    return _titled(a, drawn, AVERAGE)


def _known(column: str, columns: Sequence[str]) -> None:
    if column not in columns:
        raise ValueError(f"`benchmark` must be one of {', '.join(columns)}, but is `{column}` instead.")


def _titled(a: Analysis, drawn: Axes, column: str, title: str = "") -> Axes:
    title = title or a.benchmark_title(a.benchmarks[0] if len(a.benchmarks) == 1 else column)
    drawn.set_title("Average" if title == AVERAGE else title, loc="left", fontsize="medium")
    return drawn


def names(lines: Sequence[Line]) -> dict[str, str]:
    """Label -> colour, of the lines that have a name."""
    return {line.label: line.colour for line in lines if not line.quiet}


def legend(drawn: Axes, names: Mapping[str, str], dashed: str) -> None:
    """Names and colours, and what the dashed line is, if there is one."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=tint, label=name) for name, tint in names.items()]
    if dashed:
        handles.append(Line2D([], [], color=MUTED, linewidth=0.8, linestyle=(0, (3, 3)), label=dashed))
    drawn.legend(handles=handles, frameon=False, fontsize="small")
