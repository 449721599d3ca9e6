"""One data-parallel rank of verl's engine, without Ray and vLLM: runs cases and saves what became of each.

    RANK=... WORLD_SIZE=... MASTER_PORT=... python tests/verl/ranks.py CASES RESULTS

A process of its own, because verl changes transformers where it is imported. `test_engine.py` writes the cases with
`torch.save`, starts the ranks and compares the results with the local backend's.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
import verl.models.transformers.monkey_patch as monkey_patch
from safetensors.torch import load_file
from tensordict import TensorDict
from torch import Tensor
from torch.distributed.tensor import DTensor
from transformers import AttentionInterface, AttentionMaskInterface, masking_utils
from transformers.integrations.flash_attention import flash_attention_forward
from verl.trainer.config import CheckpointConfig
from verl.utils import tensordict_utils as tu
from verl.workers.config import FSDPEngineConfig, FSDPOptimizerConfig, HFModelConfig, TrainingWorkerConfig
from verl.workers.engine_workers import TrainingWorker

from algorithms.base import Algorithm
from algorithms.objectives.rence import ReNCE
from algorithms.rollouts import Loss, Rollouts, Totals
from harness.backends.diverged import Diverged
from harness.backends.groups import TokenRollouts
from harness.backends.verl import columns, exporting, sharded
from harness.backends.verl.learner import VerlLearner, learnt
from harness.backends.verl.objective import Objective
from harness.backends.verl.packing import Packing
from harness.backends.verl.sharded import fill, part_file, shards, weights
from harness.backends.verl.workers import PolicyWorker, packing_of
from harness.config.training_recipe import Recipe

FILLER = -1
"""stands for a row that is not valid, and for a group without one"""
CHUNK = 100
"""tokens of entropy at once: several chunks in every micro-batch"""
SEGMENTS = "sdpa over segments"


@dataclass(frozen=True)
class Way:
    """How an engine computes: what `verl.remove_padding`, `precision` and so on decide."""

    packed: bool = True
    precision: str = "fp32"
    checkpointing: bool = False
    sequence_parallel: int = 1
    attention: str = "sdpa"
    lora: tuple[int, int] | None = None
    """rank and alpha of adapters"""
    adapters: Mapping[str, Tensor] = field(default_factory=dict)
    """what they begin with, by the names of `adapters.state`"""


def worker(kind: type[TrainingWorker], model: str, recipe: Recipe, way: Way, reference: bool = False) -> Any:
    precision = {"param_dtype": way.precision, "reduce_dtype": "fp32", "buffer_dtype": "fp32"}
    made = kind(
        TrainingWorkerConfig(
            model_type="language_model",
            model_config=HFModelConfig(
                path=model, use_remove_padding=way.packed, enable_gradient_checkpointing=way.checkpointing,
                override_config={"attn_implementation": way.attention},
                **({"lora_rank": way.lora[0], "lora_alpha": way.lora[1], "lora": {"merge": True}} if way.lora else {}),
            ),
            engine_config=FSDPEngineConfig(
                strategy="fsdp2", model_dtype="fp32", mixed_precision=precision, use_torch_compile=False,
                ulysses_sequence_parallel_size=way.sequence_parallel, entropy_from_logits_with_chunking=True,
                entropy_from_logits_chunk_size=CHUNK, forward_only=reference,
            ),
            optimizer_config=FSDPOptimizerConfig(
                lr=recipe.learning_rate, betas=(recipe.adam_beta1, recipe.adam_beta2),
                weight_decay=recipe.weight_decay, clip_grad=recipe.max_grad_norm, total_training_steps=-1,
                override_optimizer_config={"eps": recipe.adam_eps},
            ),
            checkpoint_config=CheckpointConfig(save_contents=[]),
        )
    )  # fmt: skip
    made.reset()
    with torch.no_grad():
        for name, parameter in made.engine.module.named_parameters():
            if (begun := name.removeprefix("base_model.model.")) in way.adapters:
                sharded.spread(parameter, way.adapters[begun])
    return made


def segments_in_place_of_flash_attention() -> None:
    """What flash-attn's kernel does, by torch's on a CPU: attention within each of the packed sequences, which
    positions tell apart. Everything around it stays verl's: pieces of sequences exchanged for heads, and back."""

    def kernel(q: Tensor, k: Tensor, v: Tensor, *_: Any, position_ids: Tensor, **options: Any) -> Tensor:
        """Of (1, tokens, heads, size)."""
        start = position_ids.reshape(-1) == 0
        segment, place = start.cumsum(0), torch.arange(len(start))
        mask = (segment[:, None] == segment) & (place[:, None] >= place)
        heads = q.shape[2] // k.shape[2]
        k, v = k.repeat_interleave(heads, 2), v.repeat_interleave(heads, 2)
        q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
        scale = options.get("softmax_scale")
        return torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale).transpose(1, 2)

    monkey_patch._flash_attention_forward = kernel
    AttentionInterface.register(SEGMENTS, flash_attention_forward)
    AttentionMaskInterface.register(SEGMENTS, lambda *_, **__: None)


