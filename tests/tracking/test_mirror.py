"""The mirror against real MLflow stores: what it holds are the files' numbers, once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any

import pyarrow.parquet
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from harness.records import EvalFolder
from harness.tracking import Mirror, store_uri
from harness.tracking.names import encode

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
