"""The loss as verl's engine calls it: for one micro-batch, in a worker.

A micro-batch of parts of groups is enough where the loss separates by rollout. Where it does not, it is taken of whole
groups on log-probs from a pass without gradient, and a second pass hands each log-prob its part of the derivative:

    grad L(log pi(theta)) = grad sum_kt sg(dL / d log pi_kt) log pi_kt(theta)

So no more than one sequence has to be held with its gradient at a time. The same goes for the entropy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from tensordict import TensorDict
from torch import Tensor
from verl.workers.utils.padding import no_padding_2_padding

from algorithms.base import Algorithm
from algorithms.rollouts import Mean, Rollouts, Totals
from harness.backends.verl.columns import VALID, as_rollouts
from harness.config.training_recipe import Recipe

LOGGED = "rence/logged"
"""among a micro-batch's metrics: the algorithm's, each a Mean. Whole, because verl would average over ranks what we
want summed"""
DERIVATIVES = {"log_probs": "rence_by_log_prob", "entropy": "rence_by_entropy"}
"""what a model says of each token -> the column with the loss's derivative by it, float_BT"""


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
        batch, logp_BT = self.read(model_output, data)
        if not len(batch):
            return nothing(model_output), {LOGGED: {}}
        loss = self.algorithm.loss(batch, logp_BT, self._totals)
        value = loss.value if torch.isfinite(loss.value) else loss.value + torch.nan * logp_BT.sum()
        return value * data["dp_size"], {LOGGED: loss.metrics}

    def differentiate(self, model_output: Mapping[str, Tensor], data: TensorDict) -> tuple[float, Mapping[str, Mean]]:
        """The loss of whole groups and what is logged of it. Its derivatives become columns of `data`, for `replay`;
        they are NaN where the loss is not finite."""
        batch, logp_BT = self.read(model_output, data)
        rows, tokens = torch.nonzero(data[VALID])[:, 0], batch.mask_BT.shape[1]
        leaves = {"log_probs": logp_BT.requires_grad_()}
        if batch.entropy_BT is not None:
            leaves["entropy"] = batch.entropy_BT.requires_grad_()
        for name in leaves:
            data[DERIVATIVES[name]] = torch.zeros(len(data), tokens, device=logp_BT.device)
        if not len(batch):
            return 0.0, {}
        loss = self.algorithm.loss(batch, logp_BT, self._totals)
        found = torch.autograd.grad(loss.value, list(leaves.values()), allow_unused=True)
        for name, derivative_BT in zip(leaves, found, strict=True):
            if derivative_BT is not None:
                data[DERIVATIVES[name]][rows] = derivative_BT if torch.isfinite(loss.value) else torch.nan
        return float(loss.value.detach()), loss.metrics

    def read(self, model_output: Mapping[str, Tensor], data: TensorDict) -> tuple[Rollouts, Tensor]:
        """The valid rows and their log-probs."""
        batch, rows = as_rollouts(data, self.recipe.max_tokens)

        def of(name: str) -> Tensor:
            return padded(model_output[name], data)[rows, : batch.mask_BT.shape[1]]

        if "entropy" in model_output and self.algorithm.wants_entropy:
            batch = replace(batch, entropy_BT=of("entropy"))
        return batch, of("log_probs")

    @property
    def _totals(self) -> Totals:
        if self.totals is None:
            raise ValueError("`totals` must be those of the mini-batch, but is None instead.")
        return self.totals


def replay(model_output: Mapping[str, Tensor], data: TensorDict, dp_group: Any = None) -> tuple[Tensor, dict[str, Any]]:
    """A number with the gradient of the loss whose derivatives `data` has; its value means nothing."""
    value = nothing(model_output)
    for name, column in DERIVATIVES.items():
        if column in data:
            said_BT = padded(model_output[name], data)
            value = value + (said_BT * data[column][:, : said_BT.shape[1]]).sum()
    return value * data["dp_size"], {LOGGED: {}}


def padded(said: Tensor, data: TensorDict) -> Tensor:
    """float_BT of the responses, from what a model says of all tokens."""
    return no_padding_2_padding(said, data).float()


def nothing(model_output: Mapping[str, Tensor]) -> Tensor:
    """Zero, with a graph: every rank has to go backward through every micro-batch."""
    return 0 * model_output["log_probs"].values().sum()
