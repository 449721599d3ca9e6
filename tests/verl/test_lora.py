"""Low-rank adapters on verl's real trainer: one arm whose sampler lags and whose reference follows it, killed with
SIGKILL and run to its end. What a reader has of a checkpoint is the model that was sampled from."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file

from harness.backends.local.update import Learner, make_optimizer
from harness.models import adapters
from harness.models.language_model import load
from harness.models.lora import Lora
from harness.models.resolving import resolve
from harness.records import DoneRecord, RunFolder, StepRecord, TrialFolder, read_jsonl
from tests.closeness import assert_close
from tests.verl.test_engine import BASIC, LAYOUTS, OBJECTIVES, RECIPE, SENT, TOLERANCE, Local, run

MODEL = "quickstart-base"
LORA = Lora(8, 16)
EXPERIMENT: dict[str, Any] = {
    "schema": 1,
    "name": "adapted",
    "backend": "verl",
    "model": MODEL,
    "template": "bare",
    "train": "mini_rl",
    "seeds": [3],
    "budget": {"rollouts": 128},
    "recipe": {
        "group_size": 4,
        "prompts_per_step": 8,
        "microbatch_tokens": 1024,
        "checkpoint_steps": 1,
        "learning_rate": 3e-3,  # so that weights of another step are seen in log-probs
        "generator_sync_steps": 2,
        "reference_sync_steps": 2,
        "lora": {"rank": LORA.rank, "alpha": LORA.alpha},
    },
    "evaluation": {"benchmarks": {"mini_sums": 1}, "points": 1, "limit": 40},
    "arms": {"online_dpo": {}, "again": {"algorithm": "online_dpo"}},
    "comparison": {"target": "online_dpo", "baselines": ["again"]},
    "verl": {"device": "cpu", "gpus_per_node": 1, "max_prompt_tokens": 160, "stall_seconds": 600},
}
PATIENCE = 900.0
pytestmark = pytest.mark.timeout(2 * PATIENCE)


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TrialFolder, bytes, list[str]]]:
    """The trial, its lines when it was killed, and what its checkpoint held then."""
    work = tmp_path_factory.mktemp("lora")
    (work / "e.yaml").write_text(yaml.safe_dump(EXPERIMENT, sort_keys=False))
    folder = RunFolder(work / "runs" / "adapted").trial("online_dpo", 3)

    def rence(*arguments: str) -> subprocess.Popen[bytes]:
        with (work / "output.log").open("ab") as log:
            return subprocess.Popen([sys.executable, "-m", "rence", *arguments], cwd=work, stdout=log, stderr=log)

    first, deadline = rence("run", "e.yaml", "--only", "online_dpo"), time.monotonic() + PATIENCE
    while not folder.checkpoint(3).exists():  # by then the reference has followed
        assert first.poll() is None and time.monotonic() < deadline, (work / "output.log").read_text()[-3000:]
        time.sleep(0.2)
    first.send_signal(signal.SIGKILL)
    first.wait()
    before = folder.steps.read_bytes()
    (checkpoint,) = folder.checkpoints.glob("step_*")
    held = sorted(path.name for path in checkpoint.iterdir())
    again = rence("run", "e.yaml", "--only", "online_dpo")
    assert again.wait(timeout=PATIENCE) == 0, (work / "output.log").read_text()[-3000:]
    yield folder, before, held


def test_it_trains_to_its_budget_through_the_kill(trial: tuple[TrialFolder, bytes, list[str]]) -> None:
    folder, before, held = trial
    done = DoneRecord.read(folder.done)
    assert (done.status, done.rollouts, done.steps, done.updates) == ("finished", 128, 4, 16)
    assert folder.steps.read_bytes().startswith(before.splitlines(keepends=True)[0])
    assert {"adapter", "model.safetensors", "reference", "sampler", "verl"} <= {*held}


def test_samplers_have_the_merged_weights_and_lag_as_they_should(trial: tuple[TrialFolder, bytes, list[str]]) -> None:
    """verl's own merging rounds to bf16: log-probs would then differ by 1e-2."""
    folder, *_ = trial
    rows = list(read_jsonl(folder.steps, StepRecord))
    differences = [row.metrics["training/rollout_probs_diff_max"] for row in rows]
    assert len(differences) == 4 and all(found is not None and found < 2e-5 for found in differences)


