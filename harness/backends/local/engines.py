"""What answers the evaluations of a local model: the weights in memory, untrained or in training."""

from __future__ import annotations

from harness.engines.base import Engine
from harness.engines.local import LocalEngine
from harness.models.language_model import LanguageModel


def engine_over(model: LanguageModel, name: str | None) -> Engine:
    """
    Args:
        name: as `evaluation.engine` has it.
    """
    if name == "hf":
        from harness.engines.hf import HfEngine

        return HfEngine.over(model)
    return LocalEngine(model)
