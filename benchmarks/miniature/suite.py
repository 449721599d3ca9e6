"""The split, and the benchmarks and training sets made from it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import cycle, islice
from random import Random

from benchmarks.miniature.expressions import canonical, operations, value
from benchmarks.miniature.kinds import KINDS, Exercise
from benchmarks.miniature.unseen import UNSEEN
from benchmarks.problems import Benchmark, Problem, TrainingSet

TAUGHT_LEVELS = (1, 2, 3)
"""operations in the problems for SFT, RL and validation; longer ones are held out"""
ALL_KINDS = {**KINDS, **UNSEEN}
MOST_DRAWS = 200
"""a set that cannot find a new computation in so many draws asks for more than its space holds"""


class Split(StrEnum):
    SFT = "sft"
    RL = "rl"
    VALIDATION = "validation"
    EVALUATION = "evaluation"


SHARES: Mapping[Split, int] = {Split.SFT: 40, Split.RL: 30, Split.VALIDATION: 10, Split.EVALUATION: 20}
"""percent of all canonical computations"""
_OF_PERCENT = tuple(split for split, share in SHARES.items() for _ in range(share))


def split_of(computation: str) -> Split:
    """By a hash of the canonical computation alone: no wording or name moves a problem to another split."""
    digest = hashlib.blake2b(computation.encode(), digest_size=8).digest()
    return _OF_PERCENT[int.from_bytes(digest, "big") % 100]


def draws(split: Split, kind: str, levels: Sequence[int], rng: Random) -> Iterator[tuple[str, Exercise]]:
    """(canonical computation, exercise) of one kind from one split, without end; the same one may come again."""
    make = ALL_KINDS[kind]
    while True:
        exercise = make(rng.choice(levels), rng)
        computation = canonical(exercise.expression)
        if split_of(computation) is split:
            yield computation, exercise


def collect(name: str, split: Split, kinds: Sequence[str], levels: Sequence[int], count: int) -> tuple[Problem, ...]:
    """The problems of one set: kinds in turn, no computation twice.

    Raises: ValueError if the split has too few.
    """
    streams = {kind: draws(split, kind, levels, Random(f"{name}/{kind}")) for kind in kinds}
    problems: dict[str, Problem] = {}
    for kind in islice(cycle(kinds), count):
        fresh = (drawn for drawn in islice(streams[kind], MOST_DRAWS) if drawn[0] not in problems)
        drawn = next(fresh, None)
        if drawn is None:
            raise ValueError(f"`{name}` wants {count} problems, but after {len(problems)} `{kind}` has none left.")
        problems[drawn[0]] = _problem(kind, *drawn)
    return tuple(problems.values())


def _problem(kind: str, computation: str, exercise: Exercise) -> Problem:
    tags = {"kind": kind, "level": str(operations(exercise.expression)), "computation": computation}
    return Problem(exercise.question, str(value(exercise.expression)), tags)


def _benchmark(
    name: str, title: str, description: str, split: Split, kinds: Sequence[str], levels: Sequence[int], count: int = 200
) -> Benchmark:
    return Benchmark(name, title, description, count, lambda: collect(name, split, kinds, levels, count))


BENCHMARKS = (
    _benchmark(
        "mini_sums",
        "Mini sums",
        "sums and differences of up to four small numbers",
        Split.EVALUATION,
        ("sum", "difference"),
        TAUGHT_LEVELS,
    ),
    _benchmark(
        "mini_chains",
        "Mini chains",
        "expressions of + - *, at most three operations",
        Split.EVALUATION,
        ("mixed", "product"),
        TAUGHT_LEVELS,
    ),
    _benchmark(
        "mini_stories",
        "Mini stories",
        "word problems of at most three events",
        Split.EVALUATION,
        ("story",),
        TAUGHT_LEVELS,
    ),
    _benchmark(
        "mini_equations",
        "Mini equations",
        "linear equations in one unknown, at most three operations to undo",
        Split.EVALUATION,
        ("equation",),
        TAUGHT_LEVELS,
    ),
    _benchmark(
        "mini_longer",
        "Mini longer",
        "the six taught kinds with four operations, more than ever taught",
        Split.EVALUATION,
        tuple(KINDS),
        (4,),
    ),
    _benchmark(
        "mini_unseen",
        "Mini unseen",
        "brackets, instructions, shared things, rearranged equations: kinds that are never taught",
        Split.EVALUATION,
        tuple(UNSEEN),
        TAUGHT_LEVELS,
    ),
    _benchmark(
        "mini_validation",
        "Mini validation",
        "the six taught kinds from the validation split, for tuning only",
        Split.VALIDATION,
        tuple(KINDS),
        TAUGHT_LEVELS,
        240,
    ),
)

TRAINING_SETS = (
    TrainingSet(
        "mini_rl",
        "the six taught kinds with one to three operations, from the RL split",
        lambda: collect("mini_rl", Split.RL, tuple(KINDS), TAUGHT_LEVELS, 3000),
    ),
)
