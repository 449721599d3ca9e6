"""The example package's algorithm (docs/examples/pass_at_k) on verl's real trainer: the class reaches Ray's workers.
Its rollouts are labelled by a vote, for which answers have to come back from verl's reward loop."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from harness.records import DoneRecord, RunFolder, TrialFolder, TrialRecord, read_jsonl

EXPERIMENT = {
    "schema": 1,
    "name": "example",
    "backend": "verl",
    "model": "quickstart-base",
    "template": "bare",
    "train": "mini_rl",
    "seeds": [0],
    "budget": {"rollouts": 64},
    "recipe": {"group_size": 8, "prompts_per_step": 4, "minibatches": 1, "checkpoint_steps": 1, "reward": "majority"},
    "evaluation": {"benchmarks": {"mini_sums": 1}, "points": 1, "limit": 8},
    "arms": {"pass_at_k": {"k": 2}, "grpo": {}},
    "comparison": {"target": "pass_at_k", "baselines": ["grpo"]},
    "verl": {"device": "cpu", "gpus_per_node": 1, "max_prompt_tokens": 160, "stall_seconds": 300},
}
PATIENCE = 900.0
"""seconds: for one start of everything on a busy machine"""


pytestmark = pytest.mark.timeout(2 * PATIENCE)


@pytest.fixture(scope="module")
def trained(example: Path, tmp_path_factory: pytest.TempPathFactory) -> TrialFolder:
    tmp_path = tmp_path_factory.mktemp("plugin")
    (tmp_path / "example.yaml").write_text(yaml.safe_dump(EXPERIMENT, sort_keys=False))
    for room in ("algorithms", "benchmarks", "harness"):  # folders of the user's, which no process may take for ours
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").write_text("raise RuntimeError('this is not rence-bench')\n")
    known = [path for path in (str(example), os.environ.get("PYTHONPATH", "")) if path]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "rence", "run", "example.yaml", "--only", "pass_at_k"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(known)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    trial = RunFolder(tmp_path / "runs" / "example").trial("pass_at_k", 0)
    assert trial.done.exists(), done.stdout[-3000:] + done.stderr[-3000:]
    return trial


def test_the_example_package_trains_on_verl(trained: TrialFolder) -> None:
    finished, steps = DoneRecord.read(trained.done), list(read_jsonl(trained.steps))
    assert (finished.status, finished.steps, len(steps)) == ("finished", 2, 2)
    assert any(step["metrics"]["actor/grad_norm"] for step in steps)
    assert finished.final_weights != TrialRecord.read(trained.trial).initial_weights
    assert TrialRecord.read(trained.trial).environment["rence-pass-at-k"] == "0.1.0"


def test_labels_are_votes(trained: TrialFolder) -> None:
    """A quarter of the answers are right, so that votes and marks agree on most and not on all."""
    for step in read_jsonl(trained.steps):
        metrics = step["metrics"]
        assert 0.3 < metrics["labels/agreement"] < 1
        assert 0 <= metrics["labels/majority_correct"] <= 1
        # every group has an answer, and so at least one positive and as a rule a negative
        assert 1 / 8 <= metrics["critic/rewards/mean"] < 1
