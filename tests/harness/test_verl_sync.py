"""Which weights verl's samplers and reference have at each step and evaluation. A number stands for weights: the step
that made them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from algorithms.registry import get
from harness import config
from harness.backends.verl.sync import Sync
from harness.config.experiment import Trial

ROOT = Path(__file__).parents[2]


@dataclass
class Workers:
    """What the worker groups do to weights; the samplers' are None while they sleep."""

    actor: int = 0
    held: int | None = None
    reference: int = 0
    samplers: int | None = None
    saved: dict[str, int | None] = field(default_factory=dict)
    sent: int = 0

    def sync_sampler(self) -> None:
        self.held = self.actor

    def exchange_sampler(self) -> None:
        assert self.held is not None
        self.actor, self.held = self.held, self.actor

    def sync_reference(self) -> None:
        self.reference = self.actor if self.held is None else self.held

    def save_sampler(self, folder: str) -> None:
        self.saved["sampler"] = self.held

    def load_sampler(self, folder: str) -> None:
        self.held = self.saved["sampler"]

    def save_reference(self, folder: str) -> None:
        self.saved["reference"] = self.reference

    def load_reference(self, folder: str) -> None:
        self.reference = self.saved["reference"] or 0

    def sleep(self) -> None:
        self.samplers = None

    def wake(self) -> None:
        assert self.samplers is None, "samplers that are awake take no weights"
        self.samplers, self.sent = self.actor, self.sent + 1


def sync(every: int, reference_every: int, workers: Workers) -> Sync:
    """As a trial is started: with its weights loaded, verl sends the newest."""
    experiment = config.load(ROOT / "configs" / "smoke.yaml")
    recipe = replace(experiment.recipe, generator_sync_steps=every, reference_sync_steps=reference_every)
    arm = replace(experiment.arms[0], algorithm=get("online_dpo"), recipe=recipe)
    made = Sync(Trial(experiment, arm, 0), stall_seconds=60)
    made.connect(workers, workers, workers.sleep, workers.wake)
    return made


def step(made: Sync, workers: Workers, number: int, evaluated: bool) -> tuple[int | None, int, int]:
    """(weights that sampled, weights of the log-probs that ratios start from, reference)"""
    made.before(number)
    sampled = workers.samplers
    workers.sleep()
    with made.as_sampled(number):
        computed = workers.actor
    assert workers.actor == number - 1, "what is updated is the learner"
    reference = workers.reference
    workers.actor = number
    made.save(Path("checkpoint"))
    made.after(number, evaluated)
    if evaluated:
        assert workers.samplers == number, "an evaluation is of the newest weights"
    return sampled, computed, reference


@pytest.mark.parametrize("evaluations", [set(), {2, 6}, {3, 4}, set(range(1, 10))])
@pytest.mark.parametrize("killed", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize(("every", "reference_every"), [(1, 1), (1, 3), (3, 3), (3, 1), (2, 4), (10, 10)])
def test_every_step_is_sampled_from_the_weights_of_its_turn(
    every: int, reference_every: int, killed: int, evaluations: set[int]
) -> None:
    workers = Workers()
    made, seen = sync(every, reference_every, workers), []
    workers.wake()
    for number in range(1, 10):
        seen.append(step(made, workers, number, number in evaluations))
        if number == killed:
            # another process, of which the checkpoint alone is left
            workers = Workers(actor=number, saved=workers.saved)
            made = sync(every, reference_every, workers)
            made.load(Path("checkpoint"))
            workers.wake()
    sampler = [every * ((number - 1) // every) for number in range(1, 10)]
    assert [sampled for sampled, _, _ in seen] == [computed for _, computed, _ in seen] == sampler
    turns = [reference_every * ((number - 1) // reference_every) for number in range(1, 10)]
    assert [reference for _, _, reference in seen] == [sampler[turn] for turn in turns]


def test_a_sampler_that_does_not_lag_costs_one_transfer_a_step() -> None:
    workers = Workers()
    made = sync(1, 10, workers)
    workers.wake()
    for number in range(1, 10):
        step(made, workers, number, evaluated=False)
    assert workers.sent == 1 + 9 and workers.held is None
