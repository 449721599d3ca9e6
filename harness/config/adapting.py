"""`recipe.lora` against the backend and the model, before anything starts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.base.errors import UserError
from harness.base.registry import BACKENDS
from harness.config.check import fail
from harness.config.experiment import Arm, Experiment
from harness.config.manifest import Key, Manifest
from harness.models import lora, resolving


def check(manifest: Manifest, experiment: Experiment) -> None:
    """Raises: UserError where an arm's adapters cannot be put on the model, as far as it is known here, or where the
    backend trains none."""
    arms = _with_adapters(experiment)
    if not arms:
        return
    name = experiment.backend
    if not BACKENDS.get(name).trains_adapters:
        fail(manifest, _written(manifest, arms[0]), f"backend `{name}` trains no adapters: leave `lora` out.")
    for arm, wrong in _mistakes(experiment, arms, resolving.find(experiment.model)):
        fail(manifest, _written(manifest, arm), f"`recipe.lora`: {wrong}")


def check_fetched(experiment: Experiment, model: Path) -> None:
    """The same of a model of the hub, once it is here. Raises: UserError."""
    for arm, wrong in _mistakes(experiment, _with_adapters(experiment), model):
        raise UserError(f"arm `{arm.name}`, `recipe.lora`: {wrong}")


def _with_adapters(experiment: Experiment) -> list[Arm]:
    tried = experiment.search.arms.values() if experiment.search else ()
    return [arm for arm in (*experiment.arms, *(one for some in tried for one in some)) if arm.recipe.lora]


def _mistakes(experiment: Experiment, arms: list[Arm], folder: Path | None) -> Iterator[tuple[Arm, str]]:
    model = lora.adaptable(experiment.model, folder) if arms else None
    for arm in arms:
        if arm.recipe.lora and model and (wrong := lora.mistake(arm.recipe.lora, model)):
            yield arm, wrong


def _written(manifest: Manifest, arm: Arm) -> Key:
    """Where the arm's adapters are written: in its own recipe, else in the one that all share."""
    own: Key = ("arms", arm.name, "recipe", "lora")
    return own if own in manifest.places or "lora" in arm.recipe_overrides else ("recipe", "lora")
