"""Whether two sides differ in nothing but the algorithm: same data in the same order, weights, budget, evaluation.

By exception: every field of an evaluation's header and every key of its sampling counts, also one that is new, unless
it stands on a list of what may differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from harness.records import EvalRecord, TrialRecord
from reports.words import listing

if TYPE_CHECKING:
    import pandas as pd

TRAINING = {
    "data_order": "the order of the training data",
    "initial_weights": "the checkpoint to start from",
    "budget_rollouts": "the budget",
    "backend": "the backend",
    "reward": "the reward",
}
HARMLESS = (
    *("arm", "seed", "step", "rollouts", "grid", "model_hash"),  # what is compared
    *("benchmark", "title"),  # what is paired, and a word of tables
    "problems",  # the problems themselves are compared, where scores are paired
    "decoding",  # a name; what it stands for is the sampling
    *("second_marker", "readings"),  # mark each answer once more, and change no score
    "seals",  # whether a lost seal is missed
)
"""fields of a header that say nothing about how answers were asked for and marked"""
LISTED = {
    "engine_version": "the engine's version",
    "k": "the number of attempts a problem",  # each problem's score is a mean: expected alike, whatever k is
    "order": "the order of the problems",  # of their batches, and so of the last digits
    "sampling.chunk_problems": "the number of problems generated together",  # the last digits alone
}
"""what may differ, and is told to the reader"""
NAMES = {
    "benchmark_hash": "the version of the problems",
    "template": "the prompt template",
    "engine": "the engine",
    "grader_version": "the marker's version",
    "limit": "the limit of problems",
    "rule": "what counts as equal to a gold",
    "stopped_by": "what ended it before all problems were asked",
    "sampling.seed": "the evaluation seed",
}
"""what must not differ, in words; a key of the sampling is called by its name"""
OPTIONS = {
    "template": "--template",
    "engine": "--engine",
    "limit": "--limit",
    **{f"sampling.{key}": f"--{key.replace('_', '-')}" for key in ("temperature", "top_p", "max_tokens", "seed")},
}
"""of `rence eval`: what asks as the other side was asked"""
_SAMPLING = "sampling."
_UNKNOWN = (None, "", "unknown")
"""what an import writes of a setting that its source does not tell"""
_FOREIGN = ("sampling.seed", "sampling.chunk_problems")
"""what no source of an import tells of how it draws"""
ABSENT = object()
"""in the place of a key that a header lacks"""
_SHOWN, _MOST_SHOWN = 60, 4
"""characters of a value, and values, in a message"""


class Unmatched(ValueError):
    """Two sides differ in more than the algorithm. Ends a command with exit code 2."""


@dataclass(frozen=True)
class Mismatch:
    """Something in which sides differ."""

    key: str
    """a field of the header, `sampling.<key>`, a field of the trial's header, `environment.<key>`, `recipe.<key>`"""
    what: str
    """in words, without the benchmark: `the prompt template differs (bare, chat)`"""
    benchmark: str = ""
    """empty for what is not an evaluation's"""
    first: str = ""
    """what it is on the first side, as it is shown"""

    @property
    def listed(self) -> bool:
        """Whether it may differ, and is told."""
        return self.key in LISTED or self.key.startswith(("environment.", "recipe."))

    def __str__(self) -> str:
        return f"{self.benchmark}: {self.what}" if self.benchmark else self.what


def _differs(key: str, values: Sequence[str], benchmark: str = "") -> Mismatch:
    """
    Args:
        values: as they are shown, each once, in the order of the sides.
    """
    more = ["..."] if len(values) > _MOST_SHOWN else []
    shown_ones = ", ".join([*values[:_MOST_SHOWN], *more])
    return Mismatch(key, f"{name_of(key)} differs ({shown_ones})", benchmark, values[0])


def name_of(key: str) -> str:
    """What messages call it."""
    known = {**NAMES, **LISTED, **TRAINING}.get(key)
    if known:
        return known
    if key.startswith(_SAMPLING):
        return f"the sampling's `{key.removeprefix(_SAMPLING)}`"
    if key.startswith("recipe."):
        return f"the recipe's `{key.removeprefix('recipe.')}`"
    return key.removeprefix("environment.") if key.startswith("environment.") else f"`{key}`"


@dataclass(frozen=True)
class Side:
    """What matching looks at. `trials` is empty for a model that was not trained here, as the start."""

    name: str
    trials: Mapping[int, TrialRecord]
    evals: pd.DataFrame
    """headers of the evaluations that are compared"""
    imported: bool = False
    """whether nothing is known of its training"""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    """what it was trained with beside the algorithm; empty where that is not known"""
    factor: str = "algorithm"
    """what its plan says that arms differ in"""

    @cached_property
    def settings(self) -> dict[str, list[dict[str, Any]]]:
        """Benchmark -> what counts or is told of each of its headers: flat, without what says nothing."""
        seen: dict[str, list[dict[str, Any]]] = {}
        for row in self.evals.to_dict("records"):
            seen.setdefault(str(row["benchmark"]), []).append(dict(flat({str(key): row[key] for key in row})))
        return seen


