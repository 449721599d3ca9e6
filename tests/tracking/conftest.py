"""Real run folders, written through harness.records, and a store that is initialised once a session."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from harness.records import (
    START,
    ArmRecord,
    Attempt,
    Comparison,
    DoneRecord,
    EvalFolder,
    EvalRecord,
    Mark,
    Plan,
    RunFolder,
    StepRecord,
    Timing,
    TrialRecord,
    append_jsonl,
    write_json,
)
from harness.records.seals import lock_in
from harness.tracking.store import connect

BENCHMARKS = {"sums": 2, "chains": 3}
PROBLEMS = 10
BUDGET, GRID = 320, [160, 320]
ROLLOUTS_PER_STEP = 32


class RunBuilder:
    """Writes a run folder as a driver and its trials would; every number derives from arm, seed and step."""

    def __init__(self, root: Path, arms: tuple[str, ...] = ("grpo", "rence"), seeds: tuple[int, ...] = (0, 1)) -> None:
        self.folder = RunFolder(root)
        self.arms, self.seeds = arms, seeds
        records = [ArmRecord(a, a, a.upper(), {"clip": 0.2}, {"baseline": "mean"}, {}, [], f"arm-{a}") for a in arms]
        self.plan = Plan(
            experiment="quick, 50% [demo]",
            arms=records,
            seeds=list(seeds),
            benchmarks=BENCHMARKS,
            curve_benchmarks=BENCHMARKS,
            comparison=Comparison(arms[-1], list(arms[:-1])),
            budget_rollouts=BUDGET,
            grid_rollouts=GRID,
            backend="local",
            model="quickstart",
            model_hash="m0",
            train="miniature",
            template="plain",
            recipe={"group_size": 8, "learning_rate": 3e-4},
            evaluation={"temperature": 1.0},
            tuning={},
            lock="0123456789abcdef",
        )
        self.plan = replace(self.plan, lock=lock_in(self.plan.to_json()) or "")
        self.plan.write(self.folder.plan)
        write_json(self.folder.resolved, {"experiment": self.plan.experiment})
        self.folder.config.write_text("name: quick\n")

    def begin(self, arm: str, seed: int, started: str = "2026-11-22T10:00:00") -> None:
        folder = self.folder.trial(arm, seed)
        environment = {"torch": "2.13.0", "git": "abc"}
        TrialRecord(
            self.plan.experiment,
            arm,
            seed,
            f"trial-{arm}-{seed}",
            f"arm-{arm}",
            f"order{seed}",
            "m0",
            BUDGET,
            "local",
            environment,
        ).write(folder.trial)
        Timing(1, 1.0, 1.0, 0.5, 0.3, 0.2, started, "").write(folder.timing)

    def record(self, arm: str, seed: int, step: int) -> StepRecord:
        rng = random.Random(f"{arm} {seed} {step}")
        metrics: dict[str, float | None] = {f"actor/number_{i}": rng.random() for i in range(35)}
        metrics |= {"reward/mean@8": rng.random(), "exact_match,none": rng.random(), "/odd//name/..": rng.random()}
        metrics["critic/nothing_counted"] = None
        rollouts = ROLLOUTS_PER_STEP * step
        return StepRecord(step, rollouts, rollouts * 20, step * 4, step * 4, metrics)

    def steps(self, arm: str, seed: int, first: int, last: int) -> None:
        rows = [asdict(self.record(arm, seed, step)) for step in range(first, last + 1)]
        append_jsonl(self.folder.trial(arm, seed).steps, rows)

    def cut_back(self, arm: str, seed: int, step: int) -> None:
        path = self.folder.trial(arm, seed).steps
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:step]))

    def evaluate(self, folder: EvalFolder, arm: str, seed: int | None, step: int, grid: int, benchmark: str) -> None:
        k = BENCHMARKS[benchmark]
        EvalRecord(
            arm,
            seed,
            step,
            grid,
            grid,
            benchmark,
            f"hash-{benchmark}",
            PROBLEMS,
            k,
            "m",
            "plain",
            "local",
            "1",
            "1",
            {},
        ).write(folder.header)
        rng = random.Random(f"{arm} {seed} {step} {benchmark}")
        attempts = [
            Attempt(
                arm,
                seed,
                step,
                benchmark,
                f"p{i}",
                j,
                "r",
                "1",
                "1",
                rng.choice(list(Mark)),
                "stop",
                7,
                "plain",
                "local",
                "g",
                "1",
            )
            for i in range(PROBLEMS)
            for j in range(k)
        ]
        pyarrow.parquet.write_table(pa.Table.from_pylist([asdict(a) for a in attempts]), folder.attempts)

    def evaluate_start(self) -> None:
        for benchmark in BENCHMARKS:
            self.evaluate(self.folder.start_eval(benchmark), START, None, 0, 0, benchmark)

    def evaluate_grid(self, arm: str, seed: int, grid: int) -> None:
        step = grid // ROLLOUTS_PER_STEP
        for benchmark in BENCHMARKS:
            self.evaluate(self.folder.trial(arm, seed).eval(step, benchmark), arm, seed, step, grid, benchmark)

    def finish(self, arm: str, seed: int, status: str = "finished", reason: str = "") -> None:
        DoneRecord(status, 10, BUDGET, 1, 1, 0, "w", reason).write(self.folder.trial(arm, seed).done)

    def whole_trial(self, arm: str, seed: int) -> None:
        self.begin(arm, seed)
        self.steps(arm, seed, 1, BUDGET // ROLLOUTS_PER_STEP)
        for grid in GRID:
            self.evaluate_grid(arm, seed, grid)
        self.finish(arm, seed)

    def whole_run(self) -> None:
        self.evaluate_start()
        for arm in self.arms:
            for seed in self.seeds:
                self.whole_trial(arm, seed)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with MLflow's tables: to make one takes seconds, to copy it does not."""
    database = tmp_path_factory.mktemp("store") / "mlflow.db"
    connect(f"sqlite:///{database}", "none")
    return database


@pytest.fixture
def make_run(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., RunBuilder]:
    """A function that begins the run folder `runs/quick` beside an initialised store."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    runs = tmp_path / "runs"
    runs.mkdir()
    shutil.copy(empty_store, runs / "mlflow.db")
    return lambda **options: RunBuilder(runs / "quick", **options)
