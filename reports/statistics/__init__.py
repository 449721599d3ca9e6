"""Formulas only: no file, no arm, no benchmark by name. Each has its source; docs/statistics.md says why these.

estimate.py        a score or a difference with its interval and its tests: one function behind all of them
crossed.py         where the numbers come from: seeds and problems crossed
bounds.py          what problems alone say: exact where few of them differ
pass_at_k.py       pass@k and pass^k from counts
satterthwaite.py   degrees of freedom of sums of variances, and their upper bounds
multiple.py        several tests: p-values and simultaneous intervals by one method
equivalence.py     two one-sided tests
permutation.py bootstrap.py draws.py    the other tests, and their random numbers
variance.py        what a variance is made of
power.py           what difference a test can see
planned.py design.py    before a run; another design after it
optimise.py basis.py    the cheapest design, and what it rests on
collapse.py improvement.py    what a single seed may do
votes.py           maj@k
lean_scipy.py      scipy's special functions, without what commands would wait for
"""

from reports.statistics.crossed import contrast
from reports.statistics.estimate import ESTIMANDS, ROUNDING, Estimand, Estimate, MeanSquare, Parts
from reports.statistics.pass_at_k import pass_at_k, pass_at_ks, pass_hat_k
from reports.statistics.satterthwaite import Floats
from reports.statistics.variance import seed_correlation

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
    "pass_hat_k",
    "seed_correlation",
]
