"""`rence run --launcher ray` on two Ray nodes of one machine: a node is lost, a driver is killed, Ctrl-C is pressed,
and the files are those of an undisturbed run of the local launcher."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
import yaml

from harness.base.errors import INTERRUPTED, OK, USAGE, UserError
from harness.base.locks import LOCK, locked
from harness.records import read_json

pytest.importorskip("ray")

if TYPE_CHECKING:
    from ray.job_submission import JobDetails, JobSubmissionClient

ROOT = Path(__file__).parents[2]
EXPERIMENT = (
    str(ROOT / "configs/smoke.yaml"),
    "seeds=[0]",
    "budget.rollouts=128",
    "evaluation.benchmarks={mini_sums: 1}",
)
"""two trials of four steps"""
BYTES_FOR_OBJECTS = 80_000_000
"""Ray's store of objects; nothing is put there, and Ray asks for no less"""


def wait_for(
    condition: Callable[[], object], driver: subprocess.Popen[str] | None = None, seconds: float = 400.0
) -> None:
    """As long as the driver runs, if it is that which brings the condition about."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert driver is None or driver.poll() is None, end(driver)
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@dataclass
class Cluster:
    """Nodes with one processor each, as `ray start` makes them; asks for a token of its own."""

    temporary: Path
    """short: the paths of sockets are limited"""
    port: int = field(default_factory=free_port)
    dashboard: int = field(default_factory=free_port)
    nodes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    drivers: list[subprocess.Popen[str]] = field(default_factory=list)
    """every `rence run` that was begun here"""

    def __post_init__(self) -> None:
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "NO_COLOR": "1",
            "MLFLOW_TRACKING_URI": "http://127.0.0.1:9",
            "RAY_ADDRESS": f"http://127.0.0.1:{self.dashboard}",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_USAGE_STATS_ENABLED": "0",
        }

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.environment['RAY_AUTH_TOKEN']}"}

    def add_node(self) -> None:
        head = (
            "--head", f"--port={self.port}", f"--dashboard-port={self.dashboard}", f"--temp-dir={self.temporary}",
            f"--ray-client-server-port={free_port()}",
        )  # fmt: skip
        role = (f"--address=127.0.0.1:{self.port}",) if self.nodes else head
        size = ("--num-cpus=1", f"--object-store-memory={BYTES_FOR_OBJECTS}")
        ray = (sys.executable, "-m", "ray.scripts.scripts", "start", "--block", *role, *size)
        # Chosen by Ray: one that is taken between its choice and its use leaves a node that takes no jobs.
        ports = "--dashboard-agent-listen-port=0"
        environment = {key: value for key, value in self.environment.items() if key != "RAY_ADDRESS"}
        log = (self.temporary / f"node_{len(self.nodes)}.log").open("wb")
        self.nodes.append(
            subprocess.Popen((*ray, ports), env=environment, stdout=log, stderr=log, start_new_session=True)
        )

    def lose_node(self, number: int) -> None:
        """As if its machine had lost power."""
        node = self.nodes[number]
        with suppress(ProcessLookupError):
            os.killpg(node.pid, signal.SIGKILL)
        node.wait()

    def names(self) -> dict[str, bool]:
        """Ray's name of each node -> whether it is the head. Over HTTP, since a process that has imported Ray before
        does not hear of a token any more."""
        answer = requests.get(f"{self.environment['RAY_ADDRESS']}/api/v0/nodes", headers=self.headers).json()
        return {node["node_id"]: node["is_head_node"] for node in answer["data"]["result"]["result"]}

    def jobs(self, client: JobSubmissionClient, folder: Path) -> list[JobDetails]:
        """Of one trial, in the order in which they were started."""
        mine = [job for job in client.list_jobs() if (job.metadata or {}).get("rence_job") == str(folder.resolve())]
        return sorted(mine, key=lambda job: job.start_time or 0)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    made = Cluster(Path(tempfile.mkdtemp(prefix="ray", dir="/tmp")))
    try:
        made.add_node()
        yield made
    finally:
        for driver in made.drivers:
            driver.kill()
        for number in range(len(made.nodes)):
            made.lose_node(number)
        shutil.rmtree(made.temporary, ignore_errors=True)


@pytest.fixture
def client(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> JobSubmissionClient:
    """Of the cluster, once its two nodes are up."""
    from ray.job_submission import JobSubmissionClient

    monkeypatch.setenv("RAY_ADDRESS", cluster.environment["RAY_ADDRESS"])
    made: list[JobSubmissionClient] = []

    def up() -> bool:
        with suppress(ConnectionError):
            made.append(JobSubmissionClient(headers=cluster.headers))
        return bool(made)

    wait_for(up)
    cluster.add_node()
    return made[0]


def begin(
    cluster: Cluster, cwd: Path, *arguments: str, experiment: tuple[str, ...] = EXPERIMENT, **environment: str
) -> subprocess.Popen[str]:
    """`rence run` of the experiment."""
    command = (sys.executable, "-m", "rence", "run", *experiment, *arguments)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    driver = subprocess.Popen(command, cwd=cwd, env={**cluster.environment, **environment}, **pipes)  # type: ignore[call-overload]
    cluster.drivers.append(driver)
    return driver


def end(driver: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code, and what was said on stderr."""
    _, said = driver.communicate(timeout=400)
    return driver.returncode, said


