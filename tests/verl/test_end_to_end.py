"""Four arms on verl's real trainer: Ray, two data-parallel ranks over gloo, vLLM's CPU build, the quickstart's model.

One run for all tests: it is killed with SIGKILL while its first arm trains, and then run to its end.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from harness.models import model_hash, resolve
from harness.records import DoneRecord, Mark, RunFolder, StepRecord, TrialFolder, read_json, read_jsonl

GROUP_SIZE, PROMPTS = 4, 8
ARMS: dict[str, Any] = {
    "online_dpo": {"recipe": {"reference_sync_steps": 2}},
    "rence": {},
    "grpo": {},
    "dapo": {},
}
KILLED = "online_dpo"
"""the arm with the most to restore: its reference follows the sampler"""
EXPERIMENT: dict[str, Any] = {
    "schema": 1,
    "name": "both",
    "model": "quickstart-base",
    "template": "bare",
    "train": "mini_rl",
    "seeds": [0],
    "budget": {"rollouts": 128},
    "recipe": {
        "group_size": GROUP_SIZE,
        "prompts_per_step": PROMPTS,
        "epochs": 2,
        "minibatches": 2,
        "microbatch_tokens": 2048,
        "checkpoint_steps": 1,
    },
    "evaluation": {"benchmarks": {"mini_sums": 1}, "points": 1},
    "arms": ARMS,
    "comparison": {"target": "rence", "baselines": ["grpo", "dapo", "online_dpo"]},
}
VERL = {"device": "cpu", "gpus_per_node": 2, "max_prompt_tokens": 160, "stall_seconds": 300}
PATIENCE = 900.0
"""seconds: for one start of everything on a busy machine"""


@dataclass(frozen=True)
class Both:
    """The same experiment on both backends."""

    verl: RunFolder
    local: RunFolder
    work: Path
    before_the_kill: bytes
    """of the killed arm's steps.jsonl"""
    killed_at: int
    """step of its newest checkpoint when it was killed"""

    def steps(self, arm: str) -> list[StepRecord]:
        return [StepRecord.from_json(row) for row in read_jsonl(self.verl.trial(arm, 0).steps)]


def rence(work: Path, *arguments: str) -> subprocess.Popen[bytes]:
    with (work / "output.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", "harness.cli", *arguments], cwd=work, stdout=log, stderr=log)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    work = tmp_path_factory.mktemp("both")
    for backend in ("verl", "local"):
        experiment = {**EXPERIMENT, "backend": backend, "name": backend}
        if backend == "verl":
            experiment["verl"] = VERL
        (work / f"{backend}.yaml").write_text(yaml.safe_dump(experiment, sort_keys=False))
    verl, local = RunFolder(work / "runs" / "verl"), RunFolder(work / "runs" / "local")

    first = rence(work, "run", "verl.yaml", "--only", KILLED)
    killed = verl.trial(KILLED, 0)
    _wait_for(lambda: len(list(read_jsonl(killed.steps))) >= 3, first, work)
    first.send_signal(signal.SIGKILL)
    first.wait()
    before = killed.steps.read_bytes()
    at = max(int(path.name.removeprefix("step_")) for path in killed.checkpoints.glob("step_*"))

    for name in ("verl", "local"):
        again = rence(work, "run", f"{name}.yaml")
        assert again.wait(timeout=len(ARMS) * PATIENCE) == 0, (work / "output.log").read_text()[-3000:]
    yield Both(verl, local, work, before, at)


def _wait_for(there: Any, process: subprocess.Popen[bytes], work: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not there():
        assert process.poll() is None, (work / "output.log").read_text()[-3000:]
        assert time.monotonic() < deadline, (work / "output.log").read_text()[-3000:]
        time.sleep(0.2)


@pytest.mark.parametrize("arm", ARMS)
def test_an_arm_trains_to_its_budget(both: Both, arm: str) -> None:
    done = DoneRecord.read(both.verl.trial(arm, 0).done)
    steps = both.steps(arm)
    assert done.status == "finished"
    assert [step.step for step in steps] == list(range(1, done.steps + 1))
    last = steps[-1]
    assert (last.rollouts, last.tokens, last.updates) == (done.rollouts, done.tokens, done.updates)
    assert last.rollouts >= 128 > steps[-2].rollouts
    assert last.rollouts == GROUP_SIZE * last.cursor
    whole = [step for step in steps if step.metrics["groups/kept"] == PROMPTS]
    assert whole and all(math.isfinite(step.metrics["actor/loss"]) for step in whole)  # type: ignore[arg-type]


@pytest.mark.parametrize("arm", ARMS)
def test_steps_hold_the_words_of_both_worlds(both: Both, arm: str) -> None:
    ours = {name for row in read_jsonl(both.local.trial(arm, 0).steps) for name in row["metrics"]}
    for step in both.steps(arm):
        assert ours - set(step.metrics) <= set(), arm
        assert {"rollout_corr/kl", "timing_s/gen", "timing_s/update_actor", "global_seqlen/mean"} <= set(step.metrics)
        counted = sum(step.metrics[f"marks/{mark}"] or 0 for mark in Mark)
        assert counted == step.metrics["rollouts/generated"] == GROUP_SIZE * (step.metrics["groups/generated"] or 0)
