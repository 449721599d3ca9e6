"""verl's training worker, learning as the local backend does: totals of the mini-batch first, then its micro-batches.

What a worker group returns from `update_actor` is read by `learnt`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
import torch.distributed
from tensordict import TensorDict
from torch import Tensor
from verl.utils import tensordict_utils as tu
from verl.workers.engine_workers import TrainingWorker

from algorithms.rollouts import Mean, Totals
from harness.backends.metrics import add, update_metrics
from harness.backends.verl import sharded
from harness.backends.verl.columns import VALID, as_rollouts
from harness.backends.verl.objective import LOGGED, Objective, replay

UPDATE = "rence/update"
"""among the metrics of a mini-batch: the `OptimizerStep`"""


@dataclass(frozen=True)
class OptimizerStep:
    """One optimiser step, over all micro-batches and ranks; every rank reports the same."""

    loss: float
    grad_norm: float
    rate: float
    logged: Mapping[str, Mean]
    """the algorithm's metrics"""
    state: Mapping[str, float]
    """what the algorithm carries on"""


@dataclass(frozen=True)
class Learnt:
    """What one call of `update_actor` did."""

    logged: Mapping[str, Mean]
    """each metric summed over the updates, under the names of the local backend"""
    state: Mapping[str, float]
    updates: int
    """optimiser steps; mini-batches without a valid row make none"""


def learnt(output: TensorDict, state: Mapping[str, float]) -> Learnt:
    """Read what `update_actor` returned to the driver.

    Args:
        state: what was sent along; the answer where nothing was updated.

    Raises: Diverged if a loss or gradient was not finite. verl has not made that step.
    """
    updates: list[OptimizerStep] = tu.get(output, "metrics").get(UPDATE, [])
    logged: dict[str, Mean] = {}
    for update in updates:
        add(logged, update_metrics(update.loss, update.grad_norm, update.rate))
        add(logged, update.logged)
    return Learnt(logged, updates[-1].state if updates else state, len(updates))


