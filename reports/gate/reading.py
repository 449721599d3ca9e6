"""A baseline file, checked: unknown keys, counts that cannot be, and means that contradict them are refused.

Raises, everywhere in this module: records.DataError with file, line and key.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.records import DataError
from reports.data.alternatives import LEFT_OUT
from reports.data.readings import ANYWHERE
from reports.gate import by_reading
from reports.gate.baseline import BASELINE_SCHEMA, Baseline, percent, seal_of, seed_word
from reports.gate.nodes import Key, Nodes, dotted
from reports.gate.nodes import read as read_nodes
from reports.gate.results import SINGLE, Counts, GateResults, Rows, ids_hash

_TOP = ("schema", "made_from", "arm", "margin_points", "average_percent", "template", "marker", "sampling", "limit")
_ENGINE = ("engine", "engine_version")
"""of schema 3"""
_SEAL = ("seal",)
"""of schema 3"""
_OPTIONAL = ("margin_points", "limit", "environment", "accepted")
_BENCHMARK = ("hash", "ids", "n", "k", "mean_percent", "rule", "anywhere", "answers", "problems", "correct", "readings")
_TEXTS = ("rule", "anywhere", "answers", "problems", "readings")
"""optional: schema 1 has none, and an import may not know rule, readings and answers"""
_SHA256 = re.compile("[0-9a-f]{64}")
_SEED = re.compile(r"seed(0|[1-9][0-9]{0,18})")
_SHOWN = 60
"""characters of a value in a message"""
_ROUNDING = 0.006
"""percent: what two decimals may be off, and a little for how they were rounded"""


def read(path: Path, default_margin: float) -> Baseline:
    """
    Args:
        default_margin: where the file states none, as a fraction
    """
    nodes = read_nodes(path)
    top = _mapping(nodes, ())
    schema = top.get("schema")
    if isinstance(schema, int) and schema > BASELINE_SCHEMA:
        raise DataError(f"{path} has schema {schema}; this rence reads up to {BASELINE_SCHEMA}. Upgrade rence-bench.")
    # what later schemas added may be missing in older files, and only there
    optional = _OPTIONAL if schema == BASELINE_SCHEMA else (*_OPTIONAL, *_ENGINE, *_SEAL)
    _keys(nodes, (), (*_TOP, *_ENGINE, "environment", "accepted", "models", "benchmarks", *_SEAL), optional)
    _integer(nodes, ("schema",), 1, BASELINE_SCHEMA)
    models = _models(nodes)
    names = sorted(_mapping(nodes, ("benchmarks",)))
    if not names:
        nodes.fail(("benchmarks",), "`benchmarks` is empty: there is nothing to gate.")
    results = GateResults(
        made_from=_word(nodes, ("made_from",)),
        arm=_word(nodes, ("arm",)),
        models=models,
        template=_word(nodes, ("template",)),
        marker=_word(nodes, ("marker",)),
        sampling=_scalars(nodes, ("sampling",)),
        limit=_integer(nodes, ("limit",), 1) if "limit" in top else None,
        benchmarks={name: _counts(nodes, ("benchmarks", name), list(models)) for name in names},
        engine=_word_or_none(nodes, ("engine",)),
        engine_version=_word_or_none(nodes, ("engine_version",)),
        environment=_words(nodes, ("environment",)) if "environment" in top else {},
        accepted=_word_or_none(nodes, ("accepted",)),
    )
    _check_mean(nodes, ("average_percent",), results.average)
    edited = "seal" in top and _sha256(nodes, ("seal",)) != seal_of(nodes.data)
    return Baseline(results, _margin(nodes) if "margin_points" in top else default_margin, edited)


def _models(nodes: Nodes) -> dict[int, str]:
    words = list(_mapping(nodes, ("models",)))
    if not words:
        nodes.fail(("models",), "`models` is empty: at least one is needed.")
    seeds = {_seed(nodes, ("models", word), word): _word(nodes, ("models", word)) for word in words}
    if SINGLE in seeds and len(seeds) > 1:
        nodes.fail(("models", "model"), "`models` must be `model` alone, or seeds: `seed0`, `seed1`, ...")
    return dict(sorted(seeds.items()))


def _seed(nodes: Nodes, key: Key, word: str) -> int:
    found = _SEED.fullmatch(word)
    if word != "model" and not found:
        nodes.fail(key, f"`{dotted(key)}` must be `model`, or a seed such as `seed0`.")
    return int(found[1]) if found else SINGLE


def _counts(nodes: Nodes, key: Key, seeds: Sequence[int]) -> Counts:
    _keys(nodes, key, _BENCHMARK, _TEXTS)
    n = _integer(nodes, (*key, "n"), 1)
    ks = _ks(nodes, (*key, "k"), len(seeds))
    words = _by_seed(nodes, (*key, "correct"), seeds)
    rows = [_row(nodes, (*key, "correct", word), n, k) for word, k in zip(words, ks, strict=True)]
    texts = _by_seed(nodes, (*key, "answers"), seeds) if "answers" in _mapping(nodes, key) else []
    answers = tuple(_sha256(nodes, (*key, "answers", word)) for word in texts)
    ids = _word(nodes, (*key, "ids"))
    rule = _word_or_none(nodes, (*key, "rule"))
    seen = _by_seed(nodes, (*key, "anywhere"), seeds) if "anywhere" in _mapping(nodes, key) else []
    read = [_integer(nodes, (*key, "anywhere", word), 0, n * k) for word, k in zip(seen, ks, strict=bool(seen))]
    problems = _problems(nodes, key, n, ids)
    counts = Counts(_word(nodes, (*key, "hash")), ids, ks, tuple(rows), answers, problems, rule, tuple(read))
    _check_mean(nodes, (*key, "mean_percent"), counts.mean)
    return replace(counts, readings=_readings(nodes, (*key, "readings"), counts, seeds))


def _problems(nodes: Nodes, key: Key, n: int, ids: str) -> tuple[str, ...]:
    key = (*key, "problems")
    if "problems" not in _mapping(nodes, key[:-1]):
        return ()
    found = _at(nodes, key)
    if not isinstance(found, list) or len(found) != n or not all(isinstance(one, str) for one in found):
        nodes.fail(key, f"`{dotted(key)}` must be a list of n = {n} ids, each a word.")
    if ids_hash(found) != ids:
        nodes.fail(key, f"`{dotted(key)}` is not the list that `ids` is the hash of: one of them was changed.")
    return tuple(found)


def _readings(nodes: Nodes, key: Key, counts: Counts, seeds: Sequence[int]) -> dict[str, Rows]:
    """S x J of each reading that is there. None may say what the other counts rule out."""
    if "readings" not in _mapping(nodes, key[:-1]):
        return {}
    _keys(nodes, key, by_reading.NAMES, by_reading.NAMES)
    there = [name for name in by_reading.NAMES if name in _mapping(nodes, key)]
    found = {name: _reading(nodes, (*key, name), counts, seeds) for name in there}
    lost = [np.array(found[name]) for name in there if name in LEFT_OUT]
    over = np.argwhere(np.array(counts.correct) + sum(lost, np.zeros((), int)) > np.array(counts.k)[:, None])
    if len(over):
        row, place = over[0].tolist()
        name = next(name for name in reversed(there) if name in LEFT_OUT and found[name][row][place])
        at = (*key, name, seed_word(seeds[row]), counts.problems[place])
        nodes.fail(at, f"`{dotted(at)}`: more attempts are correct or left out than the k = {counts.k[row]} there are.")
    if counts.anywhere and ANYWHERE in found and counts.anywhere != tuple(map(sum, found[ANYWHERE])):
        nodes.fail((*key, ANYWHERE), f"`{dotted((*key, ANYWHERE))}` does not make the sum that `anywhere` states.")
    return found


def _reading(nodes: Nodes, key: Key, counts: Counts, seeds: Sequence[int]) -> Rows:
    """What it has where it differs, and the usual counts elsewhere."""
    rows = [list(row) for row in by_reading.usual(counts, str(key[-1]))]
    places = {problem: place for place, problem in enumerate(counts.problems)}
    for word in _mapping(nodes, key):
        seed = _seed(nodes, (*key, word), word)
        if seed not in seeds:
            nodes.fail((*key, word), f"`{dotted((*key, word))}` is none of the seeds that `models` has.")
        row = seeds.index(seed)
        for problem in _mapping(nodes, (*key, word)):
            at = (*key, word, problem)
            if problem not in places:
                nodes.fail(at, f"`{dotted(at)}` is none of the `problems`.")
            most = counts.k[row] - (counts.correct[row][places[problem]] if key[-1] in LEFT_OUT else 0)
            count = _integer(nodes, at, 0, most)
            if count == rows[row][places[problem]]:
                nodes.fail(at, f"`{dotted(at)}` is {count}, as without the reading: only what differs stands here.")
            rows[row][places[problem]] = count
    return tuple(map(tuple, rows))


def _by_seed(nodes: Nodes, key: Key, seeds: Sequence[int]) -> list[str]:
    """The words that the seeds stand under, in their order."""
    found = {_seed(nodes, (*key, word), word): word for word in _mapping(nodes, key)}
    if sorted(found) != list(seeds):
        nodes.fail(key, f"`{dotted(key)}` must have the seeds that `models` has.")
    return [found[seed] for seed in seeds]


def _sha256(nodes: Nodes, key: Key) -> str:
    value = _word(nodes, key)
    if not _SHA256.fullmatch(value):
        nodes.fail(key, f"`{dotted(key)}` must be a SHA-256 of 64 hex digits, but is {_kind(value)} instead.")
    return value


def _ks(nodes: Nodes, key: Key, seeds: int) -> tuple[int, ...]:
    value = _at(nodes, key)
    if not isinstance(value, list):
        return (_integer(nodes, key, 1),) * seeds
    if len(value) != seeds:
        nodes.fail(key, f"`{dotted(key)}` must be one number, or {seeds}, but has {len(value)}.")
    return tuple(_integer(nodes, (*key, i), 1) for i in range(seeds))


def _row(nodes: Nodes, key: Key, n: int, k: int) -> tuple[int, ...]:
    row = _at(nodes, key)
    if not isinstance(row, list) or len(row) != n:
        found = f"has {len(row)}" if isinstance(row, list) else f"is {_kind(row)}"
        nodes.fail(key, f"`{dotted(key)}` must be a list of n = {n} counts, but {found} instead.")
    return tuple(_integer(nodes, (*key, i), 0, k) for i in range(n))


def _margin(nodes: Nodes) -> float:
    points = _number(nodes, ("margin_points",))
    if not 0 < points < 100:
        nodes.fail(("margin_points",), f"`margin_points` must be above 0 and below 100, but is {points:g} instead.")
    return points / 100


def _check_mean(nodes: Nodes, key: Key, fraction: float) -> None:
    stated = _number(nodes, key)
    if not abs(stated - 100 * fraction) <= _ROUNDING:
        nodes.fail(
            key, f"`{dotted(key)}` is {stated:g}, but the counts make {percent(fraction):g}: one of them was changed."
        )


def _keys(nodes: Nodes, key: Key, allowed: Sequence[str], optional: Sequence[str] = ()) -> None:
    data = _mapping(nodes, key)
    for name in data:
        if name not in allowed:
            nodes.fail(
                (*key, name), f"`{dotted((*key, name))}` is no key of a baseline. Allowed: {', '.join(allowed)}."
            )
    for name in allowed:
        if name not in data and name not in optional:
            nodes.fail(key, f"`{dotted((*key, name))}` is missing.")


def _at(nodes: Nodes, key: Key) -> Any:
    value = nodes.data
    for part in key:
        value = value[part]
    return value


def _mapping(nodes: Nodes, key: Key) -> Mapping[str, Any]:
    value = _at(nodes, key)
    if not isinstance(value, dict):
        what = f"`{dotted(key)}`" if key else "a baseline"
        nodes.fail(key, f"{what} must be a mapping of keys to values, but is {_kind(value)} instead.")
    return value


def _scalars(nodes: Nodes, key: Key) -> dict[str, Any]:
    for name, value in _mapping(nodes, key).items():
        if not (value is None or isinstance(value, str | int | float)):
            nodes.fail(
                (*key, name), f"`{dotted((*key, name))}` must be a number or a word, but is {_kind(value)} instead."
            )
    return dict(_mapping(nodes, key))


def _word(nodes: Nodes, key: Key) -> str:
    value = _at(nodes, key)
    if not isinstance(value, str):
        nodes.fail(key, f"`{dotted(key)}` must be a word (a number in quotes), but is {_kind(value)} instead.")
    return value


def _word_or_none(nodes: Nodes, key: Key) -> str:
    """Empty where there is no such key."""
    return _word(nodes, key) if key[-1] in _mapping(nodes, key[:-1]) else ""


def _words(nodes: Nodes, key: Key) -> dict[str, str]:
    return {name: _word(nodes, (*key, name)) for name in _mapping(nodes, key)}


def _integer(nodes: Nodes, key: Key, low: int, high: int | None = None) -> int:
    value = _at(nodes, key)
    if type(value) is not int or value < low or (high is not None and value > high):
        span = f"at least {low}" if high is None else f"a whole number from {low} to {high}"
        nodes.fail(key, f"`{dotted(key)}` must be {span}, but is {_kind(value)} instead.")
    return value


def _number(nodes: Nodes, key: Key) -> float:
    value = _at(nodes, key)
    if type(value) not in (int, float) or not math.isfinite(value):
        nodes.fail(key, f"`{dotted(key)}` must be a number, but is {_kind(value)} instead.")
    return float(value)


def _kind(value: Any) -> str:
    kinds = {dict: "a mapping", list: "a list", type(None): "nothing"}
    return kinds.get(type(value), f"`{str(value)[:_SHOWN]}`")
