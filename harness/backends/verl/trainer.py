"""verl's synchronous trainer with our loop around it: rollout batches until the budget is spent.

What verl does stays verl's: workers, log-probs of learner and reference, weights to the samplers. Ours are the prompts
(a stream), the groups (`buffer.py`), credit and mini-batches (below), the loss (`objective.py`) and the records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import ray
import torch
import transfer_queue as tq  # type: ignore[import-not-found]
from omegaconf import DictConfig
from tensordict import TensorDict
from transfer_queue import KVBatchMeta  # type: ignore[import-not-found]
from verl import DataProto
from verl.trainer.ppo.rollout_corr_helper import compute_rollout_correction_and_add_to_batch
from verl.trainer.ppo.v1 import AgentLoopManagerTQ
from verl.trainer.ppo.v1.trainer_sync import PPOTrainerSync
from verl.utils import tensordict_utils as tu
from verl.utils.dataset.rl_dataset import collate_fn
from verl.utils.debug import marked_timer
from verl.utils.skip import SkipManager
from verl.workers.utils.padding import response_to_nested

from algorithms.rollouts import Mean
from harness.backends import checkpoints
from harness.backends.base import Observer
from harness.backends.checkpoints import TrainingProgress
from harness.backends.groups import TokenRollouts, as_batch
from harness.backends.metrics import add, numbers, step_metrics
from harness.backends.verl import columns, learner, packing
from harness.backends.verl.buffer import TRAIN, GroupBuffer
from harness.backends.verl.checkpoint import REFERENCE, SAMPLER, SHARDS, STATE
from harness.backends.verl.keys import cut
from harness.backends.verl.minibatches import ONE_EPOCH, filled, minibatches, over_ranks
from harness.backends.verl.monitor import Monitor
from harness.backends.verl.objective import Objective
from harness.backends.verl.options import settings_of
from harness.backends.verl.sampling import ASK, Ask
from harness.backends.verl.sync import Sync
from harness.backends.verl.turns import Pools
from harness.backends.verl.workers import PolicyWorker
from harness.base.interrupts import saved_first
from harness.base.seeds import derive
from harness.config.experiment import Trial
from harness.prompts.stream import Prompt, PromptStream
from harness.records import StepRecord, TrialFolder, append_jsonl, read_json, write_json


class Trainer(PPOTrainerSync):
    """One trial under way. `start` builds the workers and resumes; `train` goes on from there."""

    replay_buffer: GroupBuffer  # type: ignore[assignment]
    agent_loop_manager: Any

    def __init__(
        self,
        config: DictConfig,
        trial: Trial,
        stream: PromptStream,
        folder: TrialFolder,
        stop: tuple[int, ...],
        observer: Observer,
        placed: Callable[[], None],
    ) -> None:
        """
        Args:
            config: of `settings.translate`.
            stop: tokens that end a response.
            placed: called when the devices are the trial's own.
        """
        self.trial, self.stream, self.folder, self.stop, self.observer = trial, stream, folder, stop, observer
        self.recipe, self.algorithm, self.placed = trial.arm.recipe, trial.arm.algorithm, placed
        self.settings = settings_of(trial.experiment)
        self.stall_seconds = self.settings.stall_seconds
        self.sync, self.monitor = Sync(trial, self.stall_seconds), Monitor(self.settings.devices)
        self.progress = TrainingProgress()
        self.state: Mapping[str, float] = {}
        self.learnt: dict[str, Mean] = {}
        self.made = 0
        self.rollouts: TokenRollouts | None = None
        self.generate_seconds = self.train_seconds = 0.0
        self.curr_step_profile = False
        super().__init__(config)

    def start(self) -> None:
        """Build the workers, resume, and let verl's agent loop answer prompts.

        Raises: UserError if packing would let the model see other rollouts.
        """
        self.init()
        model = self.config.actor_rollout_ref.model
        if model.use_remove_padding:
            attention = model.override_config.attn_implementation
            packing.check(self.actor_rollout_wg.packing(), self.trial.experiment.model, attention)
        self.monitor.watch(self.llm_server_manager.get_addresses())
        self.agent_loop_manager = AgentLoopManagerTQ.create(
            config=self.config,
            llm_client=self.get_llm_client(),
            teacher_client=None,
            reward_loop_worker_handles=self.get_reward_handles(),
        )

    def train(self, evaluate: Callable[[], None]) -> None:
        """From where `start` has resumed to the budget.

        Args:
            evaluate: called at each point of the grid, when the samplers hold the checkpoint's weights.
        Raises: Diverged
        """
        SkipManager.init(self.config)
        if self.progress.grid:
            evaluate()
        while self.progress.rollouts < self.trial.experiment.budget_rollouts:
            with saved_first() as leaving, ExitStack() as checkpoint:
                record = self.one_step(checkpoint, leaving)
                append_jsonl(self.folder.steps, [record.to_json()])
            self.observer.on_step(record)
            if self.progress.grid:
                evaluate()

    def one_step(self, checkpoint: ExitStack, leaving: Callable[[bool], bool]) -> StepRecord:
        """One rollout batch: generate it, learn from it, send the weights to the samplers, count it.

        Args:
            checkpoint: what is due is written before samplers wake and take memory, and in its place when this is left.
            leaving: whether to write one, asked whether it is its turn.
        """
        self.global_steps = self.progress.step + 1
        self.replay_buffer.cursor = self.progress.cursor
        self.rollouts, self.learnt, self.made = None, {}, 0
        metrics: dict[str, Any] = {}
        self.timing_raw: dict[str, float] = {}
        with marked_timer("step", self.timing_raw):
            self.sync.before(self.global_steps)
            batch = self.step(metrics, self.timing_raw)
            collected = self.replay_buffer.collected
            done = self.progress = self.progress.after(
                collected, self.progress.updates + self.made, self.trial.experiment.grid_rollouts
            )
            if leaving(done.grid is not None or done.step % self.recipe.checkpoint_steps == 0):
                with marked_timer("save_checkpoint", self.timing_raw):
                    checkpoint.enter_context(self._checkpoint())  # the samplers sleep, so the memory is there
            self.sync.after(self.global_steps, evaluated=self.progress.grid is not None)
        tq.kv_clear(keys=batch.keys, partition_id=TRAIN)
        self.generate_seconds += self.timing_raw["gen"]
        other = self.timing_raw["gen"] + self.timing_raw.get("save_checkpoint", 0.0)
        self.train_seconds += self.timing_raw["step"] - other
        seconds = {f"timing_s/{name}": value for name, value in self.timing_raw.items()}
        machine = self.monitor.row((tag["seq_len"] for tag in batch.tags), self.timing_raw["step"])
        row = {**numbers(metrics), **numbers(seconds), **machine, **step_metrics(collected, self.rollouts, self.learnt)}
        failure = collected.reward_failure
        return StepRecord(done.step, done.rollouts, done.tokens, done.updates, done.cursor, row, failure)

    # What verl calls, in the order of a trial.

    def _build_replay_buffer(self) -> GroupBuffer:
        return GroupBuffer(self.trial, self.stream, self._submit, self._pulse, self.observer.warn)

    def _init_dataloader(self) -> None:
        """Prompts come from the stream, which has no end and no epochs that a resume could trip over."""

    def _init_resource_pool_mgr(self) -> None:
        super()._init_resource_pool_mgr()
        self.role_worker_mapping = {role: ray.remote(PolicyWorker) for role in self.role_worker_mapping}
        verls = self.resource_pool_manager
        self.resource_pool_manager = Pools(verls.resource_pool_spec, verls.mapping, placed=self.placed)

    def _load_checkpoint(self) -> None:
        """Everything as it was at the newest checkpoint, `steps.jsonl` included."""
        self.actor_rollout_wg.set_loss_fn(Objective(self.algorithm, self.recipe))
        reference = self.ref_policy_wg if self.algorithm.reference else None
        self.sync.connect(self.actor_rollout_wg, reference, super().on_sample_end, self.on_step_end)
        checkpoint = checkpoints.newest(self.folder)
        self.progress = checkpoints.read_progress(checkpoint) if checkpoint else TrainingProgress()
        self.global_steps = self.progress.step
        checkpoints.cut_back(self.folder.steps, self.progress.step, checkpoint)
        if checkpoint:
            self.state = read_json(checkpoint / STATE, dict[str, float])
            self.actor_rollout_wg.load_checkpoint(str(checkpoint / SHARDS))
            self.sync.load(checkpoint)

    def on_sample_end(self) -> None:
        self.sync.sleep()

    def prepare_step(self) -> dict[str, Any]:
        """Nothing: the buffer submits prompts when it is asked for a batch."""
        return {}

    def _submit(self, first: int, prompts: Sequence[Prompt]) -> list[tuple[int, ...]]:
        rows = [self._row(first + i, prompt) for i, prompt in enumerate(prompts)]
        batch = tu.get_tensordict(collate_fn(rows))
        tu.assign_non_tensor_data(batch, "global_steps", self.global_steps)
        self._submit_batch_to_rollout(batch)
        return [row[ASK].prompt for row in rows]

    def _row(self, place: int, prompt: Prompt) -> dict[str, Any]:
        ask = Ask.of(self.trial, self.tokenizer, prompt, self.stop)
        return {"uid": self.replay_buffer.uid(place), "index": place, ASK: ask}

    def _pulse(self) -> None:
        """Raises: ray's RayActorError if one of the processes that work while we wait has died."""
        workers = [*self.agent_loop_manager.agent_loop_workers, *self.get_reward_handles()]
        ray.get([worker.__ray_ready__.remote() for worker in workers], timeout=self.stall_seconds)

    def _compute_old_log_prob(self, batch: KVBatchMeta, metrics: dict[str, Any]) -> KVBatchMeta:
        """Of the policy that sampled: ratios start there, on both backends."""
        with self.sync.as_sampled(self.global_steps):
            return super()._compute_old_log_prob(batch, metrics)

    def _compute_advantage(self, batch: KVBatchMeta, metrics: dict[str, Any]) -> KVBatchMeta:
        """Credit, in the place of verl's advantages: the groups to learn from as one batch, with the log-probs that
        verl has computed, shaped rewards and the algorithm's own quantities."""
        groups, size = self.replay_buffer.collected.groups, self.recipe.group_size
        keys = self._keys(self.replay_buffer.places)
        reference = ["ref_log_prob"] if self.algorithm.reference else []
        fields = ["response_mask", "old_log_probs", "rollout_log_probs", *reference]
        data = tq.kv_batch_get(keys=keys, partition_id=TRAIN, select_fields=fields)
        padded, mismatch = compute_rollout_correction_and_add_to_batch(
            DataProto(batch=data.to_padded_tensor()), self.config.algorithm.rollout_correction
        )
        # Sampler and learner may differ in a step that learns nothing, too, and that is worth a line in the log.
        metrics.update(mismatch)
        if not groups:
            return batch
        # verl's batch holds whole groups and fillers; a rollout that could not be marked must not be learnt from.
        at = [(g, k) for g, group in enumerate(groups) for k, one in enumerate(group.rollouts) if one.marked]
        rows_B = torch.tensor([g * size + k for g, k in at])
        rollouts = as_batch(groups, self.recipe.max_tokens)
        # Ratios start from the learner's log-probs, not from the sampler's: `weight_BT` is for how the two differ.
        computed = columns.of_learner(padded.batch, rows_B, rollouts.mask_BT.shape[1])
        rollouts = replace(rollouts, **computed)
        rollouts = replace(rollouts, reward_B=self.algorithm.shape(rollouts))
        self.rollouts = replace(rollouts, credit=self.algorithm.credit(rollouts, self._rng))
        write = columns.write(self.rollouts, rows_B, len(keys))
        if "rollout_is_weights" in padded.batch:
            write["rollout_is_weights"] = response_to_nested(padded.batch["rollout_is_weights"], data["response_mask"])
        return tq.kv_batch_put(keys=keys, partition_id=TRAIN, fields=TensorDict(write, batch_size=len(keys)))

    def _update_actor(self, batch: KVBatchMeta, metrics: dict[str, Any]) -> KVBatchMeta:
        """All updates of the rollout batch: epochs of mini-batches of whole groups, as on the local backend."""
        if self.rollouts is None:
            return batch
        places, size = self.replay_buffer.places, self.recipe.prompts_per_step // self.recipe.minibatches
        tokens = dict(zip(batch.keys, (tag["seq_len"] for tag in batch.tags), strict=True))
        tokens_G = [sum(tokens[name] for name in self._keys([place])) for place in places]
        generated = self.progress.rollouts + self.replay_buffer.collected.rollouts
        learnt_from, made = self.rollouts.groups, 0
        # A call an epoch, for each has an order of its own; verl is told one epoch, and not to shuffle.
        for epoch in range(self.recipe.epochs):
            identity = ("minibatches", self.trial.seed, self.global_steps, epoch)
            parts = minibatches(learnt_from, self.recipe.minibatches, identity)
            # Fillers bring every mini-batch to one size; they are not valid, so they weigh nothing.
            order = over_ranks(filled(parts, size, range(learnt_from, len(places))), tokens_G, self._ranks())
            epoch_batch = batch.select_keys(self._keys([places[g] for g in order]))
            epoch_batch.extra_info = {
                **cut(self.recipe, self.settings, self.algorithm.separable, max(tokens_G)),
                "updates": self.progress.updates + made,
                "state": dict(self.state),
                "progress": min(1.0, generated / self.trial.experiment.budget_rollouts),
                "temperature": self.recipe.temperature,
                "mini_batch_size": size * self.recipe.group_size,
                "global_batch_size": size * self.recipe.group_size,
                "seed": self.trial.seed,
                "calculate_entropy": self.algorithm.wants_entropy,
                **ONE_EPOCH,
            }
            found = learner.learnt(output := self.actor_rollout_wg.update_actor(epoch_batch), self.state)
            self.monitor.updated(tu.get(output, "metrics"))
            self.state, made = found.state, made + found.updates
            add(self.learnt, found.logged)
        self.made = made
        return batch

    @contextmanager
    def _checkpoint(self) -> Iterator[None]:
        """Inside, everything is written; it is in its place afterwards."""
        with checkpoints.writing(self.folder, self.progress, (STATE,), (SHARDS, SAMPLER, REFERENCE)) as new:
            self.actor_rollout_wg.save_checkpoint(str(new / SHARDS), None, self.progress.step)
            for path in (new / SHARDS / "huggingface").iterdir():
                path.rename(new / path.name)
            self.sync.save(new)
            write_json(new / STATE, self.state)
            yield

    def _keys(self, places: Sequence[int]) -> list[str]:
        return [self.replay_buffer.key(place, sample) for place in places for sample in range(self.recipe.group_size)]

    def _ranks(self) -> int:
        """Data-parallel size of the learner; `_balance_batch` has asked the workers."""
        return max(self.actor_rollout_wg._dispatch_info["actor"]) + 1

    def _rng(self, problem: str) -> torch.Generator:
        """Of identity, so that the order of rows changes no draw."""
        return torch.Generator().manual_seed(derive("credit", self.trial.seed, self.global_steps, problem))
