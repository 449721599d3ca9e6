"""pass^k: the chance that all of k attempts are correct, beside pass@k, that one is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reports.statistics.crossed import Floats, pass_at_k


def pass_hat_k(attempts: NDArray[np.int64], correct: NDArray[np.int64], k: int) -> Floats:
    """Chance that all of k attempts are correct, for each problem: C(c, k) / C(n, k).

    Unbiased (Yao et al. 2024, arXiv:2406.12045, section 2.3). It is one less the chance that at least one of k is not
    correct, which is pass@k with the two exchanged.

    Raises: ValueError if a problem has fewer than k attempts.
    """
    return 1.0 - pass_at_k(attempts, attempts - correct, k)
