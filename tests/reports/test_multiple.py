"""Several tests at once: p-values and intervals come from one method."""

from __future__ import annotations

import numpy as np
import pytest

from reports.statistics import contrast
from reports.statistics.multiple import adjusted, simultaneous


def test_adjusted() -> None:
    assert adjusted([0.04, 0.01, 0.02]) == pytest.approx([0.12, 0.03, 0.06])
    # a test that could not be made still counts
    assert adjusted([0.01, None, 0.6]) == [pytest.approx(0.03), None, 1.0]
    assert adjusted([]) == []


@pytest.mark.parametrize("seeds", [1, 2, 3, 5])
def test_a_simultaneous_interval_leaves_zero_out_exactly_where_the_adjusted_p_is_below_alpha(seeds: int) -> None:
    rng = np.random.default_rng(seeds)
    seen = set()
    for gain in np.linspace(-0.4, 0.4, 41):
        y = [[rng.binomial(4, 0.5 + shift, (seeds, 40)) / 4] for shift in (gain / 2, -gain / 2)]
        estimate = contrast(y, (1.0, -1.0))
        low, high = simultaneous(estimate, 0.05, 3) or (0.0, 0.0)
        p = adjusted([estimate.p_value, None, None])[0]
        assert p is not None and (p < 0.05) == (low > 0 or high < 0)
        seen.add(p < 0.05)
    assert seen == {True, False} or seeds == 2
