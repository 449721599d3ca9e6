"""Learning curves and what training logged: means, bands and gaps, by hand."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from scipy import special

import reports
from reports.data import curve_points
from reports.data.analysis import Analysis, analyse
from reports.data.axes import averaged, counted
from reports.data.load import load
from reports.figures import arm_colours
from reports.figures.curves import Line, curves
from reports.figures.svg import ARMS, MUTED
from reports.sections import training
from reports.sections.curves import line


def analysis(run: Path) -> Analysis:
    return analyse(load(run))


def log(run: Path, metrics: Callable[[str, int, int], dict[str, float | None]]) -> None:
    """Replace every step's metrics by `metrics(arm, seed, step)`."""
    for path in run.glob("*/seed*/steps.jsonl"):
        arm, seed = path.parent.parent.name, int(path.parent.name.removeprefix("seed"))
        rows = [json.loads(row) for row in path.read_text(encoding="utf-8").splitlines()]
        rows = [row | {"metrics": metrics(arm, seed, row["step"])} for row in rows]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_a_band_is_the_t_interval_of_the_mean_over_seeds(make_run) -> None:
    tracks = [([10.0, 20.0], [40.0, 50.0]), ([10.0, 20.0], [43.0, 50.0]), ([11.0, 20.0], [46.0, 50.0])]
    found = line(analysis(make_run()), "grpo", tracks, origin=30.0)
    # mean 43, sd 3, so 43 +- 4.3027 x 3 / sqrt 3; nothing varies at the second point, and there are no seeds at 0
    half = special.stdtrit(2, 0.975) * 3 / math.sqrt(3)
    assert found.mean == ([0.0, pytest.approx(31 / 3), 20.0], [30.0, pytest.approx(43.0), 50.0])
    assert found.band is not None
    low, high = found.band
    assert math.isnan(low[0]) and math.isnan(low[2]) and math.isnan(high[2])
    assert (low[1], high[1]) == (pytest.approx(43 - half), pytest.approx(43 + half))
    assert found.seeds[2] == ([0.0, 11.0, 20.0], [30.0, 46.0, 50.0])


def test_no_mean_and_no_band_where_a_seed_is_missing_or_alone(make_run) -> None:
    a = analysis(make_run())
    found = line(a, "grpo", [([1.0], [40.0]), ([1.0], [41.0])])
    assert (found.mean, found.band, len(found.seeds)) == (([], []), None, 2)
    gap = line(a, "grpo", [([1.0], [40.0]), ([1.0], [41.0]), ([math.nan], [math.nan])])
    assert math.isnan(gap.mean[1][0]) and gap.band is None
    single = analysis(make_run("single", seeds=(4,)))
    assert line(single, "grpo", [([1.0, 2.0], [40.0, 44.0])]).band is None


def test_points_are_scores_of_the_files(make_run) -> None:
    a = analysis(make_run(curve=("mini_easy", "mini_hard")))
    table = counted(a)
    average = averaged(table, 2)
    tracks = curve_points.tracks(a, average[average["arm"] == "grpo"], "grpo", "rollouts")
    assert list(tracks) == [0, 1, 2]
    for seed, (x, y) in tracks.items():
        asked = table[(table["arm"] == "grpo") & (table["seed"] == seed)]
        scores = asked.sort_values(["grid", "benchmark"])["score"].to_list()
        assert x == [503, 1003] and y == pytest.approx([sum(scores[:2]) / 2, sum(scores[2:]) / 2])
    final = line(a, "grpo", list(tracks.values())).mean[1][-1]
    assert final == pytest.approx(a.scores["grpo", "average"].estimate.value)


def test_with_many_arms_the_best_are_named_and_the_target_alone_has_a_band(make_run) -> None:
    gains = {"rence": 0.0} | {f"arm{i}": 0.3 * i for i in range(11)}
    run = make_run(gains=gains, sd_seed=0.0, benchmarks={"mini_easy": (200, 4)})
    a = analysis(run)
    named = arm_colours.named(a)
    assert named == ["rence", *(f"arm{i}" for i in range(4, 11))], "in the plan's order"
    tints = arm_colours.tints(a)
    assert [tints[arm] for arm in named] == list(ARMS) and tints["arm3"] == MUTED
    tracks = [([1.0], [40.0 + seed]) for seed in range(3)]
    target, other, grey = (line(a, arm, tracks) for arm in ("rence", "arm9", "arm3"))
    assert target.band and len(target.seeds) == 3 and not target.quiet
    assert other.band is None and other.seeds == [] and other.mean[1] == [41.0] and not other.quiet
    assert grey.quiet and grey.band is None
    reports.build(run, ["md"])
    page = (run / "report/report.md").read_text(encoding="utf-8")
    assert "Of these 12 arms only ReNCE (reconstruction) shows its seeds and its band." in page
    assert "the 7 others with the highest averages; the other 4 are thin grey lines" in page
    picture = (run / "report/figures/curve-rollouts.svg").read_text(encoding="utf-8")
    assert ">arm10<" in picture and ">arm3<" not in picture and picture.count('fill-opacity="0.13"') == 1


