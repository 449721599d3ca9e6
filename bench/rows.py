"""The rows of the study at the edges, listed before it is run, with what each must reach and those that need not.

A row's interval is what a report would print: `algorithm` is asked for, and what it covers has to be what its seeds
allow. Coverage must be at least `REQUIRED` and the median width at most `WIDEST` times a yardstick's, unless the row
says why not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from bench.designs import Arm, Design, base_of, level, sd_of

REQUIRED = 0.93
WIDEST = 1.10
ONE_SIDED = 0.055
"""most misses on either side of a one-sided bound of 95 %, as a gate uses it"""

Yardstick = Literal["t", "exact"]
"""`t`: a t interval with the true variance and degrees of freedom.

`exact`, near 0 and 1: Clopper & Pearson's interval (scores) or Tango's (differences), which are made for one answer a
problem, of as many independent answers as have the true variance. For there a known variance is no measure: at a rate
of .999 the median of 30 problems is all right, and an interval made of the true variance lies mostly beyond 1. Two
things more are granted. With several seeds the number of answers is less by (z / t)^2, t being the quantile with the
true degrees of freedom. And of a replicate in which fewer than `FEW` problems are not all wrong, not all right, or
differ, the number is at most that of the problems: whether four answers to a problem are worth more than one is not
to be learnt from so few."""

FEW = 6
"""from six on a sign test can reject at .05; no test that knows no distribution can with fewer"""


@dataclass(frozen=True)
class Row:
    group: str
    name: str
    design: Design
    yardstick: Yardstick = "t"
    paired: bool = False
    """whether the plan pairs seeds: `comparison.pair_seeds`"""
    exempt_coverage: str = ""
    """why it need not be covered"""
    exempt_width: str = ""
    """why it may be wide"""


BOUNDED = (
    "two seeds: degrees of freedom are bounded, for which the price is width (a t of one degree of freedom is 4.4 times"
    " a known variance's)"
)
UNDRAWN = "no seed of those drawn collapses with chance .8^S (.51, .33, .11 at 3, 5, 10): the data hold no trace of it"
UNPAIRED = "seeds count as independent unless the plan pairs them: the price of not planning it"
LOGITS = 0.1
K = 4


def two_seeds() -> Iterator[Row]:
    for j in (30, 500):
        for points in (0.0, 1.0, 3.0):
            sd = sd_of(points) if points else 0.0
            arms = (Arm(2, 0.3, sd), Arm(2, 0.0, sd))
            yield Row("two seeds", f"{j} problems, sd {points:g}", Design((j,), arms, k=K), exempt_width=BOUNDED)
    arms = (Arm(2, 0.3, sd_of(4.0)), Arm(2, 0.0, sd_of(1.0)))
    yield Row("two seeds", "500 problems, sd 4 and 1", Design((500,), arms, k=K), exempt_width=BOUNDED)
    for j in (30, 500):
        score = Design((j,), (Arm(2, 0.0, sd_of(3.0)),), k=K)
        yield Row("two seeds", f"score, {j} problems, sd 3", score, exempt_width=BOUNDED)


def mixed_seeds() -> Iterator[Row]:
    for points in (0.6, 1.4, 2.7):
        sd = sd_of(points)
        design = Design((500,), (Arm(1, 0.3, sd), Arm(3, 0.0, sd)), k=K, estimand="checkpoints")
        yield Row("mixed seeds", f"1 v 3, 500 problems, sd {points:g}", design)
    for j in (30, 500):
        for first in (1.4, 4.2):
            arms = (Arm(2, 0.3, sd_of(first)), Arm(8, 0.0, sd_of(1.4)))
            name = f"2 v 8, {j} problems, sd {first:g} and 1.4"
            yield Row("mixed seeds", name, Design((j,), arms, k=K), exempt_width=BOUNDED)


def collapse() -> Iterator[Row]:
    for seeds in (3, 5, 10):
        stable = Arm(seeds, 0.0, LOGITS)
        arms = (level(Arm(seeds, 0.0, LOGITS, collapse=1.5), stable), stable)
        yield Row(
            "collapse", f"{seeds} seeds", Design((500,), arms, k=K), exempt_coverage=UNDRAWN, exempt_width=UNDRAWN
        )


def floor_and_ceiling() -> Iterator[Row]:
    """Of one checkpoint, of two, and of three seeds an arm that differ by .2 logits."""
    kinds: dict[str, Design] = {
        "score, 1 checkpoint": Design((1,), (Arm(1),), estimand="checkpoints"),
        "difference, 2 checkpoints": Design((1,), (Arm(1, 0.3), Arm(1)), estimand="checkpoints"),
        "score, 3 seeds": Design((1,), (Arm(3, 0.0, 0.2),)),
        "difference, 3 seeds": Design((1,), (Arm(3, 0.3, 0.2), Arm(3, 0.0, 0.2))),
    }
    for kind, design in kinds.items():
        for rate in (0.001, 0.005, 0.02, 0.98, 0.99, 0.999):
            for j in (30, 100, 500):
                for k in (1, 4):
                    own = replace(design, problems=(j,), bases=(base_of(rate),), k=k)
                    name = f"{str(rate).removeprefix('0')}, {j} problems, k {k}"
                    yield Row(f"edge: {kind}", name, own, "exact")


def shared_order() -> Iterator[Row]:
    for paired in (False, True):
        for seeds in (3, 5, 10):
            arms = (Arm(seeds, 0.3, sd_of(2.7)), Arm(seeds, 0.0, sd_of(2.7)))
            name = f"{seeds} seeds, {'paired' if paired else 'unpaired'}"
            design = Design((500,), arms, k=K, correlation=0.7)
            yield Row("shared order", name, design, paired=paired, exempt_width="" if paired else UNPAIRED)


SIX, RATES = (500, 30, 30, 83, 272, 675), (0.9, 0.2, 0.1, 0.6, 0.35, 0.5)
"""MATH-500, AIME24, AIME25, AMC23, Minerva, OlympiadBench"""


def six_benchmarks() -> Iterator[Row]:
    bases = tuple(map(base_of, RATES))
    one = Design(SIX, (Arm(1, 0.3), Arm(1)), bases, estimand="checkpoints")
    yield Row("six benchmarks", "2 checkpoints", one)
    yield Row("six benchmarks", "score, 1 checkpoint", replace(one, arms=(Arm(1),)))
    for points in (0.6, 2.7):
        sd = sd_of(points)
        for seeds in (2, 3, 5, 10):
            design = Design(SIX, (Arm(seeds, 0.3, sd), Arm(seeds, 0.0, sd)), bases)
            wide = BOUNDED if seeds == 2 else ""
            yield Row("six benchmarks", f"{seeds} seeds, sd {points:g}", design, exempt_width=wide)
    yield Row("six benchmarks", "score, 3 seeds, sd 2.7", Design(SIX, (Arm(3, 0.0, sd_of(2.7)),), bases))


ROWS: tuple[Row, ...] = (
    *two_seeds(),
    *mixed_seeds(),
    *collapse(),
    *floor_and_ceiling(),
    *shared_order(),
    *six_benchmarks(),
)
