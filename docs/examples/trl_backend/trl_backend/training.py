"""A trial on TRL: rollout batches, records, checkpoints and evaluations, around Trainer's loop."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

import rence
from rence import backends
from rence.backends import checkpoints, metrics

from .trainer import ObjectiveTrainer

RESUMES = ("optimizer.pt", "scheduler.pt", "trainer_state.json", "training_args.bin", "objective.pt")
"""files of a checkpoint that only training needs: Trainer's, under its own names, and the last one ours"""


class Training:
    """One trial, from the newest checkpoint to the budget."""

    def __init__(
        self,
        backend: rence.Backend,
        trial: backends.Trial,
        model: Path,
        stream: backends.PromptStream,
        folder: backends.TrialFolder,
        evaluate: Any,
        observer: backends.Observer,
    ) -> None:
        """As `Backend.train` has them."""
        torch.set_num_threads(1)  # trials run side by side, one on a core
        self.backend, self.trial, self.stream, self.folder = backend, trial, stream, folder
        self.evaluate, self.observer = evaluate, observer
        self.recipe, self.algorithm = trial.arm.recipe, trial.arm.algorithm
        self.budget, self.train_seconds = trial.experiment.budget_rollouts, 0.0
        self.trainer = ObjectiveTrainer(trial, model, stream, folder.checkpoints)
        self.trainer.mini_batches = self.mini_batches()

    def run(self) -> rence.TrainingResult:
        """See `Backend.train`. Ends early in a step that diverges."""
        newest = checkpoints.newest(self.folder)
        self.done = checkpoints.read_progress(newest) if newest else checkpoints.TrainingProgress()
        self.step = self.done.step  # that is being made, or was made last
        checkpoints.cut_back(self.folder.steps, self.step, newest)
        try:
            if self.done.grid:
                self.evaluate_checkpoint()
            if self.done.rollouts < self.budget:
                if newest:
                    self.restore(newest)
                self.trainer.train(resume_from_checkpoint=str(newest) if newest else None)
        except backends.Diverged as error:
            return self.result("", f"step {self.step}: {error}")
        final = self.folder.checkpoint(self.done.step)
        for name in RESUMES:
            (final / name).unlink(missing_ok=True)
        return self.result(backends.model_hash(final))

    def mini_batches(self) -> Iterator[backends.TokenRollouts]:
        """Of all steps. Trainer asks for the next one when it has made its update with the one before."""
        recipe, trainer = self.recipe, self.trainer
        while self.done.rollouts < self.budget:
            self.step += 1
            if self.algorithm.reference == "synced" and (self.step - 1) % recipe.reference_sync_steps == 0:
                trainer.ref_model.load_state_dict(trainer.model.state_dict())
            # labels, filter and refill are those of all backends
            collected = backends.collect(
                self.trial, self.stream, self.done.cursor, trainer.generate, self.observer.warn
            )
            started = time.perf_counter()
            trainer.spent = min(1.0, (self.done.rollouts + collected.rollouts) / self.budget)
            trainer.logged = {}
            batch = self.prepared(collected.groups) if collected.groups else None
            yield from self.in_order(batch) if batch else ()
            if not all(weight.isfinite().all() for weight in trainer.model.parameters()):
                raise backends.Diverged("the weights are not finite")
            self.train_seconds += time.perf_counter() - started
            self.done = self.done.after(collected, trainer.state.global_step, self.trial.experiment.grid_rollouts)
            self.record(metrics.step_metrics(collected, batch, trainer.logged), collected.reward_failure)
            if self.done.grid:
                self.evaluate_checkpoint()

    def prepared(self, groups: Sequence[backends.Group]) -> backends.TokenRollouts:
        """One batch, with all that does not change while it is learnt from: reference, rewards, credit."""
        batch = backends.as_batch(groups, self.recipe.max_tokens)
        if self.algorithm.reference:
            batch = replace(batch, ref_logp_BT=self.trainer.fixed_log_probs(self.trainer.ref_model, batch))
        batch = replace(batch, reward_B=self.algorithm.shape(batch))
        return replace(batch, credit=self.algorithm.credit(batch, lambda problem: self.rng("credit", problem)))

    def in_order(self, batch: backends.TokenRollouts) -> Iterator[backends.TokenRollouts]:
        """Mini-batches of whole groups, in the order that the local backend has them."""
        for epoch in range(self.recipe.epochs):
            order_G = torch.randperm(batch.groups, generator=self.rng("minibatches", epoch))
            for groups in order_G.tensor_split(min(self.recipe.minibatches, batch.groups)):
                yield batch.select(groups)

    def rng(self, what: str, which: str | int) -> torch.Generator:
        """Keyed by identity, as on all backends."""
        return torch.Generator().manual_seed(backends.derive(what, self.trial.seed, self.step, which))

    def record(self, row: Mapping[str, float | None], failure: str) -> None:
        """A line of `steps.jsonl`, and a checkpoint if it is time: a model, from which Trainer can also go on."""
        done, trainer = self.done, self.trainer
        line = backends.StepRecord(done.step, done.rollouts, done.tokens, done.updates, done.cursor, dict(row), failure)
        backends.append_jsonl(self.folder.steps, [line.to_json()])
        self.observer.on_step(line)
        if done.grid is None and done.step % self.recipe.checkpoint_steps:
            return
        reference = trainer.ref_model.state_dict() if self.algorithm.reference == "synced" else None
        with checkpoints.writing(self.folder, done, RESUMES) as new:
            trainer.save_model(str(new))
            trainer._save_optimizer_and_scheduler(str(new))
            trainer.state.save_to_json(str(new / "trainer_state.json"))
            torch.save({"carried": dict(trainer.carried), "reference": reference}, new / "objective.pt")

    def restore(self, checkpoint: Path) -> None:
        """What Trainer does not know of; it restores the rest itself."""
        state = torch.load(checkpoint / "objective.pt", weights_only=True)
        self.trainer.carried = state["carried"]
        if state["reference"]:
            self.trainer.ref_model.load_state_dict(state["reference"])

    def evaluate_checkpoint(self) -> None:
        """By the kind of engine that answered for the untrained model, with the weights of the newest checkpoint."""
        done, saved = self.done, self.folder.checkpoint(self.done.step)
        engine = self.backend.start_engine(self.trial.experiment, saved)
        self.evaluate(engine, rence.Checkpoint(done.step, done.rollouts, done.grid or 0, backends.model_hash(saved)))

    def result(self, weights: str, diverged: str = "") -> rence.TrainingResult:
        return self.done.result(weights, diverged, self.trainer.generate_seconds, self.train_seconds)
