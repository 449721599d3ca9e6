"""A frozen-batch diff as a picture: how alike the algorithms' gradients are, and how the weight of a rollout hangs on
the composition of its group and on its length. A few algorithms are lines, many are rows of a heat map."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from reports.figures.svg import ARMS, INK, LETTER, MUTED, RULE, colour, draw_both, fit
from reports.words import correlation

MOST_LINES = 6
"""algorithms that are drawn as lines; more become rows"""
BINS = 6
"""of length, with about as many rollouts each"""
WIDEST = 270
"""pixels that a name may take"""
_COLOURS = LinearSegmentedColormap.from_list("pull", [ARMS[1], "#ffffff", ARMS[0]])
_HOW_TO_READ = (
    "By P/K: mean weight of a rollout; blue pushes up, orange down, full colour is three times the mean or more.",
    "By tokens: |weight| beside that of its like (label, P/K); blue is more, orange less, full colour twice or half.",
    "White: no weight, or no effect of length. Grey: dropped by the filter, or none such.",
)
_SIDES = ((True, "correct"), (False, "incorrect"))

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Curve:
    """Weights along one axis: x, their names, and y for each algorithm; NaN is a gap."""

    x: Sequence[float]
    names: Sequence[str]
    y: Sequence[Sequence[float]]


def picture(document: Document) -> tuple[str, bytes]:
    """SVG and PNG."""
    order = similar(document["cosine"]["overall"])
    return _lines(document, order) if len(order) <= MOST_LINES else _rows(document, order)


def similar(cosine: Sequence[Sequence[float | None]]) -> list[int]:
    """An order in which like rows are neighbours: average linkage, best order of leaves. What has no direction goes
    last."""
    known = [i for i, row in enumerate(cosine) if row[i] is not None]
    rest = [i for i in range(len(cosine)) if i not in known]
    if len(known) < 3:
        return known + rest
    distance = np.array([[1 - (cosine[i][j] or 0.0) for j in known] for i in known])
    np.fill_diagonal(distance, 0)
    # to nine digits: an order must not hang on the last bits
    tree = linkage(squareform(distance.round(9), checks=False), "average", optimal_ordering=True)
    return [known[i] for i in leaves_list(tree)] + rest


def by_composition(document: Document, order: Sequence[int], correct: bool) -> Curve:
    """Mean weight of a rollout, for each P of K that has such rollouts; negative weights push down. NaN where the
    algorithm drops all such groups."""
    side = "correct" if correct else "incorrect"
    tables = [document["algorithms"][i]["composition"] for i in order]
    rows = [i for i, row in enumerate(tables[0]) if row[side] is not None]
    places = [tables[0][i]["positives"] / tables[0][i]["size"] for i in rows]
    names = [f"{tables[0][i]['positives']}/{tables[0][i]['size']}" for i in rows]
    means = [[t[i][side]["mean"] if t[i]["groups_kept"] else math.nan for i in rows] for t in tables]
    return Curve(places, names, means)


def by_length(document: Document, order: Sequence[int], correct: bool) -> Curve:
    """Mean |weight| of a rollout in bins of length, relative to its like: the mean of those with the same label in
    groups of the same composition. So 1 everywhere is no effect of length."""
    batch = document["batch"]
    rows = [row for row, label in enumerate(batch["label"]) if label == correct]
    lengths = np.array([batch["length"][row] for row in rows], dtype=float)
    if not len(rows):
        return Curve([], [], [[] for _ in order])
    strata, edges = _strata(batch), np.unique(np.quantile(lengths, np.linspace(0, 1, BINS + 1)))
    bins = np.clip(np.searchsorted(edges, lengths, side="right") - 1, 0, max(len(edges) - 2, 0))
    there = [b for b in range(max(len(edges) - 1, 1)) if (bins == b).any()]
    y = []
    for i in order:
        weights = np.abs(np.array(document["algorithms"][i]["sequence_weight"]))[rows]
        relative = _relative(weights, [strata[row] for row in rows])
        y.append([_mean(relative[bins == b]) for b in there])
    return Curve(
        [float(lengths[bins == b].mean()) for b in there], [f"{lengths[bins == b].mean():.0f}" for b in there], y
    )


def _strata(batch: Document) -> list[tuple[int, int]]:
    """(K, P) of each rollout's group."""
    found: dict[int, tuple[int, int]] = {}
    for group, label in zip(batch["group"], batch["label"], strict=True):
        size, positives = found.get(group, (0, 0))
        found[group] = size + 1, positives + label
    return [found[group] for group in batch["group"]]


