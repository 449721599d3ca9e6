"""What stopping early has saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reports.words import plural


@dataclass(frozen=True)
class Saved:
    looks: int
    """made"""
    planned_looks: int
    reason: str
    """why it stopped"""
    needed: int
    """attempts up to the look that stopped"""
    there: int
    """attempts that were made"""
    planned: int
    """attempts at all problems"""

    @property
    def share(self) -> float:
        """Of the planned attempts, those that the decision did without."""
        return 1 - self.needed / self.planned

    def sentence(self) -> str:
        """Which look stopped it and why, and how many attempts that saves; without a line break."""
        at = f"Look {self.looks} of {self.planned_looks}: {self.reason}"
        if self.needed == self.planned:
            return f"{at}; all {self.planned:,} attempts were needed."
        could = "saved" if self.there == self.needed else "could have been saved"
        left = plural(self.planned - self.needed, "attempt")
        return f"{at}; {left} of {self.planned:,} {could} ({100 * self.share:.0f} %)."

    def to_json(self) -> dict[str, Any]:
        """Counts of attempts, and the share as a fraction."""
        return {
            "looks": self.looks,
            "planned_looks": self.planned_looks,
            "reason": self.reason,
            "attempts_needed": self.needed,
            "attempts_made": self.there,
            "attempts_planned": self.planned,
            "attempts_saved": self.planned - self.needed,
            "share_saved": self.share,
        }
