"""McNemar, permutation tests and the crossed bootstrap: golden values, identities, and draws that repeat."""

from __future__ import annotations

from itertools import product
from math import comb

import numpy as np
import pytest
from scipy import stats

from reports.statistics import contrast
from reports.statistics.bootstrap import crossed_bootstrap
from reports.statistics.draws import generator
from reports.statistics.permutation import DRAWS, mcnemar, seed_labels, sign_flip


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_mcnemar_by_hand() -> None:
    # 9 gained, 2 lost: P(X <= 2) of Binomial(11, 1/2) = (1 + 11 + 55) / 2048; twice that; mid-p less 55 / 2048
    found = mcnemar(9, 2)
    assert found.exact == pytest.approx(2 * 67 / 2048)
    assert found.mid_p == pytest.approx((2 * 67 - 55) / 2048)
    assert mcnemar(2, 9).exact == found.exact
    assert (mcnemar(3, 3).exact, mcnemar(3, 3).mid_p, mcnemar(0, 0).exact) == (1, 1, 1)


def test_mcnemar_agrees_with_statsmodels() -> None:
    from statsmodels.stats.contingency_tables import mcnemar as theirs

    for gained, lost in ((9, 2), (15, 11), (0, 6), (40, 21)):
        expected = theirs([[5, gained], [lost, 7]], exact=True).pvalue
        assert mcnemar(gained, lost).exact == pytest.approx(expected)


def test_sign_flip_by_hand() -> None:
    # |+-1 +-2 +-3| >= 4 in 4 of 8 ways (6, 4, -4, -6); observed 1 + 3 - ... = 1 - 2 + 3 = 2: |sum| >= 2 in 6 of 8
    found = sign_flip(np.array([1.0, 2.0, 3.0, 0.0]), rng())
    assert found is not None and (found.p_value, found.cases, found.exact) == (2 / 8, 8, True)
    found = sign_flip(np.array([1.0, -2.0, 3.0]), rng())
    assert found is not None and found.p_value == 6 / 8
    assert sign_flip(np.zeros(5), rng()) is None


@pytest.mark.parametrize(("gained", "lost"), [(9, 2), (6, 6), (12, 7)])
def test_sign_flip_of_single_answers_is_mcnemars_test(gained: int, lost: int) -> None:
    differences = np.repeat([1.0, -1.0, 0.0], [gained, lost, 20]) / 300
    found = sign_flip(differences, rng())
    assert found is not None and found.exact and found.p_value == pytest.approx(mcnemar(gained, lost).exact)


def test_sign_flip_of_many_problems_is_drawn_and_is_never_zero() -> None:
    found = sign_flip(np.full(60, 0.01), rng())
    assert found is not None and (found.exact, found.cases) == (False, 10_000)
    assert found.p_value == 1 / (1 + DRAWS), "the observed case is one of them (Phipson & Smyth 2010)"
    differences = np.random.default_rng(1).normal(0.2, 1, 200)
    found, expected = sign_flip(differences, rng()), stats.ttest_1samp(differences, 0).pvalue
    assert found is not None and found.p_value == pytest.approx(expected, abs=0.01)


def test_seed_labels_by_hand() -> None:
    # 4 and 4 apart: of C(8, 4) = 70 ways only the observed one and its mirror are as far out
    a, b = np.array([0.5, 0.6, 0.7, 0.8]), np.array([0.1, 0.2, 0.3, 0.4])
    found = seed_labels(a, b, rng())
    assert found is not None and (found.p_value, found.cases, found.exact) == (2 / 70, 70, True)
    assert seed_labels(a[:3], b, rng()) is None, "three a side can reach no more than 2 / 35"
    assert seed_labels(np.full(4, 0.3), np.full(4, 0.3), rng()) is None


def test_seed_labels_count_every_way() -> None:
    values = np.random.default_rng(2)
    a, b = values.random(4), values.random(6)
    every, observed = np.concatenate([a, b]), abs(a.mean() - b.mean())
    ways = [np.array(way, bool) for way in product((False, True), repeat=10) if sum(way) == 4]
    far = sum(abs(every[way].mean() - every[~way].mean()) >= observed - 1e-12 for way in ways)
    found = seed_labels(a, b, rng())
    assert found is not None and found.p_value == pytest.approx(far / comb(10, 4))


def test_many_seeds_are_drawn() -> None:
    values = np.random.default_rng(3)
    a, b = values.normal(0.3, 1, 14), values.normal(0, 1, 14)
    found = seed_labels(a, b, rng())
    assert found is not None and not found.exact
    assert found.p_value == pytest.approx(stats.ttest_ind(a, b).pvalue, abs=0.02)


def test_bootstrap_of_one_checkpoint_is_that_of_its_problems() -> None:
    y = np.random.default_rng(4).random((1, 400))
    found = crossed_bootstrap([[y]], (1.0,), rng())
    normal = contrast([[y]], estimand="checkpoints").interval
    assert found and normal and found == pytest.approx(normal, abs=0.003)


def test_bootstrap_draws_the_problems_of_both_arms_together() -> None:
    y = np.random.default_rng(5).random((1, 100))
    assert crossed_bootstrap([[y], [y]], (1.0, -1.0), rng()) is None, "no difference on any problem, whatever is drawn"
    assert crossed_bootstrap([[y], [y - 0.1]], (1.0, -1.0), rng()) is None


def test_bootstrap_draws_a_seed_with_all_its_benchmarks() -> None:
    # Seed effects that cancel between two benchmarks: .1 and -.1; the average of each seed is .5
    one, other = np.array([[0.6] * 5, [0.4] * 5]), np.array([[0.4] * 5, [0.6] * 5])
    assert crossed_bootstrap([[one, other]], (1.0,), rng()) is None
    # On one alone: (0 or 1 or 2 of the better) -> .4, .5, .6
    assert crossed_bootstrap([[one]], (1.0,), rng(), "benchmark") == pytest.approx((0.4, 0.6))
    assert crossed_bootstrap([[one]], (1.0,), rng(), "checkpoints") is None


def test_draws_follow_identity() -> None:
    one, same, other = (generator(*names).random() for names in (("a", "bc"), ("a", "bc"), ("ab", "c")))
    assert one == same != other
