"""Golden values, worked out by hand in the comments."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from reports.statistics import contrast, pass_at_k, pass_at_ks, seed_correlation

# 2 seeds x 3 problems:  seed means 0.5, 0.75; problem means 0.25, 0.625, 1.0; grand mean 0.625
Y = np.array([[0.0, 0.5, 1.0], [0.5, 0.75, 1.0]])


def test_mean_squares_of_one_arm() -> None:
    # MS_seed = 3 x var(0.5, 0.75) = 3 x 0.03125 = 0.09375; in V: / (S J) = 0.015625
    # MS_problem = 2 x var(0.25, 0.625, 1) = 2 x 0.140625 = 0.28125; / 6 = 0.046875
    # residuals: row 1 -0.125, 0, 0.125; row 2 the negatives: SS = 4 / 64 = 0.0625, df 2, MS 0.03125; / 6 = 0.00520833
    parts = contrast([[Y]]).parts
    assert parts.seed and parts.problem and parts.residual
    assert (parts.seed.variance, parts.seed.df) == pytest.approx((0.015625, 1))
    assert (parts.problem.variance, parts.problem.df) == pytest.approx((0.046875, 2))
    assert (parts.residual.variance, parts.residual.df) == pytest.approx((0.03125 / 6, 2))


def test_variance_and_satterthwaite() -> None:
    # V = 0.015625 + 0.046875 - 0.00520833 = 0.05729167
    # df = V^2 / (0.015625^2 / 1 + 0.046875^2 / 2 + 0.00520833^2 / 2) = 0.003282335 / 0.001356337 = 2.42000
    estimate = contrast([[Y]])
    assert estimate.value == pytest.approx(0.625)
    assert estimate.se == pytest.approx(np.sqrt(0.05729167))
    # a caution for two seeds: their variance enters the degrees of freedom at its upper bound, 0.015625 / .1015
    # (the lower quartile of chi-squared with one degree of freedom); there V = .1539 + .0469 - .0052 and
    # df = V^2 / (.1539^2 / 1 + .0469^2 / 2 + .0052^2 / 2) = 1.5424
    assert estimate.df == pytest.approx(1.5424, abs=1e-4)


def test_agrees_with_analysis_of_variance() -> None:
    """Mean squares against statsmodels' two-way table without interaction."""
    import pandas as pd
    import statsmodels.api as sm
    from statsmodels.formula.api import ols

    y = np.random.default_rng(0).binomial(4, 0.6, (4, 25)) / 4
    long = pd.DataFrame({"y": y.ravel(), "s": np.repeat(range(4), 25), "j": np.tile(range(25), 4)})
    table = sm.stats.anova_lm(ols("y ~ C(s) + C(j)", long).fit())
    parts = contrast([[y]]).parts
    assert parts.seed and parts.problem and parts.residual
    found = [part.variance * y.size for part in (parts.seed, parts.problem, parts.residual)]
    assert found == pytest.approx(table["mean_sq"].tolist())
    assert [parts.seed.df, parts.problem.df, parts.residual.df] == pytest.approx(table["df"].tolist())


def test_floor_brings_its_own_degrees_of_freedom() -> None:
    # Seed means equal: MS_seed = 0, V = MS_problem - MS_residual < MS_problem: the floor is the problem part.
    y = np.array([[0.0, 0.5, 1.0, 0.5], [0.5, 0.0, 0.5, 1.0]])
    estimate = contrast([[y]])
    assert estimate.parts.seed and estimate.parts.seed.variance == 0
    assert estimate.se == pytest.approx(np.sqrt(y.mean(axis=0).var(ddof=1) / 4))
    assert estimate.df == 3


def test_one_seed_is_the_paired_t_test_by_problem() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.random((1, 40)), rng.random((1, 40))
    estimate = contrast([[a], [b]], (1, -1))
    expected = stats.ttest_rel(a[0], b[0])
    assert estimate.estimand == "checkpoints"
    assert estimate.p_value == pytest.approx(expected.pvalue, rel=0.05)
    assert estimate.interval == pytest.approx(tuple(expected.confidence_interval()), abs=0.02)


