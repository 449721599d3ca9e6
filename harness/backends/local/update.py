"""Learning from one batch: epochs of mini-batches of whole groups, each one optimiser step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch

from algorithms.base import Algorithm
from algorithms.rollouts import Mean, Totals
from harness.backends.diverged import Diverged
from harness.backends.groups import TokenRollouts
from harness.backends.local.logprobs import ForwardPass, forward_logprobs, micro_batches
from harness.backends.metrics import add, update_metrics
from harness.base.seeds import derive
from harness.config.training_recipe import Recipe
from harness.models.language_model import LanguageModel


def make_optimizer(model: LanguageModel, recipe: Recipe) -> torch.optim.AdamW:
    """AdamW (Loshchilov and Hutter 2019) over all weights that the model learns, with the recipe's moments and decay.
    The learning rate that it is made with is replaced before each step, by `Recipe.rate`."""
    return torch.optim.AdamW(
        model.learnt(),
        lr=recipe.learning_rate,
        betas=(recipe.adam_beta1, recipe.adam_beta2),
        eps=recipe.adam_eps,
        weight_decay=recipe.weight_decay,
        fused=True,
    )


@dataclass
class Learner:
    """A model, its optimiser, and how often it has stepped."""

    model: LanguageModel
    algorithm: Algorithm
    recipe: Recipe
    optimizer: torch.optim.AdamW
    updates: int = 0
    state: Mapping[str, float] = field(default_factory=dict)
    """what the algorithm carries from one update to the next"""

    def learn(
        self,
        batch: TokenRollouts,
        order: Sequence[str | int],
        progress: float,
        before_last: Callable[[], None] = lambda: None,
    ) -> dict[str, Mean]:
        """All updates of one rollout batch; returns what to log, each metric as a sum and a count.

        Args:
            order: identity that the order of the groups is drawn by.
            progress: share of the trial's budget that has been generated.
            before_last: called before the last update, when the weights have moved off the sampler's.

        Raises: Diverged before anything that is not finite is kept.
        """
        logged: dict[str, Mean] = {}
        for epoch in range(self.recipe.epochs):
            generator = torch.Generator().manual_seed(derive(*order, epoch))
            order_G = torch.randperm(batch.groups, generator=generator).to(batch.group_B.device)
            parts = order_G.tensor_split(min(self.recipe.minibatches, batch.groups))
            for part, groups in enumerate(parts, 1):
                if epoch == self.recipe.epochs - 1 and part == len(parts):
                    before_last()
                add(logged, self.update(batch.select(groups), progress))
        if not all(weight.isfinite().all() for weight in self.model.learnt()):
            raise Diverged("the weights are not finite")
        return logged

    def update(self, batch: TokenRollouts, progress: float) -> dict[str, Mean]:
        """One optimiser step on a mini-batch.

        Raises: Diverged before the step.
        """
        total, logged = self.backward(batch, progress)
        norm = torch.nn.utils.clip_grad_norm_(self.model.learnt(), self.recipe.max_grad_norm).item()
        rate = self.recipe.rate(self.updates)
        add(logged, update_metrics(total, norm, rate))
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.model.follow()
        self.optimizer.zero_grad()
        self.updates += 1
        return logged

    def backward(self, batch: TokenRollouts, progress: float) -> tuple[float, dict[str, Mean]]:
        """Add the mini-batch's gradient, micro-batch by micro-batch; returns its loss and the algorithm's metrics."""
        micros = [batch.select(groups) for groups in micro_batches(batch, self.recipe.microbatch_tokens)]
        only = self._said(micros[0]) if len(micros) == 1 else None
        means = self._measured(micros, only) if self.algorithm.measures else {}
        self.state = self.algorithm.adapt(self.state, means)
        totals = replace(Totals.of(batch), means=means, state=self.state, progress=progress)
        total, logged = 0.0, {}
        for micro in micros:
            now = only or self._said(micro)
            loss = self.algorithm.loss(replace(micro, entropy_BT=now.entropy_BT), now.logp_BT, totals)
            loss.value.backward()
            total += loss.value.item()
            add(logged, loss.metrics)
        return total, logged

    def _said(self, batch: TokenRollouts) -> ForwardPass:
        return forward_logprobs(self.model, batch, self.recipe.temperature, self.algorithm.wants_entropy)

    def _measured(self, micros: list[TokenRollouts], only: ForwardPass | None) -> dict[str, float]:
        """Means per token over the mini-batch. With one micro-batch the pass that learns serves to measure, too."""
        sums: dict[str, float] = {}
        with torch.no_grad():
            for micro in micros:
                logp_BT = (only or self._said(micro)).logp_BT.detach()
                for name, value in self.algorithm.measure(micro, logp_BT).items():
                    sums[name] = sums.get(name, 0.0) + float(value)
        tokens = sum(int(micro.mask_BT.sum()) for micro in micros)
        return {name: value / tokens for name, value in sums.items()}
