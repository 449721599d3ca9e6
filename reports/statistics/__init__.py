"""Formulas only: no file, no arm, no benchmark by name. Each has its source; docs/statistics.md says why these.

crossed.py         a score or a difference with its interval: seeds and problems crossed
satterthwaite.py   degrees of freedom of sums of variances, and their upper bounds
multiple.py        Holm's adjustment, comparisons with the best
equivalence.py     two one-sided tests
permutation.py bootstrap.py draws.py    the other tests, and their random numbers
variance.py        what a variance is made of
power.py           what difference a test can see
planned.py design.py optimise.py    before a run; another design after it; the cheapest one
votes.py           maj@k
"""

from reports.statistics.crossed import (
    ESTIMANDS,
    ROUNDING,
    Estimand,
    Estimate,
    Floats,
    MeanSquare,
    Parts,
    contrast,
    pass_at_k,
    pass_at_ks,
    seed_correlation,
)

__all__ = [
    "ESTIMANDS",
    "ROUNDING",
    "Estimand",
    "Estimate",
    "Floats",
    "MeanSquare",
    "Parts",
    "contrast",
    "pass_at_k",
    "pass_at_ks",
    "seed_correlation",
]
