"""What an interval is said to cover is what entered its variance: over hundreds of layouts of seeds, arms and gaps."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import reports
from reports.statistics import contrast
from reports.statistics.estimate import Estimand

SEEDS = (1, 2, 3, 5)
K = 4
ASKED: tuple[Estimand, ...] = ("algorithm", "benchmark", "checkpoints", "answers")


def variances(arms: list[list[np.ndarray]], trained: list[int]) -> dict[str, float]:
    """Estimand -> the variance of the difference of two arms that it covers, worked out anew from the matrices."""
    per_problem = [np.subtract(*(m.mean(axis=0) for m in b)) for b in zip(*arms, strict=True)]
    count = len(per_problem)
    problem = sum(d.var(ddof=1) / len(d) for d in per_problem) / count**2
    means = [np.mean([m.mean(axis=1) for m in arms[a]], axis=0) for a in trained if len(arms[a][0]) > 1]
    seed = sum(m.var(ddof=1) / len(m) for m in means)
    answers = sum((m * (1 - m) / (K - 1)).sum() / m.size**2 for arm in arms for m in arm) / count**2
    rest = sum(residual(m) for a in trained if len(arms[a][0]) > 1 for m in arms[a]) / count**2
    return {
        "algorithm": max(seed + problem - rest, seed, problem),
        "benchmark": seed,
        "checkpoints": problem,
        "answers": answers,
    }


def residual(m: np.ndarray) -> float:
    rest = m - m.mean(axis=0) - m.mean(axis=1, keepdims=True) + m.mean()
    return float((rest**2).sum() / ((len(m) - 1) * (m.shape[1] - 1)) / m.size)


@pytest.mark.parametrize("asked", ASKED)
def test_the_label_is_what_entered_the_variance(asked: Estimand) -> None:
    rng, seen = np.random.default_rng(0), set()
    layouts = list(product(SEEDS, SEEDS, (1, 2, 3), (False, True)))
    for one, other, benchmarks, start in layouts:
        # seeds differ by much, so that no part of the variance is another's by chance
        arms = [
            [
                rng.binomial(K, np.clip(0.5 + rng.normal(0, 0.1, (s, 1)) + rng.normal(0, 0.2, j), 0, 1)) / K
                for j in (40, 25, 31)[:benchmarks]
            ]
            for s in (one, 1 if start else other)
        ]
        trained = [0] if start else [0, 1]
        ks = [[[K] * len(m) for m in arm] for arm in arms]
        found = contrast(arms, (1.0, -1.0), asked, fixed=[1] if start else [], attempts=ks)
        several = all(len(arms[a][0]) > 1 for a in trained)
        lacking = {"algorithm": "checkpoints", "benchmark": "answers"}
        assert found.estimand == (asked if several else lacking.get(asked, asked))
        assert found.se and found.se**2 == pytest.approx(variances(arms, trained)[found.estimand])
        seen.add(found.estimand)
    assert len(layouts) * len(ASKED) == 384 and asked in seen


@pytest.mark.parametrize(("seeds", "covers"), [((0,), "checkpoints"), ((0, 1), "algorithm"), ((0, 1, 2), "algorithm")])
def test_a_report_says_what_its_intervals_cover(make_run, seeds: tuple[int, ...], covers: str) -> None:
    run: Path = make_run(seeds=seeds)
    reports.build(run, ["json", "md"])
    found = json.loads((run / "report/verdict.json").read_text())
    assert {pair["covers"] for pair in found["pairs"]} == {covers} and found["pairs"][0]["target"] == "algorithm"
    single = covers == "checkpoints"
    assert ("about these checkpoints on new problems like these" in found["verdict"]) == single
    # with one seed no algorithm is named as above another
    assert found["verdict"].startswith("This checkpoint of ReNCE (reconstruction)") == single


def test_a_seed_that_is_missing_on_one_benchmark_leaves_the_average_to_checkpoints(make_run) -> None:
    import shutil

    run: Path = make_run(seeds=(0, 1))
    shutil.rmtree(run / "grpo/seed1/evals/step_20/mini_hard")
    reports.build(run, ["json"])
    pairs = json.loads((run / "report/verdict.json").read_text())["pairs"]
    average = next(p for p in pairs if p["family"] == "primary")
    easy = next(p for p in pairs if p["benchmark"] == "mini_easy" and p["family"] == "per_benchmark")
    assert (average["covers"], easy["covers"]) == ("checkpoints", "algorithm")