REWARDS = '''\
def score(text, gold, problem):
    """Shorter is better, and one text in three breaks it."""
    assert problem.gold == gold and problem.tags["kind"] == "sum"
    if sum(map(ord, text)) % 3 == 0:
        raise ValueError("a text that it cannot bear")
    return 1 / (1 + len(text))
'''


@pytest.mark.slow
def test_problems_and_a_reward_of_ones_own_reach_the_nodes(
    cluster: Cluster, client: JobSubmissionClient, tmp_path: Path
) -> None:
    """The experiment and its problems lie in a folder of their own, and the reward on the driver's PYTHONPATH alone."""
    given, lib = tmp_path / "given", tmp_path / "lib"
    for folder in (given, lib):
        folder.mkdir()
    own = yaml.safe_load(Path(EXPERIMENT[0]).read_text()) | {"name": "own", "train": {"file": "train.jsonl"}}
    (given / "own.yaml").write_text(yaml.safe_dump(own))
    rows = [{"problem": f"What is {n}+{n}?", "answer": 2 * n, "kind": "sum"} for n in range(50, 66)]
    (given / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (lib / "my_rewards.py").write_text(REWARDS)
    words = (str(given / "own.yaml"), *EXPERIMENT[1:], "recipe.reward=my_rewards:score", "recipe.reward_threshold=0.1")
    path = os.pathsep.join([str(ROOT), str(lib)])
    found = {}
    for launcher in ("local", "ray"):
        cwd = tmp_path / launcher
        cwd.mkdir()
        driver = begin(cluster, cwd, "--launcher", launcher, experiment=words, PYTHONPATH=path)
        code, said = end(driver)
        assert code == OK, said
        found[launcher] = tree(cwd / "runs/own")
    failed = [
        json.loads(line)["metrics"]["reward/failed"]
        for line in found["ray"]["grpo/seed0/steps.jsonl"].decode().splitlines()
    ]
    assert len(failed) == 4 and 0 < sum(failed) < 128
    assert found["local"].keys() == found["ray"].keys()
    assert [name for name in found["local"] if found["local"][name] != found["ray"][name]] == []


def steps(trial: Path) -> int:
    path = trial / "steps.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def holder(trial: Path) -> int:
    """The process that works on it; 0 if none does."""
    words = (trial / LOCK).read_text().split() if (trial / LOCK).exists() else []
    return 0 if is_free(trial) or not words else int(words[0])


def is_free(trial: Path) -> bool:
    try:
        with locked(trial, "trial"):
            return True
    except UserError:
        return False


def tree(run: Path) -> dict[str, bytes]:
    """Every file that must be the same; the report shows seconds and attempts of timing.json in its block of costs."""
    return {
        path.relative_to(run).as_posix(): path.read_bytes()
        for path in sorted(run.rglob("*"))
        if path.is_file()
        and path.name not in ("timing.json", LOCK)
        and not {"logs", "report"} & set(path.relative_to(run).parts)
    }


@pytest.mark.slow
def test_two_nodes_and_every_way_to_lose_one(cluster: Cluster, client: JobSubmissionClient, tmp_path: Path) -> None:
    here, there = tmp_path / "local", tmp_path / "ray"
    here.mkdir(), there.mkdir()
    undisturbed = begin(cluster, here, "--workers", "1")
    wait_for(lambda: len(cluster.names()) == 2)
    head = next(name for name, is_head in cluster.names().items() if is_head)
    code, said = end(undisturbed)
    assert code == OK, said

    # what a user has to be told before anything is written
    code, said = end(begin(cluster, there, "--launcher", "ray", RAY_ADDRESS="http://127.0.0.1:9"))
    assert code == USAGE and "no Ray cluster to run jobs on" in said and "`ray start --head`" in said
    code, said = end(begin(cluster, there, "--launcher", "ray", RAY_AUTH_MODE="disabled", RAY_AUTH_TOKEN=""))
    assert code == USAGE and "export RAY_AUTH_MODE=token" in said and len(said.splitlines()) == 1
    assert not (there / "runs").exists()

    # both nodes work, and one of them is lost with the trial on it: the other trial goes on to its end, and the lost
    # one is started again, on the node that is left
    run = there / "runs/smoke"
    trials = [run / "rence/seed0", run / "grpo/seed0"]
    lost: list[Path] = []

    def on_the_second_node() -> list[Path]:
        lost[:] = [
            trial
            for trial in trials
            for job in cluster.jobs(client, trial)
            if job.status == "RUNNING" and job.driver_node_id not in (None, head) and steps(trial) >= 1
        ]
        return lost

    driver = begin(cluster, there, "--launcher", "ray")
    wait_for(on_the_second_node, driver)
    [trial] = lost
    [other] = [one for one in trials if one != trial]
    os.kill(holder(trial), signal.SIGSTOP)  # so that it cannot end before
    cluster.lose_node(1)
    wait_for(lambda: (trial / "logs/attempt_2/output.log").exists() and holder(trial), driver)
    assert (other / "done.json").exists() and not (trial / "done.json").exists()

    # Ctrl-C stops the job
    driver.send_signal(signal.SIGINT)
    code, said = end(driver)
    assert code == INTERRUPTED and "interrupted. What is done is saved. To go on:" in said
    assert said.splitlines()[-1].endswith(" --launcher ray") and "Traceback" not in said
    name = trial.relative_to(run).as_posix()
    assert f"{name} was lost: its node was lost. It is started again in 5 s" in said
    words = (trial / "logs/attempt_1/output.log").read_text()
    assert "its node has died" in words and "its node was lost. It is started again" in words.splitlines()[-1]
    wait_for(lambda: is_free(trial))
    assert [job.driver_node_id for job in cluster.jobs(client, other)] == [head]
    assert [str(job.status) for job in cluster.jobs(client, trial)] == ["FAILED", "STOPPED"]

    # a driver that is killed leaves its job to Ray, and the next driver waits for that job
    driver = begin(cluster, there, "--launcher", "ray")
    wait_for(lambda: holder(trial), driver)
    held = holder(trial)
    os.kill(held, signal.SIGSTOP)
    driver.kill(), driver.communicate()
    driver = begin(cluster, there, "--launcher", "ray")
    wait_for(lambda: holder(run) == driver.pid, driver)
    os.kill(held, signal.SIGCONT)
    code, said = end(driver)
    assert code == OK, said
    assert [str(job.status) for job in cluster.jobs(client, trial)] == ["FAILED", "STOPPED", "SUCCEEDED"]

    expected, found = tree(here / "runs/smoke"), tree(run)
    assert expected.keys() == found.keys()
    assert [name for name in expected if expected[name] != found[name]] == []
    assert [read_json(one / "timing.json")["attempts"] for one in (trial, other)] == [3, 1]
