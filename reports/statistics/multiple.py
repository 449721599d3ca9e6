"""Several tests at once: Holm's adjustment, and comparisons with the best."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from scipy import special


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjusted p-values that keep the family-wise error rate (Holm 1979, Scandinavian Journal of Statistics 6, 65-70).

    A test that could not be made (None) stays None and still counts: the family's size was fixed before.
    """
    order = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, i) in enumerate(order):
        largest = max(largest, min(1.0, p * (len(p_values) - rank)))
        adjusted[i] = largest
    return adjusted


def below_best_p(t: float, df: float, comparisons: int) -> float:
    """P(max of `comparisons` t variables >= t): the p-value that an arm is below the best of the others.

    Multiple comparisons with the best (Hsu 1984, Annals of Statistics 12(3), 1136-1144) uses one-sided Dunnett
    quantiles (1955, JASA 50, 1096-1121): equal correlation 1/2, as between differences from one common arm.

        1 - integral f(u) integral phi(z) Phi(z + sqrt(2) t u)^m dz du,   u = sqrt(chi2_df / df)
    """
    (z, weight_z), (q, weight_q) = _nodes()
    u = np.sqrt(special.chdtri(df, (1 - q) / 2) / df)  # chi2 quantiles turn the outer integral into one over (0, 1)
    inner = special.ndtr(z[:, None] + np.sqrt(2) * t * u) ** comparisons
    return float(1 - weight_z @ inner @ weight_q / (np.sqrt(2 * np.pi) * 2))


@cache
def _nodes() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Gauss's nodes and weights for a normal variable and for (-1, 1)."""
    return np.polynomial.hermite_e.hermegauss(64), np.polynomial.legendre.leggauss(128)
