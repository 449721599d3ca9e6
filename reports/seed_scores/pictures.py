"""Pictures of seeds and of curves: every seed a dot or a thin line."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from reports.document import Block, Figure, Gallery
from reports.figures.curves import LEAST_RANGE, Line, curves
from reports.figures.intervals import IntervalRow, intervals
from reports.figures.svg import ARMS, MUTED, colour
from reports.seed_scores.compared import ComparedScores, mean
from reports.seed_scores.found import SeedCurve
from reports.seed_scores.numbers import ScoreWords

MOST_BANDS = 4
"""arms whose seeds and bands can be told apart; with more the target alone has them"""
MOST_POINTS = 240
"""of a drawn curve; of longer ones means of neighbours"""
MOST_PANELS = 12


def tints(a: ComparedScores) -> dict[str, str]:
    """A colour for each arm; with more arms than colours, of the target and the best of the others."""
    arms = a.run.plan.arms
    order = list(dict.fromkeys([a.target, *a.ranking, *arms]))
    named = set(arms if len(arms) <= len(ARMS) else order[: len(ARMS)])
    chosen = [arm for arm in arms if arm in named]
    return {arm: colour(chosen.index(arm)) if arm in named else MUTED for arm in arms}


def seed_rows(a: ComparedScores, column: str) -> list[IntervalRow]:
    """Every arm's mean in one column with its interval, and its seeds; a gap where it has no score."""
    words, colours = ScoreWords(a.run.raw), tints(a)
    rows = []
    for arm in a.run.plan.arms:
        estimate, side = a.scores.get((arm, column)), a.run.by_seed.get((arm, column), {})
        if estimate is None:
            rows.append(IntervalRow(arm))
            continue
        found = estimate.interval
        bounds = None if found is None else (words.scale * found[0], words.scale * found[1])
        dots = [words.scale * score for score in side.values()]
        rows.append(IntervalRow(arm, words.scale * estimate.value, bounds, dots, colours[arm], strong=arm == a.target))
    return rows


def seeds(a: ComparedScores) -> Figure:
    """Every arm's mean with its interval, and every seed as a dot."""
    words, rows = ScoreWords(a.run.raw), seed_rows(a, a.run.headline)
    caption = f"Every seed a dot, the mean a tick, with its {100 * (1 - a.alpha):g} % interval, not adjusted."
    return Figure("seeds", intervals("seeds", rows, words.axis, zero=False), caption)


def difference_rows(a: ComparedScores, by_benchmark: bool = False) -> list[IntervalRow]:
    """The planned differences, with simultaneous intervals; the headline's, and with `by_benchmark` each one's too."""
    words, rows = ScoreWords(a.run.raw), []
    for pair in [*a.family("primary"), *(a.family("per_benchmark") if by_benchmark else [])]:
        found = pair.simultaneous
        bounds = None if found is None else (words.scale * found[0], words.scale * found[1])
        value = None if pair.estimate is None else words.scale * pair.estimate.value
        on = f" on {pair.benchmark}" if pair.family == "per_benchmark" else ""
        rows.append(IntervalRow(f"minus {pair.b}{on}", value, bounds, strong=not on, indent=1))
    return rows


def forest(a: ComparedScores) -> Figure:
    """The planned differences, with simultaneous intervals."""
    words, rows = ScoreWords(a.run.raw), difference_rows(a)
    caption = (
        f"{a.target} minus each baseline, with {100 * (1 - a.alpha):g} % intervals, simultaneous within their family."
    )
    return Figure("differences", intervals("differences", rows, words.difference_axis, zero=True), caption)


def curve_blocks(a: ComparedScores) -> list[Block]:
    """The headline's curves, and a panel for each benchmark where there are several."""
    main = _panel(a, a.run.headline, 440, 280, "curve")
    if main is None:
        return []
    blocks: list[Block] = [main]
    if len(a.run.plan.benchmarks) > 1:
        shown = a.run.plan.benchmarks[:MOST_PANELS]
        panels = [
            panel
            for place, name in enumerate(shown)
            if (panel := _panel(a, name, 280, 190, f"curve-{place}", caption=name))
        ]
        blocks.append(Gallery(panels, "Each benchmark against steps; colours as above.", titled=True))
    return blocks


