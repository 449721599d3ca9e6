"""`rence compare`: what it finds, what it refuses, and that it agrees with the report."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import reports
from harness.records import DataError, RunFolder


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def other_ids(path: Path) -> None:
    table = pq.read_table(path)
    names = pa.array([f"x{name}" for name in table["problem_id"].to_pylist()])
    pq.write_table(table.set_column(table.schema.get_field_index("problem_id"), "problem_id", names), path)


def test_agrees_with_the_report(make_run) -> None:
    run = make_run()
    reports.build(run, ["json"])
    expected = json.loads((run / "report/verdict.json").read_text(encoding="utf-8"))["pairs"][0]
    found = reports.compare(f"{run}/rence", f"{run}/grpo").to_json()
    for key in ("delta", "se", "df", "ci_low", "ci_high", "p_value", "mde", "target", "matched"):
        assert found["pairs"][0][key] == expected[key], key
    assert found["matched"] and json.loads(json.dumps(found, allow_nan=False)) == found


def test_is_antisymmetric(make_run) -> None:
    run = make_run()
    one = reports.compare(f"{run}/rence", f"{run}/grpo").to_json()["pairs"]
    other = reports.compare(f"{run}/grpo", f"{run}/rence").to_json()["pairs"]
    for a, b in zip(one, other, strict=True):
        assert (a["delta"], a["ci_low"], a["p_value"]) == pytest.approx((-b["delta"], -b["ci_high"], b["p_value"]))


def test_text_names_both_sides_and_the_finding(make_run) -> None:
    run = make_run(gains={"rence": 3.0, "grpo": 0.2}, sd_seed=0.05)
    text = reports.compare(f"{run}/rence", f"{run}/grpo").text()
    assert text.startswith(f"A  {run}/rence\nB  {run}/grpo\n")
    assert "A is above B on the average of 2 benchmarks: +" in text and "; matched.\n" in text


def test_with_the_untrained_model(make_run) -> None:
    run = make_run()
    found = reports.compare(f"{run}/grpo", f"{run}/start").to_json()
    assert found["pairs"][0]["delta"] > 0 and found["matched"]


def test_across_run_folders_of_one_arm(make_run) -> None:
    one, other = make_run("one", gains={"grpo": 0.8}), make_run("other", gains={"rence": 0.8})
    found = reports.compare(str(one), str(other)).to_json()
    assert [pair["benchmark"] for pair in found["pairs"]] == ["average", "mini_easy", "mini_hard"]


def test_two_checkpoints(make_run) -> None:
    run = make_run()
    found = reports.compare(f"{run}/grpo/seed0", f"{run}/rence/seed0").to_json()
    assert found["pairs"][0]["target"] == "checkpoints"


def test_evaluated_models_without_training(make_run) -> None:
    run = make_run()
    for name in ("a", "b"):
        for benchmark in ("mini_easy", "mini_hard"):
            source = run / f"grpo/seed{'ab'.index(name)}/evals/step_20/{benchmark}"
            shutil.copytree(source, run.parent / name / "evals" / benchmark)
    found = reports.compare(str(run.parent / "a"), str(run.parent / "b")).to_json()
    assert found["pairs"][0]["target"] == "checkpoints" and found["matched"]


@pytest.mark.parametrize(
    ("file", "change", "reason"),
    [
        ("seed1/trial.json", {"data_order": "x"}, r"the order of the training data differs \(seed 1\)"),
        ("seed0/trial.json", {"initial_weights": "x"}, r"the checkpoint to start from differs \(seed 0\)"),
        ("seed2/trial.json", {"budget_rollouts": 7}, r"the budget differs \(seed 2\)"),
        ("seed0/evals/step_20/mini_easy/eval.json", {"template": "x"}, "mini_easy: the prompt template differs"),
        ("seed0/evals/step_20/mini_easy/eval.json", {"grader_version": "2"}, "mini_easy: the marker's version differs"),
        (
            "seed0/evals/step_20/mini_easy/eval.json",
            {"sampling": {"temperature": 0}},
            r"mini_easy: the sampling's `temperature` differs \(1, 0\); mini_easy: the sampling's `top_p` differs",
        ),
    ],
)
def test_refuses_unmatched_arms(make_run, file: str, change: dict, reason: str) -> None:
    run = make_run()
    edit(run / "grpo" / file, **change)
    with pytest.raises(reports.Unmatched, match=reason):
        reports.compare(f"{run}/rence", f"{run}/grpo")
    allowed = reports.compare(f"{run}/rence", f"{run}/grpo", accept="we know")
    assert not allowed.to_json()["matched"] and "; accepted: we know." in allowed.text()
    assert "; matched" not in allowed.text() and "Accepted: we know. Let through: " in allowed.text()


def test_other_problems_in_another_version_are_never_compared(make_run) -> None:
    run = make_run()
    for seed in (0, 1, 2):
        edit(run / f"grpo/seed{seed}/evals/step_20/mini_easy/eval.json", benchmark_hash="older")
    with pytest.raises(reports.Unmatched, match="mini_easy: the version of the problems differs"):
        reports.compare(f"{run}/rence", f"{run}/grpo")
    # a typo was mended, say: the problems have the same ids, and whoever accepts it says why
    found = reports.compare(f"{run}/rence", f"{run}/grpo", accept="a typo").to_json()
    assert [pair["benchmark"] for pair in found["pairs"]] == ["average", "mini_easy", "mini_hard"]
    assert found["accepted"]["what"] == ["mini_easy: the version of the problems differs (h-mini_easy, older)"]
    for seed in (0, 1, 2):
        other_ids(run / f"grpo/seed{seed}/evals/step_20/mini_easy/attempts.parquet")
    found = reports.compare(f"{run}/rence", f"{run}/grpo", accept="a typo").to_json()
    assert [pair["benchmark"] for pair in found["pairs"]] == ["average", "mini_hard"]
    assert found["notes"] == ["Left out, for only one side has it in this version: mini_easy."]


def test_refuses_what_is_incomplete(make_run) -> None:
    run = make_run()
    (run / "grpo/seed1/done.json").unlink()
    with pytest.raises(DataError, match=r"grpo/seed1 is not finished. `rence run` continues it."):
        reports.compare(f"{run}/rence", f"{run}/grpo")


def test_refuses_a_missing_benchmark(make_run) -> None:
    run = make_run()
    for seed in (0, 1, 2):
        shutil.rmtree(run / f"grpo/seed{seed}/evals/step_20/mini_hard")
    with pytest.raises(DataError, match="has no result at the headline on mini_hard"):
        reports.compare(f"{run}/rence", f"{run}/grpo")


def test_a_run_of_several_arms_must_be_narrowed(make_run) -> None:
    run = make_run()
    with pytest.raises(ValueError, match=r"holds the arms rence, grpo: name one, such as .*/rence"):
        reports.compare(str(run), f"{run}/grpo")


def test_the_same_arm_twice(make_run) -> None:
    run = make_run()
    with pytest.raises(ValueError, match="A and B are the same folder"):
        reports.compare(f"{run}/grpo", f"{run}/grpo/")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            {"margin": 1},
            r"`margin` is a fraction(.|\n)*0.01 is one point",
        ),  # points by mistake: all would be equivalent
        ({"margin": -0.01}, "`margin`"),
        ({"margin": float("nan")}, "`margin`"),
        ({"alpha": 2}, "`alpha` must be above 0 and below 1, but is 2"),
        ({"alpha": 0}, "`alpha`"),
        ({"estimand": "seeds"}, "`estimand` must be algorithm, benchmark, checkpoints or answers, but is `seeds`"),
    ],
)
def test_what_cannot_be_asked_is_refused(make_run, asked: dict, said: str) -> None:
    run = make_run()
    with pytest.raises(ValueError, match=said):
        reports.compare(f"{run}/rence", f"{run}/grpo", **asked)
    if "margin" in asked:
        with pytest.raises(ValueError, match=said):
            reports.load(run).compare("rence", "grpo", **asked)


def test_nothing_there(make_run, tmp_path: Path) -> None:
    run = make_run()
    with pytest.raises(DataError, match="nowhere is not a folder"):
        reports.compare(f"{run}/grpo", str(tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="has neither trials nor a complete evaluation"):
        reports.compare(f"{run}/grpo", str(tmp_path / "empty"))


def test_the_command_and_its_exit_codes(make_run) -> None:
    root = Path(reports.__file__).parent.parent
    run = make_run()

    def rence(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "rence", "compare", f"{run}/rence", f"{run}/grpo", *words]
        return subprocess.run(command, capture_output=True, text=True, cwd=root)

    done = rence("--json")
    assert done.returncode == 0 and json.loads(done.stdout)["matched"]
    assert json.loads(rence("--margin", "50", "--json").stdout)["pairs"][0]["equivalent"] is True
    for margin in ("0", "100"):
        wrong = rence("--margin", margin)
        assert wrong.returncode == 2
        assert f"must be above 0 and below 100, but is {margin} instead" in wrong.stderr
    edit(run / "grpo/seed0/trial.json", budget_rollouts=7)
    refused = rence()
    assert refused.returncode == 2 and "the budget differs (seed 0)" in refused.stderr and not refused.stdout
    assert "; accepted: on purpose." in rence("--accept", "on purpose").stdout
    assert "; accepted: not given (--allow-unmatched)." in rence("--allow-unmatched").stdout
    assert rence("--accept", " ").returncode == 2
    (run / "grpo/seed1/done.json").unlink()
    unfinished = rence()
    assert unfinished.returncode == 3 and "grpo/seed1 is not finished" in unfinished.stderr


def test_a_pair_says_what_its_sign_depends_on(make_run) -> None:
    """a is ahead by one benchmark of three, and behind without it."""
    run = make_run(benchmarks=dict.fromkeys("abc", (100, 2)), curve=(), points=1)
    for seed in (0, 1, 2):
        for name, right in (("a", 190), ("b", 80), ("c", 80)):
            put(run, "rence", seed, name, right + seed)
            put(run, "grpo", seed, name, 100 + seed)
    found = reports.compare(str(run / "rence"), str(run / "grpo"))
    assert found.depends.sentences == (
        "A − B depends on the benchmarks: +8.3 points at the headline; without a: −10.0.",
        "Whether A is ahead is not shown to depend on the seed. Over this choice, in points: A − B +8.3 throughout.",
    )
    assert found.to_json()["depends_on"][0].startswith("A − B depends on the benchmarks: without a changes it by −18.3")
    assert found.depends.sentences[0] in found.text()


def put(run: Path, arm: str, seed: int, benchmark: str, right: int) -> None:
    """The first attempts of an evaluation are correct."""
    path = RunFolder(run).trial(arm, seed).eval(10, benchmark).attempts
    table = pq.read_table(path)
    marks = ["correct"] * right + ["wrong"] * (table.num_rows - right)
    pq.write_table(table.set_column(table.schema.get_field_index("mark"), "mark", pa.array(marks)), path)
