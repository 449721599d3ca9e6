"""The two sides of `verl_overhead.py`: started, paused, and looked at from outside."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import yaml

from harness.backends.verl import platform

ROOT = Path(__file__).parents[1]
NAME, SEED = "overhead", 0
PHASES = ("gen", "old_log_prob", "ref", "adv", "update_actor", "update_weights")
"""timers of verl's trainer, in the order of a step"""
KINDS: Mapping[str, Sequence[str]] = {
    "Ray": ("gcs_server", "raylet", "ray/dashboard", "log_monitor"),
    "learner": ("WorkerDict",),
    "sampler": ("VLLM", "vLLM"),
    "agent loop": ("AgentLoopWorker",),
    "marking": ("RewardLoopWorker",),
    "queue": ("SimpleStorage", "TransferQueue"),
    "rest": ("",),
}
"""processes by words of their titles, the first that fits; `rest` is the trainer, and on our side `rence run`"""
WARM = 2
"""steps that are not measured: in them memory is taken for the first time"""
LOOK_SECONDS = 0.02
LEAVING_SECONDS = 60
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
    "VLLM_LOG_STATS_INTERVAL": "600",
    # Ray would give its workers, and so the trainer of plain but not ours, way to all other processes of the machine.
    "RAY_worker_niceness": "0",
    # Longer than a pause: the rollout queue would take the seconds of one for its own.
    "TQ_DATA_UPDATE_RESPONSE_TIMEOUT": "600",
    "TQ_STORAGE_POLLER_TIMEOUT": "600",
}
"""of both sides"""


@dataclass(frozen=True)
class Mark:
    """The end of a step."""

    at: float
    """seconds of a monotonic clock"""
    spent: Mapping[str, float]
    """processor seconds until then, by `KINDS`"""


@dataclass(frozen=True)
class Step:
    """One step of one side."""

    wall: float
    """seconds since the line of the step before"""
    spent: Mapping[str, float]
    """processor seconds in that time, by `KINDS`"""
    tokens: int
    """of the batch, prompts among them"""
    timers: Mapping[str, float]
    """seconds of `PHASES`, and `other`: what none of them holds"""


def experiment(asked: argparse.Namespace, model: Path) -> dict[str, Any]:
    """One trial of GRPO, longer than what is measured: its last step writes a checkpoint. The samplers answer all
    prompts of a step at once, so that their forward passes are not a matter of who comes first."""
    rollouts = asked.prompts * asked.group
    return {
        "schema": 1,
        "name": NAME,
        "backend": "verl",
        "model": str(model),
        "template": "bare",
        "train": "mini_rl",
        "seeds": [SEED],
        "budget": {"rollouts": (WARM + asked.pairs * (asked.steps + 1) + 10) * rollouts},
        "recipe": {
            "group_size": asked.group,
            "prompts_per_step": asked.prompts,
            "epochs": asked.epochs,
            "minibatches": 2,
            "max_tokens": asked.tokens,
            "microbatch_tokens": 2048,
            "checkpoint_steps": 10**6,
        },
        "evaluation": {"benchmarks": {"mini_sums": 1}, "points": 1, "limit": 1, "max_tokens": asked.tokens},
        "arms": {"grpo": {}},
        "comparison": {"target": "grpo", "baselines": []},
        "verl": {
            "device": "cpu",
            "gpus_per_node": 1,
            "max_prompt_tokens": 192,
            "stall_seconds": 3600,
            "overrides": {"actor_rollout_ref.rollout.max_num_seqs": rollouts},
        },
    }


class Side:
    """One of the two, at work or paused."""

    def __init__(self, name: str, work: Path, asked: argparse.Namespace) -> None:
        work.mkdir(parents=True)
        self.work, self.seen = work, 0
        (work / "overhead.yaml").write_text(yaml.safe_dump(experiment(asked, work.parent / "model")))
        trial = work / "runs" / NAME / "grpo" / f"seed{SEED}"
        self.rows = trial / "steps.jsonl" if name == "ours" else work / "steps.jsonl"
        environment = {**os.environ, **ENVIRONMENT, "PYTHONPATH": str(ROOT)}
        environment.pop("RAY_ADDRESS", None)
        command = ["rence", "run", "overhead.yaml"]
        if name == "plain":
            environment |= {**platform.ENVIRONMENT, **platform.NO_TELEMETRY, "VERL_FILE_LOGGER_PATH": str(self.rows)}
            command = ["bench.verl_plain", "overhead.yaml", "--poll", str(asked.poll)]
        with (work / "output.log").open("wb") as log:
            command = [sys.executable, "-m", *command]
            self.process = subprocess.Popen(command, cwd=work, env=environment, stdout=log, stderr=log)
        self.root = psutil.Process(self.process.pid)

    def block(self, steps: int) -> list[Step]:
        """Go on for so many steps, and what is left of the one before them."""
        self._signal(signal.SIGCONT)
        marks = [self.mark() for _ in range(steps + 1)]
        self.pause()
        rows = [json.loads(line) for line in self.rows.read_text().splitlines()[self.seen - steps : self.seen]]
        metrics = [row.get("metrics") or row["data"] for row in rows]
        return [_step(row, *ends) for row, ends in zip(metrics, pairwise(marks), strict=True)]

    def mark(self) -> Mark:
        """Wait for the end of a step."""
        while not self.rows.exists() or self.rows.read_bytes().count(b"\n") <= self.seen:
            if self.process.poll() is not None:
                print((self.work / "output.log").read_text(errors="replace")[-5000:])
                raise SystemExit(f"{self.work.name} ended with {self.process.returncode} after {self.seen} steps")
            time.sleep(LOOK_SECONDS)
        self.seen += 1
        return Mark(time.monotonic(), self.processor_seconds())

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def close(self) -> None:
        """Ends it as a user does, and what is left after a while."""
        everything = self._processes()
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGINT, self.root)
        for process in psutil.wait_procs(everything, timeout=LEAVING_SECONDS)[1]:
            self._signal(signal.SIGKILL, process)
        self.process.wait()

    def processor_seconds(self) -> dict[str, float]:
        """Of all its processes by `KINDS`, those that have ended among them."""
        total = dict.fromkeys(KINDS, 0.0)
        for process in self._processes():
            try:
                spent, title = process.cpu_times(), " ".join(process.cmdline())
            except psutil.NoSuchProcess:  # its seconds are its parent's now
                continue
            kind = next(kind for kind, words in KINDS.items() if any(word in title for word in words))
            total[kind] += spent.user + spent.system + spent.children_user + spent.children_system
        return total

    def _signal(self, number: int, *processes: psutil.Process) -> None:
        """To all of its processes if none are named."""
        for process in processes or (
            [self.root, *self.root.children(recursive=True)] if self.root.is_running() else []
        ):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def _processes(self) -> list[psutil.Process]:
        return [self.root, *self.root.children(recursive=True)] if self.process.poll() is None else []


def _step(metrics: Mapping[str, Any], before: Mark, after: Mark) -> Step:
    """
    Args:
        metrics: of its line; both sides have verl's names.
    """
    timers = {name: float(metrics[f"timing_s/{name}"]) for name in PHASES}
    wall = after.at - before.at
    spent = {kind: after.spent[kind] - before.spent[kind] for kind in KINDS}
    named = {**timers, "other": wall - sum(timers.values())}
    return Step(wall, spent, int(metrics["perf/total_num_tokens"]), named)