def _panel(
    a: ComparedScores, column: str, width: float, height: float, name: str, caption: str | None = None
) -> Figure | None:
    found = _curves(a, column)
    if not found:
        return None
    lines = curve_lines(a, column)
    least = 0.0 if a.run.raw else LEAST_RANGE
    svg = curves(name, lines, None, "step", width, height, least=least)
    return Figure(name, svg, legend(a, list(found.values())) if caption is None else caption)


def curve_lines(a: ComparedScores, column: str) -> list[Line]:
    """A line for each arm whose scores have steps, with its seeds and its band; none where scores are one a seed."""
    words, colours = ScoreWords(a.run.raw), tints(a)
    return [_line(a, arm, curve, colours[arm], words.scale) for arm, curve in _curves(a, column).items()]


def _curves(a: ComparedScores, column: str) -> dict[str, SeedCurve]:
    return {arm: curve for arm in a.run.plan.arms if (curve := a.run.curve(arm, column)) is not None}


def _line(a: ComparedScores, arm: str, curve: SeedCurve, tint: str, scale: float) -> Line:
    detailed = len(a.run.plan.arms) <= MOST_BANDS or arm == a.target
    # of thousands of points only their means can be told apart in a picture of some hundred pixels
    cuts = np.arange(0, len(curve.steps), _every(curve))
    counts = np.diff(cuts, append=len(curve.steps))
    means = np.add.reduceat(curve.values, cuts, axis=1) / counts
    steps, values = (np.add.reduceat(curve.steps, cuts) / counts).tolist(), means * scale
    band = _band(a, means, scale) if detailed else None
    tracks = [(steps, track) for track in values.tolist()] if detailed else []
    middle = (steps, values.mean(axis=0).tolist())
    return Line(arm, tint, tracks, middle, band, dots=len(steps) <= 40, quiet=tint == MUTED)


def _every(curve: SeedCurve) -> int:
    return max(1, math.ceil(len(curve.steps) / MOST_POINTS))


def _band(a: ComparedScores, values: np.ndarray, scale: float) -> tuple[list[float], list[float]] | None:
    """The interval of the mean over seeds, point by point; None with one seed."""
    if len(values) < 2:
        return None
    found = [mean(dict(enumerate(point)), 1 - a.alpha, a.run.raw).interval for point in values.T.tolist()]
    bounds = [(math.nan, math.nan) if one is None else one for one in found]
    return [scale * low for low, _ in bounds], [scale * high for _, high in bounds]


def legend(a: ComparedScores, shown: Sequence[SeedCurve]) -> str:
    """What lines and bands mean, and what is left out."""
    parts = ["Thick: mean over seeds. Thin: every seed."]
    if any(len(curve.seeds) > 1 for curve in shown):
        parts.append(
            f"Band: {100 * (1 - a.alpha):g} % t interval of the mean, point by point; it covers new seeds. A band that "
            "does not fit is cut."
        )
    if len(a.run.plan.arms) > MOST_BANDS:
        parts.append(f"Of these {len(a.run.plan.arms)} arms only {a.target} shows its seeds and its band.")
    grey = len(a.run.plan.arms) - len(ARMS)
    if grey > 0:
        parts.append(f"In grey, without a name: the {grey} arms with the lowest scores.")
    if any(_every(curve) > 1 for curve in shown):
        parts.append(f"Of long curves each point is the mean of up to {max(map(_every, shown))} neighbouring steps.")
    if left := sum(curve.left_out for curve in shown):
        parts.append(f"Steps that some seeds of an arm lack are left out ({left:,}).")
    return " ".join(parts)
