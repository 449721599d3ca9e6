"""Learning curves: every seed a thin line with dots, the mean a thick one, its name at its end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from reports.figures.svg import MUTED, draw

LABEL_GAP = 13.0
"""least distance between two labels, in pixels"""
LEAST_RANGE = 1.0
"""points of percent that an axis spans, however little its lines differ"""


@dataclass(frozen=True)
class Line:
    """One arm: x and score in percent of each seed at each point, and their mean. NaN is a gap."""

    label: str
    colour: str
    seeds: Sequence[tuple[Sequence[float], Sequence[float]]]
    mean: tuple[Sequence[float], Sequence[float]]


def curves(name: str, lines: Sequence[Line], start: float | None, xlabel: str, width: float, height: float) -> str:
    """SVG of one panel. `start` is the untrained model's score, a dashed line. A narrow panel has no labels."""
    labels = width > 300

    def plot(axes: Axes) -> None:
        left, right, top, bottom = 32, 112 if labels else 10, 8, 40
        axes.set_position((left / width, bottom / height, 1 - (left + right) / width, 1 - (top + bottom) / height))
        axes.grid(axis="y")
        axes.set_xlabel(xlabel)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
        axes.margins(x=0.02, y=0.06)
        if start is not None:
            axes.axhline(start, color=MUTED, linewidth=0.8, linestyle=(0, (3, 3)))
        for line in lines:
            for x, y in line.seeds:
                axes.plot(x, y, color=line.colour, lw=0.7, alpha=0.5, marker="o", markersize=3.4, markeredgewidth=0)
            axes.plot(*line.mean, color=line.colour, linewidth=1.8, solid_capstyle="round")
        low, high = axes.get_ylim()
        if high - low < LEAST_RANGE:  # all the same: rounding errors are nothing to look at
            middle = (low + high) / 2
            axes.set_ylim(max(-0.06, middle - LEAST_RANGE / 2), middle + LEAST_RANGE / 2)
        if labels:
            _end_labels(axes, lines, start, height - top - bottom)

    return draw(name, width, height, plot)


def _end_labels(axes: Axes, lines: Sequence[Line], start: float | None, height: float) -> None:
    """Names at the right end of the means, pushed apart where they would overlap."""
    ends = [(end, line.label, line.colour) for line in lines if (end := _end(line)) is not None]
    if start is not None:
        ends.append((start, "start", MUTED))
    low, high = axes.get_ylim()
    places = spread([(value - low) / (high - low) * height for value, _, _ in ends], LABEL_GAP, height)
    for (_, label, tint), place in zip(ends, places, strict=True):
        axes.annotate(
            label,
            (1, place / height),
            (6, -4),
            xycoords="axes fraction",
            textcoords="offset points",
            color=tint,
            annotation_clip=False,
        )


def _end(line: Line) -> float | None:
    """The last of the mean; of the seeds' last ones where there is no mean."""
    tracks = [line.mean[1]] if line.mean[1] else [y for _, y in line.seeds]
    known = [[value for value in track if not math.isnan(value)] for track in tracks]
    lasts = [track[-1] for track in known if track]
    return sum(lasts) / len(lasts) if lasts else None


def spread(places: Sequence[float], gap: float, top: float) -> list[float]:
    """Move labels apart to at least `gap`, keeping their order, and below `top` as far as there is room.

    >>> spread([10, 12, 90], gap=12, top=100)
    [10, 22, 90]
    """
    order = sorted(range(len(places)), key=lambda i: places[i])
    result = list(places)
    for lower, upper in pairwise(order):
        result[upper] = max(result[upper], result[lower] + gap)
    ceiling = top
    for i in reversed(order):
        result[i] = min(result[i], ceiling)
        ceiling = result[i] - gap
    return result
