"""Holm's adjustment and comparisons with the best: golden values."""

from __future__ import annotations

import numpy as np
import pytest

from reports.statistics.multiple import below_best_p, holm


def test_holm() -> None:
    # sorted .01 .02 .04, times 3 2 1: .03 .04 .04
    assert holm([0.04, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    # a test that could not be made still counts: .01 x 3, then .6 x 2 = 1.2 -> 1
    assert holm([0.01, None, 0.6]) == [pytest.approx(0.03), None, 1.0]
    assert holm([]) == []


def test_holm_agrees_with_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(5).random(12) ** 3
    assert holm(p.tolist()) == pytest.approx(multipletests(p, method="holm")[1].tolist())


@pytest.mark.parametrize(
    ("comparisons", "df", "quantile"),
    # Dunnett 1955, table 1a: one-sided 5 % points
    [(1, 10, 1.81), (2, 5, 2.44), (3, 10, 2.34), (4, 20, 2.30), (9, 20, 2.60)],
)
def test_dunnett_quantiles(comparisons: int, df: int, quantile: float) -> None:
    assert below_best_p(quantile, df, comparisons) == pytest.approx(0.05, abs=0.001)
