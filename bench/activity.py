"""Processor time of measuring activity, as a share of a quickstart trial: its training and its evaluations.

OMP_NUM_THREADS=1 python bench/activity.py rence grpo
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from harness import config
from harness.backends.base import Checkpoint
from harness.backends.local import activity
from harness.backends.local.backend import LocalBackend
from harness.config.experiment import Trial
from harness.engines.base import Engine
from harness.evaluation.evaluator import Evaluator
from harness.evaluation.headers import EvaluatedCheckpoint
from harness.models import resolving
from harness.records import StepRecord, TrialFolder
from harness.run.matching import stream

QUICKSTART = Path(__file__).parent.parent / "configs" / "quickstart.yaml"


class Quiet:
    """An observer."""

    def on_step(self, record: StepRecord) -> None:
        found = {
            name: round(value, 4)
            for name, value in record.metrics.items()
            if name.startswith("activity/") and value is not None
        }
        if found:
            print(f"  step {record.step}: {found}", flush=True)

    def warn(self, message: str) -> None:
        print(f"  {message}", flush=True)


def main(arms: list[str]) -> None:
    measured = activity.in_training
    spent = 0.0

    def timed(*args: Any) -> dict[str, float]:
        nonlocal spent
        started = time.process_time()
        found = measured(*args)
        spent += time.process_time() - started
        return found

    activity.in_training = timed
    experiment = config.load(QUICKSTART)
    tokenizer = AutoTokenizer.from_pretrained(resolving.resolve(experiment.model))
    evaluator = Evaluator(experiment.evaluation, experiment.template, tokenizer)
    for arm in arms:
        spent, started = 0.0, time.process_time()
        with tempfile.TemporaryDirectory() as place:
            folder = TrialFolder(Path(place))

            def evaluate(engine: Engine, checkpoint: Checkpoint, arm: str = arm, folder: TrialFolder = folder) -> None:
                headline = checkpoint.grid == experiment.budget_rollouts
                counts = experiment.evaluation.benchmarks if headline else experiment.evaluation.curve
                subject = EvaluatedCheckpoint(
                    arm, 0, checkpoint.step, checkpoint.rollouts, checkpoint.grid or 0, checkpoint.weights
                )
                evaluator.ask(engine, subject, counts, lambda name: folder.eval(checkpoint.step, name))

            LocalBackend().train(
                Trial(experiment, experiment.arm(arm), experiment.seeds[0]),
                resolving.resolve(experiment.model),
                stream(experiment, experiment.seeds[0]),
                folder,
                evaluate,
                Quiet(),
            )
        total = time.process_time() - started
        print(f"{arm}: {spent:.2f} of {total:.1f} processor-seconds, {100 * spent / total:.2f} %", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