def _relative(weights: np.ndarray, strata: Sequence[tuple[int, int]]) -> np.ndarray:
    """NaN where none of its like has a weight."""
    whole = weights.mean() if len(weights) else 0.0
    means = {s: weights[[s == other for other in strata]].mean() for s in set(strata)}
    return np.array(
        [w / means[s] if means[s] > 1e-9 * whole else math.nan for w, s in zip(weights, strata, strict=True)]
    )


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return fmean(known.tolist()) if len(known) else math.nan


# ---- a few: lines


def _lines(document: Document, order: Sequence[int]) -> tuple[str, bytes]:
    """The matrix of cosines; beside it weights by composition above weights by length, an algorithm a line."""
    labels = [document["algorithms"][i]["label"] for i in order]
    names, square, top, panel = _room(labels), max(44 * len(order), 120), 26, 130
    right = names + square + 60
    width, height = right + 480, top + 2 * panel + 62 + 46

    def plot(figure: Figure) -> None:
        place = _placing(figure, width, height)
        heat = place(names, top, square, square)
        _heat(heat, _matrix(document, order), labels, _numbers(labels), 1.0, written=True)
        heat.set_title("cosine of gradients", loc="left", fontsize=11, color=MUTED)
        for row, name in enumerate(heat.get_yticklabels()):  # which are the key to the lines' colours, too
            name.set_color(colour(row))
        for column, (correct, side) in enumerate(_SIDES):
            upper = place(right + column * 240, top, 210, panel)
            _tracks(upper, by_composition(document, order, correct), f"{side}: weight by P/K", 0.0)
            lower = place(right + column * 240, top + panel + 62, 210, panel)
            _tracks(lower, by_length(document, order, correct), f"{side}: |weight| by length", 1.0)
            upper.set_xlabel("share of correct rollouts in the group")
            lower.set_xlabel("tokens")

    return draw_both("diff", width, height, plot)


def _tracks(axes: Axes, curve: Curve, title: str, level: float) -> None:
    axes.set_title(title, loc="left", fontsize=11, color=MUTED)
    axes.spines["left"].set_visible(False)
    axes.set_axisbelow(True)
    axes.grid(axis="y")
    axes.axhline(level, color=MUTED, linewidth=0.8, linestyle=(0, (3, 3)))
    for place, y in enumerate(curve.y):
        axes.plot(curve.x, y, color=colour(place), linewidth=1.6, marker="o", markersize=3.4, markeredgewidth=0)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    axes.margins(0.04, 0.08)


# ---- many: rows


