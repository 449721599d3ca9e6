"""Minimum detectable effects: golden values, and the bound at which they are planned."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from reports.statistics import MeanSquare, Parts
from reports.statistics.planned import (
    PowerTarget,
    Variances,
    detectable_effects,
    expected_parts,
    paired,
    pairing_pays_from,
)
from reports.statistics.power import CANNOT_DETECT, detectable, detectable_effect
from reports.statistics.satterthwaite import seeds_and_problems, upper_bound


def noncentral(se: float, df: float) -> float:
    """The textbook's effect (Cohen 1988, ch. 2): the noncentrality at which t exceeds its quantile in 80 % of draws."""
    return se * float(special.nctdtrinc(df, 0.2, special.stdtrit(df, 0.975)))


def test_detectable_effect_of_paired_seeds() -> None:
    # In standard deviations of the paired difference, at 3, 5 and 10 pairs
    found = [
        detectable_effect(Parts((MeanSquare(1 / seeds, seeds - 1),), None, None), "benchmark") for seeds in (3, 5, 10)
    ]
    assert found == pytest.approx([3.264, 1.682, 0.996], rel=5e-3)


def test_detectable_effects_without_seed_noise() -> None:
    # sampling = .5 x .7 / (1.2 x 2.2) = .13258; n = 500, k = 1: V = (.01 + .26515) / 500, 2.8075 x .023458 = 6.6 points
    assert Variances().sampling == pytest.approx(0.13258, abs=1e-5)
    effects = detectable_effects({"math500": (500, 1), "amc": (83, 8)}, 1, target=PowerTarget("checkpoints"))
    assert effects["math500"] == pytest.approx(0.0659, abs=1e-4)
    # amc: V = (.01 + .26515 / 8) / 83, se .022799, x 2.835 at 82 degrees of freedom
    assert effects["amc"] == pytest.approx(0.0646, abs=1e-4)
    # the average: V = (V_math + V_amc) / 4
    assert effects["average"] == pytest.approx(0.0460, abs=5e-4)


def test_more_seeds_detect_less_only_as_far_as_the_problems_allow() -> None:
    found = [detectable_effects({"aime": (30, 32)}, seeds)["aime"] for seeds in (3, 10, 1000)]
    effects = [one for one in found if one]
    assert effects == sorted(effects, reverse=True) and len(effects) == 3
    # the limit: sd_effect / sqrt(30) = .01826, t with 29 df: x 2.902
    assert effects[-1] == pytest.approx(0.0530, abs=5e-4)


@pytest.mark.parametrize("df", [4, 29, 500])
def test_with_one_mean_square_the_effect_is_that_of_the_t_test(df: int) -> None:
    found = detectable_effect(Parts((), MeanSquare(4.0, df), None), "checkpoints")
    assert found == pytest.approx(noncentral(2.0, df), rel=0.003)


def test_two_arms_of_three_seeds_whose_degrees_of_freedom_are_estimated() -> None:
    """Welch's test by simulation: at this effect it finds 80 %, and 70 % at what a t with 4 degrees of freedom says."""
    rng, seeds = np.random.default_rng(0), 3
    effect = detectable_effect(Parts((MeanSquare(1 / seeds, 2), MeanSquare(1 / seeds, 2)), None, None), "benchmark")
    assert effect is not None
    a, b = rng.normal(0, 1, (2, 40_000, seeds))
    va, vb = a.var(axis=1, ddof=1) / seeds, b.var(axis=1, ddof=1) / seeds
    critical = special.stdtrit((va + vb) ** 2 / (va**2 / 2 + vb**2 / 2), 0.975) * np.sqrt(va + vb)
    difference = a.mean(axis=1) - b.mean(axis=1)

    def power(shift: float) -> float:
        return float(np.mean(np.abs(difference + shift) > critical))

    assert power(effect) == pytest.approx(0.80, abs=0.01)
    assert power(noncentral(np.sqrt(2 / seeds), 4)) == pytest.approx(0.70, abs=0.01)


@pytest.mark.parametrize("seeds", [2, 3])
def test_new_seeds_and_new_problems_by_simulation(seeds: int) -> None:
    """Two arms of few seeds on 40 problems, every score with a seed's, a problem's and its own noise: the test as
    `contrast` makes it finds the effect in 80 %, with two seeds too, where it bounds its degrees of freedom."""
    rng, draws, problems = np.random.default_rng(2), 8_000, 40
    seed_sd, problem_sd, own_sd = 0.02, 0.10, 0.15
    noise = rng.normal(0, own_sd, (2, draws, seeds, problems)) + rng.normal(0, seed_sd, (2, draws, seeds, 1))
    noise[0] += rng.normal(0, problem_sd, (draws, 1, problems))
    own = own_sd**2 / (seeds * problems)
    one = MeanSquare(seed_sd**2 / seeds + own, seeds - 1)
    problem = MeanSquare(problem_sd**2 / problems + 2 * own, problems - 1)
    residual = MeanSquare(2 * own, 2 * (seeds - 1) * (problems - 1))
    effect = detectable_effect(Parts((one, one), problem, residual), "algorithm")
    assert effect is not None
    between = noise.mean(axis=3).var(axis=2, ddof=1) / seeds
    paired_means = (noise[0] - noise[1]).mean(axis=1)
    among = paired_means.var(axis=1, ddof=1) / problems
    rest = noise - noise.mean(axis=2, keepdims=True) - noise.mean(axis=3, keepdims=True)
    rest += noise.mean(axis=(2, 3), keepdims=True)
    within = (rest**2).sum(axis=(0, 2, 3)) / ((seeds - 1) * (problems - 1)) / (seeds * problems)
    alike = [1 / seeds] * 2
    variance, df = seeds_and_problems(
        (list(between), [seeds - 1] * 2, alike), (among, problem.df), (within, residual.df)
    )
    critical = special.stdtrit(df, 0.975) * np.sqrt(variance)
    assert np.mean(np.abs(paired_means.mean(axis=1) + effect) > critical) == pytest.approx(0.80, abs=0.015)


