"""The loop: generate, learn, log, checkpoint, evaluate, until the budget of rollouts is spent."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from harness.backends import checkpoints
from harness.backends.base import Checkpoint, Evaluate, Observer, TrainingResult
from harness.backends.checkpoints import TrainingProgress
from harness.backends.collect import Collected, collect
from harness.backends.diverged import Diverged, diverging
from harness.backends.groups import TokenRollouts, as_batch
from harness.backends.local import activity
from harness.backends.local import checkpoint as state_files
from harness.backends.local.engines import engine_over
from harness.backends.local.generate import generate
from harness.backends.local.logprobs import fixed_logp
from harness.backends.local.policies import Policies
from harness.backends.local.recording import missed, record
from harness.backends.local.rehearsal import longest_prompt, rehearse_or_recompute, room_for
from harness.backends.local.settings import settings_of
from harness.backends.local.update import Learner, make_optimizer
from harness.backends.metrics import step_metrics
from harness.base.interrupts import saved_first
from harness.base.seeds import derive
from harness.config.experiment import Trial
from harness.models.language_model import load
from harness.models.resolving import model_hash
from harness.prompts.stream import PromptStream
from harness.records import StepRecord, TrialFolder, append_jsonl


class Training:
    """One trial under way, in this process."""

    def __init__(
        self,
        trial: Trial,
        model: Path,
        stream: PromptStream,
        folder: TrialFolder,
        evaluate: Evaluate,
        observer: Observer,
    ) -> None:
        """As `LocalBackend.train` has them; loads the model. Raises: UserError for weights that cannot be used."""
        self.trial, self.stream, self.folder, self.start = trial, stream, folder, model
        self.evaluate, self.observer = evaluate, observer
        self.recipe, self.algorithm = trial.arm.recipe, trial.arm.algorithm
        self.compute = settings_of(trial.experiment).compute
        self.policies = Policies.start(
            load(model, self.compute, to_train=True, lora=self.recipe.lora, seed=trial.seed),
            self.algorithm.reference,
            self.recipe.generator_sync_steps,
            self.recipe.reference_sync_steps,
        )
        learner = self.policies.learner
        self.learner = Learner(learner, self.algorithm, self.recipe, make_optimizer(learner, self.recipe))
        activity.without_parts(self.algorithm)  # a plug-in's mistake is found here, not in the middle of training
        self.progress = TrainingProgress()
        self.at = 0
        """the step that is being made, or was made last"""
        self.generate_seconds = self.train_seconds = 0.0

    def run(self) -> TrainingResult:
        """From the newest checkpoint to the budget, or to the step that diverged."""
        try:
            self.resume()
            self.warn_of_missed_records(ended=False)
            self.rehearse()
            self.train()
        except Diverged as error:
            return self.result("", f"step {self.at}: {error}")
        self.warn_of_missed_records(ended=True)
        final = self.folder.checkpoint(self.progress.step)
        state_files.drop_state(final)
        return self.result(model_hash(final))

    def rehearse(self) -> None:
        """On a GPU, whether the largest micro-batch fits, before the first step.

        Raises: UserError if it does not, with the setting that would fit.
        """
        settings = settings_of(self.trial.experiment)
        if settings.device == "cpu" or self.progress.rollouts >= self.trial.experiment.budget_rollouts:
            return
        problems, template = self.stream.problems, self.trial.experiment.template
        longest = longest_prompt(problems, self.learner.model.tokenizer, template)
        rehearse_or_recompute(self.learner, longest, settings.gradient_checkpointing)

    def train(self) -> None:
        """Raises: Diverged in step `at`."""
        budget, every = self.trial.experiment.budget_rollouts, self.recipe.checkpoint_steps
        while self.progress.rollouts < budget:
            self.at = self.progress.step + 1
            with saved_first() as leaving:
                with room_for(f"step {self.at}", self.learner):
                    record = self.step()
                append_jsonl(self.folder.steps, [record.to_json()])
                self.observer.on_step(record)
                if leaving(self.progress.grid is not None or self.progress.step % every == 0):
                    self.save()
            if self.progress.grid:
                self.evaluate_checkpoint()

    def step(self) -> StepRecord:
        """One rollout batch: generate it, learn from it, count it."""
        step = self.progress.step + 1
        self.policies.sync(step)
        started = time.perf_counter()
        generate_groups = partial(generate, self.policies.sampler, self.trial)
        with diverging("the sampler") if self.learner.updates else nullcontext():
            collected = collect(self.trial, self.stream, self.progress.cursor, generate_groups, self.observer.warn)
        generated = time.perf_counter()
        batch = self.prepare(collected, step) if collected.groups else None
        spent = min(1.0, (self.progress.rollouts + collected.rollouts) / self.trial.experiment.budget_rollouts)
        order = ("minibatches", self.trial.seed, step)
        acted: dict[str, float] = {}
        keep = partial(self.record, collected, step, spent, acted)
        learnt = self.learner.learn(batch, order, spent, before_last=keep) if batch else {}
        if not batch:
            keep()
        self.generate_seconds += generated - started
        self.train_seconds += time.perf_counter() - generated
        self.progress = self.progress.after(collected, self.learner.updates, self.trial.experiment.grid_rollouts)
        done = self.progress
        metrics, failure = {**step_metrics(collected, batch, learnt), **acted}, collected.reward_failure
        return StepRecord(done.step, done.rollouts, done.tokens, done.updates, done.cursor, metrics, failure)

    def prepare(self, collected: Collected, step: int) -> TokenRollouts:
        """The kept groups as one batch, with everything that does not depend on the learner: reference log-probs,
        shaped rewards, credit."""
        batch = as_batch(collected.groups, self.recipe.max_tokens)
        if self.policies.reference:
            limit, temperature = self.recipe.microbatch_tokens, self.recipe.temperature
            batch = replace(batch, ref_logp_BT=fixed_logp(self.policies.reference, batch, temperature, limit))
        # On the CPU: an algorithm's own draws are made there, and are the same whatever the model computes on.
        batch = replace(batch, reward_B=self.algorithm.shape(batch))
        batch = replace(batch, credit=self.algorithm.credit(batch, lambda problem: self.rng(step, problem)))
        return batch.to(self.learner.model.device)

    def record(self, collected: Collected, step: int, progress: float, acted: dict[str, float]) -> None:
        """Keep the step's rollouts with the learner's weights of this moment, if that was asked for; measure into
        `acted` what the objective's parts do to the gradient, if it is time."""
        if step in self.trial.experiment.record_steps and not record(
            self.folder, self.trial, self.start, self.policies, collected, step, progress
        ):
            self.observer.warn(f"{self.trial.name}: step {step} is not recorded: none of its rollouts could be marked.")
        before, budget = self.progress.rollouts, self.trial.experiment.budget_rollouts
        if activity.due(before, before + collected.rollouts, budget):
            place = activity.StepOfTrial(self.trial.seed, step, progress, self.learner.state)
            acted |= activity.in_training(self.policies, self.algorithm, self.recipe, collected, place)

    def warn_of_missed_records(self, *, ended: bool) -> None:
        for message in missed(self.folder, self.trial, self.progress.step, ended=ended):
            self.observer.warn(message)

    def rng(self, step: int, problem: str) -> torch.Generator:
        """A generator of identity, so that the order of rows changes no draw."""
        return torch.Generator().manual_seed(derive("credit", self.trial.seed, step, problem))

    def save(self) -> None:
        """Write a checkpoint of this step with what a resume needs: optimiser, lagging copies, the state of the
        algorithm."""
        state = {
            "optimizer": self.learner.optimizer.state_dict(),
            "lagging": self.policies.lagging(),
            "algorithm": dict(self.learner.state),
        }
        state_files.save(self.folder, self.progress, self.learner.model, state)

    def resume(self) -> None:
        """Everything as it was at the newest checkpoint, `steps.jsonl` included; evaluate there if it was due."""
        checkpoint = checkpoints.newest(self.folder)
        self.progress = checkpoints.read_progress(checkpoint) if checkpoint else TrainingProgress()
        self.at = self.progress.step
        checkpoints.cut_back(self.folder.steps, self.progress.step, checkpoint)
        if checkpoint is None:
            return
        self.learner.model.restore(checkpoint)
        self.learner.updates = self.progress.updates
        if self.progress.rollouts < self.trial.experiment.budget_rollouts:
            state = state_files.read_state(checkpoint)
            self.learner.optimizer.load_state_dict(state["optimizer"])
            self.policies.restore(state["lagging"])
            self.learner.state = state["algorithm"]
        if self.progress.grid:
            self.evaluate_checkpoint()

    def evaluate_checkpoint(self) -> None:
        """Answer the benchmarks of this grid point with the learner itself, whose weights the newest checkpoint has:
        it is called right after `save`, or after a resume. Where adapters learn, with the checkpoint, which has them
        merged: as every reader of it computes, to the last digit."""
        done, checkpoint = self.progress, self.folder.checkpoint(self.progress.step)
        weights = model_hash(checkpoint)
        model = load(checkpoint, self.compute) if self.recipe.lora else self.learner.model
        engine = engine_over(model, self.trial.experiment.evaluation.engine)
        with diverging("the evaluation"):
            self.evaluate(engine, Checkpoint(done.step, done.rollouts, done.grid or 0, weights))

    def result(self, weights: str, diverged: str = "") -> TrainingResult:
        return self.progress.result(weights, diverged, self.generate_seconds, self.train_seconds)
