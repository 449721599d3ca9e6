"""What backends are built from, for one of one's own: a subclass of `rence.Backend` (docs/how-to/plugins.md).

What imports torch (`load_model`, `render`, `sample`) is for the inside of methods: a backend is imported for plans too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.backends import checkpoints
    from harness.backends.base import Observer
    from harness.config.experiment import Experiment, Trial
    from harness.engines.sampler import sample
    from harness.models.language_model import load as load_model
    from harness.models.resolving import model_hash
    from harness.prompts.stream import PromptStream
    from harness.prompts.templates import render
    from harness.records import StepRecord, TrialFolder, append_jsonl
else:

    def __getattr__(name: str) -> object:
        from rence.lazy import attribute

        return attribute(__name__, name)


__all__ = [
    "Experiment", "Observer", "PromptStream", "StepRecord", "Trial", "TrialFolder", "append_jsonl", "checkpoints",
    "load_model", "model_hash", "render", "sample",
]  # fmt: skip


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
