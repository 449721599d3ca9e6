"""What backends are built from, for one of one's own: a subclass of `rence.Backend` (docs/how-to/plugins.md).

    a step's rollouts   PromptStream Prompt render check_room; rewarded Rated (a reward of the user's own); collect
                        (labels, filter, refill) Group Rollout
    learning from them  as_batch TokenRollouts micro_batches derive; Diverged
    models              load_model sample model_hash
    a trial's files     TrialFolder StepRecord append_jsonl checkpoints metrics; Trial Experiment Observer

What imports torch (`as_batch`, `load_model`, `render`, `sample` and more) is for the inside of methods: a backend is
imported for plans too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.rewards import Rated
    from harness.backends import checkpoints, metrics
    from harness.backends.base import Observer
    from harness.backends.collect import collect
    from harness.backends.diverged import Diverged
    from harness.backends.groups import Group, Rollout, TokenRollouts, as_batch
    from harness.backends.local.logprobs import micro_batches
    from harness.backends.own_rewards import rewarded
    from harness.base.seeds import derive
    from harness.config.experiment import Experiment, Trial
    from harness.engines.base import check_room
    from harness.engines.sampler import sample
    from harness.models.language_model import load as load_model
    from harness.models.resolving import model_hash
    from harness.prompts.stream import Prompt, PromptStream
    from harness.prompts.templates import render
    from harness.records import StepRecord, TrialFolder, append_jsonl
else:

    def __getattr__(name: str) -> object:
        from rence.lazy import attribute

        return attribute(__name__, name)


__all__ = [
    "Diverged", "Experiment", "Group", "Observer", "Prompt", "PromptStream", "Rated", "Rollout", "StepRecord",
    "TokenRollouts", "Trial", "TrialFolder", "append_jsonl", "as_batch", "check_room", "checkpoints", "collect",
    "derive", "load_model", "metrics", "micro_batches", "model_hash", "render", "rewarded", "sample",
]  # fmt: skip


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
