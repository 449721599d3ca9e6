"""What a difference depends on: the paired interaction by hand, each kind of alternative, and how often the rule fires.

The rates are the short form of bench/dependence.py, with its settings and its code; each draw repeats.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bench.dependence import ALPHA, Choices, family, measure, named, without_seed
from reports.data.alternatives import average, left_share, measured, weighted
from reports.data.scores import Scores
from reports.statistics import Estimate, Parts, contrast
from reports.statistics.dependence import (
    Interaction,
    change,
    checkpoint_left_out,
    common,
    interaction,
    seed_left_out,
)

RNG = np.random.default_rng(0)
A, B = (RNG.binomial(4, 0.5, (3, 40)) / 4 for _ in range(2))
"""two arms as planned"""
A2, B2 = (np.clip(m + RNG.choice([-0.25, 0, 0, 0, 0.25], m.shape), 0, 1) for m in (A, B))
"""the same checkpoints on the same problems under another choice, which changes few answers"""


def test_the_interaction_is_the_difference_of_differences() -> None:
    found = interaction(change([A2], [A]), change([B2], [B]), "algorithm", 0.95)
    assert found.value == pytest.approx((A2.mean() - B2.mean()) - (A.mean() - B.mean()))
    # what stays the same cancels within a seed and a problem: four independent arms would not know of it
    apart = contrast([[A2], [B2], [A], [B]], (1.0, -1.0, -1.0, 1.0))
    assert found.value == pytest.approx(apart.value)
    assert found.se is not None and apart.se is not None and found.se < 0.8 * apart.se
    assert found.df is not None and found.df >= 2


def test_arms_that_a_choice_changes_alike_have_no_interaction() -> None:
    found = interaction(change([A + 0.1], [A]), change([B + 0.1], [B]), "algorithm", 0.95)
    assert found.value == pytest.approx(0, abs=1e-12) and not Interaction(found, 1, 0.0).material


def judged(value: float, se: float, tests: int, margin: float = 0.02) -> Interaction:
    """Of so many problems that t is normal."""
    estimate = Estimate(value, se, 1e6, common(ALPHA, tests), Parts((), None, None), "checkpoints")
    return Interaction(estimate, tests, margin)


def test_material_is_beyond_zero_in_its_family_and_beyond_the_margin() -> None:
    assert common(ALPHA, 3) == pytest.approx(1 - 0.05 / 3)
    # z = 2.14, p = .032: beyond 0 alone, and not as one of three
    assert judged(0.03, 0.014, 1).material and not judged(0.03, 0.014, 3).material
    assert judged(0.03, 0.014, 3).p_adjusted == pytest.approx(3 * 0.0321, abs=1e-3)
    assert not judged(0.019, 0.001, 3).material, "within the margin, however surely it is there"
    assert judged(0.021, 0.001, 3).material, "the estimate is beyond the margin, not its interval"
    nothing = Interaction(None, 3, 0.02)
    assert not nothing.material and nothing.p_adjusted is None


def test_tests_and_intervals_never_disagree() -> None:
    for value in np.linspace(0.01, 0.06, 26):
        one = judged(float(value), 0.014, 3)
        assert one.p_adjusted is not None and one.excludes_zero == (one.p_adjusted < ALPHA)


def test_a_change_of_an_answer_on_every_problem_is_a_change_of_one() -> None:
    """a turns from wrong to right on every problem and b the other way: a change of 2 in a difference of scores."""
    ones = np.ones((1, 50))
    found = interaction([ones], [-ones], "checkpoints", 0.95)
    assert found.value == pytest.approx(2) and found.interval is not None
    # nothing else was seen in 50 problems: the exact bound, .025^(1/50), of a difference that may be -2
    assert found.interval == (pytest.approx(4 * 0.025 ** (1 / 50) - 2, abs=0.05), 2)


def test_a_benchmark_left_out_is_a_contrast_over_benchmarks() -> None:
    sizes = (40, 10, 25)
    base = {arm: [RNG.binomial(4, 0.5, (3, j)) / 4 for j in sizes] for arm in "ab"}
    one = weighted("without the second", base, np.array([0.5, 0, 0.5]))
    for arm in "ab":
        means = [m.mean() for m in base[arm]]
        assert one.averages[arm] == pytest.approx((means[0] + means[2]) / 2)
    found = interaction(one.changes["a"], one.changes["b"], "checkpoints", 0.95)
    gaps = [x.mean(axis=0) - y.mean(axis=0) for x, y in zip(base["a"], base["b"], strict=True)]
    assert found.value == pytest.approx(gaps[0].mean() / 6 - gaps[1].mean() / 3 + gaps[2].mean() / 6)
    by_hand = sum((w**2) * gap.var(ddof=1) / len(gap) for w, gap in zip((1 / 6, 1 / 3, 1 / 6), gaps, strict=True))
    assert found.se == pytest.approx(by_hand**0.5)
    pooled = weighted("alike", base, np.array(sizes) / 75)
    assert pooled.averages["a"] == pytest.approx(np.concatenate(base["a"], axis=1).mean())


def test_a_checkpoint_left_out_is_about_these_checkpoints() -> None:
    ours, theirs = checkpoint_left_out([A], 1), checkpoint_left_out([B], 1)
    assert ours[0].shape == (1, 40) and average(ours) == pytest.approx(A[[0, 2]].mean() - A.mean())
    found = interaction(ours, theirs, "checkpoints", 0.95)
    assert found.estimand == "checkpoints" and found.df == 39


def test_a_seed_left_out_is_held_against_the_spread_of_the_others() -> None:
    scores = np.array([[0.5, 0.9, 0.4, 0.6], [0.1, 0.2, 0.4, 0.3]])  # of two arms, by seed
    ours, theirs = (seed_left_out([np.tile(arm[:, None], 10)], 1) for arm in scores)
    others = scores[:, [0, 2, 3]]
    assert average(ours) == pytest.approx(others[0].mean() - scores[0].mean())
    found = interaction(ours, theirs, "benchmark", 0.95)
    # variance s^2 (1 + 1/3) / 16 of each arm, s^2 of the three others: .01 and .0233 / 12
    assert found.se == pytest.approx((others.var(axis=1, ddof=1) / 12).sum() ** 0.5)
    assert found.df is not None and 2 <= found.df <= 4


def test_a_share_of_what_is_left_has_the_spread_of_a_ratio() -> None:
    right = RNG.binomial(4, 0.4, 200)
    lost = RNG.binomial(4 - right, 0.5)
    problems = pd.DataFrame({"eval": np.repeat([0, 1], 100), "correct": right})
    found = left_share(problems, 4 - lost)
    for half in (slice(0, 100), slice(100, 200)):
        c, n = right[half], (4 - lost)[half]
        assert found[half].mean() == pytest.approx(c.sum() / n.sum())
        # the jackknife over problems, of the same ratio
        rest = (c.sum() - c) / (n.sum() - n)
        jackknife = (99 / 100 * ((rest - rest.mean()) ** 2).sum()) ** 0.5
        assert found[half].std(ddof=1) / 10 == pytest.approx(jackknife, rel=0.02)
    assert np.isnan(left_share(problems, np.zeros(200))).all(), "nothing is left: no average"


def test_an_arm_measured_by_other_seeds_or_problems_is_left_out() -> None:
    def scores(seeds: tuple[int, ...], problems: str = "pq") -> Scores:
        return Scores(seeds, tuple(problems), np.full((len(seeds), 2), 0.5), (1,) * len(seeds))

    headline = {(arm, "x"): scores((0, 1)) for arm in ("same", "seed", "problem", "gone")}
    under = {("same", "x"): scores((0, 1)), ("seed", "x"): scores((0,)), ("problem", "x"): scores((0, 1), "pr")}
    found = measured("greedy", headline, under, ["same", "seed", "problem", "gone"], ["x"])
    assert found.averages == {"same": 0.5} and list(found.changes) == ["same"]


REPLICATES = 300


def test_nothing_depends_where_nothing_does() -> None:
    """At most 5 % of families, and three standard errors; orders change in most of them."""
    most = ALPHA + 3 * (ALPHA * (1 - ALPHA) / REPLICATES) ** 0.5
    for place, row in enumerate(
        (Choices("", (500,), 3, 0.1), Choices("", (30,), 3, 0.1), Choices("", (100,) * 3, 5, 0.2))
    ):
        found = measure(row, REPLICATES, np.random.default_rng([0, place]))
        assert found.order > 0.6
        assert found.depends <= found.material <= found.excludes <= most


def test_seeds_that_are_alike_are_nothing_to_depend_on() -> None:
    for seeds in (3, 5):
        rng, found = np.random.default_rng([2, seeds]), 0
        for _ in range(100):
            base = named(Choices("", (60, 60), seeds, 0.2).draw(rng)[0])
            found += family([without_seed(base, seed) for seed in range(seeds)], base)[0]
        assert found <= 100 * ALPHA + 3 * (100 * ALPHA * (1 - ALPHA)) ** 0.5


def test_a_seed_that_collapsed_is_found() -> None:
    for draw in range(20):
        rng = np.random.default_rng([3, draw])
        p = np.clip(rng.uniform(0.2, 0.9, 200) + rng.normal(0, 0.01, (2, 5, 1)), 0, 1)
        p[0, 2] *= 0.4
        ours, theirs = (seed_left_out([rng.binomial(4, arm) / 4], 2) for arm in p)
        assert Interaction(interaction(ours, theirs, "benchmark", common(ALPHA, 15)), 15, 0.02).material


def test_what_depends_is_found() -> None:
    turned = measure(Choices("", (500,), 5, 0.1, 0.32, -0.32), 100, np.random.default_rng(1))
    assert turned.depends > 0.95
    kept = measure(Choices("", (500,), 5, 0.1, 0.64, 0.32), 100, np.random.default_rng(2))
    assert kept.material > 0.8 and kept.depends == 0, "a lead that halves keeps its sign"
