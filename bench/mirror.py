"""What the MLflow mirror costs a run of the quickstart's size.

    PYTHONPATH=. python bench/mirror.py [TRIALS STEPS METRICS]

A run folder grows as two trials side by side would make it grow, and is mirrored between: no waiting, so the seconds
are those that the mirror takes from a run, processor time first. A new SQLite store, in a temporary folder.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from harness.records import (
    ArmRecord,
    Comparison,
    DoneRecord,
    Plan,
    RunFolder,
    StepRecord,
    Timing,
    TrialRecord,
    append_jsonl,
)
from harness.tracking import Mirror
from harness.tracking.store import SETTINGS

SIDE_BY_SIDE = 2
STEPS_BETWEEN_LOOKS = 6
"""of one trial: 60 steps in 100 s, a look every 10 s"""


@contextmanager
def measured(what: str) -> Iterator[None]:
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    print(f"{what:28} {time.process_time() - cpu:7.2f} cpu-s {time.perf_counter() - wall:7.2f} s")


def write_plan(folder: RunFolder, trials: int) -> None:
    arm = ArmRecord("arm", "grpo", "GRPO", {}, {}, {}, [], "f")
    nothing = {name: {} for name in ("benchmarks", "curve_benchmarks", "recipe", "evaluation", "tuning")}
    words = dict.fromkeys(("backend", "model", "model_hash", "train", "template", "lock"), "x")
    Plan(
        experiment="bench",
        arms=[arm],
        seeds=list(range(trials)),
        comparison=Comparison("arm", []),
        budget_rollouts=1,
        grid_rollouts=[1],
        **nothing,
        **words,
    ).write(folder.plan)


def begin(folder: RunFolder, seed: int) -> None:
    trial = folder.trial("arm", seed)
    TrialRecord("bench", "arm", seed, "f", "f", "o", "w", 1, "local", {}).write(trial.trial)
    Timing(1, 0, 0, 0, 0, 0, "2026-01-01T00:00:00+00:00", "").write(trial.timing)


def train(folder: RunFolder, seed: int, first: int, last: int, metrics: int) -> None:
    rows = [
        StepRecord(step, step, step, step, step, {f"group/metric_{i}": random.random() for i in range(metrics)})
        for step in range(first, last + 1)
    ]
    append_jsonl(folder.trial("arm", seed).steps, [asdict(row) for row in rows])


def main(trials: int = 12, steps: int = 60, metrics: int = 40) -> None:
    os.environ.update(SETTINGS)
    with tempfile.TemporaryDirectory() as runs:
        folder = RunFolder(Path(runs) / "bench")
        write_plan(folder, trials)
        with measured("import of mlflow"):
            import mlflow  # noqa: F401
        with measured("a new store"):
            mirror = Mirror.open(folder.root)
        spent: list[float] = []
        for pair in range(0, trials, SIDE_BY_SIDE):
            seeds = range(pair, min(pair + SIDE_BY_SIDE, trials))
            for seed in seeds:
                begin(folder, seed)
            for first in range(1, steps + 1, STEPS_BETWEEN_LOOKS):
                for seed in seeds:
                    train(folder, seed, first, min(first + STEPS_BETWEEN_LOOKS - 1, steps), metrics)
                cpu = time.process_time()
                mirror.sync()
                spent.append(time.process_time() - cpu)
            for seed in seeds:
                DoneRecord("finished", steps, 1, 1, 1, 0, "w").write(folder.trial("arm", seed).done)
        print(f"{f'{len(spent)} looks':28} {sum(spent):7.2f} cpu-s, the longest {max(spent):.2f}")
        with measured("close"):
            mirror.close()
        with measured("all of it once more"):
            Mirror.open(folder.root).close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