def flat(header: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields of a header that count or are told, and the keys of its sampling."""
    for name in EvalRecord.__dataclass_fields__:
        if name == "sampling":
            yield from ((f"{_SAMPLING}{key}", value) for key, value in sorted(header[name].items()))
        elif name not in HARMLESS:
            yield name, header[name]


def unmatched(a: Side, b: Side) -> list[str]:
    """Reasons why a difference between the two is not the algorithm's alone; empty if they are matched."""
    return [str(one) for one in refused(a, b)]


def refused(a: Side, b: Side) -> list[Mismatch]:
    """As `unmatched`: of the training, then of the benchmarks that both have."""
    return [*training(a, b), *(one for one in evaluation(a, b) if not one.listed)]


def evaluation(*sides: Side) -> Iterator[Mismatch]:
    """In what the headers of a benchmark differ, of those that all sides have; whether it may differ or not.

    Seeds of one side that differ among themselves count: they are compared with each other's pairs.
    """
    loose = any(side.imported for side in sides)
    names = set.intersection(*(set(side.settings) for side in sides)) if sides else set()
    for benchmark in sorted(names):
        rows = [row for side in sides for row in side.settings[benchmark]]
        for key in dict.fromkeys(key for row in rows for key in row):
            seen: dict[str, str] = {}
            for row in rows:
                value = row.get(key, ABSENT)
                if not _is_unknown(key, value, row, loose):
                    seen.setdefault(canonical(value), shown(key, value))
            if len(seen) > 1:
                yield _differs(key, list(seen.values()), benchmark)


def _is_unknown(key: str, value: Any, row: Mapping[str, Any], loose: bool) -> bool:
    """What is not known does not differ: a rule that a file is too old to name, and what an import does not tell.

    Args:
        loose: whether a side was imported.
    """
    if key == "rule" and not value:
        return True
    if not loose:
        return False
    if value is ABSENT:
        return key in _FOREIGN or not any(one.startswith(_SAMPLING) for one in row)
    return canonical(value) in map(canonical, _UNKNOWN)


def training(a: Side, b: Side) -> list[Mismatch]:
    """In what trials of the same seed differ; empty where a side was not trained here."""
    if not a.trials or not b.trials:
        return []
    shared = sorted(a.trials.keys() & b.trials.keys())
    if not shared:
        return [Mismatch("seed", f"{a.name} and {b.name} have no seed in common")]
    found = []
    compared = {a.factor} & {b.factor}
    for name in (name for name in TRAINING if name not in compared):
        seeds = [seed for seed in shared if getattr(a.trials[seed], name) != getattr(b.trials[seed], name)]
        if seeds:
            found.append(Mismatch(name, f"{name_of(name)} differs (seed {', '.join(map(str, seeds))})"))
    return found


def listed(*sides: Side) -> list[str]:
    """What differs and may: of the evaluations that all sides have, of recipes, and of the machines that trained."""
    evaluated = [one for one in evaluation(*sides) if one.listed]
    return grouped([*evaluated, *_of_all("recipe", [side.recipe for side in sides]), *_environments(sides)])


def _environments(sides: Iterable[Side]) -> Iterator[Mismatch]:
    yield from _of_all("environment", [trial.environment for side in sides for trial in side.trials.values()])


def _of_all(kind: str, settings: Sequence[Mapping[str, Any]]) -> Iterator[Mismatch]:
    """Keys that have several values, among the mappings that have them."""
    for key in dict.fromkeys(key for one in settings for key in one):
        seen = {canonical(one[key]): shown(key, one[key]) for one in settings if key in one}
        if len(seen) > 1:
            yield _differs(f"{kind}.{key}", list(seen.values()))


def grouped(found: Iterable[Mismatch]) -> list[str]:
    """In words, benchmarks that differ in the same way together."""
    benchmarks: dict[str, list[str]] = {}
    for one in found:
        benchmarks.setdefault(one.what, []).append(one.benchmark)
    return [f"{listing(names)}: {what}" if any(names) else what for what, names in benchmarks.items()]


def in_several_ways(key: str, seen: Iterable[tuple[str, Any]]) -> str:
    """`the sampling's `temperature` is 1 on a and b, 0 on c`; empty if there is one value.

    Args:
        seen: where, and the value there.
    """
    places: dict[str, list[str]] = {}
    for where, value in seen:
        places.setdefault(shown(key, value), []).append(where)
    values = [f"{value} on {listing(list(dict.fromkeys(found)))}" for value, found in places.items()]
    return f"{name_of(key)} is {', '.join(values)}" if len(values) > 1 else ""


def as_the_first(found: Sequence[Mismatch]) -> str:
    """Options of `rence eval` that ask as the first side was asked, where that mends it all; else nothing."""
    if not found or any(one.key not in OPTIONS for one in found):
        return ""
    wanted = {OPTIONS[one.key]: one.first for one in found}
    return " ".join(f"{option} {value}" for option, value in wanted.items() if value != shown("limit", None))


def canonical(value: Any) -> str:
    """Equal for equal values: 1 and 1.0, None and what pandas makes of it."""
    if value is ABSENT:
        return "absent"
    if value is None or value != value:
        return "null"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def shown(key: str, value: Any) -> str:
    """A value in a message."""
    if value is ABSENT:
        return "not stated"
    if value is None or value != value:
        return "all" if key == "limit" else "not stated"
    text = value if isinstance(value, str) else canonical(value)
    text = " ".join(text.split()) or "none"
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