def whole(tensor: Tensor) -> Tensor:
    return (tensor.full_tensor() if isinstance(tensor, DTensor) else tensor).detach().clone()


def spread(minibatches: Sequence[Sequence[int]], rank: int, ranks: int) -> list[int]:
    """The groups that a rank gets, mini-batch by mini-batch; fillers make all shares equal."""
    size = max(-(-len(groups) // ranks) for groups in minibatches)
    mine: list[int] = []
    for groups in minibatches:
        share = list(groups[rank::ranks])
        mine += share + [FILLER] * (size - len(share))
    return mine


def rows_of(batch: TokenRollouts, groups: Sequence[int], size: int) -> list[int]:
    """Row numbers, `size` for each group; the rollouts of a group come last, so that places and rows differ."""
    rows: list[int] = []
    for group in groups:
        own = torch.nonzero(batch.group_B == group)[:, 0].tolist()
        rows += [FILLER] * (size - len(own)) + own
    return rows


def verl_batch(batch: TokenRollouts, rows: Sequence[int]) -> TensorDict:
    """What verl hands to a rank. Rows that are not valid hold tokens, and NaN where numbers are known of others."""
    prompts = [batch.prompts[batch.problem_ids[group]] for group in batch.group_B.tolist()]
    prompt = [torch.tensor(prompts[row]) for row in rows]
    response = [batch.tokens_BT[row][batch.mask_BT[row]] for row in rows]
    both = [torch.cat(pair) for pair in zip(prompt, response, strict=True)]

    def nested(values: Sequence[Tensor]) -> Tensor:
        return torch.nested.as_nested_tensor(list(values), layout=torch.jagged)

    def known(value_BT: Tensor) -> Tensor:
        own = [value_BT[row][batch.mask_BT[row]] for row in rows]
        return nested([torch.full_like(x, torch.nan) if row == FILLER else x for row, x in zip(rows, own, strict=True)])

    valid = torch.tensor([place for place, row in enumerate(rows) if row != FILLER], dtype=torch.int64)
    chosen = batch.rows(torch.tensor([row for row in rows if row != FILLER], dtype=torch.int64))
    fields = {
        "input_ids": nested(both),
        "position_ids": nested([torch.arange(len(ids)) for ids in both]),
        "prompts": nested(prompt),
        "responses": nested(response),
        "response_mask": nested([torch.ones_like(ids) for ids in response]),
        "loss_mask": nested([torch.ones_like(ids) for ids in response]),
        "old_log_probs": known(batch.old_logp_BT),
        **({} if batch.ref_logp_BT is None else {"ref_log_prob": known(batch.ref_logp_BT)}),
        **({} if batch.weight_BT is None else {"rollout_is_weights": known(batch.weight_BT)}),
        **columns.write(chosen, valid, len(rows)),
    }
    return TensorDict(fields, batch_size=[len(rows)])


@dataclass
class Rank:
    """An engine that each case finds with the model's weights and an optimiser that has not stepped."""

    learner: VerlLearner
    recipe: Recipe

    def __post_init__(self) -> None:
        self.start = {name: value.clone() for name, value in shards(self.module).items()}
        self.gradients: list[dict[str, Tensor]] = []
        engine, step = self.learner.engine, self.learner.engine.optimizer_step

        def noted() -> Any:
            self.gradients.append({n: whole(p.grad) for n, p in self.module.named_parameters() if p.grad is not None})
            return step()

        engine.optimizer_step = noted

    @property
    def module(self) -> torch.nn.Module:
        return self.learner.engine.module

    def weights(self) -> dict[str, Tensor]:
        return {name: whole(value) for name, value in self.module.state_dict().items()}

    def learn(
        self,
        algorithm: Algorithm,
        recipe: Recipe,
        batch: TokenRollouts,
        minibatches: Sequence[Sequence[int]],
        layout: dict[str, Any],
        sent: dict[str, Any],
    ) -> dict[str, Any]:
        """One call of `update_actor` from the start; what the driver reads of it, as plain data."""
        fill(self.module, self.start)
        self.learner.engine.optimizer.state.clear()
        return self.go_on(algorithm, recipe, batch, minibatches, layout, sent)

    def go_on(
        self,
        algorithm: Algorithm,
        recipe: Recipe,
        batch: TokenRollouts,
        minibatches: Sequence[Sequence[int]],
        layout: dict[str, Any],
        sent: dict[str, Any],
    ) -> dict[str, Any]:
        """One call of `update_actor` from where the learner stands."""
        self.gradients.clear()
        self.learner.set_loss_fn(Objective(algorithm, recipe))
        engine, size = self.learner.engine, self.recipe.group_size
        rank, ranks = engine.get_data_parallel_rank(), engine.get_data_parallel_size()
        data = verl_batch(batch, rows_of(batch, spread(minibatches, rank, ranks), size))
        tu.assign_non_tensor(
            data,
            temperature=self.recipe.temperature,
            calculate_entropy=algorithm.wants_entropy,
            pad_token_id=0,
            mini_batch_size=len(data) // len(minibatches) * ranks,
            **{"force_group_size": size, **layout},
        )
        for name, value in sent.items():
            tu.assign_non_tensor_data(data, name, value)
        output = self.learner.train_mini_batch(data)
        return vars(learnt(output, sent["state"])) if engine.is_mp_src_rank_with_outputs() else {}

    def log_probs(self, model: TrainingWorker, batch: TokenRollouts) -> Tensor:
        data = verl_batch(batch, range(len(batch)))
        tu.assign_non_tensor(
            data, temperature=1.0, calculate_entropy=False, pad_token_id=0, compute_loss=False, use_dynamic_bsz=False,
            micro_batch_size_per_gpu=len(batch),
        )  # fmt: skip
        return tu.get(model.infer_batch(data), "log_probs").values()


class Unbounded(ReNCE):
    """Its loss is infinite and its gradient is not."""

    def loss(self, batch: Rollouts, logp_BT: Tensor, totals: Totals) -> Loss:
        found = super().loss(batch, logp_BT, totals)
        return replace(found, value=found.value + torch.inf)


def equality(rank: Rank, case: dict[str, Any]) -> dict[str, Any]:
    """Gradients, what is logged, and the weights afterwards."""
    found = rank.learn(**case)
    return {"learnt": found, "gradients": list(rank.gradients), "weights": rank.weights()}


def guards(rank: Rank, case: dict[str, Any]) -> dict[str, Any]:
    """Updates that must not happen."""
    fill(rank.module, rank.start)
    before, found = rank.weights(), {}
    broken = replace(case["batch"], old_logp_BT=torch.full_like(case["batch"].old_logp_BT, torch.nan))
    in_parts = {"layout": {**case["layout"], "force_group_size": 1}}
    changes_of = {"loss": {"algorithm": Unbounded()}, "gradient": {"batch": broken}}
    changes_of |= {f"{name}, in parts": changes | in_parts for name, changes in changes_of.items()}
    for name, changes in changes_of.items():
        try:
            rank.learn(**(case | changes))
        except Diverged as error:
            found[name] = str(error)
        found[f"{name}_moved"] = moved(before, rank.weights())
    for name, minibatches in {"empty": [[FILLER]], "half": [[FILLER], [0, 1]], "alone": [[0, 1]]}.items():
        found[name] = rank.learn(**(case | {"minibatches": minibatches}))
        found[f"{name}_moved"] = moved(before, rank.weights())
    return found


def moved(before: dict[str, Tensor], after: dict[str, Tensor]) -> float:
    return max(float((after[name] - value).abs().max()) for name, value in before.items())


def references(rank: Rank, reference: TrainingWorker, case: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Log-probs of the actor and of the reference, through syncs, a save and a load."""
    policy, found = policy_of(rank, reference), {}

    def note(name: str) -> None:
        found[name] = (rank.log_probs(rank.learner, case["batch"]), rank.log_probs(reference, case["batch"]))

    fill(rank.module, rank.start)
    policy.sync_reference()
    note("start")
    rank.learn(**case)
    note("learnt")
    policy.save_reference(str(folder))
    policy.sync_reference()
    note("synced")
    policy.load_reference(str(folder))
    note("loaded")
    return found


def samplers(rank: Rank, reference: TrainingWorker, case: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Log-probs of the actor and of the reference while a sampler lags: what it holds is seen through an exchange, and
    through the reference that follows it."""
    policy, found = policy_of(rank, reference), {}

    def note(name: str) -> None:
        found[name] = (rank.log_probs(rank.learner, case["batch"]), rank.log_probs(reference, case["batch"]))

    fill(rank.module, rank.start)
    policy.sync_sampler()
    rank.learn(**case)
    policy.sync_reference()
    note("learnt")
    policy.exchange_sampler()
    note("exchanged")
    policy.exchange_sampler()
    note("back")
    policy.save_sampler(str(folder))
    policy.sync_sampler()
    policy.sync_reference()
    note("synced")
    policy.load_sampler(str(folder))
    policy.sync_reference()
    note("loaded")
    return found


def saved(rank: Rank, reference: TrainingWorker, case: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The state after some updates, written twice, once as earlier versions did; and the weights after some more."""
    policy, manager = policy_of(rank, reference), rank.learner.engine.checkpoint_manager
    fill(rank.module, rank.start)
    policy.sync_sampler()
    policy.sync_reference()
    rank.learn(**case)
    policy.save_checkpoint(str(folder / "new" / "verl"))
    policy.save_sampler(str(folder / "new" / "sampler"))
    policy.save_reference(str(folder / "new" / "reference"))
    manager.checkpoint_save_contents = ["model", "optimizer", "extra"]
    rank.learner.save_checkpoint(str(folder / "old" / "verl"))
    manager.checkpoint_save_contents = []
    for name, held in (("sampler", policy.held), ("reference", shards(reference.engine.module))):
        (folder / "old" / name).mkdir(parents=True, exist_ok=True)
        torch.save(held, part_file(folder / "old" / name, name))
    return going_on(rank, policy, case)


def resumed(rank: Rank, reference: TrainingWorker, case: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The same from what was written, over weights that are of no use."""
    policy = policy_of(rank, reference)
    for module in (rank.module, reference.engine.module):
        fill(module, {name: torch.full_like(value, torch.nan) for name, value in shards(module).items()})
    rank.learner.engine.optimizer.state.clear()
    policy.load_checkpoint(str(folder / "verl"))
    policy.load_sampler(str(folder / "sampler"))
    policy.load_reference(str(folder / "reference"))
    return going_on(rank, policy, case)


def going_on(rank: Rank, policy: PolicyWorker, case: dict[str, Any]) -> dict[str, Any]:
    """The whole state, and the weights after the next updates."""
    module, optimizer = rank.module, rank.learner.engine.optimizer
    found = {"learner": {name: whole(value) for name, value in weights(module).items()}}
    found["optimizer"] = {
        f"{quantity} {name}": whole(value)
        for name, parameter in module.named_parameters()
        for quantity, value in optimizer.state[parameter].items()
    }
    found["reference"] = {name: whole(value) for name, value in weights(policy.ref.engine.module).items()}
    policy.exchange_sampler()
    found["sampler"] = {name: whole(value) for name, value in weights(module).items()}
    policy.exchange_sampler()
    rank.go_on(**case)
    return {**found, "next": rank.weights()}


def policy_of(rank: Rank, reference: TrainingWorker) -> PolicyWorker:
    """Without its rollout server."""
    policy = object.__new__(PolicyWorker)
    policy.actor, policy.ref, policy.role = rank.learner, reference, "actor_rollout_ref"
    return policy


def exported(rank: Rank, folder: Path) -> dict[str, Any]:
    """A model's files, and the weights that they were written from."""
    folder.mkdir()
    exporting.save_model(rank.learner.engine, folder)
    config = json.loads((folder / "config.json").read_text())
    return {"files": load_file(folder / "model.safetensors"), "config": config, "weights": rank.weights()}


def leaking(rank: Rank) -> Packing | None:
    """What the question finds out about a model that does not look at where sequences begin."""
    kept = masking_utils.find_packed_sequence_indices
    masking_utils.find_packed_sequence_indices = lambda position_ids: None
    try:
        return packing_of(rank.learner)
    finally:
        masking_utils.find_packed_sequence_indices = kept


def results(cases: dict[str, Any], folder: Path) -> Iterator[tuple[Any, Any]]:
    model, recipe = cases["model"], cases["recipe"]
    segments_in_place_of_flash_attention()
    for name, (way, equalities) in cases["ways"].items():
        rank = Rank(worker(VerlLearner, model, recipe, Way(**way)), recipe)
        yield (name, "packing"), packing_of(rank.learner) if rank.learner.engine_config.use_remove_padding else None
        for key, case in equalities.items():
            yield (name, *key), equality(rank, case)
        if way.get("precision") == "bf16":
            yield (name, "model"), exported(rank, folder / name)
    if learning := cases["learning"]:
        rank = Rank(worker(VerlLearner, model, recipe, Way()), recipe)
        reference = worker(TrainingWorker, model, recipe, Way(), reference=True)
        for name, case in learning.items():
            yield name, equality(rank, case)
        yield "guards", guards(rank, learning["rence"])
        yield "references", references(rank, reference, learning["rence"], folder / "reference")
        yield "samplers", samplers(rank, reference, learning["rence"], folder / "sampler")
        yield "leaking", leaking(rank)
        yield "saved", saved(rank, reference, learning["rence"], folder)
        for kind, path in {"new": folder / "new", "old": folder / "old", **cases["others"]}.items():
            yield ("resumed", kind), resumed(rank, reference, learning["rence"], path)


def alone(cases: dict[str, Any], folder: Path) -> tuple[Any, Any]:
    """On one rank, what two have written."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    os.environ |= {"WORLD_SIZE": "1", "LOCAL_WORLD_SIZE": "1", "MASTER_PORT": port}
    rank = Rank(worker(VerlLearner, cases["model"], cases["recipe"], Way()), cases["recipe"])
    reference = worker(TrainingWorker, cases["model"], cases["recipe"], Way(), reference=True)
    return ("resumed", "two ranks"), resumed(rank, reference, cases["learning"]["rence"], folder / "new")


def main(path: Path, folder: Path) -> None:
    torch.set_num_threads(1)
    cases = torch.load(path, weights_only=False)
    found = dict(results(cases, folder))
    rank, ranks = torch.distributed.get_rank(), torch.distributed.get_world_size()
    torch.distributed.destroy_process_group()
    if rank == 0:
        found |= [alone(cases, folder)] if ranks > 1 and cases["learning"] else []
        torch.save(found, folder / "results.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
