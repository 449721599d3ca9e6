"""`rence plan --pilot`: variances of a finished run carried over to a plan."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from reports.data import pilot
from reports.statistics.design import DesignChange
from reports.statistics.optimise import DesignPrices, optimise
from reports.statistics.planned import PowerTarget, Variances

ROOT = Path(pilot.__file__).parents[2]
SIZES = {"mini_easy": (40, 4), "mini_hard": (30, 4)}
DESIGN = pilot.PlannedDesign(SIZES, PowerTarget())


def test_the_design_of_the_pilot_has_the_effect_that_its_report_shows(make_run) -> None:
    import reports

    run = make_run()
    reports.build(run, ["json"])
    pairs = json.loads((run / "report/verdict.json").read_text())["pairs"]
    found = pilot.read(run, list(SIZES))
    assert (found.arms, found.seeds, found.notes) == (["rence", "grpo"], 3, [])
    for pair in pairs[:3]:
        seen = found.sight(DESIGN, 3, pair["benchmark"])
        assert seen and (seen.estimate, seen.upper) == pytest.approx((pair["mde"], pair["mde_high"]), rel=1e-6)


def test_more_seeds_problems_and_samples_detect_less(make_run) -> None:
    found = pilot.read(make_run(sd_seed=0.4), list(SIZES))
    base, seeds = found.sight(DESIGN, 3), found.sight(DESIGN, 6)
    assert base and seeds and seeds.estimate < base.estimate
    assert found.sight(DESIGN, 3, more=DesignChange(seeds=2)) == seeds
    larger = pilot.PlannedDesign({name: (2 * j, k) for name, (j, k) in SIZES.items()}, PowerTarget())
    assert found.sight(larger, 3) == found.sight(DESIGN, 3, more=DesignChange(problems=(2,)))
    sampled = pilot.PlannedDesign({name: (j, 4 * k) for name, (j, k) in SIZES.items()}, PowerTarget())
    assert found.sight(sampled, 3) == found.sight(DESIGN, 3, more=DesignChange(samples=(4,)))


def test_one_seed_leaves_the_variation_between_seeds_as_stated(make_run) -> None:
    found = pilot.read(make_run(seeds=(0,)), list(SIZES))
    assert found.notes == ["The pilot has one seed an arm: the sd over seeds is stated, 2 points, not measured."]
    few, many = (found.sight(DESIGN, seeds) for seeds in (3, 300))
    assert few and many and many.estimate < few.estimate
    # 2 sd^2 / S is there beside what was measured: with so many seeds and problems nothing else is left
    endless = pilot.PlannedDesign({name: (10**9, k) for name, (_, k) in SIZES.items()}, PowerTarget())
    left = found.sight(endless, 100)
    assert left and left.estimate == pytest.approx(2.816 * Variances().sd_seed * (2 / 100) ** 0.5, rel=0.01)


def test_seeds_that_failed_leave_an_arm_of_one_out(make_run) -> None:
    run = make_run(gains={"rence": 0.8, "grpo": 0.6, "dapo": 0.5})
    for seed in (1, 2):
        shutil.rmtree(run / f"dapo/seed{seed}")
    assert pilot.read(run, list(SIZES)).arms == ["rence", "grpo"]


def test_a_pilot_needs_the_benchmarks_and_two_arms(make_run) -> None:
    run = make_run()
    with pytest.raises(ValueError, match=r"no results on mini_sums; it was evaluated on mini_easy and mini_hard"):
        pilot.read(run, ["mini_easy", "mini_sums"])
    with pytest.raises(ValueError, match=r"has one arm with results on all benchmarks"):
        pilot.read(make_run("alone", gains={"grpo": 0.5}), list(SIZES))


def test_a_plan_that_pairs_by_seed_uses_the_correlation_of_the_pilot(make_run) -> None:
    found = pilot.read(make_run(sd_seed=0.4), list(SIZES))
    assert found.correlation is not None and -1 <= found.correlation <= 1
    apart = found.sight(DESIGN, 6)
    paired = pilot.PlannedDesign(SIZES, PowerTarget(pair_seeds=True))
    effects = [replace(found, correlation=r).sight(paired, 6) for r in (None, 0.0, 0.5, 0.95)]
    assert effects[0] == effects[1], "a pilot of fewer than three shared seeds is taken to have none"
    known = [one.estimate for one in effects[1:] if one]
    assert apart and len(known) == 3 and known[0] > apart.estimate > known[2] and known == sorted(known, reverse=True)


def test_one_seed_has_an_effect_about_its_checkpoints_alone(make_run) -> None:
    found = pilot.read(make_run(), list(SIZES))
    assert found.sight(DESIGN, 1) is None
    assert found.sight(pilot.PlannedDesign(SIZES, PowerTarget("checkpoints")), 1) is not None
    assert found.sight(DESIGN, 1, more=DesignChange(seeds=3)) == found.sight(DESIGN, 3)


def test_the_cheapest_design_at_the_variances_of_a_pilot(make_run) -> None:
    """It is chosen by the upper bound, and its variance is made of what the pilot's was."""
    found = pilot.read(make_run(sd_seed=0.4), list(SIZES))
    problems = {name: j for name, (j, _) in SIZES.items()}
    basis = pilot.PilotBasis(found, problems, PowerTarget())
    now = found.sight(DESIGN, 3)
    same = basis.sight(3, (4, 4))
    assert now and now == same
    split = found.splits["average"]
    parts = basis.variances(3, (4, 4))
    assert sum(parts.values()) == pytest.approx(split.total) and parts["seeds"] == pytest.approx(split.seed)
    prices = DesignPrices(2, 100, tuple(problems.values()), 0)
    chosen = optimise(prices, basis, 0.9 * now.upper, None).designs[0]
    assert chosen.sight and chosen.sight.upper <= 0.9 * now.upper and chosen.sight.estimate < chosen.sight.upper


