"""Intervals in rows: paired differences (a forest plot), and scores with every seed as a dot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.figures.svg import INK, LETTER, MUTED, draw, fit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 540
WIDEST = 252
"""pixels that a label may take"""
ROW, TOP, BOTTOM = 20, 4, 40
"""pixels: height of a row, above the first, below the last"""


@dataclass(frozen=True)
class IntervalRow:
    """One row; numbers in points or percent, None where there is nothing to show."""

    label: str
    value: float | None = None
    interval: tuple[float, float] | None = None
    seeds: Sequence[float] = ()
    colour: str = INK
    strong: bool = False
    """a bold label: the row that the claim is about"""
    indent: int = 0
    crosses: Sequence[float] = ()
    """seeds that are set apart"""
    level: float | None = None
    """where they begin: a dotted mark"""


def intervals(name: str, entries: Sequence[IntervalRow], xlabel: str, zero: bool, line: float | None = None) -> str:
    """SVG of rows from top to bottom: a band for the interval, a tick for the mean, a dot for every seed.

    Args:
        zero: whether to mark zero, for differences
        line: a score to compare with: dashed, through all rows
    """
    left = 26 + min(WIDEST, LETTER * max(len(entry.label) + 2 * entry.indent for entry in entries))
    height = TOP + BOTTOM + ROW * len(entries)

    def plot(axes: Axes) -> None:
        axes.set_position((left / WIDTH, BOTTOM / height, 1 - (left + 14) / WIDTH, 1 - (TOP + BOTTOM) / height))
        axes.set_yticks([])
        draw_intervals(axes, entries, xlabel, zero, line)
        for row, entry in enumerate(entries):
            _label(axes, row, entry, left)

    return draw(name, WIDTH, height, plot)


def draw_intervals(
    axes: Axes, entries: Sequence[IntervalRow], xlabel: str, zero: bool, line: float | None = None
) -> None:
    """The rows without their labels, into a panel of any size: row i is at y = i. Arguments: as `intervals`."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_ylim(len(entries) - 0.5, -0.5)
    axes.grid(axis="x")
    axes.set_xlabel(xlabel)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(_signed if zero else lambda x, _: f"{x:g}"))
    if zero:
        axes.axvline(0, color=MUTED, linewidth=0.9)
    if line is not None:
        axes.axvline(line, color=MUTED, linewidth=0.9, linestyle=(0, (3, 3)))
    for row, entry in enumerate(entries):
        _marks(axes, row, entry)


def _signed(x: float, _: int) -> str:
    return f"{x:+g}".replace("-", "−") if x else "0"


def _label(axes: Axes, row: int, entry: IntervalRow, left: float) -> None:
    axes.annotate(
        fit(entry.label, WIDEST - 2 * LETTER * entry.indent),
        (0, row),
        (12 * entry.indent - left, -4),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        color=INK if entry.strong else MUTED,
        fontweight="bold" if entry.strong else "normal",
        annotation_clip=False,
    )


def _marks(axes: Axes, row: int, entry: IntervalRow) -> None:
    if entry.interval is not None:
        alpha = 0.5 if entry.strong and entry.indent else 0.25
        axes.plot(entry.interval, [row, row], color=entry.colour, linewidth=7, alpha=alpha, solid_capstyle="butt")
    if entry.value is not None:
        axes.plot([entry.value] * 2, [row - 0.32, row + 0.32], color=entry.colour, linewidth=2, solid_capstyle="butt")
    if entry.level is not None:
        axes.plot([entry.level] * 2, [row - 0.32, row + 0.32], color=entry.colour, linewidth=1.8, linestyle=":")
    axes.plot(entry.seeds, [row] * len(entry.seeds), "o", color=entry.colour, markersize=4.5, markeredgewidth=0)
    if entry.crosses:
        axes.plot(entry.crosses, [row] * len(entry.crosses), "x", color=entry.colour, markersize=6, markeredgewidth=1.8)