def test_a_checkpoint_is_the_base_with_its_adapter(trial: tuple[TrialFolder, bytes, list[str]]) -> None:
    folder, *_ = trial
    checkpoint = folder.checkpoint(4)
    base, merged = load_file(resolve(MODEL) / "model.safetensors"), load_file(checkpoint / "model.safetensors")
    learnt = load_file(checkpoint / "adapter" / "adapter_model.safetensors")
    moved = {name for name in base if not torch.equal(base[name], merged[name])}
    assert moved == {name for name in base if name.endswith("_proj.weight")} and merged.keys() == base.keys()
    for name in moved:
        layer = f"base_model.model.{name.removesuffix('.weight')}"
        product = learnt[f"{layer}.lora_B.weight"] @ learnt[f"{layer}.lora_A.weight"]
        assert_close(merged[name], base[name] + 2.0 * product, within=1e-6)
    said = json.loads((checkpoint / "adapter" / "adapter_config.json").read_text())
    assert (said["r"], said["lora_alpha"], said["target_modules"][0]) == (8, 16, "down_proj")


@pytest.mark.parametrize("count", [1, 2])
def test_loss_and_gradients_are_the_local_backends(count: int, tmp_path: Path) -> None:
    """Of verl's own engine, on one rank and on two that share adapters and what lies under them."""
    local, model = Local(), load(resolve(MODEL), to_train=True, lora=LORA, seed=3)
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.net.named_parameters():
            if ".lora_B." in name:
                parameter.copy_(0.02 * torch.randn(parameter.shape, generator=random))
    begun = {name: value.clone() for name, value in adapters.state(model.net).items()}
    asked = {
        name: {
            "algorithm": OBJECTIVES[name], "recipe": replace(RECIPE, learning_rate=0.0), "sent": SENT,
            "batch": local.batch(name, "weighted"), "minibatches": [list(range(6))], "layout": LAYOUTS["dynamic"],
        }
        for name in BASIC
    }  # fmt: skip
    way = {"lora": (LORA.rank, LORA.alpha), "adapters": begun}
    ways = {"adapters": (way, {(name,): case for name, case in asked.items()})}
    cases = {"model": str(resolve(MODEL)), "recipe": RECIPE, "ways": ways, "learning": {}, "others": {}}
    torch.save(cases, tmp_path / "cases.pt")
    found = run(count, tmp_path / "cases.pt", tmp_path / "ranks")
    for name, case in asked.items():
        model.net.zero_grad()
        learner = Learner(model, case["algorithm"], RECIPE, make_optimizer(model, RECIPE))
        loss, _ = learner.backward(case["batch"], SENT["progress"])
        here = {key: value.grad for key, value in model.net.named_parameters() if value.grad is not None}
        (there,) = found["adapters", name]["gradients"]
        there = {key.removeprefix("base_model.model."): value for key, value in there.items()}
        assert there.keys() == here.keys() == begun.keys()
        assert_close([there[key] for key in here], list(here.values()), within=TOLERANCE)
        assert_close(found["adapters", name]["learnt"]["logged"]["actor/loss"].total, loss, within=TOLERANCE, floor=1.0)


def test_adapters_begin_as_on_the_local_backend(trial: tuple[TrialFolder, bytes, list[str]]) -> None:
    """A learns slowly while B is small, so what it began with is still seen; another seed's A is as far as it gets."""
    folder, *_ = trial
    learnt = load_file(folder.checkpoint(4) / "adapter" / "adapter_model.safetensors")
    distances = []
    for seed in (3, 4):
        net = load(resolve(MODEL), lora=LORA, seed=seed).net
        begun = {f"base_model.model.{n.replace('.default.', '.')}": v for n, v in adapters.state(net).items()}
        pairs = [(begun[name], learnt[name]) for name in learnt if ".lora_A." in name]
        distances.append(float(sum((a - b).norm() for a, b in pairs) / sum(a.norm() for a, _ in pairs)))
    assert distances[0] < 0.5 < 1.2 < distances[1]
