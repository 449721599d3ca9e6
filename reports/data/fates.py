"""What became of the groups that each arm generated: learnt from, dropped by its filter, or surplus."""

from __future__ import annotations

from dataclasses import dataclass

from reports.data.analysis import Analysis
from reports.data.load import where

KEPT, DROPPED, SURPLUS, MISSING = (f"groups/{name}" for name in ("kept", "dropped", "surplus", "missing"))


@dataclass(frozen=True)
class GroupFates:
    """Of one arm, all of its seeds and steps together. generated = kept + dropped + surplus."""

    steps: int
    kept: int
    dropped: int
    surplus: int
    """passed the filter, and thrown away"""
    short: int | None
    """steps that ended by the cap, with fewer groups than they wanted; None for an algorithm without refill, and for
    runs from before it was logged"""

    @property
    def generated(self) -> int:
        return self.kept + self.dropped + self.surplus

    @property
    def wasted(self) -> float | None:
        """Surplus, as a share of the groups that passed."""
        passed = self.kept + self.surplus
        return self.surplus / passed if passed else None


def fates(a: Analysis) -> dict[str, GroupFates]:
    """By arm, of those that logged it."""
    steps, found = a.run.steps, {}
    if steps.empty or not {KEPT, DROPPED, SURPLUS} <= set(steps.columns):
        return {}
    for arm in a.arms:
        mine = where(steps, (steps["arm"] == arm.name) & steps[KEPT].notna())
        if mine.empty:
            continue
        known = mine[MISSING].dropna() if MISSING in mine.columns else mine[KEPT].iloc[:0]
        kept, dropped, surplus = (int(mine[name].to_numpy(dtype=float).sum()) for name in (KEPT, DROPPED, SURPLUS))
        short = int((known.to_numpy(dtype=float) > 0).sum()) if len(known) else None
        found[arm.name] = GroupFates(len(mine), kept, dropped, surplus, short)
    return found
