"""verl's workers of one rank: actor, sampler and reference, and what a checkpoint has of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.distributed
from tensordict import TensorDict
from torch import Tensor
from verl.single_controller.base.decorator import Dispatch, register
from verl.utils import tensordict_utils as tu
from verl.workers.engine_workers import ActorRolloutRefWorker

from harness.backends.verl import exporting, sharded
from harness.backends.verl.learner import VerlLearner
from harness.backends.verl.packing import Packing, Row, probe
from harness.models import adapters

ONE_TO_ALL: Any = Dispatch.ONE_TO_ALL  # type: ignore[attr-defined]  # verl adds the members when it is imported


class PolicyWorker(ActorRolloutRefWorker):
    """Actor, sampler and reference of one rank; a sampler may lag behind the actor, and a reference behind both."""

    actor_worker_cls = VerlLearner
    actor: Any
    """the Learner; None where the role has none, as is `ref`"""
    ref: Any
    """a TrainingWorker"""
    held: dict[str, Tensor] | None = None
    """this rank's part of the weights that a sampler has which lags, in the host's memory; None: it does not lag"""

    @register(dispatch_mode=ONE_TO_ALL)
    def init_model(self) -> None:
        """With adapters, which then begin as on the local backend, and which samplers are sent merged."""
        super().init_model()
        engine = self.actor.engine if self.actor is not None else None
        if engine is not None and adapters.adapted(engine.module):
            adapters.begin(engine.module, engine.engine_config.seed, sharded.spread)
            # verl's own merging rounds every weight to bf16, whatever the sampler computes in.
            engine.get_per_tensor_param = lambda **_: (adapters.merged(engine.module, sharded.whole), None)

    @register(dispatch_mode=ONE_TO_ALL)
    def save_checkpoint(
        self, local_path: str, hdfs_path: str | None = None, global_step: int = 0, max_ckpt_to_keep: int | None = None
    ) -> None:
        """A model in Hugging Face's layout, the tokenizer by verl, and what training goes on from."""
        super().save_checkpoint(local_path, hdfs_path, global_step, max_ckpt_to_keep)
        engine, recipe, model = self.actor.engine, self.actor.loss_fn.recipe, Path(local_path) / "huggingface"
        exporting.save_model(engine, model)
        if recipe.lora:
            exporting.save_adapter(engine, recipe.lora, model / adapters.FOLDER)
        sharded.save_learner(self.actor.engine, local_path)

    @register(dispatch_mode=ONE_TO_ALL)
    def load_checkpoint(
        self, local_path: str, hdfs_path: str | None = None, del_local_after_load: bool = False
    ) -> None:
        """What `save_checkpoint` wrote; or verl's own in earlier versions, with as many ranks as now."""
        if sharded.is_here(local_path):
            sharded.load_learner(self.actor.engine, local_path)
        else:
            super().load_checkpoint(local_path, hdfs_path, del_local_after_load)

    @register(dispatch_mode=ONE_TO_ALL)
    def sync_sampler(self) -> None:
        """The sampler's weights are the actor's now. This keeps a copy; verl sends weights from the actor alone."""
        self.held = sharded.copied(self._actor())

    @register(dispatch_mode=ONE_TO_ALL)
    def exchange_sampler(self) -> None:
        """The actor's weights are the sampler's, and the other way round, until this is called again: for what is sent
        or computed under the policy that samples."""
        assert self.held is not None, "no sampler lags"
        newest = sharded.copied(self._actor())
        sharded.fill(self.actor.engine.module, self.held)
        self.held = newest

    @register(dispatch_mode=ONE_TO_ALL)
    def save_sampler(self, folder: str) -> None:
        """The sampler's weights, into a folder that every rank writes to."""
        self.exchange_sampler()
        sharded.save_weights(self.actor.engine.module, folder)
        self.exchange_sampler()

    @register(dispatch_mode=ONE_TO_ALL)
    def load_sampler(self, folder: str) -> None:
        """What `save_sampler` wrote; or earlier versions, with as many ranks as now."""
        if not sharded.is_here(folder):
            self.held = sharded.load_part(folder, "sampler")
            return
        self.sync_sampler()
        sharded.load_weights(self.actor.engine.module, folder)
        self.exchange_sampler()

    @register(dispatch_mode=ONE_TO_ALL)
    def packing(self) -> Packing | None:
        """Whether the learner keeps packed sequences apart; None on ranks that another one answers for."""
        return packing_of(self.actor)

    @register(dispatch_mode=ONE_TO_ALL)
    def sync_reference(self) -> None:
        """The reference takes the sampler's weights: the actor's, unless the sampler lags. Where there are adapters, it
        is the actor with others."""
        newest = self._actor() if self.held is None else self.held
        if self.ref is None:
            self.actor.reference = sharded.copied(newest)
        else:
            sharded.fill(self.ref.engine.module, newest)

    @register(dispatch_mode=ONE_TO_ALL)
    def save_reference(self, folder: str) -> None:
        """The reference, into a folder that every rank writes to. Without adapters yet it is the initial model."""
        if self.ref is not None:
            sharded.save_weights(self.ref.engine.module, folder)
        elif self.actor.reference is not None:
            with self.actor.as_reference():
                sharded.save_weights(self.actor.engine.module, folder)

    @register(dispatch_mode=ONE_TO_ALL)
    def load_reference(self, folder: str) -> None:
        """What `save_reference` wrote; or earlier versions, with as many ranks as now."""
        if self.ref is None:
            if sharded.is_here(folder):
                self.sync_reference()
                with self.actor.as_reference():
                    sharded.load_weights(self.actor.engine.module, folder)
        elif sharded.is_here(folder):
            sharded.load_weights(self.ref.engine.module, folder)
        else:
            sharded.fill(self.ref.engine.module, sharded.load_part(folder, "reference"))

    def _actor(self) -> dict[str, Tensor]:
        return sharded.shards(self.actor.engine.module)


def packing_of(worker: Any) -> Packing | None:
    """Of a TrainingWorker, by the passes that it trains with. All ranks have to ask at once."""

    def jagged(values: Sequence[Tensor]) -> Tensor:
        return torch.nested.as_nested_tensor(list(values), layout=torch.jagged)

    def score(rows: Sequence[Row]) -> list[Tensor]:
        return [scored(row) for row in rows]

    def scored(row: Row) -> Tensor:
        ids = [torch.tensor(sequence) for sequence in row]
        fields = {
            "input_ids": jagged(ids),
            "position_ids": jagged([torch.arange(len(one)) for one in ids]),
            "loss_mask": jagged([torch.ones_like(one) for one in ids]),
        }
        data = TensorDict(fields, batch_size=[len(row)])
        tu.assign_non_tensor(
            data, temperature=1.0, calculate_entropy=False, compute_loss=False, use_dynamic_bsz=False,
            micro_batch_size_per_gpu=len(row), pad_token_id=0,
        )  # fmt: skip
        output = worker.infer_batch(data)
        if output is None:
            return torch.zeros(sum(map(len, row)) - len(row))
        return torch.cat([logp[:-1] for logp in tu.get(output, "log_probs").unbind()])

    found = probe(score, worker.model_config.hf_config.get_text_config().vocab_size)
    return found if worker.engine.is_mp_src_rank_with_outputs() else None
