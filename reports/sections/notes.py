"""What a reader must know beside the numbers: reconstructions, gaps, failures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.records import START
from reports.data import agreement, common, unhealthy
from reports.data.analysis import Analysis
from reports.data.scores import AVERAGE
from reports.document import Bullets, Section
from reports.imported import EXPLORATORY
from reports.sections.algorithms import written
from reports.words import capital, listing

RECONSTRUCTION = (
    "ReNCE is a reconstruction: its authors have published neither code nor, as far as could be found, its formula. "
    "What was filled in is in the algorithm's settings."
)


def section(a: Analysis, missing: Sequence[str] = ()) -> Section | None:
    """
    Args:
        missing: sentences on sections that could not be made.
    """
    found = [*collect(a), *missing]
    return Section("notes", "Notes", [Bullets(found)]) if found else None


def collect(a: Analysis) -> list[str]:
    """A sentence for each note, but for those on sections that could not be made."""
    return [
        *([RECONSTRUCTION] if any("reconstruction" in arm.title.lower() for arm in a.arms) else []),
        *([f"{capital(EXPLORATORY)}."] if a.run.plan.imported else []),
        *(f"{_departs(a)}{sentence}" for sentence in a.deviations),
        *unhealthy.notes(a),
        *common.notes(a),
        *_gaps(a),
        *_unmatched(a),
        *_seen_in_training(a),
        *(f"Differs, which is not refused: {what}." for what in agreement.differing(a.run)),
        *_differences(a),
        *_few(a),
        *a.run.notes,
        *(a.run.imported.notes if a.run.imported else []),
    ]


def _departs(a: Analysis) -> str:
    """How a sentence on a deviation begins."""
    if a.run.plan.imported:
        return ""
    return "Departs from the plan: " if a.checked.accepted else "Not as planned: "


def _gaps(a: Analysis) -> Iterator[str]:
    for arm in a.rows:
        got = a.scores.get((arm, AVERAGE))
        if got is None:
            yield f"{a.label(arm)} has no average: a result is missing on at least one benchmark."
            continue
        planned = 0 if arm == START else len(a.run.plan.seeds)
        if len(got.seeds) < planned:
            yield (
                f"{a.label(arm)}: the average is over {len(got.seeds)} of {planned} seeds; the others have no complete "
                "result. If they failed because of the algorithm, this flatters it."
            )


def _unmatched(a: Analysis) -> Iterator[str]:
    if a.checked.accepted:
        yield from a.checked.sentences
        return
    seen = {(p.a, p.b): p.unmatched for p in a.pairs if p.unmatched}
    for (one, other), reasons in seen.items():
        yield f"Not matched: {a.label(one)} and {a.label(other)}: {'; '.join(reasons)}."


def _seen_in_training(a: Analysis) -> Iterator[str]:
    kept = a.run.data.kept if a.run.data else {}
    if kept:
        what = listing([f"{count:,} {reason}" for reason, count in kept.items()])
        yield f"Training held problems that are evaluated ({what}): these scores are not of unseen problems."


def _differences(a: Analysis) -> Iterator[str]:
    for arm in a.arms:
        if arm.recipe_differences:
            own = sorted(arm.recipe_differences.items())
            changes = [f"{key} = {written(value) if isinstance(value, dict) else value}" for key, value in own]
            yield f"{a.label(arm.name)} departs from the shared recipe: {listing(changes)}."


def _few(a: Analysis) -> Iterator[str]:
    single = [a.label(arm) for arm in a.rows if arm != START and len(_seeds(a, arm)) == 1]
    if single:
        yield (
            f"One seed only: {listing(single)}. Nothing is known of their variation between seeds; their intervals "
            "are about these checkpoints."
        )
    for (arm, column), score in a.scores.items():
        if score.estimate.se is None:
            yield f"{a.label(arm)}, {column}: too few problems or seeds for an interval."
        elif score.estimate.interval is None:
            yield f"{a.label(arm)}, {column}: all seeds are alike, which tells nothing of others: no interval."


def _seeds(a: Analysis, arm: str) -> tuple[int, ...]:
    score = a.scores.get((arm, AVERAGE))
    return score.seeds if score else ()