X = ([0.0, 1.0, 2.0], [math.nan, 40.0, 42.0])


def test_a_band_too_wide_is_cut_and_one_that_stands_alone_is_a_bar() -> None:
    wide = Line("grpo", ARMS[0], [], X, band=([math.nan, 0.0, 0.0], [math.nan, 90.0, 90.0]))
    picture = curves("wide", [wide], None, "rollouts", 400, 200)
    ticks = [label for label in ("0", "20", "39", "40", "41", "42", "43", "60") if f">{label}<" in picture]
    assert "40" in ticks and "60" not in ticks and "20" not in ticks
    assert 'stroke-opacity="0.35"' not in picture
    alone = Line("grpo", ARMS[0], [], X, band=([math.nan, math.nan, 41.0], [math.nan, math.nan, 43.0]))
    assert curves("alone", [alone], None, "rollouts", 400, 200).count('stroke-opacity="0.35"') == 1


def test_training_shows_what_was_logged_and_says_what_the_entropy_is(make_run) -> None:
    run = make_run()
    log(run, lambda arm, seed, step: {"actor/entropy": 1.0 - 0.02 * step + 0.1 * seed, "generated/score/mean": None})
    a = analysis(run)
    found = training.section(a)
    assert found is not None and found.title == "In training: entropy"
    reports.build(run, ["md"])
    names = {path.name for path in (run / "report/figures").iterdir()}
    assert "training-entropy.svg" in names and "training-score.svg" not in names
    page = (run / "report/report.md").read_text(encoding="utf-8")
    assert "mean of −log p over the sampled tokens" in page and "Each point is the mean" not in page
    # first 0.98 and last 0.6 at seed 0; 0.1 more on average over seeds 0, 1, 2
    assert "| GRPO | 1.08 | 0.7 |" in page


def test_how_often_labels_are_right_is_shown_of_the_arms_that_log_it(make_run) -> None:
    run = make_run(gains={"rence": 0.8, "grpo": 0.6, "dapo": 0.5})

    def logged(arm: str, seed: int, step: int) -> dict[str, float]:
        score = {"generated/score/mean": 0.2 + 0.02 * step}
        return {**score, "labels/agreement": 0.5 + 0.02 * step + 0.01 * seed} if arm == "grpo" else score

    log(run, logged)
    found = training.section(analysis(run))
    assert found is not None and found.title == "In training: score and labels"
    reports.build(run)
    page = (run / "report/report.md").read_text(encoding="utf-8")
    # first 52 and last 90 at seed 0; one more on average over seeds 0, 1, 2
    assert "| GRPO | 22 | 60 | 53 | 91 |" in page and "| DAPO | 22 | 60 | — | — |" in page
    assert "Labels are of the arms that learn from something else than the marker's verdict" in page


def test_training_of_nothing_logged_is_absent(make_run) -> None:
    run = make_run()
    assert training.section(analysis(run)) is None, "the defaults log neither score nor entropy nor length"
    for path in run.glob("*/seed*/steps.jsonl"):
        path.unlink()
    assert training.section(analysis(run)) is None


def test_many_steps_become_means_and_a_shorter_seed_a_gap(make_run) -> None:
    run = make_run(points=10)  # 100 steps of 10 rollouts: 3 of them a point
    log(run, lambda arm, seed, step: {"response_length/mean": 100.0 + step} if (seed, arm) != (1, "grpo") else {})
    a = analysis(run)
    tracks = training._tracks(a, training.PANELS[2], "response_length/mean", training._width(a))
    assert training._width(a) == 3 and len(tracks["rence"]) == 3 and len(tracks["grpo"]) == 2
    x, y = tracks["rence"][0]
    assert (len(x), x[0], y[0], x[-1], y[-1]) == (34, 20.0, 102.0, 1000.0, 200.0)
    place = run / "rence/seed2/steps.jsonl"
    place.write_text("\n".join(place.read_text(encoding="utf-8").splitlines()[:50]) + "\n", encoding="utf-8")
    a = analysis(run)
    tracks = training._tracks(a, training.PANELS[2], "response_length/mean", training._width(a))
    short = tracks["rence"][2][1]
    assert short[16] == 149.5 and math.isnan(short[17]) and len(short) == 34
    assert math.isnan(line(a, "rence", tracks["rence"]).mean[1][20])


def test_a_run_without_curves_has_no_section(make_run) -> None:
    run = make_run()
    for name in ("start", "grpo", "rence"):
        shutil.rmtree(run / name)
    reports.build(run, ["md"])
    assert "Learning curves" not in (run / "report/report.md").read_text(encoding="utf-8")
