"""When a checkpoint is written: before the samplers wake. The trainer without Ray, over workers that note what is asked
of them."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from harness import config
from harness.backends import checkpoints
from harness.backends.checkpoints import TrainingProgress
from harness.backends.collect import Collected
from harness.backends.groups import Group, Rollout
from harness.backends.verl import trainer
from harness.config.experiment import Trial
from harness.records import Mark, TrialFolder
from harness.run.matching import stream

CONFIGS = Path(__file__).parents[2] / "configs"


class Noting:
    """Workers, samplers and what they are asked for."""

    def __init__(self, folder: TrialFolder, dies: bool) -> None:
        self.asked: list[str] = []
        self.folder, self.dies = folder, dies

    def save_checkpoint(self, path: str, *_: Any) -> None:
        self.asked.append("save")
        (Path(path) / "huggingface").mkdir(parents=True)
        (Path(path) / "huggingface" / "config.json").write_text("{}")

    def save(self, folder: Path) -> None:
        self.asked.append("save the samplers'")

    def before(self, step: int) -> None:
        self.asked.append("before")

    def after(self, step: int, evaluated: bool) -> None:
        self.asked.append("wake")
        assert checkpoints.newest(self.folder) is None, "it is in its place with the line of its step, and not before"
        if self.dies:
            raise RuntimeError("a sampler has died")


class OneStep(trainer.Trainer):
    """Of a trial that ends with it."""

    def __init__(self, trial: Trial, folder: TrialFolder, noting: Noting) -> None:
        (prompt,) = stream(trial.experiment, trial.seed).take(0, 1)
        size = trial.experiment.budget_rollouts
        rollout = Rollout(torch.tensor([1, 2]), torch.tensor([-0.5, -0.5]), False, Mark.CORRECT)
        group = Group(prompt, (1,), (rollout,) * size)
        self.trial, self.folder, self.noting, self.recipe = trial, folder, noting, trial.arm.recipe
        self.progress, self.state = TrainingProgress(), {}
        self.sync = self.actor_rollout_wg = noting  # type: ignore[assignment]
        self.replay_buffer = SimpleNamespace(collected=Collected([], [group], 1))  # type: ignore[assignment]
        self.observer = SimpleNamespace(on_step=lambda record: noting.asked.append("count"))  # type: ignore[assignment]
        self.generate_seconds = self.train_seconds = 0.0
        self.config = None
        self.monitor = SimpleNamespace(row=lambda lengths, seconds: {})  # type: ignore[assignment]

    def step(self, metrics: dict[str, Any], timing_raw: dict[str, float]) -> Any:
        self.noting.asked.append("learn")
        timing_raw["gen"] = 0.0
        return SimpleNamespace(keys=[], tags=[])


@pytest.mark.parametrize("dies", [False, True])
def test_a_checkpoint_is_written_before_the_samplers_wake(
    dies: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = config.load(CONFIGS / "smoke.yaml")
    trial, folder = Trial(experiment, experiment.arms[0], 0), TrialFolder(tmp_path)
    noting = Noting(folder, dies)
    monkeypatch.setattr(trainer.SkipManager, "init", lambda config: None)
    monkeypatch.setattr(trainer.tq, "kv_clear", lambda **_: None)
    one = OneStep(trial, folder, noting)
    with pytest.raises(RuntimeError, match="died") if dies else nullcontext():
        one.train(lambda: noting.asked.append("evaluate"))
    asked = ["before", "learn", "save", "save the samplers'", "wake"]
    assert noting.asked == asked + ([] if dies else ["count", "evaluate"])
    saved = checkpoints.newest(folder)
    assert (saved is None) == dies
    if saved:
        assert checkpoints.read_progress(saved) == one.progress
        checkpoints.cut_back(folder.steps, 1, saved)  # refuses lines that it was not written after
