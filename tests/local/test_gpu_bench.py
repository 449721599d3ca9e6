"""bench/gpu.py, all of it, on the CPU with tiny models: what it prints of a GPU was not run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "bench" / "gpu.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run([sys.executable, SCRIPT, *arguments], env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict:
    place = tmp_path_factory.mktemp("gpu") / "gpu.json"
    done = run("--device", "cpu", "--small", "--json", str(place))
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(place.read_text())["results"]


def test_every_section_runs(found: dict) -> None:
    assert list(found) == ["objectives", "sampler", "step", "lora", "resume", "verl"]
    assert not [name for name, result in found.items() if "failed" in result]
    assert found["verl"]["rows"] == [{"skipped": "needs a GPU"}]


def test_every_algorithm_is_held_against_the_cpu(found: dict) -> None:
    from algorithms.registry import ALL

    rows = found["objectives"]["rows"]
    assert sorted({row["algorithm"] for row in rows}) == sorted(ALL) and len(rows) == 2 * len(ALL)
    exact = [row for row in rows if row["on"] == "fp32 on cpu"]
    assert all(row["gradient_off"] < 1e-6 for row in exact), "it is the same device"
    rounded = [row for row in rows if row["on"] == "bf16 on cpu"]
    assert all(row["gradient_off"] > 1e-5 for row in rounded), "bf16 was really computed"


def test_speeds_and_resume(found: dict) -> None:
    assert [row["rows"] for row in found["sampler"]["rows"]] == [4, 8]
    assert all(row["ratio"] > 0 for row in found["sampler"]["rows"])
    assert [row["layers_again"] for row in found["step"]["rows"]] == [False, True]
    assert all(0 < row["share_of_ceiling"] < 1 for row in found["step"]["rows"])
    assert all(row["same_weights"] and row["same_steps"] for row in found["resume"]["rows"])


def test_without_a_gpu_it_says_so() -> None:
    done = run()
    assert done.returncode == 3 and "sees no GPU here" in done.stdout
