"""`rence.load`: the frames hold the report's numbers, in the columns that their table says, of every kind of folder."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import rence
from harness.records import EvalFolder, EvalRecord, read_json, write_json
from reports import build
from reports.data import second_marker
from reports.data.agreement import analysed
from reports.frames.frame_columns import FRAMES, attempt_columns
from reports.frames.framing import check
from tests.reports.conftest import Synthetic

matplotlib.use("Agg")
ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "python.md"
ANSWERS = re.findall(r"^## (.*?)\n\n```python run\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
METHODS = {
    "arms": "arms",
    "trials": "trials",
    "scores": "scores",
    "problems": "problems",
    "curves": "curves",
    "differences": "differences",
    "pass_at_k": "pass_at_k",
    "pass_at_k_differences": "pass_at_k differences",
    "markers": "markers",
    "steps": "steps",
    "missing": "missing",
}
BY_SEED = ("scores", "problems", "curves")
Make = Callable[..., Path]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `runs/quickstart`: three arms, four points, lengths that differ, and a second marker that calls
    every eleventh answer otherwise and fails on every fiftieth."""
    place = tmp_path_factory.mktemp("place")
    gains = {"rence": 0.8, "grpo": 0.6, "dapo": 0.1}
    run = Synthetic(gains, benchmarks={"mini_easy": (40, 8), "mini_hard": (30, 8)}, points=4).write(
        place / "runs" / "quickstart"
    )
    for header in run.rglob("eval.json"):
        write_json(header, {**read_json(header), "second_marker": True})
        second_marks(header.with_name("attempts.parquet"))
    return place


def second_marks(path: Path) -> None:
    table = pq.read_table(path)
    rows = np.arange(table.num_rows)
    other = np.where(np.array(table["mark"].to_pylist()) == "correct", "wrong", "correct")
    second = np.where(rows % 11 == 0, other, np.array(table["mark"].to_pylist()))
    second = np.where(rows % 50 == 0, "grader_failed", second)
    columns = {"mark_second": pa.array(second.tolist()), "tokens": pa.array((5 + rows % 37).tolist())}
    for name, values in columns.items():
        table = table.set_column(table.column_names.index(name), name, values)
    pq.write_table(table, path)


@pytest.fixture(scope="module")
def run(place: Path) -> rence.Results:
    return rence.load(place / "runs" / "quickstart")


@pytest.fixture(scope="module")
def verdict(place: Path) -> dict:
    build(place / "runs" / "quickstart", ["json", "csv"], place / "report")
    return json.loads((place / "report" / "verdict.json").read_text(encoding="utf-8"))


