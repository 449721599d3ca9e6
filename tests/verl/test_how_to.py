"""Every block of docs/how-to/cluster.md and verl.md is run here, or is labelled `gpu` and needs one; so is the batch
script for SLURM, with shell scripts in the place of SLURM's own commands. One machine, CPUs only."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from harness import config
from harness.backends.verl.options import settings_of
from harness.base.errors import INTERRUPTED, OK

ROOT = Path(__file__).parents[2]
PAGES = ("cluster.md", "verl.md")
BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
RUN_HERE = {
    "cluster.md": ["export RAY_AUTH_MODE", "export RAY_AUTH_MODE", "rence run EXPERIMENT.yaml", "backend: verl"],
    "verl.md": [
        "rence plan paper/smoke",
        "backend: verl",
        "backend: verl",
        "rence doctor --cluster",
        ".venv-verl/bin/rence run",
    ],
}
"""how each block that is run here begins, in the page's order; `rence doctor` is run by `test_doctor.py`"""
RAY = f'"{sys.executable}" -m ray.scripts.scripts'


def blocks(page: str, *, gpu: bool = False) -> list[str]:
    found = BLOCK.findall((ROOT / "docs/how-to" / page).read_text(encoding="utf-8"))
    return [text for info, text in found if ("gpu" in info.split()) == gpu]


def block(page: str, beginning: str, number: int = 0) -> str:
    return [text for text in blocks(page) if text.startswith(beginning)][number]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(condition: Callable[[], object], process: subprocess.Popen[str], log: Path, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.2)


@dataclass
class Machine:
    """A folder with an experiment, ports of its own, and a `ray` that starts small nodes there."""

    folder: Path
    short: Path
    """Ray's own folder: paths of sockets are limited"""
    port: int = field(default_factory=free_port)
    dashboard: int = field(default_factory=free_port)
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        small = "--num-cpus=1 --object-store-memory=80000000 --dashboard-agent-listen-port=0"
        head = f"--port={self.port} --dashboard-port={self.dashboard} --temp-dir={self.short}"
        self.command(
            "ray",
            f'if [ "$1" != start ]; then exec {RAY} "$@"; fi\n'
            f'case "$*" in *--head*) more="{head} --ray-client-server-port={free_port()}" ;; esac\n'
            f'exec {RAY} "$@" --block {small} $more',
        )
        self.command("rence", f'exec "{sys.executable}" -m rence "$@"')
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"},
            "HOME": str(self.folder),
            "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "MLFLOW_TRACKING_URI": "http://127.0.0.1:9",
            "RAY_USAGE_STATS_ENABLED": "0",
        }

    def command(self, name: str, text: str) -> None:
        path = self.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)

    def experiment(self, rollouts: int) -> None:
        small = yaml.safe_load((ROOT / "configs/smoke.yaml").read_text())
        small |= {"seeds": [0], "budget": {"rollouts": rollouts}}
        small["recipe"] = {**small.get("recipe", {}), "checkpoint_steps": 1000}
        small["evaluation"] = {"benchmarks": {"mini_sums": 1}, "limit": 4, "points": 1}
        (self.folder / "EXPERIMENT.yaml").write_text(yaml.safe_dump(small, sort_keys=False))

    def begin(self, text: str, name: str, **environment: str) -> tuple[subprocess.Popen[str], Path]:
        """A block of shell, and its log."""
        log = self.folder / f"{name}.log"
        with log.open("ab") as file:
            command = ["bash", "-euc", text]
            process = subprocess.Popen(
                command, cwd=self.folder, env={**self.environment, **environment}, stdout=file, stderr=file, text=True,
                start_new_session=True,
            )  # fmt: skip
        self.started.append(process)
        return process, log

    def call(self, text: str, name: str, **environment: str) -> str:
        process, log = self.begin(text, name, **environment)
        assert process.wait(timeout=400) == OK, log.read_text()[-3000:]
        return log.read_text()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path, Path(tempfile.mkdtemp(prefix="ray", dir="/tmp")))
    try:
        yield made
    finally:
        for process in made.started:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        shutil.rmtree(made.short, ignore_errors=True)


@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_run_here_or_needs_a_gpu(page: str) -> None:
    assert len(blocks(page)) == len(RUN_HERE[page]), "a new block is run here, or labelled gpu"
    for text, beginning in zip(blocks(page), RUN_HERE[page], strict=True):
        assert text.startswith(beginning)


def test_the_labelled_blocks_are_commands_of_ours() -> None:
    for text in [text for page in PAGES for text in blocks(page, gpu=True)]:
        for line in text.splitlines():
            assert line.startswith(("pip install", "rence doctor", "rence run configs/paper/")), line


