"""One data-parallel rank of verl's engine, without Ray and vLLM: runs cases and saves what became of each.

    RANK=... WORLD_SIZE=... MASTER_PORT=... python tests/verl/ranks.py CASES RESULTS

A process of its own, because verl changes transformers where it is imported. `test_engine.py` writes the cases with
`torch.save`, starts the ranks and compares the results with the local backend's.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from tensordict import TensorDict
from torch import Tensor
from torch.distributed.tensor import DTensor
from verl.trainer.config import CheckpointConfig
from verl.utils import tensordict_utils as tu
from verl.workers.config import FSDPEngineConfig, FSDPOptimizerConfig, HFModelConfig, TrainingWorkerConfig
from verl.workers.engine_workers import TrainingWorker

from algorithms.base import Algorithm
from algorithms.objectives.rence import ReNCE
from algorithms.rollouts import Loss, Rollouts, Totals
from harness.backends.diverged import Diverged
from harness.backends.groups import TokenRollouts
from harness.backends.verl import columns
from harness.backends.verl.objective import Objective
from harness.backends.verl.workers import PolicyWorker, VerlLearner, fill, learnt, shards
from harness.config.training_recipe import Recipe

FILLER = -1
"""stands for a row that is not valid, and for a group without one"""
FP32 = {"param_dtype": "fp32", "reduce_dtype": "fp32", "buffer_dtype": "fp32"}


def worker(kind: type[TrainingWorker], model: str, recipe: Recipe, reference: bool = False) -> Any:
    made = kind(
        TrainingWorkerConfig(
            model_type="language_model",
            model_config=HFModelConfig(
                path=model, use_remove_padding=False, enable_gradient_checkpointing=False,
                override_config={"attn_implementation": "sdpa"},
            ),
            engine_config=FSDPEngineConfig(
                strategy="fsdp2", model_dtype="fp32", mixed_precision=FP32, use_torch_compile=False,
                forward_only=reference,
            ),
            optimizer_config=FSDPOptimizerConfig(
                lr=recipe.learning_rate, betas=(recipe.adam_beta1, recipe.adam_beta2),
                weight_decay=recipe.weight_decay, clip_grad=recipe.max_grad_norm, total_training_steps=-1,
                override_optimizer_config={"eps": recipe.adam_eps},
            ),
            checkpoint_config=CheckpointConfig(),
        )
    )  # fmt: skip
    made.reset()
    return made


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
    reference: TrainingWorker
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
        """One call of `update_actor`; what the driver reads of it, as plain data."""
        fill(self.module, self.start)
        self.learner.engine.optimizer.state.clear()
        self.gradients.clear()
        self.learner.set_loss_fn(Objective(algorithm, recipe))
        ranks, size = torch.distributed.get_world_size(), self.recipe.group_size
        data = verl_batch(batch, rows_of(batch, spread(minibatches, torch.distributed.get_rank(), ranks), size))
        tu.assign_non_tensor(
            data,
            temperature=self.recipe.temperature,
            calculate_entropy=algorithm.wants_entropy,
            pad_token_id=0,
            force_group_size=size,
            mini_batch_size=len(data) // len(minibatches) * ranks,
            **layout,
        )
        for name, value in sent.items():
            tu.assign_non_tensor_data(data, name, value)
        return vars(learnt(self.learner.train_mini_batch(data), sent["state"]))

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
    for name, changes in {"loss": {"algorithm": Unbounded()}, "gradient": {"batch": broken}}.items():
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


def references(rank: Rank, case: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Log-probs of the actor and of the reference, through syncs, a save and a load."""
    policy = object.__new__(PolicyWorker)  # without its rollout server
    policy.actor, policy.ref = rank.learner, rank.reference
    found = {}

    def note(name: str) -> None:
        found[name] = (rank.log_probs(rank.learner, case["batch"]), rank.log_probs(rank.reference, case["batch"]))

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


def samplers(rank: Rank, case: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Log-probs of the actor and of the reference while a sampler lags: what it holds is seen through an exchange, and
    through the reference that follows it."""
    policy = object.__new__(PolicyWorker)
    policy.actor, policy.ref = rank.learner, rank.reference
    found = {}

    def note(name: str) -> None:
        found[name] = (rank.log_probs(rank.learner, case["batch"]), rank.log_probs(rank.reference, case["batch"]))

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


def results(cases: dict[str, Any], folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    model, recipe = cases["model"], cases["recipe"]
    rank = Rank(worker(VerlLearner, model, recipe), worker(TrainingWorker, model, recipe, reference=True), recipe)
    for name, case in cases["equality"].items():
        yield name, equality(rank, case)
    yield "guards", guards(rank, cases["learning"])
    yield "references", references(rank, cases["learning"], folder / "reference")
    yield "samplers", samplers(rank, cases["learning"], folder / "sampler")


def main(cases: Path, folder: Path) -> None:
    torch.set_num_threads(1)
    found = dict(results(torch.load(cases, weights_only=False), folder))
    if torch.distributed.get_rank() == 0:
        torch.save(found, folder / "results.pt")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
