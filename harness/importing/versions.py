"""The version of each benchmark that was asked: all evaluations must have the same problems with the same golds.

Raises, everywhere in this module: DataError.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.importing.evaluations import MOST_NAMED, ImportedEvaluation, benchmarks
from harness.records import DataError, identity


def versions_of(evaluated: Sequence[ImportedEvaluation]) -> dict[str, str]:
    """benchmark -> its hash: the source's own, or one over ids and golds.

    Raises: DataError if two rows give one problem different golds, or a benchmark two versions.
    """
    return {name: _version(name, [one for one in evaluated if one.benchmark == name]) for name in benchmarks(evaluated)}


def _version(benchmark: str, evaluated: Sequence[ImportedEvaluation]) -> str:
    said = {value: one.who for one in evaluated for value in one.measured.problems.versions}
    if len(said) > 1:
        seen = ", ".join(f"{value} in {who}" for value, who in list(said.items())[:MOST_NAMED])
        raise DataError(
            f"{benchmark} is there in {len(said)} versions ({seen}); they cannot be put together.\n"
            "Import evaluations of one version."
        )
    golds = _golds(benchmark, evaluated)
    return next(iter(said), None) or identity(sorted(golds.items()))


def _golds(benchmark: str, evaluated: Sequence[ImportedEvaluation]) -> dict[str, str | None]:
    """problem -> gold, from whoever says it; None if nobody does."""
    golds: dict[str, str | None] = {}
    by: dict[str, str] = {}
    differing: list[tuple[str, str, str]] = []
    seen: set[int] = set()
    for one in evaluated:
        problems = one.measured.problems
        if id(problems) in seen:
            continue  # they say nothing new
        seen.add(id(problems))
        for problem, gold in problems.golds:
            if gold is not None and golds.get(problem) not in (None, gold):
                differing.append((problem, by[problem], one.who))
            elif golds.get(problem) is None:
                golds[problem], by[problem] = gold, one.who
    if differing:
        problem, a, b = differing[0]
        raise DataError(
            f"{benchmark} was asked with different golds: that of the problem {problem} differs between {a} and {b}, "
            f"and so do {len({p for p, *_ in differing}) - 1:,} others.\n"
            "Another version of the data? Import evaluations of one version."
        )
    return golds
