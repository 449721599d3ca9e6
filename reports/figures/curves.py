"""Lines over training or over k: every seed thin, the mean thick with its band, its name at its end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.figures.labels import beside
from reports.figures.svg import MUTED, draw

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAST_RANGE = 1.0
"""points of percent that an axis spans, however little its lines differ"""
BAND_ROOM = 0.5
"""how far an axis reaches beyond its lines to show bands, as a part of the lines' range: the wide interval of two
seeds is cut, or it would press all lines into one"""
BAR = 4.0
"""pixels from one bar to the next"""

Track = tuple[Sequence[float], Sequence[float]]
"""x and y; NaN is a gap"""


@dataclass(frozen=True)
class Line:
    """One arm: the track of each seed, and their mean."""

    label: str
    colour: str
    seeds: Sequence[Track]
    mean: Track
    band: tuple[Sequence[float], Sequence[float]] | None = None
    """lower and upper bounds, at the mean's x"""
    dots: bool = True
    """whether each point of a seed is marked"""
    dashed: bool = False
    quiet: bool = False
    """thin and without a name"""


def curves(
    name: str,
    lines: Sequence[Line],
    start: float | None,
    xlabel: str,
    width: float,
    height: float,
    *,
    least: float = LEAST_RANGE,
    doubling: bool = False,
) -> str:
    """SVG of one panel. A narrow panel has no labels.

    Args:
        start: the untrained model's score, a dashed line
        least: range that the axis of y spans at least
        doubling: x is 1, 2, 4, ... at equal distances
    """
    labels = width > 300

    def plot(axes: Axes) -> None:
        # pixels: numbers to the left, the lines' names to the right where there is room for them
        left, right, top, bottom = 32, 112 if labels else 18, 8, 40
        axes.set_position((left / width, bottom / height, 1 - (left + right) / width, 1 - (top + bottom) / height))
        draw_curves(axes, lines, start, xlabel, least=least, doubling=doubling)
        if labels:
            ends = [(_end(line), line.label, line.colour) for line in lines if not line.quiet]
            beside(axes, [*ends, (start, "start", MUTED)], height - top - bottom, right)

    return draw(name, width, height, plot)


def draw_curves(
    axes: Axes,
    lines: Sequence[Line],
    start: float | None,
    xlabel: str,
    *,
    least: float = LEAST_RANGE,
    doubling: bool = False,
) -> None:
    """The lines with their bands, into a panel of any size. Arguments: as `curves`."""
    from matplotlib.ticker import MaxNLocator

    axes.grid(axis="y")
    axes.set_xlabel(xlabel)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.margins(x=0.02, y=0.06)
    if start is not None:
        axes.axhline(start, color=MUTED, linewidth=0.8, linestyle=(0, (3, 3)))
    # quiet lines first, so that the named ones lie above them
    for line in sorted(lines, key=lambda line: not line.quiet):
        _draw(axes, line)
    # draws the bands too: the range is the lines', and a band that reaches far beyond it is cut
    _limits(axes, lines, least)
    _x_axis(axes, lines, doubling)


def _draw(axes: Axes, line: Line) -> None:
    dots = {"marker": "o", "markersize": 3.4, "markeredgewidth": 0} if line.dots else {}
    for x, y in line.seeds:
        axes.plot(x, y, color=line.colour, lw=0.7, alpha=0.5, **dots)
    style = (0, (3, 3)) if line.dashed else "solid"
    width = 0.8 if line.quiet else 1.8
    alpha = 0.5 if line.quiet else 1.0
    axes.plot(*line.mean, color=line.colour, lw=width, ls=style, alpha=alpha, solid_capstyle="round")


def _limits(axes: Axes, lines: Sequence[Line], least: float) -> None:
    """The range of y from the lines, then as much of the bands as there is room for."""
    low, high = axes.get_ylim()
    if high - low < least:  # all the same: rounding errors are nothing to look at
        middle = (low + high) / 2
        low, high = max(-0.06 * least, middle - least / 2), middle + least / 2
    room = BAND_ROOM * (high - low)
    bounds = [bound for line in lines if line.band for side in line.band for bound in side if not math.isnan(bound)]
    banded = [line for line in lines if line.band]
    for place, line in enumerate(banded):
        _band(axes, line, BAR * (place + 0.5 - len(banded)))
    axes.set_ylim(max(min([low, *bounds]), low - room), min(max([high, *bounds]), high + room))


def _band(axes: Axes, line: Line, shift: float) -> None:
    """Between the bounds; a bar where no neighbour has any, moved by so many pixels that bars do not cover another."""
    from matplotlib.transforms import Affine2D

    assert line.band is not None
    x, (low, high) = line.mean[0], line.band
    axes.fill_between(x, low, high, color=line.colour, alpha=0.13, linewidth=0)
    known = [not math.isnan(bound) for bound in low]
    moved = axes.transData + Affine2D().translate(shift * axes.figure.dpi / 72, 0)
    for i, here in enumerate(known):
        if here and not any(known[max(i - 1, 0) : i] + known[i + 1 : i + 2]):
            bar = ([x[i], x[i]], [low[i], high[i]])
            axes.plot(*bar, color=line.colour, alpha=0.35, lw=BAR - 1, solid_capstyle="butt", transform=moved)


def _x_axis(axes: Axes, lines: Sequence[Line], doubling: bool) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    if doubling:
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_locator(FixedLocator(sorted({x for line in lines for x in line.mean[0]})))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))


def _end(line: Line) -> float | None:
    """The last of the mean; of the seeds' last ones where there is no mean."""
    mean, *seeds = [[value for value in y if not math.isnan(value)] for _, y in (line.mean, *line.seeds)]
    lasts = [track[-1] for track in ([mean] if mean else seeds) if track]
    return sum(lasts) / len(lasts) if lasts else None
