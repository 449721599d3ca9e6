"""Run folders in the real format with a known truth: what a backend and an evaluation would leave behind."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.records import (
    START,
    ArmRecord,
    Comparison,
    DoneRecord,
    EvalFolder,
    EvalRecord,
    Plan,
    RunFolder,
    StepRecord,
    Timing,
    TrialRecord,
    append_jsonl,
    read_json,
    write_json,
)
from harness.records.seals import lock_in

TITLES = {"rence": "ReNCE (reconstruction)", "grpo": "GRPO", "dapo": "DAPO", "online_dpo": "Online DPO"}
CLIP = {"metric": "actor/pg_clipfrac", "label": "share of tokens clipped", "inactive_below": 0.001}


@dataclass(frozen=True)
class Synthetic:
    """What is true: an arm's gain in logits at the full budget, its spread between seeds, the problems' difficulty."""

    gains: Mapping[str, float] = field(default_factory=lambda: {"rence": 0.8, "grpo": 0.6})
    seeds: tuple[int, ...] = (0, 1, 2)
    benchmarks: Mapping[str, tuple[int, int]] = field(
        default_factory=lambda: {"mini_easy": (40, 4), "mini_hard": (30, 4)}
    )
    curve: tuple[str, ...] = ("mini_easy",)
    points: int = 2
    budget: int = 1000
    sd_seed: float = 0.1
    estimand: str = "algorithm"
    clipped: float = 0.02
    draw: int = 0

    @property
    def grid(self) -> list[int]:
        return [round(self.budget * i / self.points) for i in range(1, self.points + 1)]

    def plan(self) -> Plan:
        arms = list(self.gains)
        k = {name: k for name, (_, k) in self.benchmarks.items()}
        return Plan(
            experiment="synthetic",
            arms=[self.arm(name) for name in arms],
            seeds=list(self.seeds),
            benchmarks=k,
            curve_benchmarks={name: k[name] for name in self.curve},
            comparison=Comparison(arms[0], arms[1:], self.estimand),
            budget_rollouts=self.budget,
            grid_rollouts=self.grid,
            backend="local",
            model="mini",
            model_hash="m0",
            train="mini_rl",
            template="plain-1",
            recipe={"group_size": 8, "learning_rate": 3e-4},
            evaluation={"temperature": 1.0, "top_p": 1.0, "max_tokens": 48},
            tuning={
                "trials": 3,
                "tried": [{"learning_rate": 1e-4, "score": 0.41}, {"learning_rate": 3e-4, "score": 0.5}],
            },
            lock="",
        )

    def arm(self, name: str) -> ArmRecord:
        return ArmRecord(
            name=name,
            algorithm=name,
            title=TITLES.get(name, name),
            hyperparameters={"clip": 0.2, "kl_coef": 0.0},
            spec={"baseline": "group mean", "scale": "group std" if name == "grpo" else "none"},
            recipe_differences={},
            activity=[CLIP],
            fingerprint=f"f-{name}",
        )

    def header(self, arm: str, seed: int | None, point: int, benchmark: str) -> EvalRecord:
        problems, k = self.benchmarks[benchmark]
        return EvalRecord(
            arm=arm,
            seed=seed,
            step=10 * point,
            rollouts=self.grid[point - 1] + 3 if point else 0,
            grid=self.grid[point - 1] if point else 0,
            benchmark=benchmark,
            benchmark_hash=f"h-{benchmark}",
            problems=problems,
            k=k,
            model_hash="m0" if arm == START else f"m-{arm}-{seed}-{point}",
            template="plain-1",
            engine="local",
            engine_version="1",
            grader_version="1",
            sampling={"temperature": 1.0, "top_p": 1.0, "max_tokens": 48, "seed": 0},
        )

    def marks(self, arm: str, seed: int | None, point: int, benchmark: str) -> np.ndarray:
        """problems x k of the five words."""
        problems, k = self.benchmarks[benchmark]
        place = list(self.benchmarks).index(benchmark)
        difficulty = np.random.default_rng([self.draw, 1, place]).normal(-0.5, 1.5, problems)
        who = list(self.gains).index(arm) + 1 if arm != START else 0
        shift = 0.0
        if seed is not None:
            between = np.random.default_rng([self.draw, 2, who, seed]).normal(0, self.sd_seed)
            shift = (self.gains[arm] + between) * point / self.points
        rng = np.random.default_rng([self.draw, 3, who, 0 if seed is None else seed, point, place])
        right = rng.random((problems, k)) < 1 / (1 + np.exp(-(difficulty + shift)))[:, None]
        failure = rng.choice(["wrong", "wrong", "no_answer", "truncated", "grader_failed"], (problems, k))
        return np.where(right, "correct", failure)

    def write(self, root: Path) -> Path:
        folder = RunFolder(root)
        self.plan().write(folder.plan)
        relock(root)
        for benchmark in self.benchmarks:
            write_eval(
                folder.start_eval(benchmark),
                self.header(START, None, 0, benchmark),
                self.marks(START, None, 0, benchmark),
            )
        for arm in self.gains:
            for seed in self.seeds:
                self.write_trial(folder, arm, seed)
        return root

    def write_trial(self, folder: RunFolder, arm: str, seed: int) -> None:
        place = folder.trial(arm, seed)
        trial_record(arm, seed, self.budget).write(place.trial)
        per_step = self.budget // (10 * self.points)
        steps = [
            StepRecord(
                s, s * per_step, s * per_step * 20, 4 * s, s * 4, {"actor/pg_clipfrac": self.clipped, "reward": None}
            )
            for s in range(1, 10 * self.points + 1)
        ]
        append_jsonl(place.steps, [asdict(step) for step in steps])
        for point in range(1, self.points + 1):
            for benchmark in self.benchmarks if point == self.points else self.curve:
                header = self.header(arm, seed, point, benchmark)
                write_eval(place.eval(10 * point, benchmark), header, self.marks(arm, seed, point, benchmark))
        last = steps[-1]
        DoneRecord("finished", last.step, last.rollouts, last.tokens, last.updates, 96, "w").write(place.done)
        Timing(1, 61.5, 60.0, 20.0, 30.0, 10.0, "2026-01-01T00:00:00", "2026-01-01T00:01:00").write(place.timing)


def relock(run: Path) -> Path:
    """The run, with the lock that its plan has as it is now: as if that had been planned."""
    path = RunFolder(run).plan
    data = read_json(path)
    write_json(path, {**data, "lock": lock_in(data)})
    return run


def trial_record(arm: str, seed: int, budget: int) -> TrialRecord:
    return TrialRecord(
        experiment="synthetic",
        arm=arm,
        seed=seed,
        fingerprint=f"t-{arm}-{seed}",
        arm_fingerprint=f"f-{arm}",
        data_order=f"order-{seed}",
        initial_weights="m0",
        budget_rollouts=budget,
        backend="local",
        environment={"torch": "2.13.0", "git_commit": "abc1234", "git_dirty": "no"},
    )


def write_eval(place: EvalFolder, header: EvalRecord, marks: np.ndarray) -> None:
    """Attempts in the schema of `records.Attempt`."""
    header.write(place.header)
    problems, k = marks.shape
    rows = problems * k
    pq.write_table(
        pa.table(
            {
                "arm": [header.arm] * rows,
                "seed": pa.array([header.seed] * rows, pa.int64()),
                "step": [header.step] * rows,
                "benchmark": [header.benchmark] * rows,
                "problem_id": np.repeat([f"{header.benchmark}-{i:04d}" for i in range(problems)], k),
                "sample": np.tile(np.arange(k), problems),
                "response": ["<script>alert('1 < 2')</script>"] * rows,
                "answer": ["3"] * rows,
                "gold": ["3"] * rows,
                "mark": marks.reshape(-1),
                "finish_reason": ["stop"] * rows,
                "tokens": [12] * rows,
                "template": [header.template] * rows,
                "engine": [header.engine] * rows,
                "generation_key": [f"g{row}" for row in range(rows)],
                "grader_version": [header.grader_version] * rows,
                "mark_second": pa.array([None] * rows, pa.string()),
            }
        ),
        place.attempts,
    )


Make = Callable[..., Path]


@pytest.fixture(scope="session")
def default_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the defaults; read it, never change it."""
    return Synthetic().write(tmp_path_factory.mktemp("default") / "run")


