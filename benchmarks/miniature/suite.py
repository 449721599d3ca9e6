"""The split, and the benchmarks and training sets made from it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import cycle, islice
from random import Random

from benchmarks.marks import NUMBERS
from benchmarks.miniature.expressions import canonical, operations, value
from benchmarks.miniature.kinds import KINDS, Exercise
from benchmarks.miniature.unseen import UNSEEN
from benchmarks.problems import Benchmark, Problem, Selection, TrainingSet

TAUGHT: Mapping[str, Sequence[int]] = {
    "sum": (1, 2, 3, 4),
    "difference": (1, 2, 3),
    "mixed": (1, 2, 3, 4),
    "product": (1, 2, 3),
    "story": (1, 2, 3, 4),
    "equation": (1, 2, 3),
}
"""levels of each kind in SFT, RL and validation"""
LONGER: Mapping[str, Sequence[int]] = {"difference": (4,), "product": (4,), "equation": (4,)}
"""held-out levels: four operations where at most three were taught"""
NEW: Mapping[str, Sequence[int]] = dict.fromkeys(UNSEEN, (1, 2, 3))
"""held-out kinds"""
EASY: Mapping[str, Sequence[int]] = {"mixed": (1,)}
"""one operation, for models that were taught none of this"""
ALL_KINDS = {**KINDS, **UNSEEN}
MOST_DRAWS = 200
"""a set that cannot find a new computation in so many draws asks for more than its space holds"""


LICENCE, ORIGIN = "Apache-2.0", "made by rule"


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


def collect(name: str, split: Split, levels: Mapping[str, Sequence[int]], count: int) -> tuple[Problem, ...]:
    """The problems of one set: the kinds of `levels` in turn, no computation twice.

    Raises: ValueError if the split has too few.
    """
    streams = {kind: draws(split, kind, levels[kind], Random(f"{name}/{kind}")) for kind in levels}
    problems: dict[str, Problem] = {}
    for kind in islice(cycle(levels), count):
        fresh = (drawn for drawn in islice(streams[kind], MOST_DRAWS) if drawn[0] not in problems)
        drawn = next(fresh, None)
        if drawn is None:
            raise ValueError(f"`{name}` wants {count} problems, but after {len(problems)} `{kind}` has none left.")
        problems[drawn[0]] = _problem(kind, *drawn)
    return tuple(problems.values())


def _problem(kind: str, computation: str, exercise: Exercise) -> Problem:
    tags = {"kind": kind, "level": str(operations(exercise.expression)), "computation": computation}
    return Problem(exercise.question, str(value(exercise.expression)), tags, NUMBERS)


def _taught(*kinds: str) -> Mapping[str, Sequence[int]]:
    return {kind: TAUGHT[kind] for kind in kinds}


def _benchmark(
    name: str,
    description: str,
    levels: Mapping[str, Sequence[int]],
    content: str,
    count: int = 200,
    split: Split = Split.EVALUATION,
) -> Benchmark:
    """One of exact whole numbers, 4 attempts a problem, made by rule when it is asked for.

    Args:
        levels: kind -> the numbers of operations that its problems may have.
        content: hash that the problems must have, so that a change of the rules is noticed.
    """
    return Benchmark(
        name=name,
        title=name.replace("_", " ").capitalize(),
        description=description,
        count=count,
        load=lambda: collect(name, split, levels, count),
        licence=LICENCE,
        origin=ORIGIN,
        rule=NUMBERS,
        k=4,
        content=content,
    )


# in rising difficulty for the base model: four taught, then unseen kinds, then unseen lengths
BENCHMARKS = (
    _benchmark(
        "mini_equations", "linear equations, one to three operations to undo", _taught("equation"), "093bca4e7ed19469"
    ),
    _benchmark(
        "mini_sums",
        "sums and differences of two to five small numbers",
        _taught("sum", "difference"),
        "e97d84a522572d89",
    ),
    _benchmark(
        "mini_chains",
        "expressions of + - * with one to four operations",
        _taught("mixed", "product"),
        "35fd6644bde53913",
    ),
    _benchmark("mini_stories", "word problems of one to four events", _taught("story"), "2260b2970f303e0f"),
    _benchmark(
        "mini_unseen",
        "nested sums, subtracted products, paired events, turned equations: never taught",
        NEW,
        "3b682e8e0bd575bb",
    ),
    _benchmark("mini_longer", "four operations, in kinds where at most three are taught", LONGER, "0e91d61ce65c128f"),
    _benchmark(
        "mini_validation",
        "the taught kinds from a split of their own, for tuning only",
        TAUGHT,
        "528a95a58aa3fad6",
        240,
        Split.VALIDATION,
    ),
    _benchmark("mini_easy", "one addition or subtraction of small numbers", EASY, "5e8b517680ffceac", 32),
)
CARD = BENCHMARKS[:-1]
"""what the base model's card has; mini_easy is for models that were taught none of the suite"""

TRAINING_SETS = (
    TrainingSet(
        "mini_rl",
        "the taught kinds from the split for reinforcement learning",
        lambda: Selection(collect("mini_rl", Split.RL, TAUGHT, 3000)),
        3000,
        licence=LICENCE,
        origin=ORIGIN,
    ),
    TrainingSet(
        "mini_easy_rl",
        "one addition or subtraction, from the split for reinforcement learning",
        lambda: Selection(collect("mini_easy_rl", Split.RL, EASY, 54)),
        54,
        licence=LICENCE,
        origin=ORIGIN,
    ),
)
