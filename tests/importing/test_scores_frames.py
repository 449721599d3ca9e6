"""`rence.load` of scores without problems: the numbers of its report, in the columns of every run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import rence as public
from reports.frames.framing import check

from .conftest import Done, verdict
from .test_scores import table

matplotlib.use("Agg")
Rence = Callable[..., Done]
TABLES = ("arms", "trials", "scores", "curves", "differences", "missing")
BY_SEED = ("scores", "curves")
# arm, seed, step, sums, mul; the last step of a's seed 1 has no `mul`
ROWS = [
    ["a", 0, 10, 0.40, 0.20], ["a", 0, 20, 0.50, 0.30], ["a", 1, 10, 0.44, 0.26], ["a", 1, 20, 0.54, ""],
    ["a", 2, 10, 0.48, 0.20], ["a", 2, 20, 0.52, 0.34], ["b", 0, 10, 0.60, 0.30], ["b", 0, 20, 0.70, 0.50],
    ["b", 1, 10, 0.66, 0.36], ["b", 1, 20, 0.72, 0.44], ["b", 2, 10, 0.62, 0.32], ["b", 2, 20, 0.71, 0.45],
]  # fmt: skip


@pytest.fixture
def run(rence: Rence, tmp_path: Path) -> public.Results:
    table(tmp_path / "a.csv", [["arm", "seed", "step", "sums", "mul"], *ROWS])
    done = rence("import", "scores", "a.csv", "--target", "b", "--step", "20", "--out", "runs/x")
    assert done.code == 0, done.err
    assert rence("report", "runs/x").code == 0
    return public.load(tmp_path / "runs/x")


def check_all(run: public.Results) -> None:
    for name in TABLES:
        check(name, getattr(run, name)())
    for name in BY_SEED:
        check(f"{name} by seed", getattr(run, name)(by_seed=True))


def test_scores_are_means_over_seeds_with_t_intervals(run: public.Results, tmp_path: Path) -> None:
    check_all(run)
    assert (run.kind, run.benchmarks, run.decodings) == ("scores", ("sums", "mul"), ())
    scores = run.scores().set_index(["arm", "benchmark"])
    told = {arm["arm"]: arm for arm in verdict(tmp_path / "runs/x")["arms"]}
    low, high = stats.t.interval(0.95, 2, loc=np.mean([0.5, 0.54, 0.52]), scale=stats.sem([0.5, 0.54, 0.52]))
    row = scores.loc[("a", "sums")]
    assert (row.score, row.ci_low, row.ci_high, row.seeds) == pytest.approx((0.52, low, high, 3))
    # an average is of the seeds that have both benchmarks
    assert scores.loc[("a", "average"), "score"] == told["a"]["average"]["mean"] == pytest.approx((0.4 + 0.43) / 2)
    assert scores.loc[("a", "average"), "seeds"] == 2
    assert scores[["n_problems", "k", "correct", "truncated"]].isna().all(axis=None)
    csv = pd.read_csv(tmp_path / "runs/x/report/results.csv")
    found, order = run.scores(by_seed=True)[list(csv.columns)], ["arm", "benchmark", "seed"]
    one, other = (frame.sort_values(order, ignore_index=True) for frame in (found, csv))
    pd.testing.assert_frame_equal(one, other, check_dtype=False)


def test_gaps_are_named_and_no_zero(run: public.Results) -> None:
    assert run.missing()[["arm", "seed", "benchmark"]].to_numpy().tolist() == [["a", 1, "mul"]]
    assert "No score where it is compared, a gap and not a zero: a seed 1 on mul." in repr(run)
    trials = run.trials().set_index(["arm", "seed"])
    assert np.isnan(trials.loc[("a", 1), "score"]) and trials.loc[("b", 1), "score"] == pytest.approx(0.58)
    assert trials["tokens"].isna().all() and set(trials["status"]) == {"imported"}
    arms = run.arms().set_index("arm")
    assert arms.loc[["a", "b"], "role"].tolist() == ["baseline", "target"]
    assert arms.loc["a", ["seeds_planned", "seeds_scored"]].tolist() == [3, 2]


def test_curves_have_a_gap_where_a_seed_lacks_the_step(run: public.Results) -> None:
    curves = run.curves().set_index(["arm", "benchmark", "point"])
    low, high = stats.t.interval(0.95, 2, loc=np.mean([0.2, 0.26, 0.2]), scale=stats.sem([0.2, 0.26, 0.2]))
    first, last = curves.loc[("a", "mul", 10)], curves.loc[("a", "mul", 20)]
    assert (first.score, first.ci_low, first.ci_high, first.seeds) == pytest.approx((0.22, low, high, 3))
    assert np.isnan([last.score, last.ci_low, last.ci_high]).all() and last.seeds == 2
    assert curves.loc[("b", "average", 20), "score"] == pytest.approx(np.mean([0.6, 0.58, 0.58]))
    each = run.curves(by_seed=True).set_index(["arm", "seed", "benchmark", "step"])["score"]
    assert each["a", 2, "average", 20] == pytest.approx(0.43)
    assert ("a", 1, "average", 20) not in each.index and len(each) == 36 - 2


def test_differences_are_the_pairs_of_the_verdict(run: public.Results, tmp_path: Path) -> None:
    found, told = run.differences(), verdict(tmp_path / "runs/x")["pairs"]
    keys = ["a", "b", "benchmark", "family", "delta", "ci_low", "ci_high", "p_value", "p_adjusted"]
    assert found[keys].to_dict("records") == [{key: pair[key] for key in keys} for pair in told]
    test = stats.ttest_ind([0.7, 0.72, 0.71], [0.5, 0.54, 0.52], equal_var=False)
    assert found.query("benchmark == 'sums'")["p_value"].item() == pytest.approx(test.pvalue)
    assert found["matched"].isna().all() and found["finding"].tolist() == ["above", "above", "not separated"]
    assert run.verdict.startswith("b is above a on the average of 2 benchmarks.")


def test_what_needs_answers_says_which_tables_there_are(run: public.Results) -> None:
    for ask in (run.problems, run.attempts, run.pass_at_k, run.plot_cost, run.steps, lambda: run.flips("a", "b")):
        with pytest.raises(public.DataError, match=r"holds scores without problems.*arms, trials, scores, curves"):
            ask()
    (run.root / "a").mkdir()
    with pytest.raises(public.DataError, match="is a part of the run"):
        public.load(run.root / "a")
    (run.root / "scores.parquet").write_bytes(b"PAR1")
    with pytest.raises(public.BrokenSeal, match=r"scores\.parquet"):
        public.load(run.root).scores()
    assert "scores.parquet" in repr(public.load(run.root))


def test_pictures_show_the_numbers_of_the_frames_and_compare_those_of_the_command(
    run: public.Results, rence: Rence
) -> None:
    scores = run.scores().query("benchmark == 'average'").set_index("arm")
    ticks = [label.get_text() for label in run.plot_scores().get_yticklabels()]
    assert ticks == ["a", "b"]
    drawn = run.plot_curves("sums")
    assert (drawn.get_xlabel(), drawn.get_ylabel(), drawn.get_title(loc="left")) == ("steps", "percent", "sums")
    thick = max(drawn.get_lines(), key=lambda line: (line.get_linewidth(), line.get_ydata()[-1]))
    ends = [100 * np.mean([0.6, 0.66, 0.62]), 100 * np.mean([0.7, 0.72, 0.71])]
    assert list(thick.get_ydata()) == pytest.approx(ends)
    assert [label.get_text() for label in run.plot_differences(by_benchmark=True).get_yticklabels()] == [
        "minus a", "minus a on sums", "minus a on mul",
    ]  # fmt: skip
    pair = run.compare("b", "a")
    assert pair.average.estimate is not None
    assert pair.average.estimate.value == pytest.approx(scores.loc["b", "score"] - scores.loc["a", "score"])
    told = rence("compare", str(run.root / "b"), str(run.root / "a"), "--json").json
    assert pair.to_json()["pairs"] == told["pairs"]
    for ask, words in (
        (lambda: run.compare("b", "c"), "`c` is no arm of x. Its arms: a, b."),
        (lambda: run.plot_scores("c"), "`benchmark` must be one of sums, mul, average, but is `c` instead."),
        (lambda: run.plot_curves(x="tokens"), "`x` must be step, but is `tokens` instead"),
    ):
        with pytest.raises(ValueError, match=words.replace("(", r"\(")):
            ask()


def test_one_benchmark_has_an_average_and_a_table_no_curve(rence: Rence, tmp_path: Path) -> None:
    table(tmp_path / "a.csv", [["arm", "seed", "reward"], ["a", 0, -3], ["a", 1, -1], ["b", 0, 250]])
    assert rence("import", "scores", "a.csv", "--unit", "raw", "--out", "runs/x").code == 0
    run = public.load(tmp_path / "runs/x")
    check_all(run)
    averages = run.scores().query("benchmark == 'average'").set_index("arm")
    # numbers of no known scale stay as they were, and one seed has no interval
    assert averages["score"].to_dict() == {"a": -2, "b": 250} and np.isnan(averages.loc["b", "ci_low"])
    assert len(run.curves()) == len(run.curves(by_seed=True)) == len(run.missing()) == 0
    assert run.differences()["finding"].tolist() == ["could not be tested"]
    assert run.plot_scores().get_xlabel() == "score" and run.plot_differences().get_xlabel() == "difference"
    with pytest.raises(ValueError, match="The scores on reward have no steps, one score a seed: `plot_scores` draws"):
        run.plot_curves()
