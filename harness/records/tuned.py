"""What a tuning run has tried and chosen, as a plan holds it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, NotRequired, TypedDict

from harness.records.allowed import FILLED, Count


class TriedRecord(TypedDict):
    """How a candidate did in tuning."""

    arm: str
    candidate: str
    score: float | None
    diverged: list[int]


class ChosenRecord(TypedDict):
    """What an arm was given by its tuning."""

    candidate: str


class TuningRecord(TypedDict):
    """`Plan.tuning` where `rence run` did it: what was tried, and what was chosen of it."""

    run: str
    seeds: list[int]
    benchmarks: dict[str, Count]
    tried: Annotated[list[TriedRecord], FILLED]
    chosen: Annotated[dict[str, ChosenRecord], FILLED]
    choose: NotRequired[str]


def tuning_mistakes(tuned: TuningRecord, arms: Sequence[str]) -> Iterator[str]:
    """Of a plan with these arms: what cannot stand together."""
    tried = {(row["arm"], row["candidate"]) for row in tuned["tried"]}
    wanted = {(arm, candidate) for arm in tuned["chosen"] for _, candidate in tried}
    if lacking := sorted(wanted - tried):
        yield f"must have tried each candidate with each arm, but lacks `{lacking[0][1]}` with `{lacking[0][0]}`"
    for arm, one in tuned["chosen"].items():
        if arm not in arms or (arm, one["candidate"]) not in tried:
            yield f"must choose what was tried for an arm that it has, but chooses `{one['candidate']}` for `{arm}`"
