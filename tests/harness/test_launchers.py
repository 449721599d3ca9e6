"""What a launcher starts, without starting it: the command of a Ray job, and its node's first words. The launchers
themselves are run in test_run.py and in verl/test_cluster.py."""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from harness.base.errors import FAILED, UserError
from harness.records import RunFolder
from harness.run.jobs import Job
from harness.run.launchers import on_node, ray
from harness.run.launchers.process import ENVIRONMENT, log_of
from harness.run.launchers.ray import _command
from harness.run.retries import lost_by

ROOT = Path(__file__).parents[2]


def test_a_ray_job_gets_folder_job_and_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RENCE_DATA_DIR", "/data/with space")
    monkeypatch.setenv("HF_TOKEN", "a secret")
    command = _command(Job(RunFolder(Path("runs/tiny")), "grpo", 3), attempt=2)
    words = shlex.split(command)
    assert words[:2] == ["exec", "env"]
    assert words[-7:] == [
        sys.executable, "-m", "rence.job", str(tmp_path), "runs/tiny", "grpo/seed3", "2",
    ]  # fmt: skip
    assert {f"{key}={value}" for key, value in ENVIRONMENT.items()} < set(words)
    assert "RENCE_DATA_DIR=/data/with space" in words
    assert "secret" not in command, "everybody who sees Ray's dashboard sees the command"


def test_a_ray_that_cannot_take_a_job_yet_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(ray, "_TIMEOUT_SECONDS", 0.2)
    busy = RuntimeError("status code 500: No available agent to submit job, please try again later..")
    answers: list[Exception | str] = [ConnectionError("refused"), busy, "taken"]

    def ask() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert ray._patiently(ask) == "taken"
    answers[:] = [RuntimeError("status code 400: no such thing"), "taken"]
    with pytest.raises(RuntimeError, match="no such thing"):
        ray._patiently(ask)
    answers[:] = [busy] * 1000
    with pytest.raises(RuntimeError, match="No available agent"):
        ray._patiently(ask)


def test_a_node_that_does_not_see_the_run_folder_says_so(tmp_path: Path) -> None:
    worker = [sys.executable, "-m", "rence.job", str(tmp_path), "runs/tiny", "grpo/seed0", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(worker, cwd="/", env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == FAILED and done.stdout == ""
    assert f"does not see {tmp_path}/runs/tiny. Call `rence run --launcher ray` in a folder that" in done.stderr
    assert "Traceback" not in done.stderr
    reason = lost_by(done.returncode, done.stderr.splitlines())
    assert reason == f"its node cannot do it: node {platform.node()} does not see {tmp_path}/runs/tiny"
    assert not log_of(Job(RunFolder(tmp_path / "runs/tiny"), "grpo", 0), 1).exists()


def test_a_node_whose_scratch_disk_is_full_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    on_node.check_scratch()
    monkeypatch.setattr(on_node, "LEAST_FREE", 1 << 80)
    with pytest.raises(
        UserError, match=rf"node {platform.node()} has \d+ MB left of [\d.]+ GB in /\S+, its scratch"
    ) as full:
        on_node.check_scratch()
    assert full.value.exit_code == FAILED, "others go on"
    assert "scratch disk" in lost_by(FAILED, str(full.value).splitlines())


def test_a_clock_that_differs_is_told_by_how_much_at_least(tmp_path: Path) -> None:
    log = tmp_path / "output.log"
    assert on_node.clock_words(log, 100.0, 130.0) is None
    on_node.arrive(log)
    said = json.loads((tmp_path / "node.json").read_text())["time"]
    assert on_node.clock_words(log, said - 20, said + 3) == ""
    assert "is 60 s behind this machine's" in str(on_node.clock_words(log, said + 60, said + 61))
    ahead = on_node.clock_words(log, said - 400, said - 312)
    assert f"the clock of node {platform.node()} is 312 s ahead of this machine's" in str(ahead)
