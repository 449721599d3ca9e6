"""Training beside evaluation: score of rollouts, entropy, length, and labels not the marker's that agree with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.records.reward_failures import percent
from reports.data import failed_rewards
from reports.data.analysis import Analysis
from reports.document import Block, Cell, Column, Figure, Folded, Gallery, Row, Section, Table, text
from reports.figures.curves import Track, curves
from reports.sections.curves import line
from reports.words import GAP, listing

MOST_POINTS = 40
"""of a line; each is a mean over neighbouring steps where there are more"""
FEW_POINTS = 12
"""are marked by dots, so that a single one is seen too"""


@dataclass(frozen=True)
class Panel:
    name: str
    title: str
    metrics: Sequence[str]
    """the first that was logged is shown"""
    scale: float = 1.0
    least: float = 1e-3
    """range that the axis spans at least, in what is shown"""


PANELS = (
    Panel("score", "Score of the rollouts, percent", ("generated/score/mean", "critic/score/mean"), 100.0, 1.0),
    Panel("entropy", "Entropy, nats a token", ("actor/entropy",)),
    Panel("length", "Length, tokens", ("response_length/mean",), least=1.0),
    Panel("labels", "Labels that are the marker's, percent", ("labels/agreement",), 100.0, 1.0),
)


def section(a: Analysis) -> Section | None:
    """None where no step logged any of it, as in a run that was made elsewhere."""
    found = [(panel, metric) for panel in PANELS if (metric := _logged(a, panel)) is not None]
    failed = _failed_rewards(a)
    if not found:
        return Section("training", "In training: rewards that failed", failed) if failed else None
    width = _width(a)
    tracks = {panel.name: _tracks(a, panel, metric, width) for panel, metric in found}
    pictures = [Figure(f"training-{p.name}", _svg(a, p, tracks[p.name]), p.title) for p, _ in found]
    blocks = [
        Gallery(pictures, _caption(a, [p for p, _ in found], width), titled=True),
        Folded("First and last", [_table(a, [p for p, _ in found], tracks)]),
        *failed,
    ]
    return Section("training", f"In training: {listing([p.name for p, _ in found])}", blocks)


def _logged(a: Analysis, panel: Panel) -> str | None:
    return next((m for m in panel.metrics if m in a.run.steps.columns and not np.isnan(_numbers(a, m)).all()), None)


def _width(a: Analysis) -> int:
    """Steps that become one point."""
    return math.ceil(max(a.run.steps["step"]) / MOST_POINTS)


def _tracks(a: Analysis, panel: Panel, metric: str, width: int) -> dict[str, list[Track]]:
    """arm -> (rollouts, value) of each seed that logged any, all at the same steps; NaN where one had not that many."""
    arms, seeds = a.run.steps["arm"].to_numpy(), a.run.steps["seed"].to_numpy()
    point = (_numbers(a, "step").astype(int) - 1) // width
    rollouts, values = _numbers(a, "rollouts"), _numbers(a, metric) * panel.scale
    known = ~np.isnan(values)
    tracks = {}
    for arm in a.arms:
        mine = known & (arms == arm.name)
        points = int(point[mine].max(initial=-1)) + 1
        tracks[arm.name] = [
            (_means(point[one], rollouts[one], points), _means(point[one], values[one], points))
            for seed in sorted(set(seeds[mine].tolist()))
            for one in [mine & (seeds == seed)]
        ]
    return tracks


def _numbers(a: Analysis, column: str) -> np.ndarray:
    return a.run.steps[column].to_numpy(dtype=float, na_value=np.nan)


def _means(point: np.ndarray, values: np.ndarray, points: int) -> list[float]:
    """Mean of the values of each point, NaN where it has none."""
    count = np.bincount(point, minlength=points)
    total = np.bincount(point, weights=values, minlength=points)
    return np.divide(total, count, out=np.full(points, np.nan), where=count > 0).tolist()


def _svg(a: Analysis, panel: Panel, tracks: dict[str, list[Track]]) -> str:
    few = max(len(x) for seeds in tracks.values() for x, _ in seeds) <= FEW_POINTS
    lines = [line(a, arm.name, tracks[arm.name], dots=few) for arm in a.arms]
    return curves(f"training-{panel.name}", lines, None, "rollouts", 280, 190, least=panel.least)


def _caption(a: Analysis, panels: list[Panel], width: int) -> str:
    names = {panel.name for panel in panels}
    parts = ["Against rollouts, of all that was sampled in training; colours, seeds, means and bands as above."]
    if "entropy" in names:
        parts.append(
            "Entropy is the mean of −log p over the sampled tokens, which estimates the policy's entropy at the "
            "temperature of training without computing it. Where it falls, answers become alike."
        )
    if "score" in names:
        parts.append("The score is on training problems: what it gains beyond the curves above does not carry over.")
    if "labels" in names:
        parts.append(
            "Labels are of the arms that learn from something else than the marker's verdict (the recipe's reward): "
            "how many of their rollouts it calls right or wrong as the marker does."
        )
    if width > 1:
        parts.append(f"Each point is the mean of {width} steps.")
    return " ".join(parts)


def _table(a: Analysis, panels: list[Panel], tracks: dict[str, dict[str, list[Track]]]) -> Table:
    columns = [Column("", numeric=False)]
    for panel in panels:
        columns += [Column(f"{panel.title}: first"), Column("last")]
    rows = []
    for arm in a.arms:
        pairs = [_ends(tracks[panel.name][arm.name]) for panel in panels]
        cells = [_cell(value) for pair in pairs for value in pair]
        rows.append(Row([text(a.label(arm.name)), *cells]))
    return Table("training", columns, rows, "First and last point of each line, mean over the seeds that have it.")


def _failed_rewards(a: Analysis) -> list[Block]:
    """Nothing where no arm has a reward of the user's own, or none of them ever failed."""
    arms = failed_rewards.by_arm(a)
    if not any(one.failed for one in arms):
        return []
    titles = ("Failed", "Rollouts", "Percent", "Worst step: percent")
    columns = [Column("", numeric=False), *map(Column, titles)]
    columns += [Column(title, numeric=False) for title in ("which", "First reason", "Where")]
    rows = []
    for one in arms:
        counts = [Cell(f"{number:,}", number) for number in (one.failed, one.rollouts)]
        worst = one.worst
        share = worst[1].failed / worst[1].rollouts if worst else None
        at = f"seed {worst[0]}, step {worst[1].step}" if worst else GAP
        shares = [Cell(GAP) if part is None else Cell(percent(part), 100 * part) for part in (one.share, share)]
        words = [text(said or GAP) for said in (at, failed_rewards.reason(one), failed_rewards.place(one))]
        rows.append(Row([text(a.label(one.arm)), *counts, *shares, *words]))
    caption = (
        "Rewards that failed: calls of the recipe's own reward that crashed, hung, raised, or returned what is no "
        "reward. Such a rollout counts in the budget and is learnt nothing from; it is no reward of 0."
    )
    return [Table("failed-rewards", columns, rows, caption)]


def _ends(tracks: list[Track]) -> tuple[float | None, float | None]:
    known = [[value for value in y if not math.isnan(value)] for _, y in tracks]
    ends = [(values[0], values[-1]) for values in known if values]
    if not ends:
        return None, None
    first, last = np.mean(ends, axis=0)
    return float(first), float(last)


def _cell(value: float | None) -> Cell:
    return Cell(GAP) if value is None else Cell(f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}", value)
