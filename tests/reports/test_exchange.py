"""Answers exchanged within problems: exact where it is, its level where truth is known, and what it can see."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from reports.statistics.exchange import AnswerCounts, detectable, interval, mean_test, pattern_test
from reports.statistics.permutation import mcnemar


def counts(a: list[int], b: list[int], k_a: int, k_b: int) -> AnswerCounts:
    return AnswerCounts(np.array(a), np.array(b), k_a, k_b)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_with_one_answer_each_it_is_mcnemars() -> None:
    # 8 problems that only A solved, 2 that only B did, 20 on which they agree
    table = counts([1] * 8 + [0] * 2 + [1] * 20, [0] * 8 + [1] * 2 + [1] * 20, 1, 1)
    found = mean_test([table], rng())
    assert found.exact and found.p_value == pytest.approx(mcnemar(8, 2).exact) == pytest.approx(112 / 1024)
    assert pattern_test([table], rng()) is None  # which problems differ says nothing: any might


def test_one_problem_is_fishers_test() -> None:
    # 7 of 8 against 2 of 6; Fisher's two-sided p takes cases that are as unlikely, here those as far out
    found = mean_test([counts([7], [2], 8, 6)], rng())
    chances = {x: stats.hypergeom(14, 9, 8).pmf(x) for x in range(3, 9)}
    far = [x for x in chances if abs(x / 8 - (9 - x) / 6) >= 7 / 8 - 2 / 6 - 1e-9]
    assert found.p_value == pytest.approx(sum(chances[x] for x in far))


def test_two_benchmarks_with_different_steps_by_hand() -> None:
    # one problem each: A 2/2 against 0/2, and 1/1 against 0/1. Under exchange D1 is 1, 0, -1 (1/6, 4/6, 1/6) and D2 is
    # 1 or -1; their mean is 1 in absolute value with 2 x 1/12.
    found = mean_test([counts([2], [0], 2, 2), counts([1], [0], 1, 1)], rng())
    assert found.exact and found.p_value == pytest.approx(1 / 6)


def test_drawn_and_counted_agree() -> None:
    draw = rng(1)
    p = draw.beta(1, 1, 37)
    a, b = (draw.binomial(4, p), draw.binomial(8, p))
    other = counts([3, 1, 0], [1, 2, 1], 4, 4)
    tables = [AnswerCounts(a, b, 4, 8), other]
    counted = mean_test(tables, rng())
    big = [AnswerCounts(a, b, 4, 8), other, AnswerCounts(np.full(1009, 1), np.full(1009, 1), 4, 4)]
    big[2].b[:200] = 2
    drawn = mean_test(big, rng())
    assert counted.exact and not drawn.exact
    # by simulation with another library's draws
    sums = np.mean([_differences(t, 4000) for t in big], axis=0)
    observed = abs(np.mean([t.difference for t in big]))
    assert drawn.p_value == pytest.approx(np.mean(np.abs(sums) >= observed - 1e-9), abs=0.02)


def _differences(t: AnswerCounts, n: int) -> np.ndarray:
    m = t.a + t.b
    x = stats.hypergeom(t.k_a + t.k_b, m, t.k_a).rvs((n, len(m)), random_state=5)
    return (x / t.k_a - (m - x) / t.k_b).mean(axis=1)


def test_the_level_is_kept_and_changes_that_cancel_out_are_seen() -> None:
    """100 pairs of checkpoints: the same; and with rates that moved by .25 on every problem, up on half of them."""
    draw, same, moved = rng(2), [], []
    for i in range(100):
        p = draw.uniform(0.3, 0.7, 60)
        up = np.where(np.arange(60) % 2, 0.25, -0.25)
        a = draw.binomial(4, p)
        for other, kept in ((p, same), (p + up, moved)):
            table = [AnswerCounts(a, draw.binomial(8, other), 4, 8)]
            pattern = pattern_test(table, rng(i))
            assert pattern is not None
            kept.append((mean_test(table, rng(i)).p_value, pattern.p_value))
    level, power = (np.mean(np.array(found) < 0.05, axis=0) for found in (same, moved))
    assert (level <= 0.1).all()  # .05 and 2.3 standard errors
    assert power[0] < 0.12 and power[1] > 0.9


@pytest.mark.parametrize(("n", "k", "rates"), [(100, 4, (0.2, 0.8)), (300, 1, (0.4, 0.9)), (60, 1, (1.0, 1.0))])
def test_what_it_says_it_could_see_it_sees(n: int, k: int, rates: tuple[float, float]) -> None:
    draw = rng(3)
    p = draw.uniform(*rates, n)
    seen = [detectable([AnswerCounts(draw.binomial(k, p), draw.binomial(k, p), k, k)], 0.05) for _ in range(50)]
    d = float(np.median([s for s in seen if s is not None]))
    tables = [AnswerCounts(draw.binomial(k, p), draw.binomial(k, p - d), k, k) for _ in range(200)]
    power = np.mean([mean_test([table], rng()).p_value < 0.05 for table in tables])
    assert 0.70 < power < 0.93


def test_nothing_can_be_seen_with_a_few_answers() -> None:
    assert detectable([counts([1, 0, 1], [1, 1, 0], 1, 1)], 0.05) is None
    assert detectable([counts([1] * 500, [1] * 500, 1, 1)], 0.05) == pytest.approx(7.8 / 500, rel=0.03)


@pytest.mark.parametrize(
    ("n", "k_a", "k_b", "low", "high"),
    [
        (100, 4, 4, 0.1, 0.9),
        (30, 32, 1, 0.0, 0.6),
        (30, 1, 1, 0.2, 0.8),
        (200, 1, 1, 0.95, 1.0),
        (50, 8, 8, 0.999, 1.0),
    ],
)
def test_coverage_of_the_interval(n: int, k_a: int, k_b: int, low: float, high: float) -> None:
    """1,000 pairs on the same problems, B half as often wrong as A."""
    draw, hit = rng(4), 0
    p = draw.uniform(low, high, n)
    q = (1 + p) / 2
    for _ in range(1000):
        found = interval([AnswerCounts(draw.binomial(k_a, p), draw.binomial(k_b, q), k_a, k_b)], 0.95)
        assert -1 <= found[0] < found[1] <= 1
        hit += found[0] <= float(np.mean(p - q)) <= found[1]
    assert hit >= 930
