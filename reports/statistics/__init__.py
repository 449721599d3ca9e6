"""Formulas only: no file, no arm, no benchmark by name. Each has its source; docs/statistics.md says why these.

crossed.py         a score or a difference with its interval: seeds and problems crossed
satterthwaite.py   degrees of freedom of sums of variances, and their upper bounds
multiple.py        Holm's adjustment, comparisons with the best
equivalence.py     two one-sided tests
permutation.py bootstrap.py draws.py    the other tests, and their random numbers
variance.py        what a variance is made of
power.py design.py what a design can detect, and what another could
collapse.py improvement.py   what a single seed may do
votes.py pass_hat_k.py       maj@k and pass^k
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
