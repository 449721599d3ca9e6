"""Evaluations that a gate ended early: complete, on a part of the problems that what was seen has chosen."""

from __future__ import annotations

from collections.abc import Iterable

from harness.records import EvalRecord
from reports.words import listing


def stopped_notes(headers: Iterable[EvalRecord]) -> list[str]:
    """A sentence on what was ended early; none if nothing was."""
    ended = [header for header in headers if header.stopped_by]
    if not ended:
        return []
    asked = listing([f"{header.problems:,} problems of {header.benchmark}" for header in ended])
    return [
        f"Stopped by a {ended[0].stopped_by} after {asked}: scores at the time when something is decided lean towards "
        "what was decided."
    ]
