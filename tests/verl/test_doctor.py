"""`rence doctor --cluster` on a Ray of its own and on one that was there, and what is said of what does not fit."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import config
from harness.backends.verl.worst_microbatch import try_worst, worst
from harness.base.findings import FindingState
from harness.models.resolving import SHIPPED
from tests.verl.test_end_to_end import EXPERIMENT, VERL

MODEL = SHIPPED["quickstart-base"]


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    path = tmp_path / "tried.yaml"
    recipe = {**EXPERIMENT["recipe"], "microbatch_tokens": 2048}
    verl = {**VERL, "gpus_per_node": 1}
    path.write_text(yaml.safe_dump({**EXPERIMENT, "recipe": recipe, "backend": "verl", "verl": verl}))
    return path


def doctor(*arguments: str, **environment: str) -> tuple[int, dict[str, list[dict[str, Any]]], str]:
    """Exit code, rows by part, and what was said on stderr."""
    begun, command = time.monotonic(), (sys.executable, "-m", "rence", "doctor", "--cluster", "--json", *arguments)
    command += ("--seconds", "500")  # a machine of two cores that does other things, too
    kept = {key: value for key, value in os.environ.items() if key != "RAY_ADDRESS"}
    done = subprocess.run(command, env={**kept, **environment}, capture_output=True, text=True)
    print(done.stderr, f"{time.monotonic() - begun:.0f} s")
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in json.loads(done.stdout)["findings"] if done.stdout else []:
        rows.setdefault(row["part"], []).append(row)
    return done.returncode, rows, done.stderr


def test_everything_is_tried_with_an_experiment(experiment: Path) -> None:
    code, rows, _ = doctor(str(experiment))
    states = {part: {row["state"] for row in found} for part, found in rows.items()}
    found = {part: found[0]["found"] for part, found in rows.items()}
    assert {
        row["part"]: row for part in rows.values() for row in part if row["state"] in ("lacks", "not checked")
    } == {}
    assert code == 0
    assert found["cluster"].startswith("1 node, ") and "one of our own" in found["cluster"]
    assert states["attention flash_attention_2"] == {"note"} and "not installed" in found["attention flash_attention_2"]
    for kernel in ("sdpa", "flex_attention"):
        host, away, _ = found[f"attention {kernel}"].split(maxsplit=2)
        assert host == f"{socket.gethostname()}:" and 0 < float(away) < 1e-6
    away = float(found["weights to the sampler"].partition(" are ")[2].split()[0])
    assert away < 1e-5 and states["weights to the sampler"] == {"ok"}
    assert "9 sequences of " in found["worst micro-batch"] and ": room enough, at most " in found["worst micro-batch"]
    assert {"host memory", "shared memory", "file descriptors", "scratch disk", "backend verl"} <= rows.keys()


def test_a_micro_batch_that_does_not_fit_is_said_with_what_makes_it_smaller(experiment: Path) -> None:
    """The mask of torch's attention would have 160 GB, more than any machine of CI's."""
    trial = worst(config.load(experiment, ["recipe.microbatch_tokens=400000"]))
    (found,) = try_worst(trial, MODEL, 240)
    assert found.state is FindingState.LACKS, found
    assert "no room, out of memory in computing log-probs" in found.found
    assert found.mend.startswith("recipe.microbatch_tokens=208, or verl.gradient_checkpointing=true")


def test_what_takes_too_long_is_not_waited_for(experiment: Path) -> None:
    begun = time.monotonic()
    (found,) = try_worst(worst(config.load(experiment)), MODEL, 1)
    assert found.state is FindingState.NOT_CHECKED and "it had not been computed in time" in found.found
    assert time.monotonic() - begun < 30
    (found,) = try_worst(worst(config.load(experiment)), Path("nowhere"), 1)
    assert found.state is FindingState.NOT_CHECKED and "nowhere is not there" in found.found
