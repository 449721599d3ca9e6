"""The learner, the sampler and the reference: which is a copy of which, and when a copy is refreshed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from algorithms.base import Reference
from harness.models import adapters
from harness.models.language_model import LanguageModel

State = Mapping[str, Tensor]


@dataclass
class Policies:
    """`sampler` is the learner itself while it is refreshed at every step; `reference` is there if it is needed."""

    learner: LanguageModel
    sampler: LanguageModel
    reference: LanguageModel | None
    reference_kind: Reference | None
    generator_sync_steps: int
    reference_sync_steps: int

    @staticmethod
    def start(
        learner: LanguageModel, reference: Reference | None, generator_sync_steps: int, reference_sync_steps: int
    ) -> Policies:
        """All three hold the initial weights."""
        return Policies(
            learner,
            sampler=learner if generator_sync_steps == 1 else learner.copy(),
            reference=_reference(learner, reference),
            reference_kind=reference,
            generator_sync_steps=generator_sync_steps,
            reference_sync_steps=reference_sync_steps,
        )

    def sync(self, step: int) -> None:
        """Before step 1, 2, ...: the sampler takes the learner's weights, then the reference the sampler's, each at
        steps 1, 1 + n, 1 + 2n, ... of its own n."""
        if self.sampler is not self.learner and (step - 1) % self.generator_sync_steps == 0:
            self.sampler.take(self.learner)
        if self.reference and self.reference_kind == "synced" and (step - 1) % self.reference_sync_steps == 0:
            self.reference.take(self.sampler)

    def lagging(self) -> dict[str, State]:
        """The weights that neither the initial model nor the learner can restore."""
        lagging: dict[str, State] = {}
        if self.sampler is not self.learner:
            lagging["sampler"] = adapters.state(self.sampler.net)
        if self.reference and self.reference_kind == "synced":
            lagging["reference"] = adapters.state(self.reference.net)
        return lagging

    def restore(self, lagging: Mapping[str, State]) -> None:
        """Inverse of `lagging`."""
        if "sampler" in lagging:
            adapters.load_state(self.sampler.net, lagging["sampler"])
        if "reference" in lagging and self.reference:
            adapters.load_state(self.reference.net, lagging["reference"])


def _reference(learner: LanguageModel, kind: Reference | None) -> LanguageModel | None:
    """One that stays is, where adapters learn, the learner without them: no second copy of its weights."""
    if kind is None:
        return None
    return learner.without_adapters() if learner.lora and kind == "init" else learner.copy()
