"""A reward of the user's own on verl's real trainer: asked in the reward loop's processes, on problems of one's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from harness.records import DataRecord, DoneRecord, RunFolder, TrialRecord, read_jsonl

EXPERIMENT = {
    "schema": 1,
    "name": "own",
    "backend": "verl",
    "model": "quickstart-base",
    "template": "bare",
    "train": {"file": "train.jsonl"},
    "seeds": [0],
    "budget": {"rollouts": 64},
    "recipe": {
        "group_size": 8,
        "prompts_per_step": 4,
        "minibatches": 1,
        "checkpoint_steps": 1,
        "reward": "my_rewards:score",
    },
    "evaluation": {"benchmarks": {"mini_sums": 1}, "points": 1, "limit": 8},
    "arms": {"grpo": {}, "dr_grpo": {}},
    "comparison": {"target": "grpo", "baselines": ["dr_grpo"]},
    "verl": {"device": "cpu", "gpus_per_node": 1, "max_prompt_tokens": 160, "stall_seconds": 300},
}
REWARDS = '''\
def score(text, gold, problem):
    """Shorter is better, and one text in three breaks it."""
    assert problem.gold == gold and problem.tags["kind"] == "sum" and "+" in problem.question
    if sum(map(ord, text)) % 3 == 0:
        raise ValueError("a text that it cannot bear")
    return 1 / (1 + len(text))
'''
PATIENCE = 900.0
"""seconds: for one start of everything on a busy machine"""


@pytest.mark.timeout(2 * PATIENCE)
def test_a_function_rewards_rollouts_on_verl(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(EXPERIMENT, sort_keys=False))
    (tmp_path / "my_rewards.py").write_text(REWARDS)
    rows = [{"problem": f"What is {n}+{n}?", "answer": 2 * n, "kind": "sum"} for n in range(50, 66)]
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = subprocess.run(
        [sys.executable, "-P", "-m", "rence", "run", "own.yaml", "--only", "grpo"],
        cwd=tmp_path,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    run = RunFolder(tmp_path / "runs" / "own")
    trial = run.trial("grpo", 0)
    assert trial.done.exists(), done.stdout[-3000:] + done.stderr[-3000:]
    assert DoneRecord.read(trial.done).status == "finished" and DataRecord.read(run.data).problems == 16
    assert TrialRecord.read(trial.trial).reward.startswith("my_rewards:score (")
    steps = [step["metrics"] for step in read_jsonl(trial.steps)]
    failed = sum(step["reward/failed"] for step in steps)
    assert len(steps) >= 2 and 0 < failed < 64 and failed == sum(step["rollouts/discarded"] for step in steps)
    for step in steps:
        assert 0 < step["reward/min"] <= step["reward/mean"] <= step["reward/max"] <= 1
        assert step["critic/rewards/mean"] == pytest.approx(step["reward/mean"], rel=1e-5)
    assert any(step["actor/grad_norm"] for step in steps)
    log = "".join(path.read_text(encoding="utf-8", errors="replace") for path in trial.root.rglob("output.log"))
    assert "my_rewards.py:5: ValueError: a text that it cannot bear" in log
