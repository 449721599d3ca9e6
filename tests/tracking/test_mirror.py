"""The mirror against real MLflow stores: what it holds are the files' numbers, once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import pyarrow.parquet
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.store.tracking.dbmodels.models import SqlDataset
from sqlalchemy import event
from sqlalchemy.orm import Session

from harness.records import EvalFolder, write_json
from harness.tracking import Mirror, store_uri
from harness.tracking.names import encode
from harness.tracking.runs import RunWriter

MakeRun = Callable[..., Any]


class Store:
    """What MLflow holds of one run folder."""

    def __init__(self, root: Path) -> None:
        self.client = MlflowClient(tracking_uri=store_uri(root.parent))
        experiments = [e.experiment_id for e in self.client.search_experiments()]
        runs = list(self.client.search_runs(experiments))
        self.parents = [run for run in runs if run.data.tags["stage"] == "experiment"]
        self.children = {
            run.data.tags["trial"]: run
            for run in runs
            if run.data.tags.get("mlflow.parentRunId") == self.parents[0].info.run_id
        }

    @property
    def parent(self) -> Run:
        (parent,) = self.parents
        return parent

    def history(self, run: Run, name: str) -> list[tuple[int, float]]:
        points = self.client.get_metric_history(run.info.run_id, encode(name))
        return sorted((point.step, point.value) for point in points)

    def everything(self) -> dict[str, list[tuple[int, float, int]]]:
        """Every point of every metric of every run."""
        return {
            f"{run.info.run_id} {key}": sorted(
                (m.step, m.value, m.timestamp) for m in self.client.get_metric_history(run.info.run_id, key)
            )
            for run in [*self.parents, *self.children.values()]
            for key in run.data.metrics
        }

    def statuses(self) -> dict[str, str]:
        return {"": self.parent.info.status} | {name: run.info.status for name, run in self.children.items()}


def score_of(folder: EvalFolder) -> float:
    marks = pyarrow.parquet.read_table(folder.attempts)["mark"].to_pylist()
    return marks.count("correct") / len(marks)


def mirror_once(root: Path, status: str | None = None) -> None:
    Mirror.open(root).close(status)


def test_a_finished_run(make_run: MakeRun) -> None:
    run = make_run()
    run.whole_run()
    root = run.folder.root
    mirror_once(root)
    store = Store(root)

    assert store.statuses() == dict.fromkeys(
        ["", "start", "grpo/seed0", "grpo/seed1", "rence/seed0", "rence/seed1"], "FINISHED"
    )
    experiment = store.client.get_experiment(store.parent.info.experiment_id)
    assert experiment.name == "quick, 50% [demo]"
    assert experiment.artifact_location.startswith((root.parent / "mlartifacts").as_uri())

    # every number of every step of one trial, under its own name
    child = store.children["grpo/seed1"]
    records = [run.record("grpo", 1, step) for step in range(1, 11)]
    for name in ("actor/number_0", "actor/number_34", "reward/mean@8", "exact_match,none", "/odd//name/.."):
        assert store.history(child, name) == [(r.step, r.metrics[name]) for r in records]
    assert store.history(child, "progress/rollouts") == [(step, 32.0 * step) for step in range(1, 11)]
    assert store.history(child, "progress/updates") == [(step, 4.0 * step) for step in range(1, 11)]
    assert store.history(child, "critic/nothing_counted") == []

    # scores: against steps, and once more against rollouts
    trial = run.folder.trial("grpo", 1)
    scores = [score_of(trial.eval(step, "sums")) for step in (5, 10)]
    assert store.history(child, "eval/sums/score") == [(5, scores[0]), (10, scores[1])]
    assert store.history(child, "eval_by_rollouts/sums/score") == [(160, scores[0]), (320, scores[1])]
    assert sum(
        store.history(child, f"eval/sums/{mark}")[0][1]
        for mark in ("correct", "wrong", "no_answer", "truncated", "grader_failed")
    ) == pytest.approx(1)
    assert store.history(store.children["start"], "eval/chains/score") == [
        (0, score_of(run.folder.start_eval("chains")))
    ]

    # the parent has the means over seeds
    means = [
        fmean(score_of(run.folder.trial("rence", seed).eval(step, "chains")) for seed in (0, 1)) for step in (5, 10)
    ]
    assert store.history(store.parent, "eval_by_rollouts/chains/rence") == [(160, means[0]), (320, means[1])]

    # the files are older than seals
    assert store.parent.data.tags["sealed"] == "unsealed"

    # who is who
    assert child.data.tags["arm"] == "grpo" and child.data.tags["seed"] == "1"
    assert child.data.tags["fingerprint"] == "trial-grpo-1"
    assert child.info.run_name == "GRPO, seed 1"
    assert child.data.params["recipe.group_size"] == "8" and child.data.params["clip"] == "0.2"
    assert [(i.dataset.name, i.dataset.digest) for i in child.inputs.dataset_inputs] == [("miniature", "order1")]
    inputs = store.client.get_run(store.parent.info.run_id).inputs.dataset_inputs
    assert sorted((i.dataset.name, i.dataset.digest) for i in inputs) == [
        ("chains", "hash-chains"),
        ("sums", "hash-sums"),
    ]
    artifacts = {a.path for a in store.client.list_artifacts(store.parent.info.run_id)}
    assert artifacts == {"plan.json", "resolved.json", "experiment.yaml", "metric_names.json"}


def test_a_second_mirror_adds_nothing(make_run: MakeRun) -> None:
    run = make_run()
    run.whole_run()
    mirror_once(run.folder.root)
    before = Store(run.folder.root).everything()
    mirror_once(run.folder.root)
    assert Store(run.folder.root).everything() == before
    assert len(before) > 5 * 40


def test_a_run_that_is_followed_as_it_grows(make_run: MakeRun) -> None:
    run = make_run(arms=("rence",), seeds=(0,))
    root = run.folder.root
    mirror = Mirror.open(root)
    mirror.sync()
    run.evaluate_start()
    run.begin("rence", 0)
    mirror.sync()
    for step in range(1, 8):
        run.steps("rence", 0, step, step)
        if step % 2:
            mirror.sync()
    assert Store(root).statuses() == {"": "RUNNING", "start": "FINISHED", "rence/seed0": "RUNNING"}
    run.evaluate_grid("rence", 0, 160)
    run.steps("rence", 0, 8, 10)
    run.evaluate_grid("rence", 0, 320)
    run.finish("rence", 0)
    mirror.close()
    store = Store(root)
    child = store.children["rence/seed0"]
    records = [run.record("rence", 0, step) for step in range(1, 11)]
    for name in ("actor/number_3", "reward/mean@8"):
        assert store.history(child, name) == [(r.step, r.metrics[name]) for r in records]
    assert [step for step, _ in store.history(child, "eval/sums/score")] == [5, 10]
    assert store.statuses() == {"": "FINISHED", "start": "FINISHED", "rence/seed0": "FINISHED"}


@pytest.mark.parametrize("same_process", [True, False])
def test_steps_that_a_resume_cut_back_are_not_written_twice(make_run: MakeRun, same_process: bool) -> None:
    run = make_run(arms=("rence",), seeds=(0,))
    run.begin("rence", 0)
    run.steps("rence", 0, 1, 7)
    run.evaluate_grid("rence", 0, 160)
    mirror = Mirror.open(run.folder.root)
    mirror.sync()
    run.cut_back("rence", 0, 4)
    if same_process:
        mirror.sync()
    else:
        mirror = Mirror.open(run.folder.root)
    run.steps("rence", 0, 5, 6)
    mirror.sync()
    run.steps("rence", 0, 7, 10)
    run.evaluate_grid("rence", 0, 320)
    run.finish("rence", 0)
    mirror.close()
    store = Store(run.folder.root)
    child = store.children["rence/seed0"]
    records = [run.record("rence", 0, step) for step in range(1, 11)]
    assert store.history(child, "actor/number_0") == [(r.step, r.metrics["actor/number_0"]) for r in records]
    assert [step for step, _ in store.history(child, "eval_by_rollouts/chains/score")] == [160, 320]
    assert [step for step, _ in store.history(store.parent, "eval_by_rollouts/chains/rence")] == [160, 320]


def test_a_trial_has_begun_when_its_clock_was_started(make_run: MakeRun) -> None:
    run = make_run(arms=("rence",), seeds=(0,))
    run.begin("rence", 0)
    run.folder.trial("rence", 0).timing.unlink()  # the driver writes all headers before it starts any trial
    mirror_once(run.folder.root)
    assert Store(run.folder.root).statuses() == {"": "KILLED"}


def test_statuses_of_diverged_crashed_and_interrupted_trials(make_run: MakeRun) -> None:
    run = make_run(arms=("grpo", "rence"), seeds=(0, 1))
    for arm, seed in (("grpo", 0), ("grpo", 1), ("rence", 0), ("rence", 1)):
        run.begin(arm, seed)
        run.steps(arm, seed, 1, 3)
    run.finish("grpo", 0, "diverged", "the loss was not finite at step 3")
    run.finish("grpo", 1)
    Mirror.open(run.folder.root).close("KILLED", crashed=["rence/seed0"])
    store = Store(run.folder.root)
    assert store.statuses() == {
        "": "KILLED",
        "grpo/seed0": "FAILED",
        "grpo/seed1": "FINISHED",
        "rence/seed0": "FAILED",
        "rence/seed1": "KILLED",
    }
    assert store.children["grpo/seed0"].data.tags["reason"] == "the loss was not finite at step 3"

    # a resume wakes up what goes on, and only that
    mirror = Mirror.open(run.folder.root)
    run.steps("rence", 1, 4, 5)
    mirror.sync()
    assert Store(run.folder.root).statuses() == {
        "": "RUNNING",
        "grpo/seed0": "FAILED",
        "grpo/seed1": "FINISHED",
        "rence/seed0": "FAILED",
        "rence/seed1": "RUNNING",
    }
    mirror.close("FAILED")
    assert Store(run.folder.root).statuses()[""] == "FAILED"


def test_what_a_killed_driver_left_running_is_reconciled(make_run: MakeRun) -> None:
    run = make_run(arms=("rence",), seeds=(0, 1))
    for seed in (0, 1):
        run.begin("rence", seed)
        run.steps("rence", seed, 1, 2)
    Mirror.open(run.folder.root).sync()  # and never closed
    assert Store(run.folder.root).statuses()["rence/seed1"] == "RUNNING"
    mirror = Mirror.open(run.folder.root)
    assert Store(run.folder.root).statuses() == {"": "RUNNING", "rence/seed0": "KILLED", "rence/seed1": "KILLED"}
    run.steps("rence", 0, 3, 4)
    mirror.sync()
    assert Store(run.folder.root).statuses() == {"": "RUNNING", "rence/seed0": "RUNNING", "rence/seed1": "KILLED"}


def test_a_folder_begun_anew_is_another_run(make_run: MakeRun) -> None:
    run = make_run(arms=("rence",), seeds=(0,))
    run.begin("rence", 0)
    run.steps("rence", 0, 1, 3)
    Mirror.open(run.folder.root).sync()
    old = Store(run.folder.root).parent.info.run_id
    shutil.rmtree(run.folder.root)
    again = make_run(arms=("rence",), seeds=(0,))
    again.whole_trial("rence", 0)
    again.evaluate_start()
    mirror_once(again.folder.root)
    store = Store(run.folder.root)
    assert {run.info.run_id == old: run.info.status for run in store.parents} == {True: "KILLED", False: "FINISHED"}
    assert len(store.history(store.children["rence/seed0"], "progress/rollouts")) == 10


def test_the_report_is_mirrored_and_a_rebuilt_one_again(make_run: MakeRun) -> None:
    run = make_run(arms=("rence",), seeds=(0,))
    report = run.folder.report
    score = {"mean": 0.25, "se": 0.01, "ci_low": 0.2, "ci_high": 0.3}
    verdict = {"arms": [{"arm": "rence", "per_benchmark": {"sums": score}, "average": None}], "pairs": []}
    write_json(report / "verdict.json", verdict)
    (report / "figures").mkdir()
    (report / "figures" / "curve.svg").write_text("<svg/>")
    mirror_once(run.folder.root)
    mirror_once(run.folder.root)
    store = Store(run.folder.root)
    assert store.history(store.parent, "verdict/sums/rence/ci_low") == [(0, 0.2)]
    paths = {file.path for file in store.client.list_artifacts(store.parent.info.run_id, "report")}
    assert paths == {"report/verdict.json", "report/figures"}

    score["mean"] = 0.5
    write_json(report / "verdict.json", verdict)
    mirror_once(run.folder.root)
    store = Store(run.folder.root)
    assert store.history(store.parent, "verdict/sums/rence/mean") == [(0, 0.25), (0, 0.5)]
    assert store.history(store.parent, "verdict/sums/rence/ci_low") == [(0, 0.2)]
    assert store.parent.data.metrics["verdict/sums/rence/mean"] == 0.5


def test_original_names_are_among_the_artifacts(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(arms=("rence",), seeds=(0,))
    run.whole_trial("rence", 0)
    mirror_once(run.folder.root)
    store = Store(run.folder.root)
    path = store.client.download_artifacts(store.parent.info.run_id, "metric_names.json", str(tmp_path))
    names = json.loads(Path(path).read_text())
    assert set(names) >= set(store.children["rence/seed0"].data.metrics)
    assert names["exact_match:comma:none"] == "exact_match,none"
    assert all(encode(name) == key for key, name in names.items())


def test_a_long_setting_is_named_by_its_hash(make_run: MakeRun) -> None:
    run = make_run(arms=("rence",), seeds=(0,))
    replace(run.plan, recipe={"long": "x" * 7000, "": 1}).write(run.folder.plan)
    mirror_once(run.folder.root)
    params = Store(run.folder.root).parent.data.params
    assert params["recipe.long"].startswith("7000 characters, sha256 ")


def test_two_runs_add_a_dataset_at_the_same_moment(make_run: MakeRun) -> None:
    # MLflow looks and then adds: before the first run adds what it did not find, others have added some of it
    run = make_run()
    uri = store_uri(run.folder.root.parent)
    client = MlflowClient(uri)
    experiment = client.create_experiment("shared")
    writer, *others = (RunWriter(client, client.create_run(experiment)) for _ in range(4))
    datasets = [("sums", "1"), ("chains", "2"), ("amc", "3")]
    left = list(zip(others, datasets, strict=True))

    def another_is_faster(session: Any, *_: Any) -> None:
        if left and any(isinstance(row, SqlDataset) for row in session.new):
            other, dataset = left.pop(0)
            with ThreadPoolExecutor(1) as pool:  # a session of its own
                pool.submit(
                    RunWriter(MlflowClient(uri), client.get_run(other.id)).set_inputs, [dataset], "eval"
                ).result()

    event.listen(Session, "before_flush", another_is_faster)
    try:
        writer.set_inputs(datasets, "eval")
    finally:
        event.remove(Session, "before_flush", another_is_faster)
    inputs = client.get_run(writer.id).inputs.dataset_inputs
    assert sorted((i.dataset.name, i.dataset.digest) for i in inputs) == sorted(datasets)
    assert not left