def csv(place: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(place / "report" / name)


def check_all(run: rence.Results) -> None:
    for method, name in METHODS.items():
        check(name, getattr(run, method)())
    for method in BY_SEED:
        check(f"{method} by seed", getattr(run, method)(by_seed=True))
    for text in (False, True):
        check("attempts", run.attempts(text=text), attempt_columns(text))


def test_every_frame_is_as_its_table_says(run: rence.Results) -> None:
    check_all(run)
    assert set(METHODS.values()) | {f"{name} by seed" for name in BY_SEED} | {"flips", "compared"} == set(FRAMES)
    check("flips", run.flips("rence", "grpo"))
    check("compared", run.compare("rence", "grpo").frame())
    with pytest.raises(TypeError, match="must have the columns"):
        check("scores", run.scores().astype({"seeds": "float64"}))


def test_scores_are_those_of_results_csv(place: Path, run: rence.Results, verdict: dict) -> None:
    found, told = run.scores(), csv(place, "results.csv").rename(columns={"mean": "score"})
    shared = [name for name in told.columns if name not in ("title", "rule")]
    pd.testing.assert_frame_equal(found[shared], told[shared], check_exact=True, check_dtype=False)
    averages = found[found.benchmark == "average"].set_index("arm")["score"]
    assert averages.to_dict() == {arm["arm"]: arm["average"]["mean"] for arm in verdict["arms"]}


def test_differences_are_the_pairs_of_the_verdict(run: rence.Results, verdict: dict) -> None:
    found = run.differences()
    keys = ["a", "b", "benchmark", "family", "delta", "se", "ci_low", "ci_high", "p_value", "p_adjusted", "mde"]
    assert found[keys].to_dict("records") == [{key: pair[key] for key in keys} for pair in verdict["pairs"]]
    assert found["simultaneous_low"].tolist() == [pair["simultaneous"]["low"] for pair in verdict["pairs"]]
    assert found["significant"].tolist() == [pair["significant"] for pair in verdict["pairs"]]
    assert found["matched"].all() and len(found) == 2 + 4 + 3


def test_pass_at_k_is_that_of_the_csv(place: Path, run: rence.Results, verdict: dict) -> None:
    told = csv(place, "pass_at_k.csv")
    scores, pairs = told[told.b.isna()], told[told.b.notna()]
    found = run.pass_at_k().query("measure != 'maj@k'")
    assert found[["score", "ci_low", "ci_high"]].to_numpy() == pytest.approx(
        scores[["value", "ci_low", "ci_high"]].to_numpy(), abs=0
    )
    assert found[["measure", "arm", "benchmark", "k"]].values.tolist() == (
        scores[["measure", "a", "benchmark", "k"]].values.tolist()
    )
    assert run.pass_at_k_differences()["delta"].tolist() == pairs["value"].tolist()
    assert set(found.k) == {1, 2, 4, 8}


def test_problems_and_flips_are_those_of_problems_csv(place: Path, run: rence.Results, verdict: dict) -> None:
    told = csv(place, "problems.csv").set_index(["benchmark", "problem"])
    wide = run.problems().pivot(index=["benchmark", "problem_id"], columns="arm", values="pass_rate")
    assert (wide[told.columns].to_numpy() == told.to_numpy()).all()
    flips = run.flips("rence", "dapo").set_index(["benchmark", "problem_id"])
    assert (flips["difference"] == told["rence"] - told["dapo"]).all()
    gained = (told["rence"] > 0.5) & (told["dapo"] <= 0.5)
    assert set(flips.index[flips["category"] == "gained"]) == set(told.index[gained])
    assert flips.loc[flips["category"] == "both", "kind"].isna().all()


def test_seeds_and_attempts_average_to_the_scores(run: rence.Results) -> None:
    seeds = run.scores(by_seed=True)
    means = seeds.groupby(["arm", "benchmark"])["score"].mean()
    told = run.scores().set_index(["arm", "benchmark"])["score"]
    assert means.to_numpy() == pytest.approx(told.loc[means.index].to_numpy(), abs=1e-12)
    attempts = run.attempts()
    assert len(attempts) == (40 + 30) * 8 * (1 + 3 * 3)
    shares = attempts.groupby(["arm", "benchmark"])["correct"].mean()
    assert shares.to_numpy() == pytest.approx(told.loc[shares.index].to_numpy(), abs=1e-12)
    problem = run.problems(by_seed=True).query("arm == 'grpo' and seed == 1 and benchmark == 'mini_easy'").iloc[3]
    mine = attempts.query("arm == 'grpo' and seed == 1 and problem_id == @problem.problem_id")
    assert (problem["attempts"], problem["correct"]) == (len(mine), mine["correct"].sum())
    assert problem["mean_tokens"] == mine["tokens"].mean()


def test_attempts_of_all_points_and_their_texts(run: rence.Results) -> None:
    assert set(run.attempts()["step"]) == {0, 40}
    everywhere = run.attempts(headline=False, text=True)
    assert set(everywhere["step"]) == {0, 10, 20, 30, 40}
    assert everywhere["response"].iloc[0] == "<script>alert('1 < 2')</script>"


def test_curves_end_in_the_headline_and_have_the_bands_of_the_picture(run: rence.Results) -> None:
    curves = run.curves()
    last = curves[(curves.benchmark == "mini_easy") & (curves.point == 1000)].set_index("arm")["score"]
    scores = run.scores().query("benchmark == 'mini_easy'").set_index("arm")["score"]
    assert last.to_numpy() == pytest.approx(scores.loc[last.index].to_numpy(), abs=1e-12)
    by_seed = run.curves(by_seed=True).query("arm == 'rence' and benchmark == 'mini_easy' and point == 500")
    values = by_seed["score"].to_numpy()
    # the t interval of three values: mean ± 4.3027 s / √3
    half = 4.302653 * values.std(ddof=1) / np.sqrt(3)
    row = curves.query("arm == 'rence' and benchmark == 'mini_easy' and point == 500").iloc[0]
    assert row["score"] == pytest.approx(values.mean()) and row["seeds"] == 3
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((values.mean() - half, values.mean() + half), abs=1e-6)
    assert curves[curves.arm == "start"]["point"].tolist() == [0, 0]
    steps = run.steps().query("arm == 'rence' and seed == 0 and step == 20")
    assert by_seed.iloc[0]["tokens"] == steps["tokens"].iloc[0] and steps["reward"].isna().all()


def test_markers_are_counted_as_the_report_counts(place: Path, run: rence.Results) -> None:
    told = second_marker.compare(analysed(place / "runs" / "quickstart", None))
    found = run.markers()
    assert found[["both", "first_only", "second_only", "failed"]].values.tolist() == [
        [one.both, one.first_only, one.second_only, one.failed] for one in told.values()
    ]
    first = run.attempts(text=True).query("arm == 'start' and benchmark == 'mini_easy'")
    judged = first[(first.mark != "grader_failed") & (first.mark_second != "grader_failed")]
    same = ((judged.mark == "correct") == (judged.mark_second == "correct")).mean()
    assert found.query("arm == 'start' and benchmark == 'mini_easy'")["agreement"].item() == pytest.approx(same)


def test_comparisons_have_the_numbers_of_the_command(place: Path, run: rence.Results) -> None:
    folders = [place / "runs" / "quickstart" / arm for arm in ("rence", "grpo")]
    alone, inside = rence.compare(*folders), run.compare("rence", "grpo")
    assert alone.to_json()["pairs"][0]["delta"] == inside.frame()["delta"].iloc[0]
    frame = alone.frame()
    assert (frame["score_a"] - frame["score_b"]).to_numpy() == pytest.approx(frame["delta"].to_numpy())
    assert frame["benchmark"].tolist() == ["average", "mini_easy", "mini_hard"]
    assert repr(alone) == alone.text() and "<table>" in alone._repr_html_()
    assert run.compare("rence", "start").frame()["delta"].iloc[0] == pytest.approx(
        run.differences().query("family == 'start' and a == 'rence'")["delta"].item()
    )


def test_a_change_of_a_frame_changes_nothing_else(run: rence.Results) -> None:
    scores = run.scores()
    scores["score"] = 0.0
    assert run.scores()["score"].iloc[0] > 0
    with pytest.raises(AttributeError):
        run.root = Path()  # type: ignore[misc]


def test_results_print_themselves(run: rence.Results) -> None:
    words, page = repr(run), run._repr_html_()
    assert words.startswith("synthetic (run): 3 arms, 3 seeds, 2 benchmarks\n")
    assert run.verdict.split(". ")[0] in words and "Not there yet" not in words
    assert "<td" in page and "<script" not in page and "ReNCE (reconstruction)" in page
    assert run.name == "synthetic" and run.benchmarks == ("mini_easy", "mini_hard") and run.decodings == ()


@pytest.mark.parametrize("name", ["scores", "curves", "differences", "pass_at_k", "cost"])
def test_pictures_take_axes_and_make_their_own(run: rence.Results, name: str) -> None:
    from matplotlib import pyplot

    plot = getattr(run, f"plot_{name}")
    _, (left, right) = pyplot.subplots(1, 2)
    assert plot(ax=left) is left and left.has_data() and not right.has_data()
    own = plot()
    assert own.figure is not left.figure and own.has_data()
    pyplot.close("all")


def test_pictures_show_the_numbers_of_the_frames(run: rence.Results) -> None:
    from matplotlib import pyplot

    means = [line.get_ydata() for line in run.plot_curves("mini_easy").lines if line.get_linewidth() == 1.8]
    told = run.curves().query("arm == 'rence' and benchmark == 'mini_easy'")["score"]
    assert means[0][1:] == pytest.approx(100 * told.to_numpy())
    pyplot.close("all")
    with pytest.raises(ValueError, match="`benchmark` must be one of mini_easy, mini_hard, average, but is `aime`"):
        run.plot_scores("aime")
    with pytest.raises(ValueError, match="`x` must be one of rollouts, updates, tokens, step, but is `hours`"):
        run.plot_curves(x="hours")


def test_a_run_under_way_says_what_is_not_there(make_run: Make) -> None:
    folder = make_run()
    shutil.rmtree(folder / "grpo" / "seed2")
    (folder / "rence" / "seed1" / "done.json").unlink()
    shutil.rmtree(folder / "rence" / "seed1" / "evals" / "step_20")
    run = rence.load(folder)
    check_all(run)
    assert "Not there yet: rence seed 1 (unfinished) and grpo seed 2 (not begun)" in repr(run)
    gone = run.missing()
    assert gone.values.tolist() == [
        ["rence", 1, "mini_easy", "", "unfinished"],
        ["rence", 1, "mini_hard", "", "unfinished"],
        ["grpo", 2, "mini_easy", "", "not begun"],
        ["grpo", 2, "mini_hard", "", "not begun"],
    ]
    assert run.trials()["status"].value_counts().to_dict() == {"finished": 4, "unfinished": 1, "not begun": 1}
    assert np.isnan(run.trials().query("arm == 'grpo' and seed == 2")["tokens"].item())
    last = run.curves().query("arm == 'rence' and benchmark == 'mini_easy' and point == 1000").iloc[0]
    assert np.isnan(last["score"]) and last["seeds"] == 2  # no mean over other seeds than the planned ones


def test_a_run_that_has_only_begun(make_run: Make) -> None:
    folder = make_run()
    for part in ("rence", "grpo", "start"):
        shutil.rmtree(folder / part)
    run = rence.load(folder)
    check_all(run)
    assert run.scores()["score"].isna().all() and len(run.missing()) == 2 + 2 * 3 * 2
    assert "No verdict" in repr(run) and len(run.attempts()) == 0 and run.differences()["delta"].isna().all()


def test_a_folder_of_rence_eval(make_evaluated: Make) -> None:
    folder = make_evaluated("model", sums=[4, 4, 2, 0, 1, 3], chains=[0, 1, 1, 0])
    run, told = rence.load(folder), rence.evaluated_model(folder).to_json()
    check_all(run)
    scores = run.scores().set_index("benchmark")
    for name, cell in {**told["per_benchmark"], "average": told["average"]}.items():
        assert scores.loc[name, ["score", "ci_low", "ci_high"]].tolist() == [
            cell[key] for key in ("mean", "ci_low", "ci_high")
        ]
    by_k = run.pass_at_k().query("k == 4").set_index(["measure", "benchmark"])["score"]
    assert by_k["pass@k", "sums"] == told["per_benchmark"]["sums"]["pass_at_k"]
    assert by_k["maj@k", "sums"] == told["per_benchmark"]["sums"]["maj_at_k"]
    assert run.kind == "evaluation" and run.arms()["role"].tolist() == ["model"]
    assert run.trials().empty and run.differences().empty and run.missing().empty
    assert set(run.attempts()["seed"]) == {-1} and len(run.attempts(text=True)) == 40
    assert repr(run).startswith("model (evaluation): 2 benchmarks")
    with pytest.raises(ValueError, match="no planned comparison"):
        run.plot_differences()


def test_an_evaluation_whose_benchmarks_share_problems_has_no_average(make_evaluated: Make) -> None:
    folder = make_evaluated("model", sums=[4, 4, 2, 0], again=[4, 4, 2, 0])
    for header in folder.rglob("eval.json"):
        record = EvalRecord.read(header)
        replace(record, benchmark=record.benchmark).write(header)
        path = EvalFolder(header.parent).attempts
        table = pq.read_table(path)
        ids = pa.array([f"same-{text[-4:]}" for text in table["problem_id"].to_pylist()])
        pq.write_table(table.set_column(table.column_names.index("problem_id"), "problem_id", ids), path)
    run = rence.load(folder)
    assert run.scores().query("benchmark == 'average'")["score"].isna().all()
    assert "average" not in set(run.scores(by_seed=True)["benchmark"])
    assert any("problems in common" in note for note in run.notes)


def test_an_import(tmp_path: Path, rence_command: Callable[..., tuple[int, str, str]]) -> None:
    rows = [
        {"arm": arm, "seed": seed, "benchmark": "b", "problem_id": f"p{p}", "sample": s, "correct": int(p < solved)}
        for arm, solved in (("ours", 6), ("theirs", 4))
        for seed in (0, 1)
        for p in range(10)
        for s in range(2)
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    code, _, said = rence_command("import", "attempts", tmp_path / "rows.jsonl", "--out", tmp_path / "run")
    assert code == 0, said
    run = rence.load(tmp_path / "run")
    check_all(run)
    assert run.kind == "import" and set(run.trials()["status"]) == {"imported"}
    scores = run.scores().set_index(["arm", "benchmark"])
    assert scores.loc[("ours", "b"), "score"] == 0.6
    # it says no more than correct or not, and nothing of lengths
    assert np.isnan(scores.loc[("ours", "b"), "truncated"]) and run.problems()["wrong"].isna().all()
    assert run.attempts()["tokens"].isna().all() and run.curves()["rollouts"].isna().all()
    with pytest.raises(ValueError, match="does not say `tokens` of its checkpoints"):
        run.plot_curves(x="tokens")
    with pytest.raises(ValueError, match="made elsewhere"):
        run.plot_cost()


@pytest.fixture
def rence_command(request: pytest.FixtureRequest) -> Callable[..., tuple[int, str, str]]:
    return request.getfixturevalue("rence")


def test_what_is_no_run_is_told(place: Path, tmp_path: Path, run: rence.Results) -> None:
    with pytest.raises(rence.DataError, match=r"is not a folder\. `rence list runs`"):
        rence.load(tmp_path / "nowhere")
    with pytest.raises(rence.DataError, match=r"holds no results: neither plan.json(.|\n)*rence import"):
        rence.load(tmp_path)
    with pytest.raises(rence.DataError, match=r"has some in it: quickstart. Load one of them, such as .*quickstart"):
        rence.load(str(place / "runs"))
    for part in ("grpo", "grpo/seed1"):
        with pytest.raises(rence.DataError, match="is a part of the run"):
            rence.load(place / "runs" / "quickstart" / part)
    with pytest.raises(ValueError, match=r"`gspo` is no arm of synthetic\. Its arms: start, rence, grpo, dapo"):
        run.flips("gspo", "grpo")
    with pytest.raises(ValueError, match="`decoding` is `greedy`, but there is one decoding"):
        run.scores(decoding="greedy")


def test_files_that_do_not_agree_are_refused_and_can_be_accepted(make_run: Make) -> None:
    folder = make_run()
    header = folder / "grpo/seed0/evals/step_20/mini_hard/eval.json"
    write_json(header, {**read_json(header), "template": "other"})
    run = rence.load(folder)
    with pytest.raises(rence.Unmatched, match="template"):
        run.scores()
    assert "template" in repr(run)  # no traceback in a notebook
    accepted = rence.load(folder, accept="a typo")
    assert "Accepted: a typo" in repr(accepted)
    assert not accepted.differences()["matched"].any()


@pytest.fixture(scope="module")
def answered(place: Path) -> dict[str, dict]:
    """The names that each answer of the page leaves behind."""
    from matplotlib import pyplot

    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        for question, answer in ANSWERS:
            exec(compile(answer, question, "exec"), names := {})
            found[question] = names
            pyplot.close("all")
    return found


def test_ten_answers_of_ten_lines_use_the_public_names_alone() -> None:
    assert len(ANSWERS) == 10
    for _, answer in ANSWERS:
        assert len([line for line in answer.splitlines() if line.strip()]) <= 10
        assert set(re.findall(r"^(?:import|from) ([\w.]+)", answer, re.M)) <= {"rence", "pandas", "matplotlib.pyplot"}
        assert not re.search(r"\._\w", answer)


def test_the_answers_are_right(place: Path, run: rence.Results, verdict: dict, answered: dict[str, dict]) -> None:
    names = {name: value for one in answered.values() for name, value in one.items()}
    told = csv(place, "problems.csv").set_index(["benchmark", "problem"])
    assert (names["rates"]["grpo"] == told["grpo"]).all()
    lost = told[(told["rence"] <= 0.5) & (told["grpo"] > 0.5)]
    assert len(names["lost"]) == len(lost) > 0
    hardest = (lost["rence"] - lost["grpo"]).min()
    assert names["lost"]["difference"].iloc[0] == hardest
    assert names["by_length"]["size"].sum() == len(run.attempts()) and len(names["by_length"]) == 4 * 5
    worst = {arm: min(run.analysis.by_seed(arm).values()) for arm in ("rence", "grpo", "dapo")}
    assert names["seeds"].groupby("arm")["score"].min().to_dict() == pytest.approx(worst)
    assert names["costs"].loc["rence", "tokens"] == 40 * 25 * 20 and names["costs"].loc["dapo", "cpu_seconds"] == 60
    paper = (place / "scores.tex").read_text(encoding="utf-8")
    average = next(arm["average"] for arm in verdict["arms"] if arm["arm"] == "rence")
    assert f"{100 * average['mean']:.1f} ({100 * average['ci_low']:.1f}, {100 * average['ci_high']:.1f})" in paper
    assert names["pair"].average.estimate.value == run.differences()["delta"].iloc[0]
    assert [(place / name).stat().st_size > 5000 for name in ("curves.pdf", "pass_at_k.pdf", "cost.pdf", "figure.pdf")]
