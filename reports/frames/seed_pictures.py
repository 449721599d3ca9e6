"""Pictures of scores without problems on matplotlib axes: the lines and numbers of their report.

Raises, everywhere in this module: ValueError for a column or an axis that the scores do not have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.data.scores import AVERAGE
from reports.figures.curves import draw_curves
from reports.frames import pictures
from reports.seed_scores import pictures as drawings
from reports.seed_scores.compared import ComparedScores
from reports.seed_scores.numbers import ScoreWords

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def score_rows(a: ComparedScores, benchmark: str, ax: Axes | None) -> Axes:
    """Each arm's mean over its seeds with its interval, and every seed."""
    column = _column(a, benchmark)
    drawn = pictures.interval_rows(drawings.seed_rows(a, column), ScoreWords(a.run.raw).axis, False, ax)
    return _titled(drawn, column)


def difference_rows(a: ComparedScores, by_benchmark: bool, ax: Axes | None) -> Axes:
    """The target minus each baseline, seeds against seeds, with simultaneous intervals."""
    entries = drawings.difference_rows(a, by_benchmark)
    if not entries:
        raise ValueError(f"These scores have one arm, `{a.target}`, and nothing that it is compared with.")
    drawn = pictures.interval_rows(entries, ScoreWords(a.run.raw).difference_axis, True, ax)
    return _titled(drawn, a.target)


def learning_curves(a: ComparedScores, benchmark: str, x: str, ax: Axes | None) -> Axes:
    """The mean of each arm over its seeds with its band, and every seed, against steps."""
    if x != "step":
        raise ValueError(f"`x` must be step, but is `{x}` instead: these scores say nothing of what was spent by then.")
    column = _column(a, benchmark)
    lines = drawings.curve_lines(a, column) if a.run.has_curves else []
    if not lines:
        raise ValueError(f"The scores on {column} have no steps, one score a seed: `plot_scores` draws them.")
    drawn = pictures.panel(ax)
    draw_curves(drawn, lines, None, "steps")
    pictures.legend(drawn, pictures.names(lines), "")
    drawn.set_ylabel(ScoreWords(a.run.raw).axis)
    return _titled(drawn, column)


def _column(a: ComparedScores, benchmark: str) -> str:
    """Of one benchmark the average is that benchmark."""
    column = a.run.headline if benchmark == AVERAGE else benchmark
    if column not in a.run.columns:
        raise ValueError(f"`benchmark` must be one of {', '.join(a.run.columns)}, but is `{benchmark}` instead.")
    return column


def _titled(drawn: Axes, title: str) -> Axes:
    drawn.set_title("Average" if title == AVERAGE else title, loc="left", fontsize="medium")
    return drawn
