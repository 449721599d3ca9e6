"""How much one experiment may ask for. More is a slip of the pen, and is refused before any of it is made;
docs/reliability.md has what `rence plan` of the largest takes."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, Le

ARMS = 1_000
"""listed and made by sweeps; reports were measured with 200"""
SEEDS = 1_000
"""reports were measured with 500"""
TRIALS = 100_000
"""arms times seeds; those of the tuning are counted apart"""
TRIED = 4_000
"""arms times candidates of a tuning"""
BENCHMARKS = 200
DECODINGS = 5
"""ways to sample the answers at the headline"""
ATTEMPTS = 100_000
"""k, at a problem; studies of pass@k went to 10,000"""
REFILLS = 1_000
"""batches that one step may ask: where no group passes the filter, it asks them all"""
POINTS = 1_000
"""evaluations in a trial"""
RECORDED = 1_000
"""steps whose rollouts are kept"""
PUBLISHED = 100
"""files of published scores"""
EXTENDS = 100
"""arms that an arm takes its settings from, one through the other"""
COUNT = 10**12
"""of anything that is counted: rollouts, tokens, problems, attempts"""
SEED = 2**53 - 1
"""the largest: the untrained model has none, and a column of numbers with a gap is one of floats, which would make
another of the next"""

Count = Annotated[int, Ge(1), Le(COUNT)]
Attempts = Annotated[int, Ge(1), Le(ATTEMPTS)]
Refills = Annotated[int, Ge(1), Le(REFILLS)]
Whole = Annotated[int, Ge(0), Le(COUNT)]
SeedNumber = Annotated[int, Ge(0), Le(SEED)]
NonNegative = Annotated[float, Ge(0)]
Positive = Annotated[float, Gt(0)]
