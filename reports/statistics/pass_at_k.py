"""pass@k, the chance that at least one of k attempts is correct, and pass^k, that all of them are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reports.statistics.satterthwaite import Floats


def pass_at_k(attempts: NDArray[np.int64], correct: NDArray[np.int64], k: int) -> Floats:
    """Chance that at least one of k attempts is correct, for each problem: 1 - C(n - c, k) / C(n, k).

    Unbiased (Chen et al. 2021, arXiv:2107.03374, eq. 1), unlike a bootstrap with replacement.

    Raises: ValueError if a problem has fewer than k attempts.
    """
    return pass_at_ks(attempts, correct, [k])[..., 0]


def pass_at_ks(attempts: NDArray[np.int64], correct: NDArray[np.int64], ks: Sequence[int]) -> Floats:
    """`pass_at_k` for several k at once: problems x ks."""
    if attempts.size and attempts.min() < max(ks):
        raise ValueError(
            f"`k` must be at most the {attempts.min()} attempts of every problem, but is {max(ks)} instead."
        )
    # Product form: C(n-c, k) / C(n, k) = prod_{i<k} (n - c - i) / (n - i); a factor of zero or less ends it.
    i = np.arange(max(ks))
    left = np.clip((attempts - correct)[..., None] - i, 0, None)
    none = np.cumprod(left / (attempts[..., None] - i), axis=-1, dtype=np.float64)
    return 1.0 - none[..., np.array(ks) - 1]


def pass_hat_k(attempts: NDArray[np.int64], correct: NDArray[np.int64], k: int) -> Floats:
    """pass^k, the chance that all of k attempts are correct, for each problem: C(c, k) / C(n, k).

    Unbiased (Yao et al. 2024, arXiv:2406.12045, section 2.3). It is one less the chance that at least one of k is not
    correct, which is pass@k with the two exchanged.

    Raises: ValueError if a problem has fewer than k attempts.
    """
    return 1.0 - pass_at_k(attempts, attempts - correct, k)