@pytest.mark.parametrize("page", PAGES)
def test_what_is_said_to_prove_something_is_there(page: str) -> None:
    named = set(re.findall(r"`(tests/[\w/]+(?:\.py)?)`", (ROOT / "docs/how-to" / page).read_text(encoding="utf-8")))
    assert named and {name for name in named if not (ROOT / name).exists()} == set()


@pytest.mark.parametrize(
    "page, number, expected", [("cluster.md", 0, (2, 8)), ("verl.md", 0, (1, 8)), ("verl.md", 1, (1, 8))]
)
def test_the_sections_load(tmp_path: Path, page: str, number: int, expected: tuple[int, int]) -> None:
    lines = (ROOT / "configs/smoke.yaml").read_text().splitlines(keepends=True)
    smoke = "".join(line for line in lines if not line.startswith(("backend:", "local:")))
    path = tmp_path / "experiment.yaml"
    path.write_text(smoke + block(page, "backend: verl", number))
    changes = ["recipe.prompts_per_step=64", "recipe.microbatch_tokens=65536", "model=Qwen/Qwen3-0.6B"]
    settings = settings_of(config.load(path, changes))
    assert (settings.nodes, settings.gpus_per_node) == expected


def test_the_commands_that_need_no_gpu(machine: Machine) -> None:
    said = machine.call(block("verl.md", "rence plan paper/smoke"), "dry")
    assert "GPU-hours" in said and said.count("verl config valid: ") >= 2
    (machine.folder / "configs").symlink_to(ROOT / "configs")
    text = block("verl.md", ".venv-verl/bin/rence").replace(".venv-verl/bin/rence", "rence")
    assert "verl config valid: " in machine.call(text, "dry4b")


@pytest.mark.slow
def test_two_nodes_and_a_run(machine: Machine) -> None:
    machine.experiment(rollouts=32)
    address = f"http://127.0.0.1:{machine.dashboard}"

    head, log = machine.begin(block("cluster.md", "export RAY_AUTH"), "head")
    wait_for(lambda: "Ray runtime started" in log.read_text(), head, log)
    assert (machine.folder / ".ray/auth_token").exists()
    text = block("cluster.md", "export RAY_AUTH", 1).replace("FIRST_NODE:6379", f"127.0.0.1:{machine.port}")
    other, log = machine.begin(text, "other")
    wait_for(lambda: "Ray runtime started" in log.read_text(), other, log)
    words = {"RAY_ADDRESS": address, "RAY_AUTH_MODE": "token"}
    listed = machine.call(f"ray list nodes --address={address} --filter state=ALIVE --format json", "nodes", **words)
    assert listed.count('"node_id"') == 2
    said = machine.call(block("cluster.md", "rence run EXPERIMENT.yaml"), "run", **words)
    assert "Report: runs/smoke/report/index.html" in said


@pytest.mark.slow
def test_the_batch_script_makes_a_cluster_saves_and_is_queued_again(machine: Machine) -> None:
    machine.experiment(rollouts=3200)
    machine.command("srun", 'while [[ "$1" == --* ]]; do shift; done\nexec "$@"')
    machine.command("scontrol", 'if [ "$1" = show ]; then echo node1; else echo "$*" >>scontrol.txt; fi')
    (machine.folder / ".venv/bin").mkdir(parents=True)
    (machine.folder / ".venv/bin/activate").write_text("")
    slurm = {
        "SLURM_SUBMIT_DIR": str(machine.folder), "SLURM_CPUS_PER_TASK": "1", "SLURM_JOB_NODELIST": "node1",
        "SLURM_JOB_NUM_NODES": "1", "SLURM_JOB_ID": "9", "RAY_PORT": str(machine.port),
        "RAY_DASHBOARD_PORT": str(machine.dashboard),
    }  # fmt: skip
    script, log = machine.begin(f'exec bash "{ROOT}/docs/templates/slurm.sh"', "slurm", **slurm)

    def made() -> dict[Path, int]:
        every = (machine.folder / "runs").glob("*/*/seed*/steps.jsonl")
        return {path.parent: path.read_bytes().count(b"\n") for path in every}

    wait_for(lambda: max(made().values(), default=0) >= 2, script, log)
    script.send_signal(signal.SIGUSR1)
    assert script.wait(timeout=200) == INTERRUPTED, log.read_text()[-3000:]
    assert (machine.folder / "scontrol.txt").read_text() == "requeue 9\n"
    [(trial, steps)] = made().items()
    assert [path.name for path in (trial / "checkpoints").iterdir()] == [f"step_{steps}"]
