"""The example package's algorithm (docs/examples/pass_at_k) on verl's real trainer: the class reaches Ray's workers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from harness.records import DoneRecord, RunFolder, TrialRecord, read_jsonl

EXPERIMENT = {
    "schema": 1,
    "name": "example",
    "backend": "verl",
    "model": "quickstart-base",
    "template": "bare",
    "train": "mini_rl",
    "seeds": [0],
    "budget": {"rollouts": 64},
    "recipe": {"group_size": 8, "prompts_per_step": 4, "minibatches": 1, "checkpoint_steps": 1},
    "evaluation": {"benchmarks": {"mini_sums": 1}, "points": 1, "limit": 8},
    "arms": {"pass_at_k": {"k": 2}, "grpo": {}},
    "comparison": {"target": "pass_at_k", "baselines": ["grpo"]},
    "verl": {"device": "cpu", "gpus_per_node": 1, "max_prompt_tokens": 160, "stall_seconds": 300},
}
PATIENCE = 900.0
"""seconds: for one start of everything on a busy machine"""


@pytest.mark.timeout(2 * PATIENCE)
def test_the_example_package_trains_on_verl(example: Path, tmp_path: Path) -> None:
    (tmp_path / "example.yaml").write_text(yaml.safe_dump(EXPERIMENT, sort_keys=False))
    known = [path for path in (str(example), os.environ.get("PYTHONPATH", "")) if path]
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", "run", "example.yaml", "--only", "pass_at_k"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(known)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    trial = RunFolder(tmp_path / "runs" / "example").trial("pass_at_k", 0)
    assert trial.done.exists(), done.stdout[-3000:] + done.stderr[-3000:]
    finished, steps = DoneRecord.read(trial.done), list(read_jsonl(trial.steps))
    assert (finished.status, finished.steps, len(steps)) == ("finished", 2, 2)
    learnt = [step["metrics"] for step in steps]
    assert any(metrics["actor/grad_norm"] for metrics in learnt)
    assert finished.final_weights != TrialRecord.read(trial.trial).initial_weights
    assert TrialRecord.read(trial.trial).environment["rence-pass-at-k"] == "0.1.0"
