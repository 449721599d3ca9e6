"""Names beside a panel, each at the height of what it names."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from reports.figures.svg import fit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GAP = 13.0
"""least distance between two labels, in pixels, where so many fit beside the panel"""
AWAY = 6
"""pixels from the panel to a label"""


def beside(axes: Axes, ends: Sequence[tuple[float | None, str, str]], height: float, room: float) -> None:
    """Set labels at the panel's right edge, pushed apart where they would overlap.

    Args:
        ends: y, label and colour; without y there is no label
        height: of the panel, in pixels
        room: at its right, in pixels
    """
    known = [(y, label, tint) for y, label, tint in ends if y is not None]
    low, high = axes.get_ylim()
    gap = min(GAP, height / max(1, len(known) - 1))
    places = spread([(y - low) / (high - low) * height for y, _, _ in known], gap, height)
    for (_, label, tint), place in zip(known, places, strict=True):
        axes.annotate(
            fit(label, room - AWAY),
            (1, place / height),
            (AWAY, -4),
            xycoords="axes fraction",
            textcoords="offset points",
            color=tint,
            annotation_clip=False,
        )


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
