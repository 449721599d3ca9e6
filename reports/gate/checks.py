"""Whether RUN may be set against a baseline at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.records import DataError
from reports.gate.measure import Measured
from reports.gate.results import Results
from reports.verdict import span
from reports.words import capital, listing

_OF_IMPORTS = ", if these are imports of one benchmark"
"""their hash is over the problems that were asked"""
_NOTHING = (None, "", "unknown")


def check_same_problems(name: str, new: Results, baseline: str, old: Results) -> None:
    """Raises: DataError if they were asked different problems: another limit, version or list."""
    if new.limit != old.limit:
        raise DataError(
            f"{name} was asked {_limit(new.limit)} of each benchmark, but {baseline} {_limit(old.limit)}.\n"
            "Evaluate with the same `--limit`, make a baseline of the new one with `--update`, or use --common, which "
            "keeps the problems that both have."
        )
    for benchmark, theirs in old.benchmarks.items():
        ours = new.benchmarks[benchmark]
        for what, one, other in (("hash", ours.hash, theirs.hash), ("ids", ours.ids, theirs.ids)):
            if one != other:
                which = _OF_IMPORTS if what == "hash" else ""
                raise DataError(
                    f"{benchmark}: the problems of {name} are not those of {baseline} (`{what}` {one}, not {other}).\n"
                    "Evaluate both on one version of the benchmark, and make the baseline anew with `--update`"
                    f"; or use --common, which keeps the problems that both have{which}."
                )


def _limit(limit: int | None) -> str:
    return "all problems" if limit is None else f"the first {limit:,} problems"


def unmatched(new: Results, old: Results) -> list[str]:
    """In what else than the weights the two differ, so that a change of score may not be the model's."""
    return [f"{what} is {ours}, but {theirs} in the baseline" for what, ours, theirs in _settings(new, old)]


def _settings(new: Results, old: Results) -> Iterator[tuple[str, Any, Any]]:
    if new.template != old.template:
        yield "the prompt template", _stated(new.template), _stated(old.template)
    if new.marker != old.marker:
        yield "the marker's version", _stated(new.marker), _stated(old.marker)
    for key in sorted(new.sampling.keys() | old.sampling.keys()):
        ours, other = new.sampling.get(key), old.sampling.get(key)
        if ours != other:
            yield f"the sampling's `{key}`", _stated(ours), _stated(other)


def _stated(value: Any) -> Any:
    return "not stated" if value in _NOTHING else value


def unstated(new: Results, old: Results) -> list[str]:
    """What neither side tells, as results that were made elsewhere may not: whether it differs is not known."""
    settings = {"template": (new.template, old.template), "marker": (new.marker, old.marker)}
    found = [name for name, both in settings.items() if set(both) <= set(_NOTHING)]
    return [*found, *([] if new.sampling or old.sampling else ["sampling"])]


def notes(measured: Measured, old: Results) -> list[str]:
    """What a reader must know beside the numbers."""
    new = measured.results
    return [
        *measured.notes,
        *_different_k(new, old),
        *_seeds(new, old),
        *([f"Not in the baseline, and left out: {listing(measured.extra)}."] if measured.extra else []),
    ]


def _different_k(new: Results, old: Results) -> Iterator[str]:
    for benchmark, theirs in old.benchmarks.items():
        ours = new.benchmarks[benchmark]
        if set(ours.k) != set(theirs.k):
            one, other = (span(sorted(set(side.k))) for side in (ours, theirs))
            yield f"{benchmark}: k is {one} attempts a problem, {other} in the baseline."


def _seeds(new: Results, old: Results) -> Iterator[str]:
    if new.single != old.single:
        one, other = ("the run", "the baseline") if new.single else ("the baseline", "the run")
        seeds = max(len(new.seeds), len(old.seeds))
        yield f"{capital(one)} is one checkpoint, {other} {seeds} seeds; how much seeds differ is not in the bounds."
