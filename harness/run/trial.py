"""What one job's process does: evaluate the untrained model, or train and evaluate a trial.

It may be killed at any moment: files are written so that this loses nothing but time, and a lock on the job's
folder keeps a successor waiting until we are gone.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from transformers import AutoTokenizer
from transformers.utils import logging

from benchmarks.problems import ProblemsError
from harness import config
from harness.backends.base import Checkpoint, TrainingResult
from harness.backends.registry import get_backend
from harness.base.errors import INTERRUPTED, OK, UserError, of_system
from harness.base.locks import locked
from harness.base.plugins import PluginError
from harness.config.experiment import Experiment, Trial
from harness.engines.base import Engine
from harness.evaluation.evaluator import Evaluator
from harness.evaluation.headers import EvaluatedCheckpoint
from harness.models import resolving
from harness.records import (
    START,
    DataError,
    DoneRecord,
    EvalFolder,
    Plan,
    RunFolder,
    StepRecord,
    TrialFolder,
    TrialRecord,
)
from harness.records.seals import file_hash
from harness.run.examining import examine
from harness.run.jobs import Job
from harness.run.matching import stream
from harness.run.timing import Clock

_WAIT_FOR_PREDECESSOR = 30.0
"""seconds; an orphan needs milliseconds to notice that its driver is gone"""


def main(job: Job, attempt: int) -> int:
    """The exit code: 0 if the job is complete, 130 if it was interrupted; what went wrong is said on stderr."""
    logging.disable_progress_bar()
    try:
        with locked(job.folder, "trial", wait=_WAIT_FOR_PREDECESSOR):
            experiment = config.load_run(job.run.resolved)
            arm = None if job.seed is None else experiment.arm(job.arm)
            clock = Clock(job.folder / "timing.json", attempt, experiment.runtime_settings(arm))
            if job.seed is None:
                evaluate_start(job.run, experiment, clock)
            else:
                train(job.run, experiment, job.arm, job.seed, clock)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (UserError, DataError, ProblemsError, PluginError, OSError) as error:
        mended = of_system(error)
        if mended is None:
            raise
        with suppress(OSError):  # the log may be on the disk that is full
            print(mended, file=sys.stderr)
        return mended.exit_code
    return OK


def train(run: RunFolder, experiment: Experiment, arm: str, seed: int, clock: Clock) -> None:
    """Train and evaluate one trial; `done.json` is written last."""
    trial, folder = Trial(experiment, experiment.arm(arm), seed), run.trial(arm, seed)
    model = resolving.resolve(experiment.model)
    evaluator = _evaluator(experiment)
    earlier = replace(evaluator, evaluation=experiment.evaluation.first)

    told: set[str] = set()

    def evaluate(engine: Engine, checkpoint: Checkpoint) -> None:
        def place(name: str) -> EvalFolder:
            return folder.eval(checkpoint.step, name)

        subject = EvaluatedCheckpoint(
            arm, seed, checkpoint.step, checkpoint.rollouts, checkpoint.grid, checkpoint.weights
        )
        with clock.evaluating():
            if checkpoint.grid == experiment.budget_rollouts:
                evaluator.ask_headline(engine, subject, place)
            else:
                earlier.ask(engine, subject, experiment.evaluation.curve, place)
        for finding in examine(folder, trial.arm.recipe.max_grad_norm):
            # once for each kind: its counts grow with every evaluation
            if (code := finding.partition(":")[0]) not in told:
                log.warn(f"{trial.name} is not healthy: {finding}")
                told.add(code)

    _require_start(folder.trial, TrialRecord.read(folder.trial).initial_weights, model)
    backend, log = get_backend(experiment.backend), _Log(clock)
    result = backend.train(trial, model, stream(experiment, seed), folder, evaluate, log)
    clock.finish(result.generate_seconds, result.train_seconds)
    finish(folder, result, examine(folder, trial.arm.recipe.max_grad_norm))


def finish(folder: TrialFolder, result: TrainingResult, health: Sequence[str] = ()) -> None:
    """Write `done.json`, bound to everything that the trial has left behind.

    Args:
        health: findings of `examine`.
    """
    complete = [one for one in folder.evals() if one.complete]
    DoneRecord(
        status="diverged" if result.diverged else "finished",
        steps=result.steps,
        rollouts=result.rollouts,
        tokens=result.tokens,
        updates=result.updates,
        discarded_rollouts=result.discarded_rollouts,
        final_weights=result.final_weights,
        reason=result.diverged,
        trial=file_hash(folder.trial),
        step_lines=file_hash(folder.steps) if folder.steps.exists() else "",
        evaluations={f"{one.root.parent.name}/{one.root.name}": file_hash(one.attempts) for one in complete},
        health=list(health),
    ).write(folder.done)


def evaluate_start(run: RunFolder, experiment: Experiment, clock: Clock) -> None:
    """Evaluate the model that training starts from."""
    model = resolving.resolve(experiment.model)
    weights = _require_start(run.plan, Plan.read(run.plan).model_hash, model)
    subject = EvaluatedCheckpoint(START, None, 0, 0, 0, weights)
    engine = get_backend(experiment.backend).start_engine(experiment, model)
    evaluator = _evaluator(experiment)
    with clock.evaluating():
        evaluator.ask_headline(engine, subject, run.start_eval)
    clock.finish()


def _require_start(said_in: Path, said: str, model: Path) -> str:
    """The hash of the model that training starts from. Raises: UserError if it has changed since it was planned."""
    found = resolving.model_hash(model)
    if found != said:
        raise UserError(
            f"{model} is not the model that {said_in} was made with: {found[:16]} instead of {said[:16]} (hash of "
            "weights, configuration and tokenizer).\nBring it back, or give the experiment another `name`."
        )
    return found


def _evaluator(experiment: Experiment) -> Evaluator:
    tokenizer = AutoTokenizer.from_pretrained(resolving.resolve(experiment.model))
    return Evaluator(experiment.evaluation, experiment.template, tokenizer)


class _Log:
    """The observer of a trial: our stdout is its log, `timing.json` its pulse."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def on_step(self, record: StepRecord) -> None:
        self._clock.tick()
        print(f"step {record.step}: {record.rollouts} rollouts, {record.updates} updates")

    def warn(self, message: str) -> None:
        print(f"warning: {message}", file=sys.stderr)
