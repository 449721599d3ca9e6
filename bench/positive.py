"""Do reports see training that is known to be worse? With all seeds, and with fewer.

    rence run configs/calibration/positive.yaml         # and half the budget, as that file says
    OMP_NUM_THREADS=1 PYTHONPATH=. python bench/positive.py runs/calibration-positive/grpo \\
        runs/calibration-positive/grpo_tenth_rate runs/calibration-half/grpo runs/calibration-positive/grpo_mislabelled

The first arm minus each other one, on the average of the first one's benchmarks, through the function behind every
p-value of a report. Then every way to take two, three, ... of the seeds on both sides: the share in which p is below
.05.
These overlap: they describe the seeds at hand, and are no estimate of power. Prints Markdown.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

from reports.data.load import load
from reports.data.pairs import difference
from reports.data.scores import Scores, complete, headline
from reports.words import p_text, percent, signed, signed_extent

ALPHA = 0.05


def arm(place: Path) -> list[Scores]:
    """On all benchmarks of its run, at the headline."""
    run = load(place.parent)
    found = complete(headline(run), place.name, list(run.plan.benchmarks))
    if found is None:
        raise SystemExit(f"{place} has no complete result.")
    return found


def taken(group: list[Scores], number: int) -> Iterable[list[Scores]]:
    """Every choice of so many seeds."""
    return ([s.only(seeds) for s in group] for seeds in combinations(group[0].seeds, number))


def found(a: list[Scores], b: list[Scores], number: int) -> float:
    """The share of the choices of seeds that separate the two."""
    p_values = [difference(x, y, "algorithm", ALPHA).p_value for x in taken(a, number) for y in taken(b, number)]
    return sum(p is not None and p < ALPHA for p in p_values) / len(p_values)


def main(base: str, *others: str) -> None:
    ours = arm(Path(base))
    numbers = range(2, len(ours[0].seeds))
    print(f"| | {Path(base).name} ahead, points | p | {' | '.join(f'found with {n}' for n in numbers)} |")
    print(f"|---|---:|---:|{'---:|' * len(numbers)}")
    for other in others:
        theirs = arm(Path(other))
        e = difference(ours, theirs, "algorithm", ALPHA)
        shares = [f"{percent(found(ours, theirs, n))} %" for n in numbers]
        row = [other, f"{signed(e.value)} ({signed_extent(e.interval)})", p_text(e.p_value), *shares]
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
