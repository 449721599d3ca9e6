"""Whether RUN may be set against a baseline at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.records import DataError
from reports.data.matching import LISTED, OPTIONS, canonical, name_of, shown
from reports.gate.measure import Measured
from reports.gate.results import GateResults
from reports.verdict import span
from reports.words import capital, listing

_OF_IMPORTS = ", if these are imports of one benchmark"
"""their hash is over the problems that were asked"""
_NOTHING = (None, "", "unknown")


def check_same_problems(name: str, new: GateResults, baseline: str, old: GateResults) -> None:
    """Raises: DataError if they were asked different problems: another limit, version or list."""
    for benchmark, theirs in old.benchmarks.items():
        ours = new.benchmarks[benchmark]
        if ours.ids == theirs.ids:
            continue
        if new.limit != old.limit:
            raise DataError(
                f"{name} was asked {_limit(new.limit)} of each benchmark, but {baseline} {_limit(old.limit)}.\n"
                "Evaluate with the same `--limit`, make a baseline of the new one with `--update`, or use --common, "
                "which keeps the problems that both have."
            )
        which = _OF_IMPORTS if ours.hash != theirs.hash else ""
        raise DataError(
            f"{benchmark}: the problems of {name} are not those of {baseline} (`ids` {ours.ids}, not {theirs.ids}).\n"
            "Evaluate both on one version of the benchmark, and make the baseline anew with `--update`"
            f"; or use --common, which keeps the problems that both have{which}."
        )


def _limit(limit: int | None) -> str:
    return "all problems" if limit is None else f"the first {limit:,} problems"


def unmatched(new: GateResults, old: GateResults) -> list[str]:
    """In what else than the weights the two differ, so that a change of score may not be the model's."""
    return [f"{what} is {ours}, but {theirs} in the baseline" for _, what, ours, theirs in _settings(new, old)]


def listed(new: GateResults, old: GateResults) -> list[str]:
    """What differs and may; of what both sides tell."""
    pairs = {"engine_version": (new.engine_version, old.engine_version)}
    pairs |= {f"sampling.{key}": (new.sampling[key], old.sampling[key]) for key in new.sampling.keys() & old.sampling}
    pairs = {key: both for key, both in sorted(pairs.items()) if key in LISTED}
    shared = sorted(new.environment.keys() & old.environment.keys())
    pairs |= {f"environment.{key}": (new.environment[key], old.environment[key]) for key in shared}
    return [
        f"{name_of(key)} is {shown(key, ours)}, but {shown(key, theirs)} in the baseline"
        for key, (ours, theirs) in pairs.items()
        if ours != theirs and ours not in _NOTHING and theirs not in _NOTHING
    ]


def mend(new: GateResults, old: GateResults) -> str:
    """What can be done, as the beginning of a sentence: the options that ask as the baseline was asked, where these
    mend it all."""
    found = list(_settings(new, old))
    if any(key not in OPTIONS or theirs in _NOTHING for key, _, _, theirs in found):
        return "Evaluate as the baseline was"
    options = [f"{OPTIONS[key]} {theirs}" for key, _, _, theirs in found if theirs != _limit(None)]
    return f"Evaluate as the baseline was (rence eval ... {' '.join(options)})"


def _settings(new: GateResults, old: GateResults) -> Iterator[tuple[str, str, Any, Any]]:
    """Key, its name, and both sides, of what must not differ."""
    for key, ours, theirs in _both(new, old):
        if canonical(ours) != canonical(theirs):
            yield key, name_of(key), _stated(key, ours), _stated(key, theirs)
    for name in sorted(old.benchmarks.keys() & new.benchmarks.keys()):
        one, other = new.benchmarks[name], old.benchmarks[name]
        if one.hash != other.hash:
            yield "benchmark_hash", f"{name_of('benchmark_hash')} of {name}", one.hash, other.hash
        if one.rule and other.rule and one.rule != other.rule:
            yield "rule", f"{name_of('rule')} of {name}", one.rule, other.rule


def _both(new: GateResults, old: GateResults) -> Iterator[tuple[str, Any, Any]]:
    yield "template", new.template, old.template
    yield "grader_version", new.marker, old.marker
    if new.limit != old.limit:
        yield "limit", new.limit, old.limit
    # a file of an older schema does not know these two, and what is not known does not differ
    known = bool(old.engine and new.engine)
    if known:
        yield "engine", new.engine, old.engine
    for key in sorted(new.sampling.keys() | old.sampling.keys()):
        if f"sampling.{key}" not in LISTED and (known or key != "seed"):
            yield f"sampling.{key}", new.sampling.get(key), old.sampling.get(key)


def _stated(key: str, value: Any) -> Any:
    if key == "limit":
        return _limit(value)
    return "not stated" if value in _NOTHING else value


def unstated(new: GateResults, old: GateResults) -> list[str]:
    """Why it is not known whether what counts is the same, in words: what neither side tells, as results that were made
    elsewhere may not, or what a baseline is too old for."""
    settings = {"template": (new.template, old.template), "marker": (new.marker, old.marker)}
    if old.engine and new.engine:
        settings["engine"] = (new.engine, old.engine)
    found = [name for name, both in settings.items() if set(both) <= set(_NOTHING)]
    found += [] if new.sampling or old.sampling else ["sampling"]
    said = [f"neither side states its {listing(found)}"] if found else []
    if new.engine and not old.engine:
        said.append("the baseline is too old to state its engine and evaluation seed (`--update` makes it anew)")
    return said


def notes(measured: Measured, old: GateResults) -> list[str]:
    """What a reader must know beside the numbers."""
    new = measured.results
    return [
        *measured.notes,
        *_different_k(new, old),
        *_seeds(new, old),
        *([f"Not in the baseline, and left out: {listing(measured.extra)}."] if measured.extra else []),
        *([f"The baseline was made with something let through: {old.accepted}"] if old.accepted else []),
    ]


def _different_k(new: GateResults, old: GateResults) -> Iterator[str]:
    for benchmark, theirs in old.benchmarks.items():
        ours = new.benchmarks[benchmark]
        if set(ours.k) != set(theirs.k):
            one, other = (span(sorted(set(side.k))) for side in (ours, theirs))
            yield f"{benchmark}: k is {one} attempts a problem, {other} in the baseline."


def _seeds(new: GateResults, old: GateResults) -> Iterator[str]:
    if new.single != old.single:
        one, other = ("the run", "the baseline") if new.single else ("the baseline", "the run")
        seeds = max(len(new.seeds), len(old.seeds))
        yield f"{capital(one)} is one checkpoint, {other} {seeds} seeds; how much seeds differ is not in the bounds."
