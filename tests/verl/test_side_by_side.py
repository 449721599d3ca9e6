"""Two trials at once on one Ray, each on a slot of one device; in `make nightly` against one of them alone on the same
Ray."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import ray
import yaml

from harness.backends.verl.isolation import QUEUE
from harness.base.errors import OK
from harness.base.registry import training_set
from harness.prompts.stream import PromptStream
from harness.records import DoneRecord, RunFolder, TrialFolder, read_json, read_jsonl
from tests.closeness import assert_close

ROOT = Path(__file__).parents[2]
EXPERIMENT: dict[str, Any] = {
    "schema": 1,
    "name": "two",
    "backend": "verl",
    "model": "quickstart-base",
    "template": "bare",
    "train": "mini_rl",
    "seeds": [0, 1],
    "budget": {"rollouts": 32},
    "recipe": {"group_size": 4, "prompts_per_step": 4, "minibatches": 2, "checkpoint_steps": 100},
    "evaluation": {"benchmarks": {"mini_sums": 1}, "points": 1, "limit": 16},
    "arms": {"grpo": {}},
    "comparison": {"target": "grpo", "baselines": []},
    "verl": {"device": "cpu", "gpus_per_node": 2, "gpus_per_trial": 1, "max_prompt_tokens": 160, "stall_seconds": 300},
}
CPUS = 13
"""of the cluster: six for each trial, and one over"""
PATIENCE = 900.0
"""seconds: for one start of everything on a busy machine"""

pytestmark = pytest.mark.timeout(2 * PATIENCE)


@dataclass(frozen=True)
class Seen:
    """What was found."""

    together: RunFolder
    namespaces: set[str]
    """of the rollout queues that were there at one time"""


def rence(work: Path, environment: dict[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    with (work / "output.log").open("ab") as log:
        command = [sys.executable, "-P", "-m", "rence", "run", *arguments]
        return subprocess.Popen(command, cwd=work, env=environment, stdout=log, stderr=log)


@pytest.fixture(scope="module")
def cluster() -> Iterator[dict[str, str]]:
    """The environment of those who join a Ray of two logical GPUs."""
    temporary = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))  # short: the paths of sockets are limited
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RAY_AUTH_MODE": "disabled"}
    environment.pop("RAY_ADDRESS", None)
    start = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--head", f"--port={port}"]
    size = [f"--num-cpus={CPUS}", "--num-gpus=2", "--object-store-memory=300000000", "--include-dashboard=false"]
    node = subprocess.Popen([*start, *size, f"--temp-dir={temporary}"], env=environment, start_new_session=True)
    try:
        yield {**environment, "RAY_ADDRESS": f"127.0.0.1:{port}"}
    finally:
        os.killpg(node.pid, signal.SIGKILL)
        node.wait()
        shutil.rmtree(temporary, ignore_errors=True)


@pytest.fixture(scope="module")
def seen(cluster: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    work = tmp_path_factory.mktemp("two")
    (work / "two.yaml").write_text(yaml.safe_dump(EXPERIMENT, sort_keys=False))
    together, found = RunFolder(work / "runs" / "two"), set[str]()
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("RAY_AUTH_MODE", "disabled")
        _join(cluster["RAY_ADDRESS"])
        # One device is ours until a trial has said that it waits.
        held = ray.util.placement_group([{"GPU": 1}])
        ray.get(held.ready())
        both = rence(work, cluster, "two.yaml", "--workers", "2")
        while both.poll() is None:
            if held and any(_waits(together)):
                held = ray.util.remove_placement_group(held)
            queues = [at["namespace"] for at in ray.util.list_named_actors(True) if at["name"] == QUEUE]
            found = max(found, set(queues), key=len)
            time.sleep(0.5)
        ray.shutdown()
    assert both.returncode == OK, (work / "output.log").read_text()[-3000:]
    yield Seen(together, found)


def _waits(run: RunFolder) -> list[str]:
    """What trials say when they wait."""
    logs = [path.read_text(errors="replace") for path in run.root.glob("*/seed*/logs/attempt_1/output.log")]
    return [line for log in logs for line in log.splitlines() if "waits for 1 GPUs and 6 CPUs" in line]


def _join(address: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            ray.init(address=address, log_to_driver=False)
            return
        except ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.5)


def test_both_were_at_work_at_once_each_with_a_queue_of_its_own(seen: Seen) -> None:
    assert len(seen.namespaces) == 2 and "transfer_queue" not in seen.namespaces
    for seed in (0, 1):
        trial = seen.together.trial("grpo", seed)
        assert DoneRecord.read(trial.done).status == "finished"
        # nobody's row was seen: one would have ended the trial
        assert "answer another prompt" not in (trial.log(1) / "output.log").read_text()


def test_a_trial_waits_for_a_slot_and_says_so_once(seen: Seen) -> None:
    said = _waits(seen.together)
    assert 1 <= len(said) == len(set(said)) and all("other trials are at work on this Ray cluster" in it for it in said)


def test_each_learns_from_its_own_seeds_prompts(seen: Seen) -> None:
    orders = []
    for seed in (0, 1):
        trial = seen.together.trial("grpo", seed)
        orders.append(read_json(trial.trial)["data_order"])
        assert [row["cursor"] for row in read_jsonl(trial.steps)] == [4, 8]
    assert orders[0] != orders[1]
    first, second = (PromptStream(training_set("mini_rl").problems, seed).take(0, 8) for seed in (0, 1))
    assert [one.problem.id for one in first] != [one.problem.id for one in second]


@pytest.mark.skipif("RENCE_NIGHTLY" not in os.environ, reason="`make nightly`: a start of everything more")
def test_a_trial_beside_another_is_what_it_is_alone(seen: Seen, cluster: dict[str, str], tmp_path: Path) -> None:
    """A trial alone is not equal to itself to the last byte: rollouts are packed in the order in which they come, and
    sums differ in their last digits. What is counted is equal; what is computed, as closely as that allows."""
    (tmp_path / "one.yaml").write_text(yaml.safe_dump({**EXPERIMENT, "name": "one", "seeds": [0]}, sort_keys=False))
    one = rence(tmp_path, cluster, "one.yaml")
    assert one.wait(timeout=PATIENCE) == OK, (tmp_path / "output.log").read_text()[-3000:]
    together, alone = seen.together.trial("grpo", 0), RunFolder(tmp_path / "runs" / "one").trial("grpo", 0)
    assert read_json(together.trial)["data_order"] == read_json(alone.trial)["data_order"]
    counted = ("marks/", "groups/", "rollouts/", "labels/", "generated/", "response_length/", "prompt_length/")
    for here, there in zip(_steps(together), _steps(alone), strict=True):
        assert {key: here[key] for key in ("step", "rollouts", "tokens", "updates", "cursor")} == {
            key: there[key] for key in ("step", "rollouts", "tokens", "updates", "cursor")
        }
        mine, others = here["metrics"], there["metrics"]
        assert mine.keys() == others.keys()
        same = [name for name in mine if name.startswith(counted)]
        assert len(same) > 10 and {name: mine[name] for name in same} == {name: others[name] for name in same}
        for name in ("actor/loss", "actor/grad_norm", "actor/entropy"):
            assert_close(mine[name], others[name], within=1e-4)  # 5e-6 seen
    texts = [pd.read_parquet(trial.evals()[0].attempts)[["problem_id", "response"]] for trial in (together, alone)]
    pd.testing.assert_frame_equal(*texts)


def _steps(trial: TrialFolder) -> list[dict[str, Any]]:
    return list(read_jsonl(trial.steps))
