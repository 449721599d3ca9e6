"""Collapses and the bound of their rate, the worst seed, and the probability of improvement, on known scores."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import reports
from harness.records import START, CollapseRule, DoneRecord, EvalRecord, Plan, RunFolder
from reports.data.analysis import Analysis, analyse
from reports.data.load import load
from reports.data.scores import Scores
from reports.data.stability import health, improvements, sentence, stabilities, stability, to_json
from reports.sections import stability as section
from reports.statistics.collapse import collapse_level, rate_bound
from reports.statistics.improvement import Improvement, improvement
from tests.reports.conftest import relock, write_eval

ONE = {"benchmarks": {"mini": (100, 10)}, "curve": (), "seeds": (0, 1, 2, 3, 4)}


def test_the_bound_of_a_rate_is_exact() -> None:
    assert rate_bound(0, 3) == pytest.approx(1 - 0.05 ** (1 / 3)) and round(rate_bound(0, 3), 2) == 0.63
    assert rate_bound(0, 1) == pytest.approx(0.95) and rate_bound(4, 4) == 1
    for events, trials, confidence in ((0, 10, 0.95), (1, 5, 0.95), (3, 20, 0.9), (499, 500, 0.95)):
        high = rate_bound(events, trials, confidence)
        assert stats.binom.cdf(events, trials, high) == pytest.approx(1 - confidence), (
            "the rate that is just not refused"
        )
    with pytest.raises(ValueError, match="at least 1"):
        rate_bound(0, 0)


@pytest.mark.parametrize(
    ("median", "start", "rule", "level"),
    [
        (0.6, 0.2, (True, 0.5), 0.4),
        (0.6, 0.2, (True, 0.25), 0.5),
        (0.6, 0.2, (True, None), 0.2),
        (0.6, 0.2, (False, 1.0), 0.2),
        (0.1, 0.2, (True, 0.5), 0.2),
        (0.1, 0.2, (False, 0.5), None),
        (None, 0.2, (True, 0.5), 0.2),
        (0.6, None, (True, 0.5), None),
        (0.6, 0.2, (False, None), None),
    ],
)
def test_the_level_below_which_a_seed_collapsed(median, start, rule, level) -> None:
    assert collapse_level(median, start, *rule) == (None if level is None else pytest.approx(level))


def test_probability_of_improvement_by_hand() -> None:
    ours, theirs = [1.0, 2, 3, 4, 5, 6, 7, 8], [0.0, 0, 0, 4, 4, 9, 9, 9]
    # above the three zeros: 8 x 3; above the two fours: 4 seeds and one tie, so 4.5 x 2; above the nines: none
    found = improvement(ours, theirs)
    assert found is not None and found.value == (8 * 3 + 4.5 * 2) / 64
    assert found.interval[0] < 0.5 < found.interval[1]
    back = improvement(theirs, ours)
    assert back is not None and back.value == 1 - found.value
    assert back.interval == pytest.approx((1 - found.interval[1], 1 - found.interval[0]))
    assert improvement(ours[:7], theirs) is None and improvement(ours, theirs[:7]) is None


def test_where_every_seed_is_above_there_is_an_interval() -> None:
    found = improvement(list(range(10, 18)), list(range(8)))
    t = stats.t.ppf(0.975, 7)
    assert found is not None and found.value == 1 and found.interval == pytest.approx((8 / (8 + t * t), 1))
    one_wrong = improvement([*range(11, 18), 6.5], list(range(8)))
    assert one_wrong is not None and one_wrong.value == 63 / 64 and 0.6 < one_wrong.interval[0] < 0.8
    equal = improvement([1.0] * 8, [1.0] * 9)
    assert equal is not None and equal.value == 0.5 and equal.interval[0] == pytest.approx(1 - equal.interval[1])


@pytest.mark.parametrize(
    ("shift", "sd", "collapse", "sides"),
    [(1, 1, 0, (8, 8)), (0, 4, 0, (8, 20)), (3, 1, 0.2, (8, 20)), (3, 1, 0, (10, 10))],
)
def test_the_interval_covers(shift: float, sd: float, collapse: float, sides: tuple[int, int]) -> None:
    """Unequal spread and collapses, 800 replicates: at least 93 %."""
    rng = np.random.default_rng([7, *sides, round(shift), round(sd)])

    def ours(n: int) -> np.ndarray:
        return rng.normal(shift, sd, n) - 20 * (rng.random(n) < collapse)

    true = float(np.mean(ours(400_000) > rng.normal(0, 1, 400_000)))
    found = [improvement(ours(sides[0]).tolist(), rng.normal(0, 1, sides[1]).tolist()) for _ in range(800)]
    assert np.mean([f is not None and f.interval[0] <= true <= f.interval[1] for f in found]) >= 0.93


def give(run: Path, arm: str, scores: dict[int, float]) -> None:
    """Each of these seeds so many tenths of each of 100 problems' 10 attempts: a score to the digit. Some problems, of
    each seed others, have one more and as many one fewer, so that something varies."""
    for seed, score in scores.items():
        place = RunFolder(run).start_eval("mini") if arm == START else RunFolder(run).trial(arm, seed).eval(20, "mini")
        header = EvalRecord.read(place.header)
        right = round(10 * score) + np.roll(np.tile([1, -1, 0, 0, 0], 20), seed)
        write_eval(place, header, np.where(np.arange(header.k) < right[:, None], "correct", "wrong"))


def analysis(run: Path) -> Analysis:
    return analyse(load(run))


@pytest.fixture
def collapsed(make_run) -> Path:
    """grpo: a median of .7 and one seed at .3, where half way to the start at .2 is .45."""
    run = make_run(**ONE)
    give(run, START, {-1: 0.2})
    give(run, "rence", {0: 0.6, 1: 0.6, 2: 0.7, 3: 0.7, 4: 0.7})
    give(run, "grpo", {0: 0.7, 1: 0.7, 2: 0.8, 3: 0.3, 4: 0.6})
    return run


def test_a_collapsed_seed_is_counted_named_and_said(collapsed: Path) -> None:
    a = analysis(collapsed)
    rence, grpo = stabilities(a)
    assert grpo.level == pytest.approx(0.45) and grpo.collapsed == (3,) == grpo.sure
    assert (grpo.seeds, grpo.worst, grpo.median) == (5, 3, pytest.approx(0.7))
    assert grpo.sd == pytest.approx(np.std([0.7, 0.7, 0.8, 0.3, 0.6], ddof=1))
    assert grpo.high == pytest.approx(rate_bound(1, 5)) == pytest.approx(0.6574, abs=1e-4)
    assert rence.collapsed == () and rence.high == pytest.approx(1 - 0.05**0.2) and rence.worst == 0
    assert sentence(a) == (
        "One of the 5 seeds of GRPO collapsed (seed 3: 30.0 % against a median of 70.0 %): intervals do not cover a "
        "collapse that was never drawn."
    )
    found = to_json(a, "grpo")
    assert found["collapse"] == {"seeds": 5, "collapsed": 1, "high": grpo.high}
    assert found["health"] == {
        "finished": [0, 1, 2, 3, 4], "diverged": [], "unfinished": [], "not_run": [], "collapsed": [3],
    }  # fmt: skip
    assert found["worst_seed"]["seed"] == 3 and found["worst_seed"]["mean"] == pytest.approx(0.3)
    reports.build(collapsed, ["md", "html", "json"])
    page = (collapsed / "report/report.md").read_text(encoding="utf-8")
    assert "| GRPO | **1 of 5** | 66 % | 30.0 seed 3 | 62.0 | 19.2 |" in page
    assert "half way from its arm's median towards it" in page and "what was never drawn" in page
    assert (
        "GRPO: 1 of 5 seeds collapsed (seed 3: 30.0 % against a median of 70.0 %), so the rate may be up to 66 %"
        in page
    )
    arms = {arm["arm"]: arm for arm in json.loads((collapsed / "report/verdict.json").read_text())["arms"]}
    assert arms["grpo"]["collapse"] == found["collapse"] and arms[START]["collapse"]["collapsed"] is None


def finish(run: Path, arm: str, seed: int, status: str, keep: bool) -> None:
    """A trial that ended so, with its evaluation or without."""
    place = RunFolder(run).trial(arm, seed)
    DoneRecord(status, 7, 70, 700, 7, 0, "w", "loss is nan").write(place.done)
    if not keep:
        for name in ("attempts.parquet", "eval.json"):
            (place.eval(20, "mini").attempts.parent / name).unlink()


def test_a_diverged_seed_without_a_score_counts_as_collapsed_and_one_that_is_unfinished_does_not(
    collapsed: Path,
) -> None:
    finish(collapsed, "rence", 1, "diverged", keep=False)
    finish(collapsed, "rence", 2, "diverged", keep=True)
    finish(collapsed, "rence", 4, "finished", keep=False)
    RunFolder(collapsed).trial("rence", 4).done.unlink()
    a = analysis(collapsed)
    rence = stability(a, "rence")
    assert health(a, "rence") == {"finished": [0, 3], "diverged": [1, 2], "unfinished": [4], "not_run": []}
    assert rence.diverged == (1,) == rence.collapsed and rence.seeds == 4, "what has a score is judged by it"
    assert sentence(a) == (
        "Collapsed: one of the 4 seeds of ReNCE (reconstruction) (seed 1 diverged) and one of the 5 seeds of GRPO "
        "(seed 3: 30.0 % against a median of 70.0 %): intervals do not cover a collapse that was never drawn."
    )


def words(a: Analysis) -> str:
    made = section.section(a)
    assert made is not None
    return " ".join(made.blocks[0].items)  # type: ignore[union-attr]


def test_a_fall_that_noise_explains_is_counted_but_not_a_headline(make_run) -> None:
    # near the start, half of the seeds are below some level whatever is true
    run = make_run(gains={"rence": 0.0, "grpo": 0.0}, sd_seed=0.0, seeds=(0, 1, 2, 3, 4))
    a = analysis(run)
    fallen = {one.arm: one.collapsed for one in stabilities(a)}
    assert any(fallen.values()) and not any(one.sure for one in stabilities(a)) and sentence(a) is None
    assert "The choice of problems and answers alone may explain the fall of seed" in words(a)


def with_rule(run: Path, rule: CollapseRule | None) -> Analysis:
    path = RunFolder(run).plan
    plan = Plan.read(path)
    replace(plan, comparison=replace(plan.comparison, collapse=rule)).write(path)
    relock(run)
    return analysis(run)


def test_the_plan_says_what_a_collapse_is(collapsed: Path) -> None:
    a = with_rule(collapsed, CollapseRule(towards_start=None))
    assert stability(a, "grpo").collapsed == () and "or lies" not in words(a)
    a = with_rule(collapsed, CollapseRule(below_start=False, towards_start=0.1))
    assert stability(a, "grpo").collapsed == (3, 4) and "10 % of the way from its arm's median" in words(a)
    a = with_rule(collapsed, None)
    assert stability(a, "grpo").collapsed is None and sentence(a) is None
    assert "Collapses are not counted (any arm): the plan counts none." in words(a)


def test_without_the_untrained_model_the_reason_stands_in_the_place_of_the_count(collapsed: Path) -> None:
    place = RunFolder(collapsed).start_eval("mini")
    place.attempts.unlink()
    place.header.unlink()
    a = analysis(collapsed)
    one = stability(a, "grpo")
    assert one.collapsed is None and one.high is None and one.worst == 3 and one.sd is not None
    assert "Collapses are not counted (any arm): no complete result of the untrained model" in words(a)
    assert to_json(a, "grpo")["collapse"] | {"missing": ""} == {
        "seeds": 5,
        "collapsed": None,
        "high": None,
        "missing": "",
    }
    table = section.section(a).blocks[1]  # type: ignore[union-attr]
    assert [cell.text for cell in table.rows[1].cells[1:3]] == ["— of 5", "—"]


def test_one_seed_has_no_spread_and_no_worst(make_run) -> None:
    a = analysis(make_run(seeds=(0,)))
    one = stability(a, "grpo")
    assert (one.worst, one.sd, one.collapsed, one.high) == (None, None, (), pytest.approx(0.95))
    assert "One seed is its own median" in words(a) and "its rate may be up to 95 %" in words(a)
    table = section.section(a).blocks[1]  # type: ignore[union-attr]
    assert [cell.text for cell in table.rows[1].cells] == ["GRPO", "0 of 1", "95 %", "—", "52.3", "—"]


def test_improvement_has_numbers_from_eight_seeds_a_side_and_dots_below(make_run, collapsed: Path) -> None:
    few = analysis(collapsed)
    assert improvements(few) == [("grpo", None)]
    assert "the dots are all there is" in section.section(few).blocks[-1].text  # type: ignore[union-attr]
    a = analysis(make_run("eight", gains={"rence": 2.0, "grpo": 0.1}, seeds=tuple(range(8))))
    ((_, found),) = improvements(a)
    assert found == improvement([*a.by_seed("rence").values()], [*a.by_seed("grpo").values()]) and found.value == 1
    table = section.section(a).blocks[-2]  # type: ignore[union-attr]
    assert table.name == "improvement" and table.rows[0].cells[1].text == "1.00"
    assert isinstance(found, Improvement) and "not adjusted" in table.caption


def widened(a: Analysis, arms: int, seeds: int) -> Analysis:
    """The same analysis with so many arms of so many seeds, each of three problems; every tenth arm has no result."""
    records = [replace(a.arms[0], name=f"arm{i}", title=f"Arm {i}") for i in range(arms)]
    problems, rng = tuple("pqr"), np.random.default_rng(3)
    cells = {
        (one.name, name): Scores(tuple(range(seeds)), problems, rng.integers(0, 5, (seeds, 3)) / 4, (4,) * seeds)
        for i, one in enumerate(records)
        if i % 10 != 9
        for name in a.benchmarks
    }
    comparison = replace(a.run.plan.comparison, target="arm0", baselines=[one.name for one in records[1:]])
    plan = replace(a.run.plan, arms=records, seeds=list(range(seeds)), comparison=comparison)
    start = {
        key: replace(s, problems=problems, values=s.values[:, :3]) for key, s in a.cells.items() if key[0] == START
    }
    return replace(a, arms=records, cells=start | cells, run=replace(a.run, plan=plan, trials={}))


@pytest.mark.parametrize(("arms", "seeds"), [(200, 2), (3, 500), (2, 1)])
def test_many_arms_and_seeds_are_said_in_few_words(make_run, arms: int, seeds: int) -> None:
    a = widened(analysis(make_run()), arms, seeds)
    found = stabilities(a)
    assert len(found) == arms - arms // 10 and all(one.seeds == seeds for one in found)
    said, told = words(a), sentence(a)
    assert len(said) < 1500 and (told is None or len(told) < 600)
    made = section.section(a)
    assert made is not None and all(len(block.svg) < 600_000 for block in made.blocks if hasattr(block, "svg"))


def test_nothing_begun_has_no_section(make_run) -> None:
    run = make_run()
    a = replace(analysis(run), cells={}, scores={})
    empty = replace(a, run=replace(a.run, trials={}))
    assert section.section(empty) is None and sentence(empty) is None
    assert to_json(empty, "grpo")["collapse"] == {
        "seeds": 0, "collapsed": None, "high": None, "missing": "no seed has a complete result",
    }  # fmt: skip
