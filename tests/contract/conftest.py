from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import registry
from benchmarks.marking import MARKER_VERSION
from harness import config
from harness.backends.base import TrainingResult
from harness.config.experiment import Experiment
from harness.evaluation import attempts
from harness.models.resolving import SHIPPED
from harness.planning import plan
from harness.records import (
    START,
    Attempt,
    EvalFolder,
    EvalRecord,
    RunFolder,
    StepRecord,
    Timing,
    append_jsonl,
)
from harness.run import matching, trial
from harness.run.folder import prepare
from rence.cli import main

Call = Callable[..., tuple[int, str, str]]
EXPERIMENT = """\
name: finished
model: quickstart-base
template: bare
train: mini_rl
seeds: [0, 1]
budget: {rollouts: 64}
evaluation: {benchmarks: {mini_sums: 1}, points: 1}
arms: {rence: {}, grpo: {}}
comparison: {target: rence, baselines: [grpo]}
"""
PROBLEMS = registry.benchmark("mini_sums").problems
TIMING = Timing(1, 2.0, 2.0, 1.0, 0.5, 0.5, "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:02+00:00")


@pytest.fixture(autouse=True)
def no_mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that does not answer."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")


@pytest.fixture
def rence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command in this process, in the test's folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        captured = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, captured.out, captured.err

    return call


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """A complete run in `runs/finished`, without a report; the path of its experiment file. Each arm and seed solves
    a number of problems of its own."""
    path = tmp_path / "finished.yaml"
    path.write_text(EXPERIMENT, encoding="utf-8")
    experiment, run = config.load(path), RunFolder(tmp_path / "runs" / "finished")
    made = plan.make(experiment, SHIPPED["quickstart-base"])
    run.root.mkdir(parents=True)
    prepare(run, experiment, made, EXPERIMENT)
    write_eval(experiment, run.start_eval("mini_sums"), START, None, 60, made.model_hash)
    matching.claim_data(run, experiment)
    for arm in ("rence", "grpo"):
        for seed in experiment.seeds:
            matching.claim(run, matching.header(experiment, run, arm, seed))
            folder = run.trial(arm, seed)
            append_jsonl(folder.steps, [StepRecord(1, 64, 900, 4, 8).to_json()])
            solved = {"rence": 120, "grpo": 90}[arm] + seed
            write_eval(experiment, folder.eval(1, "mini_sums"), arm, seed, solved, f"{arm} {seed}")
            TIMING.write(folder.timing)
            trial.finish(folder, TrainingResult(1, 64, 900, 4, 0, f"{arm} {seed}"))
    return path


def write_eval(
    experiment: Experiment, folder: EvalFolder, arm: str, seed: int | None, solved: int, weights: str
) -> None:
    """The first problems are solved, the others are not."""
    step, grid = (0, 0) if seed is None else (1, 64)
    benchmark = registry.benchmark("mini_sums")
    header = EvalRecord(
        arm=arm,
        seed=seed,
        step=step,
        rollouts=grid,
        grid=grid,
        benchmark=benchmark.name,
        benchmark_hash=benchmark.hash,
        problems=len(PROBLEMS),
        k=1,
        model_hash=weights,
        template=experiment.template,
        engine="local",
        engine_version="1",
        grader_version=MARKER_VERSION,
        sampling={"temperature": 1.0, "top_p": 1.0, "max_tokens": 48, "seed": 0, "chunk_problems": 64},
    )
    rows = [
        Attempt(
            arm=arm,
            seed=seed,
            step=step,
            benchmark=benchmark.name,
            problem_id=problem.id,
            sample=0,
            response="",
            answer=problem.gold if i < solved else "none",
            gold=problem.gold,
            mark="correct" if i < solved else "wrong",
            finish_reason="stop",
            tokens=9,
            template=experiment.template,
            engine="local",
            generation_key=f"{arm} {seed} {problem.id}",
            grader_version=MARKER_VERSION,
        )
        for i, problem in enumerate(PROBLEMS)
    ]
    attempts.claim(folder, header)
    attempts.append(folder, rows)
    attempts.seal(folder)
