"""Minimum detectable effects as `rence plan` shows them: what each covers, and a reason where there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from reports.statistics import Estimand
from reports.statistics.design import Sight
from reports.statistics.planned import (
    PowerTarget,
    Variances,
    detectable_effects,
    expected_parts,
    pairing_pays_from,
)
from reports.statistics.power import CANNOT_DETECT, LARGEST, detectable

COVERS = {
    "algorithm": "the algorithms (new seeds, new problems)",
    "benchmark": "the algorithms on these problems (new seeds)",
    "checkpoints": "these checkpoints alone (new problems, no other seed)",
}
ONE_SEED = "cannot be told with one seed"
NO_TEST = "cannot be told: a benchmark has one problem, or nothing varied"

Sizes = Mapping[str, tuple[int, int]]
"""benchmark -> problems, and attempts a problem"""


@dataclass(frozen=True)
class EffectTable:
    """Effects that are about the same thing, and so may be compared."""

    covers: Estimand
    by_seeds: Mapping[int, Mapping[str, Sight | None]]
    """number of seeds -> benchmark or `average` -> effect; None where it cannot be told"""

    def cell(self, seeds: int, name: str) -> str:
        """In points: one number where variances are stated, a range where they are estimated."""
        seen = self.by_seeds[seeds][name]
        return "-" if seen is None else in_points(seen)

    def reasons(self) -> dict[int, dict[str, str]]:
        """Why there is no number, where there is none."""
        found = {seeds: {name: self._reason(seeds, seen) for name, seen in row.items()} for seeds, row in self._items()}
        known = {seeds: {name: reason for name, reason in row.items() if reason} for seeds, row in found.items()}
        return {seeds: row for seeds, row in known.items() if row}

    def to_json(self, estimated: bool = False) -> dict[str, Any]:
        """Fractions by number of seeds and benchmark; null where `reasons` says why.

        Args:
            estimated: each as `estimate` and `upper`.
        """

        def number(seen: Sight | None) -> Any:
            if seen is None or detectable(seen.estimate).effect is None:
                return None
            return asdict(seen) if estimated else seen.estimate

        return {
            "covers": self.covers,
            "by_seeds": {seeds: {name: number(seen) for name, seen in row.items()} for seeds, row in self._items()},
            "reasons": self.reasons(),
        }

    def _items(self) -> Iterable[tuple[int, Mapping[str, Sight | None]]]:
        return self.by_seeds.items()

    def _reason(self, seeds: int, seen: Sight | None) -> str:
        missing = ONE_SEED if seeds < 2 and self.covers != "checkpoints" else NO_TEST
        return detectable(seen and seen.estimate, missing).reason


def in_points(seen: Sight) -> str:
    """One number in points of percent, a range where it is estimated, or words where nothing can be detected."""
    if detectable(seen.estimate).effect is None:
        return CANNOT_DETECT
    if seen.upper == seen.estimate:
        return f"{100 * seen.estimate:.1f}"
    upper = f"{100 * seen.upper:.1f}" if seen.upper <= LARGEST else f"more than {100 * LARGEST:.0f}"
    return f"{100 * seen.estimate:.1f} to {upper}"


def stated(sizes: Sizes, seeds: Sequence[int], variances: Variances, target: PowerTarget) -> EffectTable:
    """At stated variances."""
    found = {s: detectable_effects(sizes, s, variances, target) for s in seeds}
    return EffectTable(
        target.estimand,
        {s: {name: None if one is None else Sight(one, one) for name, one in row.items()} for s, row in found.items()},
    )


def pairing(sizes: Sizes, seeds: Sequence[int], variances: Variances, target: PowerTarget) -> dict[int, float | None]:
    """Number of seeds -> the correlation from which pairing by seed pays on the average; None where it never does."""
    several = [s for s in seeds if s > 1 and target.estimand != "checkpoints"]
    return {s: pairing_pays_from(expected_parts(list(sizes.values()), s, variances), target) for s in several}
