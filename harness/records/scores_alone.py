"""Whether a folder holds scores without problems (`seed_scores.py`), and what is said where answers are needed."""

from __future__ import annotations

from pathlib import Path

from harness.records.layout import RunFolder


def scores_only(place: Path) -> RunFolder | None:
    """The run with scores alone that a folder is, or that an arm's name is in; None if it is no such run."""
    run = next((RunFolder(path) for path in (place, place.parent) if RunFolder(path).scores_plan.exists()), None)
    return None if run is None or run.plan.exists() else run


def refusal(run: RunFolder) -> str:
    """For whoever needs answers to problems."""
    return (
        f"{run.root} holds scores without problems (`rence import scores`): there are no answers to count, pair, mark "
        f"or gate.\n`rence report {run.root}` and `rence compare {run.root / 'A'} {run.root / 'B'}` work on the "
        "scores; `rence import` of the answers themselves brings the rest."
    )
