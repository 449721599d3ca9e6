"""The split of a variance: golden values, identities, and expected mean squares against a known truth."""

from __future__ import annotations

import numpy as np
import pytest

from bench.truth import Setting
from reports.statistics import contrast
from reports.statistics.design import DesignChange, expected, sight
from reports.statistics.variance import VarianceSplit, split, typical

# Two seeds, three problems, two answers each: as in test_statistics, over S J: MS_seed .015625, MS_problem .046875,
# MS_residual .00520833
Y = np.array([[0.0, 0.5, 1.0], [0.5, 0.5, 1.0]])


def test_by_hand() -> None:
    # Seed means .5, 2/3: MS_seed / 6 = var / 2 = (1/72) / 2 = 1/144. Problem means .25, .5, 1: var 7/48, / 3 = 7/144.
    # Residuals: -1/6, 1/12, 1/12 and their negatives: SS = 2 (1/36 + 1/72) = 1/12, df 2, / 6 = 1/144.
    # Sampling: p (1 - p) k / (k - 1) / k of each cell is .25 for a half: (0 + .25 + 0 + .25 + .25 + 0) / 6 / 6 = 3/144
    found = split([[Y]], [[(2, 2)]])
    assert found.seeds[0].variance == pytest.approx(1 / 144)
    assert found.samplings[0] == pytest.approx(3 / 144)
    assert found.seed == pytest.approx(0)
    assert found.problem == pytest.approx(6 / 144)
    # more sampling than there is in single cells: all of them is sampling
    assert (found.interaction, found.sampling) == pytest.approx((0, 1 / 144))
    assert found.total == pytest.approx((contrast([[Y]]).se or 0) ** 2)


def random_arms(rng: np.random.Generator, arms: int, seeds: int) -> list[list[np.ndarray]]:
    """On benchmarks of 40 and 25 problems, k = 4; every component is there."""
    shared = rng.normal(0, 0.1, (arms, seeds, 1))
    difficulty = [rng.random(40), rng.random(25)]
    return [
        [rng.binomial(4, np.clip(d + shared[a] + rng.normal(0, 0.2, (1, len(d))), 0, 1)) / 4 for d in difficulty]
        for a in range(arms)
    ]


def test_parts_add_up_to_the_variance_of_the_interval() -> None:
    arms = random_arms(np.random.default_rng(0), 2, 4)
    found = split(arms, [[(4,) * 4] * 2] * 2, (1.0, -1.0))
    assert found.seed and found.problem and found.interaction is not None and found.sampling
    total = found.seed + found.problem + found.interaction + found.sampling
    assert total == pytest.approx((contrast(arms, (1.0, -1.0)).se or 0) ** 2)


def test_typical_of_two_arms_is_their_difference() -> None:
    arms, k = random_arms(np.random.default_rng(1), 2, 3), [[(4,) * 3] * 2] * 2
    one, other = typical(arms, k), split(arms, k, (1.0, -1.0))
    for part in ("seed", "problem", "interaction", "sampling"):
        assert getattr(one, part) == pytest.approx(getattr(other, part)), part


def test_typical_of_several_is_the_mean_over_pairs() -> None:
    arms, k = random_arms(np.random.default_rng(2), 3, 3), [[(4,) * 3] * 2] * 3
    pairs = [split([arms[i], arms[j]], k[:2], (1.0, -1.0)) for i, j in ((0, 1), (0, 2), (1, 2))]
    found = typical(arms, k)
    for at in range(2):
        assert found.problems[at].variance == pytest.approx(np.mean([pair.problems[at].variance for pair in pairs]))
        assert found.samplings[at] == pytest.approx(np.mean([pair.samplings[at] for pair in pairs]))
    seeds = [sum(s.variance for s in pair.seeds) for pair in pairs]
    assert sum(s.variance for s in found.seeds) == pytest.approx(np.mean(seeds))
    assert found.parts.seed and found.parts.seed.df <= 6, "two for each of three arms"


