"""The loss as verl's engine calls it: for one micro-batch, in a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from tensordict import TensorDict
from torch import Tensor
from verl.workers.utils.padding import no_padding_2_padding

from algorithms.base import Algorithm
from algorithms.rollouts import Rollouts, Totals
from harness.backends.verl.columns import as_rollouts
from harness.config.training_recipe import Recipe

LOGGED = "rence/logged"
"""among a micro-batch's metrics: the algorithm's, each a Mean. Whole, because verl would average over ranks what we
want summed"""
MEASURED = "rence/measured"
"""among a micro-batch's metrics: what `Algorithm.measure` returned, as floats"""


@dataclass(frozen=True)
class Objective:
    """An algorithm and the recipe it is trained by, as data that travels to the workers."""

    algorithm: Algorithm
    recipe: Recipe
    totals: Totals | None = None
    """of the current mini-batch; the learner puts them in"""

    def __call__(
        self, model_output: Mapping[str, Tensor], data: TensorDict, dp_group: Any = None
    ) -> tuple[Tensor, dict[str, Any]]:
        """The micro-batch's part of the loss and of what is logged.

        FSDP averages gradients over the data-parallel ranks, where the parts have to be added up: hence the factor. A
        loss that is not finite gets a gradient that is not either, because verl looks at the gradient when it decides
        whether to step.
        """
        if self.totals is None:
            raise ValueError("`totals` must be those of the mini-batch, but is None instead.")
        batch, logp_BT = self._read(model_output, data)
        if not len(batch):
            return nothing(model_output), {LOGGED: {}}
        loss = self.algorithm.loss(batch, logp_BT, self.totals)
        value = loss.value if torch.isfinite(loss.value) else loss.value + torch.nan * logp_BT.sum()
        return value * data["dp_size"], {LOGGED: loss.metrics}

    def measure(
        self, model_output: Mapping[str, Tensor], data: TensorDict, dp_group: Any = None
    ) -> tuple[Tensor, dict[str, Any]]:
        """No loss, and the sums that `Algorithm.measure` takes over the micro-batch."""
        batch, logp_BT = self._read(model_output, data)
        sums = self.algorithm.measure(batch, logp_BT) if len(batch) else {}
        return nothing(model_output), {MEASURED: {name: float(value) for name, value in sums.items()}}

    def _read(self, model_output: Mapping[str, Tensor], data: TensorDict) -> tuple[Rollouts, Tensor]:
        """The valid rows and their log-probs."""
        batch, rows = as_rollouts(data, self.recipe.max_tokens)

        def padded(name: str) -> Tensor:
            return no_padding_2_padding(model_output[name], data)[rows, : batch.mask_BT.shape[1]].float()

        if "entropy" in model_output and self.algorithm.wants_entropy:
            batch = replace(batch, entropy_BT=padded("entropy"))
        return batch, padded("log_probs")


def nothing(model_output: Mapping[str, Tensor]) -> Tensor:
    """Zero, with a graph: every rank has to go backward through every micro-batch."""
    return 0 * model_output["log_probs"].values().sum()
