"""Points of two measures: every seed a dot, the arm's mean a cross with its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.figures.labels import beside
from reports.figures.svg import MUTED, draw

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 540, 280
LEAST_RANGE = 0.3
"""share of the largest cost that the axis spans at least: costs that are alike shall look alike"""


@dataclass(frozen=True)
class Cloud:
    """One arm; at least one seed."""

    label: str
    colour: str
    seeds: Sequence[tuple[float, float]]
    quiet: bool = False
    """without a name"""

    @property
    def mean(self) -> tuple[float, float]:
        """x and y, each the unweighted mean over the seeds."""
        x, y = zip(*self.seeds, strict=True)
        return sum(x) / len(x), sum(y) / len(y)


def scatter(name: str, clouds: Sequence[Cloud], start: float | None, xlabel: str) -> str:
    """SVG. `start` is the untrained model's score, a dashed line."""
    left, right, top, bottom = 32, 130, 8, 40

    def plot(axes: Axes) -> None:
        axes.set_position((left / WIDTH, bottom / HEIGHT, 1 - (left + right) / WIDTH, 1 - (top + bottom) / HEIGHT))
        draw_scatter(axes, clouds, start, xlabel)
        ends = [(cloud.mean[1], cloud.label, cloud.colour) for cloud in clouds if not cloud.quiet]
        beside(axes, [*ends, (start, "start", MUTED)], HEIGHT - top - bottom, right)

    return draw(name, WIDTH, HEIGHT, plot)


def draw_scatter(axes: Axes, clouds: Sequence[Cloud], start: float | None, xlabel: str) -> None:
    """The points without names, into a panel of any size. Arguments: as `scatter`."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.grid(axis="y")
    axes.set_xlabel(xlabel)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,g}"))
    axes.margins(x=0.04, y=0.08)
    if start is not None:
        axes.axhline(start, color=MUTED, linewidth=0.8, linestyle=(0, (3, 3)))
    for cloud in sorted(clouds, key=lambda cloud: not cloud.quiet):
        x, y = zip(*cloud.seeds, strict=True)
        axes.plot(x, y, "o", color=cloud.colour, markersize=4, alpha=0.5, markeredgewidth=0)
        axes.plot(*([value] for value in cloud.mean), "+", color=cloud.colour, markersize=10, markeredgewidth=2)
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, (1 - LEAST_RANGE) * high), high)