@pytest.fixture
def make_run(tmp_path: Path, default_run: Path) -> Make:
    """make_run(name="run", **fields of Synthetic) writes a run folder and returns it."""

    def make(name: str = "run", **changes: object) -> Path:
        if not changes:
            return shutil.copytree(default_run, tmp_path / name)
        return replace(Synthetic(), **changes).write(tmp_path / name)  # type: ignore[arg-type]

    return make


@pytest.fixture
def make_evaluated(tmp_path: Path) -> Make:
    """make_evaluated(name, k=4, changes=fields of EvalRecord, benchmark=counts, ...) writes what `rence eval` leaves
    behind, with so many correct attempts at each problem, and returns the folder."""

    def make(name: str, k: int = 4, changes: Mapping[str, object] | None = None, **benchmarks: list[int]) -> Path:
        return write_evaluation(tmp_path / name, k, changes, **benchmarks)

    return make


def write_evaluation(
    root: Path, k: int = 4, changes: Mapping[str, object] | None = None, **benchmarks: list[int]
) -> Path:
    """What `rence eval` leaves of a model that is called as the folder is."""
    for benchmark, counts in benchmarks.items():
        header = replace(
            Synthetic().header(START, None, 0, "mini_easy"),
            arm=root.name,
            benchmark=benchmark,
            benchmark_hash=f"h-{benchmark}",
            problems=len(counts),
            k=k,
            model_hash=f"m-{root.name}",
        )
        marks = np.where(np.arange(k) < np.array(counts)[:, None], "correct", "wrong")
        place = EvalFolder(root / "evals" / benchmark)
        write_eval(place, replace(header, **(changes or {})), marks)  # type: ignore[arg-type]
    return root


@pytest.fixture
def rence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """The command line in this process: exit code, stdout, stderr."""
    from rence.cli import main

    monkeypatch.setenv("NO_COLOR", "1")

    def call(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        said = capsys.readouterr()
        assert "Traceback" not in said.err and len(said.err.splitlines()) <= 3, said.err
        assert isinstance(ended.value.code, int)
        return ended.value.code, said.out, said.err

    return call