def test_more_attempts_are_not_bought_where_the_pilot_cannot_tell_what_they_bring(make_run) -> None:
    sizes = dict.fromkeys(SIZES, (30, 1))
    found = pilot.read(make_run(benchmarks=sizes, curve=()), list(sizes))
    assert found.sampling_weights() == [0.0, 0.0]


@pytest.fixture
def plan():
    """Plan the quickstart with these further arguments."""

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "rence", "plan", str(ROOT / "configs/quickstart.yaml"), *words]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)

    return call


def test_the_command(make_run, plan) -> None:
    names = ("mini_sums", "mini_chains")
    run = make_run("pilot", benchmarks=dict.fromkeys(names, (30, 4)), curve=())
    benchmarks = ["evaluation.benchmarks={mini_sums: 4, mini_chains: 4}", "evaluation.curve={}"]
    shown = plan(*benchmarks, "--pilot", str(run))
    assert shown.returncode == 0, shown.stderr
    assert "twice the seeds (6 an arm)" in shown.stdout and "core-hours" in shown.stdout
    found = json.loads(plan(*benchmarks, "--pilot", str(run), "--json").stdout)["minimum_detectable_effect"]
    assert set(found["pilot"]["by_seeds"]) == {"3", "5", "10"}
    for row in found["pilot"]["by_seeds"].values():
        assert list(row) == [*names, "average"] and all(0 < one["estimate"] <= one["upper"] for one in row.values())
    by_one = json.loads(plan(*benchmarks, "seeds=[0]", "--pilot", str(run), "--json").stdout)
    measured = by_one["minimum_detectable_effect"]["pilot"]
    assert set(measured["by_seeds"]["1"].values()) == {None} and set(measured["reasons"]) == {"1"}
    assert measured["checkpoints"]["by_seeds"]["1"]["average"]["estimate"] > 0
    routes = {route["words"]: route for route in found["pilot"]["routes"]}
    # four arms, three seeds more of each: 12 trials of 12,288 rollouts and 2 x 200 attempts, sampled 4 times and greedy
    twice = routes["twice the seeds (6 an arm)"]
    assert (twice["trials"], twice["rollouts"], twice["attempts"]) == (12, 12 * 12_288, 12 * 2000)
    assert routes["twice the problems"]["attempts"] == 12 * 2000
    cheap = json.loads(plan(*benchmarks, "--pilot", str(run), "--optimise", "margin=12", "--json").stdout)["optimise"]
    assert cheap["fits"] and all(
        0 < one["sight"]["estimate"] < one["sight"]["upper"] <= 0.12 for one in cheap["designs"]
    )
    refused = plan("--pilot", str(run))
    assert refused.returncode == 2 and "no results on mini_stories" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) <= 3
    assert plan("--pilot", "nowhere").returncode == 3


def test_what_would_sharpen_a_plan_is_priced_with_every_decoding(make_run, plan) -> None:
    run = make_run("pilot", benchmarks={"mini_sums": (30, 4)}, curve=())
    base = ("evaluation.benchmarks={mini_sums: 4}", "evaluation.curve={mini_sums: 1}", "--pilot", str(run), "--json")
    three = "{sampled: {}, greedy: {temperature: 0, k: 1}, cool: {temperature: .6, k: 2, max_tokens: 96}}"
    alone, several = (
        json.loads(plan(*base, f"evaluation.decodings={decodings}").stdout)["minimum_detectable_effect"]
        for decodings in ("null", three)
    )
    routes = {one["words"]: one for one in several["pilot"]["routes"]}
    # four arms of three seeds are 12 checkpoints; 200 problems are asked 4 + 1 + 2 times, and once at 3 earlier points
    assert routes["twice the seeds (6 an arm)"]["attempts"] == 12 * 200 * (4 + 1 + 2 + 3)
    assert routes["twice the problems"]["attempts"] == 12 * 200 * (4 + 1 + 2)
    assert routes["twice the samples a problem"]["attempts"] == 12 * 200 * 4, "the headline's"
    hours = {words: one["hours"] for words, one in routes.items()}
    # tokens: (4 + 1) x 48 + 2 x 96, against 4 x 48
    assert hours["twice the problems"] / hours["twice the samples a problem"] == pytest.approx(432 / 192)
    assert several["by_seeds"] == alone["by_seeds"], "effects are the headline's"
    assert several["pilot"]["by_seeds"] == alone["pilot"]["by_seeds"]
