"""Trials with signs that something was not well (`harness/records/health.py`), as their `done.json` has them."""

from __future__ import annotations

from dataclasses import dataclass

from harness.records.health import parts
from reports.data.analysis import Analysis
from reports.words import listing, plural

MOST_TRIALS = 2
"""with more of them than this the fine print counts them, and leaves them to the notes"""


@dataclass(frozen=True)
class Sign:
    """One finding of one trial."""

    arm: str
    seed: int
    code: str
    words: str


def signs(a: Analysis) -> list[Sign]:
    """In the plan's order of arms and seeds. None of an import, or of trials that are not over or were before health
    was looked at."""
    return [
        Sign(arm.name, seed, *parts(finding))
        for arm in a.arms
        for seed in a.run.plan.seeds
        if (trial := a.run.trials.get((arm.name, seed))) is not None and trial.done is not None
        for finding in trial.done.health
    ]


def to_json(a: Analysis, arm: str) -> list[dict[str, object]]:
    """Of one arm, for `verdict.json`."""
    return [{"seed": one.seed, "code": one.code, "words": one.words} for one in signs(a) if one.arm == arm]


def notes(a: Analysis) -> list[str]:
    """A sentence for each finding."""
    return [f"Not healthy: {a.label(one.arm)} seed {one.seed}: {one.words}." for one in signs(a)]


def fine_print(a: Analysis) -> list[str]:
    """For the verdict: which trials are not healthy and by what, or how many; nothing where all are."""
    codes: dict[tuple[str, int], list[str]] = {}
    for one in signs(a):
        codes.setdefault((one.arm, one.seed), []).append(one.code)
    if not codes:
        return []
    if len(codes) > MOST_TRIALS:
        return [f"{plural(len(codes), 'trial')} not healthy, see the notes"]
    named = [f"{a.label(arm)} seed {seed} ({listing(found)})" for (arm, seed), found in codes.items()]
    return [f"not healthy: {listing(named)}, see the notes"]