def test_benchmark_estimand_is_welch_over_seed_means() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.random((3, 20)), rng.random((5, 20)) * 0.5
    estimate = contrast([[a], [b]], (1, -1), "benchmark")
    expected = stats.ttest_ind(a.mean(axis=1), b.mean(axis=1), equal_var=False)
    assert estimate.p_value == pytest.approx(expected.pvalue)
    assert estimate.df == pytest.approx(expected.df)


def test_checkpoints_estimand_is_the_paired_t_test_of_problem_means() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.random((3, 20)), rng.random((4, 20))
    estimate = contrast([[a], [b]], (1, -1), "checkpoints")
    assert estimate.p_value == pytest.approx(stats.ttest_rel(a.mean(axis=0), b.mean(axis=0)).pvalue, rel=0.3)


def test_average_takes_the_seed_effect_jointly() -> None:
    # Two benchmarks whose seed effects cancel: seed 0 is +.1 on one and -.1 on the other. The average has no seed
    # variance; summing the variances of the two benchmarks would give 2 x 0.02 / 2 / 4 = 0.005.
    one, other = np.array([[0.6, 0.8], [0.4, 0.6]]), np.array([[0.2, 0.4], [0.4, 0.6]])
    parts = contrast([[one, other]]).parts
    assert parts.seed and parts.seed.variance == pytest.approx(0, abs=1e-30)
    # Problem part: var(.5, .7) / 2 / 4 + var(.3, .5) / 2 / 4 = 2 x 0.02 / 8
    assert parts.problem and parts.problem.variance == pytest.approx(0.005)
    assert parts.problem_shares == pytest.approx((0.5, 0.5))


def test_average_weighs_benchmarks_alike() -> None:
    assert contrast([[np.ones((2, 100)), np.zeros((2, 5))]]).value == 0.5


def test_degrees_of_freedom_are_no_more_than_the_problems_where_these_are_few() -> None:
    # 40 seeds a side and 5 problems: seeds 78, problems 4. All but a little of V is the problems' own, so t has 4
    rng = np.random.default_rng(6)
    problems = rng.normal(0, 0.2, (1, 5))
    a, b = (rng.normal(0.5, 0.01, (40, 5)) + sign * problems for sign in (1, -1))
    estimate = contrast([[a], [b]], (1, -1))
    assert estimate.df == pytest.approx(4, abs=0.05)


def test_a_benchmark_of_one_problem_leaves_the_average_without_an_interval() -> None:
    rng = np.random.default_rng(7)
    parts = contrast([[rng.random((3, 10)), rng.random((3, 1))]]).parts
    assert parts.problem is None and parts.problem_shares == ()


def test_start_brings_no_seed_variance() -> None:
    rng = np.random.default_rng(4)
    a, start = rng.random((3, 30)), rng.random((1, 30))
    with_start, alone = contrast([[a], [start]], (1, -1)).parts, contrast([[a]]).parts
    assert with_start.seed == alone.seed and with_start.residual == alone.residual


@pytest.mark.parametrize("y", [np.ones((3, 20)), np.zeros((3, 20)), np.full((3, 20), 1 / 3), np.full((7, 41), 0.1)])
def test_equal_scores_have_an_interval_as_wide_as_what_was_not_seen(y: np.ndarray) -> None:
    estimate = contrast([[y]])
    low, high = estimate.interval or (9.0, 9.0)
    assert estimate.se == 0 and 0 <= low <= y.mean() <= high <= 1
    # of n problems that all agree the bound is 1 - alpha^(1/n), exactly
    n = y.shape[1]
    if y.mean() in (0, 1):
        assert high - low == pytest.approx(1 - 0.025 ** (1 / n))
    # on these problems, seeds that are all alike tell nothing of others
    assert contrast([[y]], estimand="benchmark").interval is None


def test_one_problem_has_no_interval_for_new_problems() -> None:
    y = np.array([[0.5], [0.75], [1.0]])
    assert contrast([[y]]).se is None
    # These problems, new seeds: sd(.5, .75, 1) / sqrt(3) = .25 / sqrt(3)
    assert contrast([[y]], estimand="benchmark").se == pytest.approx(0.25 / np.sqrt(3))


