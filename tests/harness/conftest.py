from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TINY = """\
schema: 1
name: tiny
backend: local
model: quickstart-base
template: bare
train: mini_rl
seeds: [0, 1]
budget: {rollouts: 96}
recipe:
  group_size: 4
  prompts_per_step: 8
  checkpoint_steps: 1
evaluation:
  benchmarks: {mini_sums: 1}
  curve: {mini_sums: 1}
  points: 2
arms:
  rence: {}
  grpo: {}
comparison: {target: rence, baselines: [grpo]}
"""


@pytest.fixture(autouse=True)
def no_mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that does not answer: the mirror is not the subject here, and must not matter."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """The file of a small experiment: two arms, two seeds, three steps."""
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY, encoding="utf-8")
    return path


@pytest.fixture
def on_verl(tiny: Path) -> Path:
    """The same on backend verl, on two processes of this machine; `verl` is in line 21."""
    text = TINY.replace("backend: local", "backend: verl")
    tiny.write_text(f"{text}verl: {{device: cpu, gpus_per_node: 2, max_prompt_tokens: 64}}\n", encoding="utf-8")
    return tiny


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start `rence ARGUMENTS` in the test's folder; `before` is a shell command to run first."""

    def begin(*arguments: str, cwd: Path = tmp_path, before: str = ":") -> subprocess.Popen[str]:
        command = ["bash", "-c", f'{before}; exec "$@"', "bash", sys.executable, "-m", "rence", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, cwd=cwd, env=environment, **pipes)  # type: ignore[call-overload]

    return begin


@pytest.fixture
def rence(start: Callable[..., subprocess.Popen[str]]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `rence ARGUMENTS` in the test's folder to its end."""

    def call(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        process = start(*arguments, **options)
        out, err = process.communicate(timeout=300)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    return call