def test_no_effect_is_named_where_there_is_no_test() -> None:
    seeds, problem = (MeanSquare(1.0, 2),), MeanSquare(1.0, 9)
    assert detectable_effect(Parts(seeds, None, None), "algorithm") is None
    assert detectable_effect(Parts((), problem, None), "benchmark") is None
    assert detectable_effect(Parts((), MeanSquare(0.0, 9), None), "checkpoints") is None


def test_one_seed_tells_of_no_other() -> None:
    sizes = {"aime": (30, 32)}
    for estimand in ("algorithm", "benchmark"):
        assert detectable_effects(sizes, 1, target=PowerTarget(estimand)) == {"aime": None, "average": None}
    # V = (.01 + .26515 / 32) / 30, se .024689, x 2.902 at 29 degrees of freedom
    assert detectable_effects(sizes, 1, target=PowerTarget("checkpoints"))["average"] == pytest.approx(0.0716, abs=3e-4)


def test_one_problem_tells_of_no_other() -> None:
    for estimand in ("algorithm", "checkpoints"):
        found = detectable_effects({"one": (1, 8), "more": (50, 8)}, 3, target=PowerTarget(estimand))
        assert (found["one"], found["average"]) == (None, None) and found["more"]
    here = detectable_effects({"one": (1, 8)}, 3, target=PowerTarget("benchmark"))
    assert here["one"], "new seeds on this very problem can be told of"


@pytest.mark.parametrize(("effect", "shown"), [(0.02, 0.02), (1 / 3, 1 / 3), (0.334, None), (None, None)])
def test_beyond_a_third_of_the_scale_nothing_can_be_detected(effect: float | None, shown: float | None) -> None:
    found = detectable(effect, "one problem")
    assert found.effect == shown
    assert found.reason.startswith(CANNOT_DETECT) == (effect == 0.334)
    assert (found.reason == "one problem") == (effect is None) and bool(found.reason) == (shown is None)


@pytest.mark.parametrize("correlation", [0.3, 0.6])
def test_effects_of_seeds_that_agree_paired_and_not(correlation: float) -> None:
    """Both tests by simulation, at three seeds whose scores agree between the arms: each finds its effect in 80 %."""
    rng, seeds = np.random.default_rng(1), 3
    one = MeanSquare(1 / seeds, seeds - 1)
    parts = Parts((one, one), None, None)
    apart = detectable_effect(parts, "benchmark", correlation=correlation)
    together = detectable_effect(paired(parts, correlation), "benchmark")
    assert apart and together
    a, own = rng.normal(0, 1, (2, 40_000, seeds))
    b = correlation * a + (1 - correlation**2) ** 0.5 * own
    difference = (a - b).mean(axis=1)
    va, vb = a.var(axis=1, ddof=1) / seeds, b.var(axis=1, ddof=1) / seeds
    unpaired = special.stdtrit((va + vb) ** 2 / (va**2 / 2 + vb**2 / 2), 0.975) * np.sqrt(va + vb)
    pairs = special.stdtrit(2, 0.975) * (a - b).std(axis=1, ddof=1) / np.sqrt(seeds)
    assert np.mean(np.abs(difference + apart) > unpaired) == pytest.approx(0.80, abs=0.01)
    assert np.mean(np.abs(difference + together) > pairs) == pytest.approx(0.80, abs=0.01)


def test_from_which_correlation_pairing_by_seed_pays() -> None:
    """Where the two powers of the simulation above cross: .49 at three seeds. Where checkpoints are the target or there
    is one seed there is nothing to pair."""
    target = PowerTarget("benchmark")
    found = [pairing_pays_from(expected_parts([(500, 4)], seeds, Variances()), target) for seeds in (3, 5, 10)]
    assert found == pytest.approx([0.489, 0.285, 0.140], abs=0.005)
    few = expected_parts([(30, 4)], 3, Variances())
    assert pairing_pays_from(few, PowerTarget("checkpoints")) is None
    assert pairing_pays_from(expected_parts([(500, 4)], 1, Variances()), target) is None
    at = pairing_pays_from(few, target)
    assert at is not None
    less, more = at - 0.05, at + 0.05
    for correlation, pays in ((less, False), (more, True)):
        apart = detectable_effect(few, "benchmark", correlation=correlation)
        together = detectable_effect(paired(few, correlation), "benchmark")
        assert apart and together and (together < apart) == pays


def test_upper_bound_of_one_mean_square_is_exact() -> None:
    # chi2 with 2 df: P(X > x) = exp(-x / 2) = .8 at x = .446287; 2 / .446287 = 4.48142
    assert upper_bound([(1.0, 2.0)]) == pytest.approx(4.48142, abs=1e-5)


def test_upper_bound_of_a_sum_less_a_part() -> None:
    # H(2) = 4.48142 - 1 = 3.48142. H(4): chi2 4 df, upper tail .8 at 1.64878: 4 / 1.64878 - 1 = 1.42604
    # G(4): chi2 4 df, upper tail .2 at 5.98862: 1 - 4 / 5.98862 = .33207
    # 1 + 2 - .5 + sqrt((1 x 3.48142)^2 + (2 x 1.42604)^2 + (.5 x .33207)^2) = 2.5 + 4.50353
    assert upper_bound([(1.0, 2.0), (2.0, 4.0)], [(0.5, 4.0)]) == pytest.approx(7.00353, abs=1e-4)
