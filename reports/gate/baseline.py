"""The baseline file: small YAML that a person can review, with every problem's count of correct attempts inline."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.records import write_text
from harness.records.yaml_reader import MOST_NODES
from reports.gate.by_reading import NAMES, differing
from reports.gate.nodes import MOST_BYTES
from reports.gate.results import SINGLE, Counts, GateResults

BASELINE_SCHEMA = 3
"""1 has no `answers`; 1 and 2 neither engine nor evaluation seed. Both are read as well"""
MARGIN_POINTS = 2.0
"""where neither the command nor the file states one"""
PER_LINE = 25
IDS_PER_LINE = 5
"""counts, so that a change of one shows as a change of its line"""
READ_PER_LINE = 4
LONGEST_READ = 500
"""characters of an id under `readings`, where it is a key of YAML"""
_HEAD = """\
# What a checkpoint must not fall below: rence gate RUN --baseline THIS_FILE. With --update, RUN takes its place.
# Of all this, only margin_points is for hands to change; `seal` is the SHA-256 of the rest. Under `correct`: how many
# of the k attempts at each problem were correct, in the order of `problems`, their ids; under `answers`: the SHA-256
# of their texts; `anywhere`: how many of all attempts are correct if the answer may stand anywhere in the text; under
# `readings`: how many of a problem's are correct by another reading, or are left out by it, where that differs.
"""


@dataclass(frozen=True)
class Baseline:
    results: GateResults
    margin: float
    """how much of the average may be lost, as a fraction; above 0"""
    edited: bool = False
    """whether what it holds is not what its `seal` was made of; one of schema 1 or 2 has none"""


def write(path: Path, baseline: Baseline) -> None:
    """Whole or not at all. Same results, same bytes."""
    write_text(path, render(baseline))


def render(baseline: Baseline) -> str:
    """The file's text, for hands and for diffs: a key a line, benchmarks and seeds in order, PER_LINE counts a line."""
    r = baseline.results
    head: dict[str, Any] = {
        "schema": BASELINE_SCHEMA,
        "made_from": r.made_from,
        "arm": r.arm,
        "margin_points": round(100 * baseline.margin, 6),
        "average_percent": percent(r.average),
        "template": r.template,
        "marker": r.marker,
        "sampling": dict(r.sampling),
        **({} if r.limit is None else {"limit": r.limit}),
        "engine": r.engine,
        "engine_version": r.engine_version,
        **({"accepted": r.accepted} if r.accepted else {}),
    }
    parts = [_HEAD, _block(head, 0)]
    parts += ["environment:\n", _block(r.environment, 2)] if r.environment else []
    parts += ["models:\n", _block({seed_word(s): model for s, model in r.models.items()}, 2)]
    parts.append("benchmarks:\n")
    read = _read(r)
    for name, counts in r.benchmarks.items():
        parts += [f"  {_inline(name)}:\n", _benchmark(counts, r.seeds), _readings(read.get(name, {}))]
    text = "".join(parts)
    return f"{text}seal: {seal_of(yaml.safe_load(text))}\n"


def seal_of(data: Mapping[str, Any]) -> str:
    """SHA-256 over all that a baseline holds but the margin, which is for hands to change."""
    kept = {key: value for key, value in data.items() if key not in ("margin_points", "seal")}
    return hashlib.sha256(json.dumps(kept, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def seed_word(seed: int) -> str:
    """`seed0`, as its folder is named; `model` where there was no training here."""
    return "model" if seed == SINGLE else f"seed{seed}"


def percent(fraction: float) -> float:
    """As it stands in the file, for people: it is checked against the counts."""
    return round(100 * fraction, 2)


def _benchmark(counts: Counts, seeds: Sequence[int]) -> str:
    """One benchmark's block: its keys a line each, then the lists, which are wrapped."""
    fields = {
        "hash": counts.hash,
        "ids": counts.ids,
        "n": counts.n,
        "k": counts.one_k,
        "mean_percent": percent(counts.mean),
        **({"rule": counts.rule} if counts.rule else {}),
        **({"anywhere": dict(zip(map(seed_word, seeds), counts.anywhere, strict=True))} if counts.anywhere else {}),
    }
    hashes = dict(zip(map(seed_word, seeds), counts.answers, strict=True)) if counts.answers else {}
    texts = f"    answers:\n{_block(hashes, 6)}" if hashes else ""
    rows = [counts.problems[i : i + IDS_PER_LINE] for i in range(0, len(counts.problems), IDS_PER_LINE)]
    ids = ",\n       ".join(", ".join(map(_inline, row)) for row in rows)
    problems = f"    problems:\n      [{ids}]\n" if rows else ""
    lists = "".join(
        f"      {seed_word(seed)}:\n        [{_wrapped(row)}]\n"
        for seed, row in zip(seeds, counts.correct, strict=True)
    )
    return f"{_block(fields, 4)}{texts}{problems}    correct:\n{lists}"


def _read(r: GateResults) -> dict[str, dict[str, dict[str, dict[str, int]]]]:
    """Benchmark -> reading -> seed -> problem -> count; of seeds and problems only those where it differs."""
    found = {
        name: {
            reading: {seed_word(s): row for s, row in zip(r.seeds, differing(counts, reading), strict=True) if row}
            for reading in NAMES
            if reading in counts.readings and counts.problems
        }
        for name, counts in r.benchmarks.items()
    }
    ids = [one for read in found.values() for seeds in read.values() for row in seeds.values() for one in row]
    # a file that is too large, or has such keys, could not be read back: then none is known
    values = 2 * len(ids) + sum(counts.n * (len(r.seeds) + 1) for counts in r.benchmarks.values())
    size = sum(len(one.encode()) + len(": 4, ") for one in ids)
    small = values <= 0.9 * MOST_NODES and size <= MOST_BYTES / 2
    return found if small and all(len(one) <= LONGEST_READ for one in ids) else {}


def _readings(read: Mapping[str, Mapping[str, Mapping[str, int]]]) -> str:
    """One benchmark's; a reading that changes nothing is there, and empty: that is known too."""
    lines = ["    readings:\n"] if read else []
    for reading, seeds in read.items():
        lines.append(f"      {reading}:\n" if seeds else f"      {reading}: {{}}\n")
        for word, row in seeds.items():
            items = [f"{_inline(problem)}: {count}" for problem, count in row.items()]
            rows = [", ".join(items[i : i + READ_PER_LINE]) for i in range(0, len(items), READ_PER_LINE)]
            lines.append(f"        {word}:\n          {{{f',{chr(10)}           '.join(rows)}}}\n")
    return "".join(lines)


def _wrapped(row: Sequence[int]) -> str:
    lines = [", ".join(map(str, row[i : i + PER_LINE])) for i in range(0, len(row), PER_LINE)]
    return ",\n         ".join(lines)


def _block(data: Mapping[str, Any], indent: int) -> str:
    """A line a key."""
    return "".join(f"{' ' * indent}{_inline(key)}: {_inline(value)}\n" for key, value in data.items())


def _inline(value: Any) -> str:
    """On one line, in quotes where YAML would take it for something else."""
    if isinstance(value, str) and not value.isprintable():
        return json.dumps(value)
    flow = yaml.safe_dump([value], sort_keys=False, allow_unicode=True, default_flow_style=True, width=2**20)
    return flow.strip()[1:-1]
