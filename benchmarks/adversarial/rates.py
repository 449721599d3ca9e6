"""How often a marker errs, by kind and by group. A failure of the marker is a refusal, and is counted beside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.adversarial.suite import SuiteRow


@dataclass(frozen=True, slots=True)
class Rates:
    """Of the cases of one kind, of one group, or of all."""

    name: str
    wrong: int
    """cases that are wrong"""
    accepted: int
    """of those: false positives"""
    right: int
    """cases that are right"""
    refused: int
    """of those: false negatives"""
    failed: int
    """cases on which the marker failed, right or wrong"""

    @property
    def false_positives(self) -> float | None:
        """Share of the wrong that are accepted; None where none is wrong."""
        return self.accepted / self.wrong if self.wrong else None

    @property
    def false_negatives(self) -> float | None:
        """Share of the right that are refused; None where none is right."""
        return self.refused / self.right if self.right else None

    def to_json(self) -> dict[str, Any]:
        """Counts and shares; a share is null where there is nothing to share."""
        return {
            "name": self.name,
            "wrong": self.wrong,
            "accepted": self.accepted,
            "false_positives": self.false_positives,
            "right": self.right,
            "refused": self.refused,
            "false_negatives": self.false_negatives,
            "failed": self.failed,
        }


def rates(rows: Sequence[SuiteRow], verdicts: Sequence[bool | None], name: str = "all") -> Rates:
    """Of all the rows.

    Args:
        verdicts: whether each was accepted; None where the marker failed.
    """
    pairs = list(zip(rows, verdicts, strict=True))
    wrong, right = [v for row, v in pairs if not row.expected], [v for row, v in pairs if row.expected]
    refused = sum(v is not True for v in right)
    return Rates(name, len(wrong), sum(v is True for v in wrong), len(right), refused, sum(v is None for _, v in pairs))


def by(key: Callable[[SuiteRow], str], rows: Sequence[SuiteRow], verdicts: Sequence[bool | None]) -> list[Rates]:
    """One for each value of the key, in the order in which the rows have them."""
    parts: dict[str, list[tuple[SuiteRow, bool | None]]] = {}
    for row, verdict in zip(rows, verdicts, strict=True):
        parts.setdefault(key(row), []).append((row, verdict))
    return [rates([row for row, _ in part], [verdict for _, verdict in part], name) for name, part in parts.items()]
