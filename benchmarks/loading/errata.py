"""Golds that are wrong, or written so that no sensible answer equals them: data of the package, one file a set.

A set keeps the golds of its source, for its scores are compared with published ones. What is put right is a benchmark
of its own, `<set>_errata`, and the two are never mixed: their problems have other ids, and so other hashes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Literal

from benchmarks.asking import SEVERAL
from benchmarks.files.cleaning import several
from benchmarks.problems import Problem, ProblemsError

FOLDER = Path(__file__).parents[1] / "errata"
"""`<set>.jsonl`"""


@dataclass(frozen=True)
class Erratum:
    """One gold that is put right: the keys of a line."""

    name: str
    """of the problem in the source's file"""
    id: str
    """`Problem.id` with the source's gold: what it is found by"""
    kind: Literal["value", "form"]
    """value: the gold is false. form: it is right, and written so that hardly an answer is equal to it"""
    old: str
    """the gold as cleaned"""
    new: str
    proof: str
    """why: a derivation, or a computation that anybody can run"""
    source: str
    """who found it"""


@cache
def errata(name: str) -> tuple[Erratum, ...]:
    """Of one set, in its file's order; empty where it has none."""
    file = FOLDER / f"{name}.jsonl"
    if not file.exists():
        return ()
    keys = [field.name for field in fields(Erratum)]
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return tuple(Erratum(*(line[key] for key in keys)) for line in lines)


def corrected(problems: Sequence[Problem], found: Sequence[Erratum]) -> tuple[Problem, ...]:
    """The same problems in the same order, with the new golds.

    Raises: ProblemsError if one of those that are named is not there, for this copy of the set is then another.
    """
    new = {erratum.id: erratum.new for erratum in found}
    missing = new.keys() - {problem.id for problem in problems}
    if missing:
        raise ProblemsError(
            f"errata name problems that this copy of the set does not hold: {', '.join(sorted(missing))}.\n"
            "They were made for the file whose hash is pinned: see RENCE_DATA_DIR in docs/problem-sets.md."
        )
    return tuple(_with(problem, new[problem.id]) if problem.id in new else problem for problem in problems)


def _with(problem: Problem, gold: str) -> Problem:
    return replace(problem, gold=gold, note=SEVERAL if several(gold) else "")