def _rows(document: Document, order: Sequence[int]) -> tuple[str, bytes]:
    """The matrix of cosines; beside it weights by composition and by length as heat maps, an algorithm a row."""
    labels = [document["algorithms"][i]["label"] for i in order]
    names = _room(labels)
    cell, wide, gap, least = 15, 21, 26, 6
    tall = cell * len(order)
    blocks = [(f"{side}, by P/K", by_composition(document, order, c)) for c, side in _SIDES]
    blocks += [(f"{side}, by tokens", by_length(document, order, c)) for c, side in _SIDES]
    top, bottom = 40, 46 + 18 * len(_HOW_TO_READ)
    width = names + tall + sum(gap + wide * max(len(curve.x), least) for _, curve in blocks) + 20
    height = top + tall + bottom

    def plot(figure: Figure) -> None:
        place = _placing(figure, width, height)
        heat = place(names, top, tall, tall)
        _heat(heat, _matrix(document, order), labels, _numbers(labels), 1.0, written=False)
        heat.set_title("cosine of gradients", loc="left", fontsize=11, color=MUTED)
        x = names + tall
        for at, (title, curve) in enumerate(blocks):
            columns = len(curve.x)
            axes = place(x + gap, top, wide * max(columns, 1), tall)
            x += gap + wide * max(columns, least)
            values = np.array(curve.y, dtype=float).reshape(len(order), columns)
            if at >= 2:  # ratios, by their logarithm to base 2: half and twice are equally far from 1
                values = np.log2(np.where(values > 0, values, np.nan))
            _heat(axes, values, [], curve.names, 3.0 if at < 2 else 1.0, written=False)
            axes.set_title(title, loc="left", fontsize=11, color=MUTED)
        for line, words in enumerate(_HOW_TO_READ):
            below = 1 - (top + tall + 46 + 18 * line) / height
            figure.text((names + tall + gap) / width, below, words, color=MUTED, fontsize=11)

    return draw_both("diff", width, height, plot)


# ---- shared


def _room(labels: Sequence[str]) -> float:
    """Pixels for the names of rows, with their numbers."""
    return 16 + min(WIDEST, LETTER * max(map(len, labels))) + 4 * LETTER


def _numbers(labels: Sequence[str]) -> list[str]:
    """Names of columns, which are the rows' in the same order."""
    return [str(place) for place in range(1, len(labels) + 1)]


def _placing(figure: Figure, width: float, height: float) -> Callable[[float, float, float, float], Axes]:
    """Axes by pixels from the picture's upper left corner."""

    def place(x: float, y: float, w: float, h: float) -> Axes:
        axes = figure.add_axes((x / width, 1 - (y + h) / height, w / width, h / height))
        axes.patch.set_visible(False)
        return axes

    return place


def _matrix(document: Document, order: Sequence[int]) -> np.ndarray:
    cosine = document["cosine"]["overall"]
    return np.array([[math.nan if cosine[i][j] is None else cosine[i][j] for j in order] for i in order], dtype=float)


def _heat(
    axes: Axes, values: np.ndarray, rows: Sequence[str], columns: Sequence[str], most: float, *, written: bool
) -> None:
    """Cells from orange (-most or less) over white to blue (most or more); grey where there is nothing."""
    tall, wide = values.shape
    axes.set(xlim=(0, wide), ylim=(tall, 0))
    for spine in axes.spines.values():
        spine.set_visible(False)
    # the ground is seen where a value is masked
    axes.set_facecolor(RULE)
    axes.patch.set_visible(True)
    shown = np.ma.masked_invalid(np.clip(values, -most, most))
    axes.pcolormesh(
        np.arange(wide + 1),
        np.arange(tall + 1),
        shown,
        cmap=_COLOURS,
        vmin=-most,
        vmax=most,
        edgecolors="white",
        lw=0.5,
    )
    axes.tick_params(length=0, labelcolor=INK)
    names = [f"{fit(row, WIDEST)}  {place}" for place, row in enumerate(rows, 1)]
    axes.set_yticks(np.arange(tall) + 0.5 if rows else [], names)
    axes.set_xticks(np.arange(wide) + 0.5, columns, fontsize=9)
    if written:
        for i, row in enumerate(values):
            for j, value in enumerate(row):
                # dark numbers cannot be read on the strong colours
                tint = "white" if abs(value) > 0.6 * most else INK
                text = correlation(None if math.isnan(value) else value)
                axes.text(j + 0.5, i + 0.5, text, ha="center", va="center", color=tint, fontsize=10)