def test_one_seed_knows_nothing_of_new_seeds() -> None:
    y = [[np.array([[0.2, 0.4, 0.9]])]]
    alone = contrast(y, estimand="benchmark")
    assert (alone.estimand, alone.se) == ("answers", None)  # k is not stated
    # of 10 answers each: p (1 - p) / 9 over 3^2: (.16 + .24 + .09) / 81
    stated = contrast(y, estimand="benchmark", attempts=[[[10]]])
    assert stated.estimand == "answers" and stated.se == pytest.approx(np.sqrt(0.49 / 81))


def test_seed_correlation() -> None:
    assert seed_correlation({0: 0.1, 1: 0.2, 2: 0.3}, {0: 0.5, 1: 0.4, 2: 0.3, 7: 9.0}) == pytest.approx(-1)
    assert seed_correlation({0: 0.1, 1: 0.2}, {0: 0.5, 1: 0.4}) is None
    assert seed_correlation({0: 0.1, 1: 0.1, 2: 0.1}, {0: 0.5, 1: 0.4, 2: 0.3}) is None


def test_pass_at_k() -> None:
    # n = 4, c = 1: pass@1 = 1/4; pass@2 = 1 - C(3,2)/C(4,2) = 1 - 3/6; pass@4 = 1 (a bootstrap says .684)
    n, c = np.array([4, 4, 4]), np.array([1, 0, 4])
    assert pass_at_k(n, c, 1).tolist() == pytest.approx([0.25, 0, 1])
    assert pass_at_k(n, c, 2).tolist() == pytest.approx([0.5, 0, 1])
    assert pass_at_k(n, c, 4).tolist() == pytest.approx([1, 0, 1])
    # n = 8, c = 2, k = 3: 1 - C(6,3)/C(8,3) = 1 - 20/56
    assert pass_at_k(np.array([8]), np.array([2]), 3) == pytest.approx(1 - 20 / 56)
    with pytest.raises(ValueError, match=r"at most the 4 attempts of every problem, but is 5"):
        pass_at_k(n, c, 5)
    assert pass_at_ks(n, c, [4, 1, 2]) == pytest.approx(np.array([[1, 0.25, 0.5], [0, 0, 0], [1, 1, 1]]))


@pytest.mark.parametrize(("problems", "seeds", "k"), [(2, 3, 4), (3, 10, 4), (12, 10, 4), (20, 10, 32), (30, 40, 4)])
def test_bounds_reach_further_the_smaller_alpha_is_and_never_nowhere(problems: int, seeds: int, k: int) -> None:
    """Many seeds on few problems: degrees of freedom of the whole beyond those of the problems."""
    rng = np.random.default_rng(problems)
    for _ in range(10):
        p = rng.uniform(0.2, 0.8, problems)
        a, b = (rng.binomial(k, p, (seeds, problems)) / k for _ in range(2))
        estimate = contrast([[a], [b]], (1, -1))
        reach = [estimate.reach(alpha, True) for alpha in (0.2, 0.05, 0.025, 1e-3, 1e-6, 1e-9)]
        assert reach == sorted(reach) and reach[0] > 0
        low, high = estimate.interval or (0.0, 0.0)
        assert estimate.p_value is not None and (estimate.p_value < 0.05) == (low > 0 or high < 0)


def test_a_difference_reaches_at_least_as_far_as_the_problems_t_interval() -> None:
    """What bounds of few discordances take for known is estimated: of thirty problems the 95 % quantile is 1.70 times
    the standard error, not 1.64."""
    rng = np.random.default_rng(4)
    one, other = rng.binomial(4, 0.5, (1, 30)) / 4, rng.binomial(4, 0.5, (1, 30)) / 4
    found = contrast([[one], [other]], (1.0, -1.0), "checkpoints")
    assert found.se and found.df == pytest.approx(29)
    least = float(stats.t.isf(0.05, 29)) * found.se
    assert min(found.reach(0.05, True), found.reach(0.05, False)) >= least - 1e-12
