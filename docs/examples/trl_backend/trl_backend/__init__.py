"""Backend `trl`: TRL's GRPOTrainer trains, by any algorithm of rence-bench. Imports neither torch nor TRL."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import rence
from rence.backends import Experiment, Observer, PromptStream, Trial, TrialFolder


@dataclass(frozen=True)
class TrlSettings:
    """Where TRL's trainer runs, and in which precision; fields of its GRPOConfig."""

    use_cpu: bool = True
    """train on the processor; false: on the GPU that the process sees, which must be one, and one trial at a time"""
    bf16: bool = False
    """forward passes in bfloat16 (autocast); the weights are fp32 either way"""


class TrlBackend(rence.Backend):
    """TRL's GRPOTrainer, with the algorithm's loss in the place of its own."""

    settings = TrlSettings
    engines = rence.LocalBackend.engines

    def mistakes(self, experiment: Experiment) -> Iterable[rence.Mistake]:
        yield from super().mistakes(experiment)
        for arm in experiment.arms:
            for name, allowed, wrong, why in (
                ("group_size", "at least 2", arm.recipe.group_size < 2, "TRL has no smaller groups"),
                ("generator_sync_steps", "1", arm.recipe.generator_sync_steps > 1, "TRL samples with what it trains"),
            ):
                if wrong:
                    keys = (("arms", arm.name, "recipe", name), ("recipe", name), ("arms", arm.name))
                    found = getattr(arm.recipe, name)
                    said = f"`{name}` must be {allowed} with backend `trl`, but is {found} for `{arm.name}`: {why}."
                    yield rence.Mistake(keys, said)

    def lacks(self, experiment: Experiment) -> str:
        try:
            found = version("trl")
        except PackageNotFoundError:
            found = "none"
        if not found.startswith("1.16."):
            return f"it needs TRL 1.16, but here is {found}. Run: pip install 'trl>=1.16,<1.17'"
        if not experiment.backend_settings.use_cpu:
            import torch

            if not torch.cuda.is_available():
                return "`trl.use_cpu` is false, but torch sees no GPU. Set it to true."
        return ""

    def slots(self, experiment: Experiment, room: int) -> int:
        return room if experiment.backend_settings.use_cpu else 1

    def costs(self, experiment: Experiment) -> rence.BackendCosts:
        # TRL asks the model once more how likely what it has said was
        return rence.BackendCosts(extra_passes=1)

    def start_engine(self, experiment: Experiment, model: Path) -> rence.Engine:
        return rence.LocalBackend().start_engine(experiment, model)

    def train(
        self,
        trial: Trial,
        model: Path,
        prompts: PromptStream,
        folder: TrialFolder,
        evaluate: Callable[[rence.Engine, rence.Checkpoint], None],
        observer: Observer,
    ) -> rence.TrainingResult:
        from .training import Training

        return Training(self, trial, model, prompts, folder, evaluate, observer).run()