class VerlLearner(TrainingWorker):
    """Trains by an `Objective`, which `set_loss_fn` brings."""

    engine: Any
    """an FSDPEngine: verl's base class does not say what it has"""
    loss_fn: Any
    """the Objective"""
    reference: dict[str, Tensor] | None = None
    """this rank's part of the adapters of a reference that follows the sampler; None: there is none, or it has a model
    of its own"""

    def infer_batch(self, data: TensorDict) -> TensorDict:
        """As verl does, but where it would take off the adapters for a reference that has some, with these."""
        referred = self.reference is not None and tu.pop(data, "no_lora_adapter", default=False)
        with self.as_reference() if referred else nullcontext():
            return super().infer_batch(data)

    @contextmanager
    def as_reference(self) -> Iterator[None]:
        """Inside, the adapters are the reference's, and what becomes of them is its."""
        assert self.reference is not None, "no reference follows"
        newest = sharded.copied(sharded.shards(self.engine.module))
        sharded.fill(self.engine.module, self.reference)
        yield
        self.reference = sharded.copied(sharded.shards(self.engine.module))
        sharded.fill(self.engine.module, newest)

    def train_mini_batch(self, data: TensorDict) -> TensorDict:
        """Updates, one for each mini-batch.

        Args:
            data: besides what verl wants, `updates` (optimiser steps made before), `state` (what the algorithm carries)
                and `progress` (share of the budget that has been generated).
        """
        self.updates: int = tu.pop(data, "updates")
        self.state: Mapping[str, float] = tu.pop(data, "state")
        self.progress: float = tu.pop(data, "progress")
        return super().train_mini_batch(data)

    def train_batch(self, data: TensorDict) -> TensorDict | None:
        """One update. Without a valid row on any rank there is none: AdamW would move the weights all the same.

        Where `data` may be cut inside groups and the loss may not, a pass without gradient comes first."""
        objective, totals = self.loss_fn, self._totals(data)
        if not totals.rollouts:
            return tu.get_tensordict({}, {"metrics": {}})
        algorithm, recipe = objective.algorithm, objective.recipe
        replays = tu.get(data, "force_group_size") < recipe.group_size and not algorithm.separable
        first = self._first_pass(data) if replays or algorithm.measures else {}
        means = self._means(objective, first, data, totals.tokens) if algorithm.measures else {}
        self.state = algorithm.adapt(self.state, means)
        rate = recipe.rate(self.updates)
        for group in self.engine.optimizer.param_groups:
            group["lr"] = rate
        known = replace(objective, totals=replace(totals, means=means, state=self.state, progress=self.progress))
        whole = self._gathered(known.differentiate(first, data)) if replays else None
        self.loss_fn = replay if replays else known
        output = super().train_batch(data)
        self.loss_fn = objective
        self.updates += 1
        return None if output is None else self._report(tu.get(output, "metrics"), rate, whole)

    def _report(
        self, metrics: dict[str, Any], rate: float, whole: Sequence[tuple[float, Mapping[str, Mean]]] | None
    ) -> TensorDict:
        """verl's metrics with the update in place of what it is made of.

        Args:
            whole: loss and metrics of each rank, where they are known from the first pass; else they are verl's.
        """
        loss, parts = metrics.pop("loss"), [micro for rank in metrics.pop(LOGGED) for micro in rank]
        if whole is not None:
            loss, parts = sum(value for value, _ in whole), [own for _, own in whole]
        logged: dict[str, Mean] = {}
        for part in parts:
            add(logged, part)
        metrics.pop("lr", None)  # of verl's schedule, which ours overrules
        update = OptimizerStep(loss, metrics.pop("grad_norm"), rate, logged, self.state)
        return tu.get_tensordict({}, {"metrics": {**metrics, UPDATE: update}})

    def _totals(self, data: TensorDict) -> Totals:
        """The counts of the mini-batch, of which this rank has `data`."""
        own, _ = as_rollouts(data, self.loss_fn.recipe.max_tokens)
        counts = {name: value for name, value in asdict(Totals.of(own)).items() if isinstance(value, int)}
        return Totals(**self._summed(counts))

    def _first_pass(self, data: TensorDict) -> dict[str, Tensor]:
        """What the model says of all tokens of `data`, without gradient, in the micro-batches of the update."""
        config = self.engine_config
        defaults = {
            "use_remove_padding": config.use_remove_padding,
            "use_dynamic_bsz": config.use_dynamic_bsz,
            "max_token_len_per_gpu": config.max_token_len_per_gpu,
            "micro_batch_size_per_gpu": config.micro_batch_size_per_gpu,
            "use_fused_kernels": config.use_fused_kernels,
        }
        tu.assign_non_tensor(data, **{key: value for key, value in defaults.items() if key not in data})
        with self.engine.eval_mode(disable_auto_offload=tu.get(data, "disable_auto_offload", False)):
            output = self.engine.infer_batch(data)
        return {name: said.to(data[VALID].device) for name, said in output["model_output"].items()}

    def _means(
        self, objective: Objective, first: Mapping[str, Tensor], data: TensorDict, tokens: int
    ) -> dict[str, float]:
        """Means per token over the mini-batch, of what the first pass said."""
        batch, logp_BT = objective.read(first, data)
        own = objective.algorithm.measure(batch, logp_BT) if len(batch) else {}
        return {name: value / tokens for name, value in self._summed({n: float(v) for n, v in own.items()}).items()}

    def _summed(self, own: Mapping[str, Any]) -> dict[str, Any]:
        """Over the data-parallel ranks, which need not have the same names. In Python's numbers: counts stay exact."""
        every = self._gathered(own)
        names = dict.fromkeys(name for rank in every for name in rank)
        return {name: sum(rank.get(name, 0) for rank in every) for name in names}

    def _gathered(self, own: Any) -> list[Any]:
        """Of each data-parallel rank."""
        group = self.engine.get_data_parallel_group()
        every: list[Any] = [None] * torch.distributed.get_world_size(group)
        torch.distributed.all_gather_object(every, own, group=group)
        return every
