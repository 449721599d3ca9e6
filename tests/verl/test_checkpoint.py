"""A trial that was killed after its last evaluation, while its trainer's state was dropped, is finished without Ray."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from harness import config
from harness.backends.checkpoints import TrainingProgress
from harness.backends.verl.backend import VerlBackend
from harness.backends.verl.checkpoint import REFERENCE, SHARDS, STATE, drop_state
from harness.config.experiment import Trial
from harness.models import resolving
from harness.records import TrialFolder, write_json
from harness.run.matching import stream

CONFIGS = Path(__file__).parents[2] / "configs"
DONE = TrainingProgress(step=3, rollouts=96, tokens=900, updates=12, cursor=24, discarded_rollouts=32, grid=96)


@pytest.fixture
def final(tmp_path: Path) -> Path:
    """The last checkpoint of a trial, complete."""
    folder = TrialFolder(tmp_path).checkpoint(3)
    shutil.copytree(resolving.resolve("quickstart-base"), folder)
    write_json(folder / "trainer.json", asdict(DONE))
    write_json(folder / STATE, {})
    for name in (SHARDS, REFERENCE):
        (folder / name).mkdir()
        (folder / name / "rank_0.pt").write_bytes(b"weights")
    return folder


def never(*anything: Any) -> None:
    raise AssertionError("nothing is left to be evaluated")


def test_a_model_is_left(final: Path) -> None:
    drop_state(final)
    assert not {SHARDS, REFERENCE, STATE} & {path.name for path in final.iterdir()}
    assert resolving.model_hash(final) == resolving.model_hash(resolving.resolve("quickstart-base"))


def test_a_kill_while_it_is_dropped_is_mended(final: Path, tmp_path: Path) -> None:
    (final / STATE).unlink()
    overrides = ["backend=verl", "local=null", "verl={device: cpu, gpus_per_node: 1, max_prompt_tokens: 64}"]
    experiment = config.load(CONFIGS / "smoke.yaml", overrides)
    trial = Trial(experiment, experiment.arms[0], 0)
    model = resolving.resolve(experiment.model)
    result = VerlBackend().train(trial, model, stream(experiment, 0), TrialFolder(tmp_path), never, None)  # type: ignore[arg-type]
    assert (result.steps, result.rollouts, result.updates) == (3, 96, 12)
    assert result.final_weights == resolving.model_hash(model)
    assert not (final / SHARDS).exists() and not (final / REFERENCE).exists()
