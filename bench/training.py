"""CPU time of an RL step by arm, and where it goes.

OMP_NUM_THREADS=1 PYTHONPATH=. python bench/training.py [MODEL] [--arms grpo,dapo] [--steps 10] [--row-widths 0]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pkgutil import resolve_name
from typing import Any
from unittest.mock import patch

from algorithms.registry import get
from benchmarks.registry import training_set
from harness.backends.local.backend import LocalBackend
from harness.config.evaluation import Evaluation
from harness.config.experiment import Arm, Experiment, Trial
from harness.config.training_recipe import Recipe
from harness.engines.base import Engine
from harness.models import language_model as models
from harness.models.resolving import resolve
from harness.prompts.stream import PromptStream
from harness.records import Comparison, StepRecord, TrialFolder

PIECES = {
    "sample": "harness.backends.local.generate.sample",
    "mark": "harness.backends.local.generate.mark_all",
    "render": "harness.backends.local.generate.render",
    "reference": "harness.backends.local.loop.fixed_logp",
    "forward": "harness.backends.local.update.forward_logprobs",
    "backward": "torch.Tensor.backward",
    "optimiser": "torch.optim.AdamW.step",
    "checkpoint": "harness.backends.local.checkpoint.save",
}


class Quiet:
    def on_step(self, record: StepRecord) -> None:
        self.last = record

    def warn(self, message: str) -> None: ...


@contextmanager
def clocks() -> Iterator[dict[str, float]]:
    """CPU seconds spent in each piece while open."""
    spent: dict[str, float] = defaultdict(float)

    def timed(name: str, function: Any) -> Any:
        def run(*args: Any, **kwargs: Any) -> Any:
            start = time.process_time()
            try:
                return function(*args, **kwargs)
            finally:
                spent[name] += time.process_time() - start

        return run

    patches = [patch(place, timed(name, resolve_name(place))) for name, place in PIECES.items()]
    for one in patches:
        one.start()
    yield spent
    for one in patches:
        one.stop()


def trial(name: str, recipe: Recipe, steps: int) -> Trial:
    arm = Arm(name, name, get(name), recipe)
    experiment = Experiment(
        name="bench",
        backend="local",
        model="",
        template="bare",
        train="mini_rl",
        seeds=(0,),
        budget_rollouts=steps * recipe.prompts_per_step * recipe.group_size,
        recipe=recipe,
        evaluation=Evaluation({}, {}, points=1),
        arms=(arm,),
        comparison=Comparison(name, []),
    )
    return Trial(experiment, arm, 0)


def skip(engine: Engine, checkpoint: object) -> None: ...


def measure(name: str, model: Path, recipe: Recipe, steps: int) -> None:
    quiet = Quiet()
    stream = PromptStream(training_set("mini_rl").problems, 0)
    with tempfile.TemporaryDirectory() as folder, clocks() as spent:
        start = time.process_time()
        result = LocalBackend().train(trial(name, recipe, steps), model, stream, TrialFolder(Path(folder)), skip, quiet)
        total = time.process_time() - start
    row = {**{piece: spent[piece] for piece in PIECES}, "total": total}
    print(f"{name:20s}", *(f"{1000 * value / result.steps:10.0f}" for value in row.values()), end=" ")
    score = quiet.last.metrics["generated/score/mean"]
    print(f"{result.steps:6d} {result.rollouts:9d} {1000 * total / result.rollouts:10.2f} {score:6.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", default="quickstart-base", help="name, folder or hub id")
    parser.add_argument("--arms", default="grpo,dapo,rence,online_dpo")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--row-widths", type=int, default=models.ROW_WIDTHS, help="0: a row for each response")
    arguments = parser.parse_args()
    models.ROW_WIDTHS = arguments.row_widths
    print("CPU milliseconds a step")
    print(f"{'arm':20s}", *(f"{piece:>10s}" for piece in [*PIECES, "total"]), " steps  rollouts ms/rollout  score")
    for name in arguments.arms.split(","):
        measure(name, resolve(arguments.model), Recipe(), arguments.steps)


if __name__ == "__main__":
    main()
