"""Sweeps in a report: effects of factors on scores that are known, and the best arm with what luck is in it."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import reports
from bench.best import simulate, sweep
from harness.records import Plan, RunFolder, Sweep
from reports.data import sweeps
from reports.data.analysis import Analysis, analyse
from reports.data.load import load
from reports.document import Bullets, Table, Text
from reports.figures import arm_colours
from reports.sections import best, effects
from reports.statistics import contrast
from reports.statistics.best import cross_fit
from reports.statistics.multiple import adjusted
from tests.reports.conftest import relock

SMALL = {"benchmarks": {"a": (40, 2), "b": (30, 2)}, "curve": (), "points": 1}
GRID = {
    "rence": {"margin": "gap", "easy": "0.8"},
    "rence.easy-1": {"margin": "gap", "easy": "1"},
    "rence.margin-none": {"margin": "none", "easy": "0.8"},
    "rence.margin-none.easy-1": {"margin": "none", "easy": "1"},
}
FULL = Sweep("full", "rence", {"margin": ["gap", "none"], "easy": ["0.8", "1"]}, GRID)
ABLATE = Sweep(
    "ablate",
    "dapo",
    {"clip-higher": ["on", "off"], "overlong": ["on", "off"]},
    {
        "dapo": {"clip-higher": "on", "overlong": "on"},
        "dapo.minus-clip-higher": {"clip-higher": "off", "overlong": "on"},
        "dapo.minus-overlong": {"clip-higher": "on", "overlong": "off"},
    },
)


def swept(run: Path, *parts: Sweep) -> Path:
    """The run with a design in its plan."""
    plan = RunFolder(run).plan
    replace(Plan.read(plan), sweeps=list(parts)).write(plan)
    return relock(run)


def analysis(run: Path) -> Analysis:
    return analyse(load(run))


def means(a: Analysis) -> dict[str, float]:
    return {arm.name: a.scores[arm.name, "average"].estimate.value for arm in a.arms}


def test_main_effects_and_the_interaction_of_a_full_grid_by_hand(make_run) -> None:
    gains = dict(zip(GRID, (0.5, 1.0, 0.1, 1.5), strict=True))
    a = analysis(swept(make_run(gains=gains, **SMALL), FULL))
    (found,), mean = sweeps.effects(a), means(a)
    none, easy = found.main
    gap_8, gap_1, none_8, none_1 = (mean[arm] for arm in GRID)
    assert (none.factor, none.level, none.reference) == ("margin", "none", "gap")
    assert none.estimate and none.estimate.value == pytest.approx(((none_8 - gap_8) + (none_1 - gap_1)) / 2)
    assert easy.estimate and easy.estimate.value == pytest.approx(((gap_1 - gap_8) + (none_1 - none_8)) / 2)
    assert none.mean == pytest.approx((none_8 + none_1) / 2)
    assert found.references == pytest.approx({"margin": (gap_8 + gap_1) / 2, "easy": (gap_8 + none_8) / 2})
    # the interval is the crossed one of the contrast with weights of a half
    matrices = [[a.cells[arm, b].values for b in ("a", "b")] for arm in GRID]
    expected = contrast(matrices, (-0.5, -0.5, 0.5, 0.5), "algorithm", 0.95)
    assert none.estimate.interval == pytest.approx(expected.interval)
    assert [e.p_adjusted for e in found.main] == pytest.approx(adjusted([e.estimate.p_value for e in (none, easy)]))  # type: ignore[union-attr]
    (both,) = found.interactions
    assert both.factor == "margin none × easy 1"
    assert both.estimate and both.estimate.value == pytest.approx((none_1 - gap_1) - (none_8 - gap_8))
    assert both.estimate.se == pytest.approx(contrast(matrices, (1, -1, -1, 1)).se)


def test_an_ablation_is_each_arm_minus_its_base(make_run) -> None:
    gains = {"dapo": 1.5, "dapo.minus-clip-higher": 1.4, "dapo.minus-overlong": -1.5}
    a = analysis(swept(make_run(gains=gains, sd_seed=0.01, **SMALL), ABLATE))
    (found,), mean = sweeps.effects(a), means(a)
    for effect in found.main:
        expected = mean[f"dapo.minus-{effect.factor}"] - mean["dapo"]
        assert effect.estimate and effect.estimate.value == pytest.approx(expected)
    assert [effect.direction(0.05) for effect in found.main] == [0, -1]
    assert found.references["overlong"] == mean["dapo"] and found.interactions == []
    section = effects.section(a)
    assert section is not None
    said, table = section.blocks[0], section.blocks[1]
    assert isinstance(said, Text) and isinstance(table, Table)
    assert "Significant effects on the average, in points: minus overlong (−" in said.text
    assert said.text.endswith("; the other 1 is not separated from zero.")
    assert [[row.cells[0].text, row.cells[-1].text] for row in table.rows] == [
        ["(nothing)", "the base"],
        ["clip-higher", "not separated"],
        ["overlong", "lower"],
    ]


def test_combinations_without_a_result_are_left_out_and_said(make_run) -> None:
    run = swept(make_run(gains=dict.fromkeys(GRID, 0.5), **SMALL), FULL)
    for seed in (0, 1, 2):
        for path in (run / "rence.margin-none.easy-1" / f"seed{seed}").rglob("attempts.parquet"):
            path.unlink()
    (found,) = sweeps.effects(analysis(run))
    assert [(effect.used, effect.planned) for effect in found.main] == [(1, 2), (1, 2)]
    assert found.interactions[0].estimate is None and found.interactions[0].p_adjusted is None
    picked = sweeps.best(analysis(run))
    assert picked is not None and picked.missing == ["rence.margin-none.easy-1"] and len(picked.arms) == 3


def test_no_section_without_a_sweep(make_run) -> None:
    a = analysis(make_run())
    assert effects.section(a) is None and best.section(a) is None
    run = make_run("again")
    reports.build(run)
    assert not (run / "report/effects.csv").exists()
    assert "sweeps" not in json.loads((run / "report/verdict.json").read_text())


def test_all_formats_hold_the_numbers(make_run) -> None:
    run = swept(make_run(gains=dict.fromkeys([*GRID, *ABLATE.cells], 0.5), **SMALL), FULL, ABLATE)
    reports.build(run)
    folder = run / "report"
    rows = list(csv.DictReader(io.StringIO((folder / "effects.csv").read_text())))
    assert [(row["sweep"], row["design"], row["factor"], row["level"]) for row in rows] == [
        ("1", "full", "margin", "none"),
        ("1", "full", "easy", "1"),
        ("1", "interaction", "margin none × easy 1", ""),
        ("2", "ablate", "clip-higher", "off"),
        ("2", "ablate", "overlong", "off"),
    ]
    said = json.loads((folder / "verdict.json").read_text())["sweeps"]
    assert said["effects"][0]["main"][0]["delta"] == float(rows[0]["points"])
    assert said["best_arm"]["arm"] in GRID or said["best_arm"]["arm"] in ABLATE.cells
    assert sum(said["best_arm"]["cross_fitted"]["chosen"].values()) == pytest.approx(1)
    assert {"effects.tex", "effects-2.tex", "figures/effects.svg", "figures/effects-2.svg"} <= {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    }
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "The effect of each factor" in page and "The best arm, and the winner&#39;s curse" in page
    before = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    reports.build(run)
    assert before == {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def far(gains: np.ndarray) -> float:
    """Standard errors from zero."""
    return float(gains.mean() / gains.std() * len(gains) ** 0.5)


def test_without_any_effect_the_naive_gain_is_biased_and_the_cross_fitted_is_not() -> None:
    found = simulate(300, arms=8)
    # an arm's average has sd sqrt(.02^2/3 + (1/60 + 1/40)/4 (.1^2 + .2^2/3)) = .0194, and the highest of 8 normal
    # variables is 1.42 sd above their mean
    assert found.naive.mean() == pytest.approx(1.42 * 0.0194, abs=0.003)
    assert far(found.naive) > 8 and abs(far(found.cross_fitted)) < 3


def test_a_true_effect_is_found_without_bias() -> None:
    found = simulate(100, arms=8, better=0.2)
    assert found.cross_fitted.mean() == pytest.approx(0.2, abs=0.01)
    assert found.naive.mean() == pytest.approx(0.2, abs=0.01), "nothing competes with it"


def test_with_one_seed_its_luck_stays_in() -> None:
    assert far(simulate(300, arms=8, seeds=1).cross_fitted) > 5
    assert not cross_fit(sweep(np.random.default_rng(0), 3, seeds=1), 0, np.random.default_rng(0)).seeds_apart


def test_the_better_arm_is_always_chosen_and_equal_ones_equally_often() -> None:
    sure = [[np.full((2, 4), value)] for value in (0.1, 0.7, 0.2)]
    found = cross_fit(sure, 2, np.random.default_rng(0))
    assert (found.score, found.gain, found.picked) == (pytest.approx(0.7), pytest.approx(0.5), (0.0, 1.0, 0.0))
    even = cross_fit([[np.full((2, 4), 0.5)]] * 4, 0, np.random.default_rng(0))
    assert even.picked == pytest.approx([0.25] * 4, abs=0.05) and even.gain == 0
    with pytest.raises(ValueError, match="single problem"):
        cross_fit([[np.zeros((2, 1))]] * 2, 0, np.random.default_rng(0))


def test_the_section_says_what_is_left_of_the_lead(make_run) -> None:
    gains = {"rence": 0.0, **{f"rence.x-{i}": 0.0 for i in range(9)}}
    cells = {arm: {"x": arm.removeprefix("rence.x-")} for arm in gains}
    one = Sweep("one_at_a_time", "rence", {"x": ["rence", *map(str, range(9))]}, cells)
    a = analysis(swept(make_run(gains=gains, **SMALL), one))
    found, section = sweeps.best(a), best.section(a)
    assert found is not None and found.honest is not None and section is not None
    assert found.honest.gain < found.naive_gain
    sentences = section.blocks[0]
    assert isinstance(sentences, Bullets)
    assert sentences.items[0].startswith("The highest average of 10 arms is ")
    assert sentences.items[1].startswith("Chosen on half of the seeds and problems and scored on the other half, ")
    assert " of these choices it is the arm with the highest average" in sentences.items[2]


def test_levels_of_a_factor_are_sorted_in_the_picture(make_run) -> None:
    gains = dict(zip(("rence", *(f"rence.x-{i}" for i in range(20))), np.linspace(-1, 1, 21).tolist(), strict=True))
    cells = {arm: {"x": arm.removeprefix("rence.x-")} for arm in gains}
    one = Sweep("one_at_a_time", "rence", {"x": ["rence", *map(str, range(20))]}, cells)
    run = swept(make_run(gains=gains, sd_seed=0.01, **SMALL), one)
    (found,) = sweeps.effects(analysis(run))
    order = [effect.level for effect in sorted(found.main, key=lambda e: -(e.estimate.value if e.estimate else 0))]
    reports.build(run, ["md"])
    svg = (run / "report/figures/effects.svg").read_text()
    # shorter ones are ticks of the axis, too
    places = [svg.index(f">{level}</text>") for level in order if int(level) > 9]
    assert places == sorted(places)


def test_pictures_name_what_is_different_of_an_arm(make_run) -> None:
    cells = {"rence": {"x": "1"}, "rence.x-2": {"x": "2"}}
    grid = Sweep("one_at_a_time", "rence", {"x": ["1", "2"]}, cells)
    run = swept(make_run(gains=dict.fromkeys([*cells, *ABLATE.cells], 0.5), **SMALL), grid)
    plan = Plan.read(RunFolder(run).plan)
    titles = {"rence.x-2": "ReNCE (reconstruction) · x 2", "dapo.minus-overlong": "DAPO minus overlong"}
    arms = [replace(arm, title=titles.get(arm.name, arm.title)) for arm in plan.arms]
    replace(plan, arms=arms).write(RunFolder(run).plan)
    one, two = analysis(run), analysis(swept(run, grid, ABLATE))
    assert [arm_colours.short(one, arm) for arm in cells] == ["ReNCE (rec.)", "x 2"]
    assert [arm_colours.short(two, arm) for arm in cells] == ["ReNCE (rec.)", "rence · x 2"]
    assert arm_colours.short(two, "dapo.minus-overlong") == "DAPO minus overlong"


def test_small_levels_are_written_out_in_the_picture(make_run) -> None:
    cells = {"rence": {"rate": "0.0003"}, "rence.rate-0.00075": {"rate": "0.00075"}}
    one = Sweep("one_at_a_time", "rence", {"rate": ["0.0003", "0.00075"]}, cells)
    run = swept(make_run(gains=dict.fromkeys(cells, 0.5), **SMALL), one)
    reports.build(run, ["md"])
    assert ">0.00075</text>" in (run / "report/figures/effects.svg").read_text()
