"""The A/A study of `bench/calibration.py`: its splits, its tests and the standard error of its rates."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from reports.data.scores import AVERAGE, Scores


@pytest.fixture(scope="module")
def calibration() -> ModuleType:
    path = Path(__file__).parents[2] / "bench" / "calibration.py"
    spec = importlib.util.spec_from_file_location("calibration", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["calibration"] = module  # where dataclasses look their types up
    spec.loader.exec_module(module)
    return module


def scores(rng: np.random.Generator, seeds: int, sd: float, problems: int = 40, k: int = 4) -> Scores:
    p = np.clip(rng.uniform(0.1, 0.9, problems) + rng.normal(0, sd, (seeds, 1)), 0, 1)
    names = tuple(f"{problem:03}" for problem in range(problems))
    return Scores(tuple(range(200, 200 + seeds)), names, rng.binomial(k, p) / k, (k,) * seeds)


def test_a_seed_is_never_on_both_sides(calibration: ModuleType) -> None:
    splits = calibration.Splits.draw(np.random.default_rng(0), 11, 4, 50)
    both = np.hstack([splits.first, splits.second])
    assert both.shape == (50, 8) and all(len(set(row)) == 8 for row in both.tolist())
    assert set(both.ravel().tolist()) == set(range(11))
    assert [set(np.flatnonzero(row)) for row in splits.without] == [set(range(11)) - set(row) for row in both.tolist()]
    with pytest.raises(SystemExit, match="7 seeds cannot be split 4 against 4"):
        calibration.Splits.draw(np.random.default_rng(0), 7, 4, 1)


def test_tests_by_hand(calibration: ModuleType) -> None:
    values = np.array([[0.5, 0.5], [0.7, 0.7], [0.2, 0.6], [0.3, 0.3]])
    a = [Scores((1, 2), ("p", "q"), values[:2], (1, 1))]
    b = [Scores((3, 4), ("p", "q"), values[2:], (1, 1))]
    # means .5 .7 against .4 .3: .6 - .35 = .25; pooled variance (.02 + .005) / 2 = .0125; t = .25 / sqrt(.0125) is
    # sqrt 5 with 2 degrees of freedom, where p = 1 - t / sqrt(t^2 + 2)
    assert calibration.seeds_only(a, b) == pytest.approx(1 - np.sqrt(5 / 7))
    # problems: .6 - .25 = .35 and .6 - .45 = .15: mean .25, se .1
    assert calibration.clustered(0.05, a, b) == pytest.approx(0.012419, abs=1e-6)  # 2 Phi(-2.5)
    # pairs of seeds: .3 -.1 and .4 .4: means .1 .4 with variance .0225; within .04 and 0, .02 over 2 problems:
    # (.0225 + .01) / 2
    assert calibration.nested(a, b) == pytest.approx(0.049861, abs=1e-6)  # 2 Phi(-.25 / sqrt(.01625))


def test_no_variation_is_no_claim(calibration: ModuleType) -> None:
    same = [Scores((1, 2), ("p", "q"), np.full((2, 2), 0.5), (1, 1))]
    found = {name: test(same, same) for name, test in calibration.tests(0.05).items() if name != "t, seeds only"}
    # nothing differs: no test rejects, and those that know no more than a variance have none
    assert all(np.isnan(p) or p == 1 for p in found.values())


def test_rates_of_independent_seeds_are_near_the_level_and_their_error_is_honest(calibration: ModuleType) -> None:
    """Over studies of 20 new seeds each: the mean rate, and its spread against the standard error that is claimed."""
    rng = np.random.default_rng(3)
    found = []
    for _ in range(60):
        group = [scores(rng, 20, 0.05)]
        splits = calibration.Splits.draw(rng, 20, 3, 150)
        found.append(calibration.rate(calibration.p_values(group, splits, calibration.seeds_only) < 0.05, splits))
    share, se = np.array(found).T
    assert share.mean() == pytest.approx(0.05, abs=0.015)
    assert 0.8 < np.sqrt((se**2).mean()) / share.std(ddof=1) < 1.8


def test_variance_is_split_into_its_sources(calibration: ModuleType) -> None:
    # 400 seeds: sd .05 of their own; binomial noise of k = 4 attempts over 40 problems is what is left
    group = [scores(np.random.default_rng(5), 400, 0.05)]
    own, interaction, sampling, problems = calibration.split(group)
    assert np.sqrt(own) == pytest.approx(0.05, rel=0.1)
    p = group[0].values.mean(axis=0)
    assert sampling == pytest.approx(float((p * (1 - p)).mean()) / 4 / 40, rel=0.05)
    assert abs(interaction) < 0.1 * sampling
    assert problems == pytest.approx(float(p.var(ddof=1)) / 40, rel=0.02)


def test_the_study_prints_tables_for_every_column(calibration: ModuleType) -> None:
    rng = np.random.default_rng(7)
    one, two = scores(rng, 12, 0.02), scores(rng, 12, 0.02)
    lines = list(calibration.rates({"one": [one], "two": [two], AVERAGE: [one, two]}, 3, 20, 0, 0.05))
    assert lines[0].startswith("Called different at level 0.05, percent of 20 splits of 12 seeds 3 against 3")
    assert lines[1] == "|  | one | two | average |"
    assert [line.split("|")[1].strip() for line in lines[3:9]] == list(calibration.tests(0.05))
    assert lines == list(calibration.rates({"one": [one], "two": [two], AVERAGE: [one, two]}, 3, 20, 0, 0.05))
