"""That a difference is too small to matter: two one-sided tests.

A difference that is not significant may be large and badly measured. That it lies within a stated margin is a claim of
its own, with a test of its own (Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics 15(6), 657-680).
"""

from __future__ import annotations

from reports.statistics.estimate import Estimate


def equivalence_p(estimate: Estimate | None, margin: float | None) -> float | None:
    """P-value of the hypothesis that the difference is the margin or more, either way.

    The larger of the two one-sided p-values. It is below alpha exactly if the 1 - 2 alpha interval lies inside
    +-margin, and needs no adjustment for being two tests: both must reject (Berger 1982, Technometrics 24(4),
    295-300). None without a margin or where the difference has no test.
    """
    if margin is None or estimate is None:
        return None
    ps = estimate.p_above(-margin), estimate.p_below(margin)
    return None if None in ps else max(p for p in ps if p is not None)