def test_expected_mean_squares_of_known_truth() -> None:
    """Means over replicates against the truth by quadrature: seed, problem and what single cells add."""
    setting = Setting(60, 4, 4, sd_seed=(0.4, 0.2))
    found = [
        split([[pair[0]], [pair[1]]], [[(4,) * 4]] * 2, (1.0, -1.0))
        for pair in np.concatenate(list(setting.draw(np.random.default_rng(3), 1500))).astype(float)
    ]
    rest = setting.residual.sum() / 240
    parts = [one.parts for one in found]
    assert np.mean([p.residual.variance for p in parts if p.residual]) == pytest.approx(rest, rel=0.02)
    seed = np.mean([p.seed.variance for p in parts if p.seed]) - rest
    assert seed == pytest.approx(setting.seed.sum() / 4, rel=0.08)
    problem = np.mean([p.problem.variance for p in parts if p.problem]) - rest
    assert problem == pytest.approx(setting.problem / 60, rel=0.08)


def test_sampling_is_estimated_without_bias() -> None:
    """Of known chances p, mean p (1 - p) / k over S J, for k of 2 as for k of 8."""
    rng = np.random.default_rng(4)
    p = rng.random((3, 50))
    for k in (2, 8):
        found = [split([[rng.binomial(k, p) / k]], [[(k,) * 3]]).samplings[0] for _ in range(800)]
        assert np.mean([one for one in found if one]) == pytest.approx((p * (1 - p)).mean() / k / 150, rel=0.01)


def test_what_cannot_be_told_is_none() -> None:
    one_seed = split([[Y[:1]], [Y[1:]]], [[(2,)], [(2,)]], (1.0, -1.0))
    assert one_seed.seed is None and one_seed.interaction is None and one_seed.sampling and one_seed.problem is not None
    one_sample = split([[Y]], [[(1, 1)]])
    assert one_sample.sampling is None and one_sample.interaction
    one_problem = split([[Y[:, :1]]], [[(2, 2)]])
    assert one_problem.problem is None and one_problem.seed is not None


@pytest.fixture(scope="module")
def found() -> VarianceSplit:
    return split(random_arms(np.random.default_rng(5), 2, 4), [[(4,) * 4] * 2] * 2, (1.0, -1.0))


def test_expected_parts_of_the_design_as_it_is_are_the_ones_found(found: VarianceSplit) -> None:
    parts = expected(found, DesignChange())
    for name in ("seed", "problem", "residual"):
        one, other = getattr(parts, name), getattr(found.parts, name)
        assert (one.variance, one.df) == pytest.approx((other.variance, other.df)), name


def test_what_more_of_each_brings(found: VarianceSplit) -> None:
    def variance(change: DesignChange) -> float:
        parts = expected(found, change)
        assert parts.seed and parts.problem and parts.residual
        return parts.seed.variance + parts.problem.variance - parts.residual.variance

    seed, problem, interaction, sampling = found.seed, found.problem, found.interaction, found.sampling
    assert seed and problem and interaction is not None and sampling
    assert variance(DesignChange(seeds=2)) == pytest.approx((seed + interaction + sampling) / 2 + problem)
    assert variance(DesignChange(samples=(4,))) == pytest.approx(seed + problem + interaction + sampling / 4)
    assert variance(DesignChange(problems=(3,))) == pytest.approx(seed + (problem + interaction + sampling) / 3)
    more = expected(found, DesignChange(seeds=2, problems=(3,)))
    assert [part.df for part in more.seeds] == [7, 7] and more.problem and more.problem.df > 3 * 25


def test_a_sight_narrows_with_more_and_its_bound_is_above_it(found: VarianceSplit) -> None:
    changes = [
        DesignChange(),
        DesignChange(samples=(4,)),
        DesignChange(seeds=2),
        DesignChange(seeds=4),
        DesignChange(seeds=4, problems=(4,)),
    ]
    seen = [sight(found, change, "algorithm", 0.05) for change in changes]
    effects = [one.estimate for one in seen if one]
    assert len(effects) == 5 and effects == sorted(effects, reverse=True)
    assert all(one and one.upper > one.estimate for one in seen)
