"""The cheapest design that sees a margin: against every design there is, and where none fits."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from reports.statistics.basis import StatedBasis
from reports.statistics.optimise import DesignPrices, line_of, optimise, option
from reports.statistics.planned import PowerTarget, Variances

PROBLEMS = (200, 30)
PRICES = DesignPrices(arms=2, rollouts=400, problems=PROBLEMS, earlier=50)
BASIS = StatedBasis(PROBLEMS, Variances(), PowerTarget())


def test_a_design_is_priced_by_hand() -> None:
    # 2 arms x 3 seeds x 400 rollouts; 200 x 4 + 30 x 8 = 1,040 attempts of each of 6 trials and of the untrained model,
    # and 50 at the earlier points of each trial
    one = option(PRICES, BASIS, 3, (4, 8))
    assert (one.rollouts, one.attempts, one.responses) == (2400, 7 * 1040 + 6 * 50, 2400 + 7 * 1040 + 300)
    # 2 x .02^2 / 3, (.01 / 200 + .01 / 30) / 4, and 2 x .13258 / 3 x (1 / 800 + 1 / 240) / 4
    left = np.array([2.6667e-4, 9.5833e-5, 1.1969e-4])
    assert list(one.shares.values()) == pytest.approx(left / left.sum(), rel=1e-3)


@pytest.mark.parametrize(("rollouts", "most"), [(10, 20), (400, 14)])
def test_of_all_designs_the_cheapest_is_found(rollouts: int, most: int) -> None:
    """Every number of seeds with every k from 1 to 12 on both benchmarks, some 2,000 designs; where trials are nearly
    free it has many seeds, where they are dear fewer and more attempts."""
    margin, prices = 0.045, replace(PRICES, rollouts=rollouts)
    cheapest = None
    for seeds, *samples in product(range(2, most), range(1, 13), range(1, 13)):
        price = prices.responses(seeds, tuple(samples))
        if cheapest is not None and price >= cheapest:
            continue
        seen = BASIS.sight(seeds, tuple(samples))
        cheapest = price if seen and seen.upper <= margin else cheapest
    found = optimise(prices, BASIS, margin, None)
    assert found.designs[0].responses == cheapest
    assert found.designs == sorted(found.designs, key=lambda one: one.responses) and len(found.designs) == 5
    assert all(one.sight and one.sight.upper <= margin for one in found.designs)


def test_attempts_go_where_they_buy_most() -> None:
    """Half of the attempts each where an attempt has the same variance, however many problems there are; with four
    times the variance, twice as many."""
    equal = line_of(PROBLEMS, (1.0, 1.0), most=64)
    k = next(samples for samples in equal if samples[0] == 6)
    assert PROBLEMS[1] * k[1] == pytest.approx(PROBLEMS[0] * k[0], rel=0.1)
    unequal = line_of(PROBLEMS, (1.0, 4.0), most=64)
    k = next(samples for samples in unequal if samples[0] == 3)
    assert PROBLEMS[1] * k[1] == pytest.approx(2 * PROBLEMS[0] * k[0], rel=0.25)
    assert line_of(PROBLEMS, (0.0, 1.0), most=3) == [(1, 1), (1, 2), (1, 3)]


def test_where_the_budget_binds_the_best_within_it_is_named() -> None:
    found = optimise(PRICES, BASIS, 0.045, 8_000)
    assert (found.designs, found.binds) == ([], "budget")
    assert found.cheapest and found.cheapest.responses > 8_000
    assert found.best and found.best.responses <= 8_000 and found.best.sight and found.best.sight.upper > 0.045
    penniless = optimise(PRICES, BASIS, 0.045, 500)
    assert penniless.best is None and penniless.binds == "budget"


def test_where_problems_bind_no_budget_helps() -> None:
    # Endless seeds and attempts leave sd .1 over the problems: sqrt(9.5833e-5) x 2.8 = 2.8 points
    found = optimise(PRICES, BASIS, 0.02, 10**9)
    assert (found.designs, found.cheapest, found.binds) == ([], None, "problems")
    assert found.limit.sight and found.limit.sight.estimate == pytest.approx(0.0286, abs=0.001)


def test_one_seed_is_a_design_where_checkpoints_are_the_target() -> None:
    about = StatedBasis(PROBLEMS, Variances(), PowerTarget("checkpoints"))
    assert optimise(PRICES, about, 0.06, None).designs[0].seeds == 1
    assert optimise(PRICES, BASIS, 0.3, None).designs[0].seeds >= 2
