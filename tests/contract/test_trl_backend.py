"""The example backend on TRL's GRPOTrainer: installed by pip, its gradients those of the local backend, its contract,
and from plan to report. TRL is the real one; only its loss may not be called."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from trl.trainer.grpo_trainer import GRPOTrainer

from harness import config
from harness.backends.backend_contract import CHECKS
from harness.backends.base import TrainingResult
from harness.backends.collect import collect
from harness.backends.example_trial import Watcher, under_test
from harness.backends.groups import Group
from harness.backends.local.loop import Training as LocalTraining
from harness.backends.registry import get_backend
from harness.base import plugins
from harness.base.errors import UserError
from harness.base.registry import training_set
from harness.config.experiment import Trial
from harness.config.manifest import parse
from harness.models.resolving import resolve
from harness.prompts.stream import Prompt, PromptStream
from harness.records import Plan, RunFolder, TrialFolder, read_json, read_jsonl
from reports.data.load import load
from tests.closeness import assert_close

ROOT, SEED = Path(__file__).parents[2], 3
EXPERIMENT = """\
name: example
backend: trl
model: quickstart-base
template: bare
train: mini_rl
seeds: [3]
budget: {rollouts: 128}
# AdamW's first step is next to the gradient's sign, which makes a whole step of an element's rounding: hence `adam_eps`
recipe: {group_size: 8, prompts_per_step: 16, epochs: 1, minibatches: 2, microbatch_tokens: 1500, adam_eps: 1e-3}
evaluation: {benchmarks: {mini_sums: 1}, points: 1, limit: 20}
arms: {grpo: {}, rence: {}, online_dpo: {}, magistral: {}}
comparison: {target: rence, baselines: [grpo]}
"""
Started = Callable[..., tuple[Any, Trial, TrialFolder]]


@pytest.fixture
def backend(trl_example: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Installed for this process."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(trl_example)
    plugins._found.cache_clear()
    yield
    for name in [name for name in sys.modules.keys() - before if name.startswith("trl_backend")]:
        del sys.modules[name]
    monkeypatch.undo()
    plugins._found.cache_clear()


@pytest.fixture
def started(backend: None, tmp_path: Path) -> Started:
    """A trial of an arm, before its first step; with overrides of the experiment."""

    def start(arm: str, *overrides: str) -> tuple[Any, Trial, TrialFolder]:
        from trl_backend.training import Training  # pyright: ignore[reportMissingImports]

        path = tmp_path / "example.yaml"
        path.write_text(EXPERIMENT)
        experiment = config.load(path, list(overrides))
        folder = RunFolder(tmp_path / "run").trial(arm, SEED)
        folder.root.mkdir(parents=True, exist_ok=True)
        trial, stream = Trial(experiment, experiment.arm(arm), SEED), PromptStream(training_set("mini_rl").problems, SEED)
        here = get_backend("trl"), trial, resolve("quickstart-base"), stream, folder, lambda *_: None, Watcher()
        return Training(*here), trial, folder

    return start


def gradients_of(optimizer: torch.optim.Optimizer, net: torch.nn.Module) -> list[torch.Tensor]:
    """Filled before each step of the optimiser: all parameters, flat."""
    found: list[torch.Tensor] = []
    parameters = [parameter for _, parameter in sorted(net.named_parameters())]

    def keep(*_: object) -> None:
        found.append(torch.cat([parameter.grad.flatten().clone() for parameter in parameters]))  # type: ignore[union-attr]

    optimizer.register_step_pre_hook(keep)
    return found


# seen: 2e-6; the rest of the two lists is of other forward passes: TRL pads rows, ours are packed
@pytest.mark.parametrize("arm", ["grpo", "rence", "online_dpo", "magistral"])
def test_two_updates_have_the_gradients_of_the_local_backend(
    started: Started, arm: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On the same rollouts, through AdamW, clipping and the learning rate; and TRL's loss is not called."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError("TRL's loss was called")

    monkeypatch.setattr(GRPOTrainer, "_compute_loss", never)
    training, trial, folder = started(arm)
    sampled: dict[str, Group] = {}
    generate = training.trainer.generate

    def kept(prompts: Sequence[Prompt]) -> list[Group]:
        groups = generate(prompts)
        sampled.update({group.prompt.problem.id: group for group in groups})
        return groups

    training.trainer.generate = kept
    theirs = gradients_of(training.trainer.optimizer, training.trainer.model)
    result = training.run()
    assert (result.steps, result.updates, result.diverged) == (1, 2, "")

    elsewhere = RunFolder(tmp_path / "local").trial(arm, SEED)
    local = LocalTraining(trial, resolve("quickstart-base"), training.stream, elsewhere, lambda *_: None, Watcher())
    ours = gradients_of(local.learner.optimizer, local.learner.model.net)
    collected = collect(trial, training.stream, 0, lambda prompts: [sampled[one.problem.id] for one in prompts], print)
    spent = min(1.0, collected.rollouts / trial.experiment.budget_rollouts)
    local.learner.learn(local.prepare(collected, 1), ("minibatches", SEED, 1), spent)

    assert len(theirs) == len(ours) == 2 and all(gradient.norm() > 0.1 for gradient in ours)
    for found, expected in zip(theirs, ours, strict=True):
        assert_close(found, expected, within=1e-5)
    assert (ours[0] - ours[1]).norm() > 0.01, "the second one is of other groups and other weights"


def test_it_keeps_the_contract_and_a_stop_changes_no_bit(backend: None) -> None:
    of = under_test("trl")
    for check in CHECKS:
        check(of)
    assert of.resumed.result.final_weights == of.whole.result.final_weights
    assert [row["metrics"] for row in of.resumed.steps] == [row["metrics"] for row in of.whole.steps]


def test_a_reference_that_follows_is_there_again_after_a_stop(started: Started) -> None:
    """Of three steps it is refreshed before the first and the third; the stop comes after the second."""
    few = ("budget.rollouts=96", "recipe.prompts_per_step=4", "recipe.reference_sync_steps=2", "recipe.checkpoint_steps=1")

    def run(place: str, stop_after: int = 0) -> TrainingResult:
        training, _, _ = started("online_dpo", *few)
        training.folder = RunFolder(training.folder.root / place).trial("online_dpo", SEED)
        training.folder.root.mkdir(parents=True, exist_ok=True)
        training.observer = Watcher(stop_after)
        return training.run()

    whole = run("whole")
    with pytest.raises(KeyboardInterrupt):
        run("stopped", stop_after=2)
    again = run("stopped")
    assert (whole.steps, again.steps) == (3, 3) and again.final_weights == whole.final_weights


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("recipe.group_size=1", "`group_size` must be at least 2 with backend `trl`, but is 1 for `grpo`"),
        ("recipe.generator_sync_steps=2", "`generator_sync_steps` must be 1 with backend `trl`, but is 2 for `grpo`"),
        ("record_steps=[1]", "`record_steps` is of backend `local`, not of `trl`"),
        ("evaluation.engine=vllm", "`evaluation.engine` must be"),
    ],
)
def test_what_trl_cannot_do_is_refused(started: Started, override: str, message: str) -> None:
    with pytest.raises(UserError) as refused:
        started("grpo", override)
    assert message in str(refused.value)


def test_a_trial_that_diverges_says_so(started: Started) -> None:
    training, _, _ = started("grpo", "recipe.learning_rate=1e30", "budget.rollouts=256")
    result = training.run()
    assert result.diverged.startswith("step ") and "not finite" in result.diverged and not result.final_weights
