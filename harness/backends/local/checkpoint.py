"""What the local trainer adds to a checkpoint: optimiser, sampler, reference, the algorithm's state."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from harness.backends.checkpoints import TrainingProgress, writing
from harness.base.errors import UserError
from harness.models.language_model import LanguageModel
from harness.records import TrialFolder

STATE = "trainer.pt"


def save(folder: TrialFolder, progress: TrainingProgress, model: LanguageModel, state: Mapping[str, Any]) -> None:
    """Write a checkpoint to disk, then remove the older ones."""
    with writing(folder, progress, (STATE,)) as new:
        model.save(new)
        # Not by its name: torch's own file does not tell what the system refused.
        with (new / STATE).open("wb") as file:
            torch.save(dict(state), file)


def read_state(checkpoint: Path) -> dict[str, Any]:
    """Raises: UserError if it is gone, as at the end of training."""
    if not (checkpoint / STATE).exists():
        trial = checkpoint.parent.parent
        raise UserError(f"{checkpoint / STATE} is missing. Bring it back from a copy, or delete {trial} to start over.")
    return torch.load(checkpoint / STATE, weights_only=True, map_location="cpu")


def drop_state(checkpoint: Path) -> None:
    """Training is over: what is left is a model."""
    (checkpoint / STATE).unlink(missing_ok=True)
