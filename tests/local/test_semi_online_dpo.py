"""`semi_online_dpo` in training: whose weights each step's rollouts come from, and which they are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import registry
from harness import config
from harness.backends.local import loop
from harness.backends.local.generate import generate
from harness.config.experiment import Trial
from harness.models.language_model import LanguageModel
from harness.models.resolving import SHIPPED

if TYPE_CHECKING:
    from conftest import Run, Tiny

STEPS = 23
EXPERIMENT = f"""\
name: age
model: quickstart-base
template: bare
train: mini_rl
seeds: [0]
budget: {{rollouts: {STEPS * 32}}}
recipe: {{prompts_per_step: 4, epochs: 1, minibatches: 1}}
evaluation: {{benchmarks: {{mini_sums: 1}}, points: 1}}
arms: {{online_dpo: {{}}, semi_online_dpo: {{}}}}
comparison: {{target: semi_online_dpo}}
"""


class Ages:
    """Trains an arm of the experiment, and sees whose weights every step worked with."""

    def __init__(self, path: Path, tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path, self.tiny, self.patch = path, tiny, monkeypatch
        path.write_text(EXPERIMENT)

    def train(self, name: str) -> tuple[Run, list[int], list[int]]:
        """The run; and of each step how many steps the sampler's policy had learnt from, and the reference's."""
        experiment, step = config.load(self.path), loop.Training.step
        learnt: list[str] = []
        sampled: list[int] = []
        compared: list[int] = []

        def spy(training: loop.Training) -> Any:
            learnt.append(weights(training.policies.learner))
            record = step(training)
            assert training.policies.reference
            compared.append(learnt.index(weights(training.policies.reference)))
            return record

        def generated(sampler: LanguageModel, trial: Trial, prompts: Sequence[Any]) -> Any:
            sampled.append(learnt.index(weights(sampler)))
            return generate(sampler, trial, prompts)

        with self.patch.context() as patched:
            patched.setattr(loop.Training, "step", spy)
            patched.setattr(loop, "generate", generated)
            trial, problems = Trial(experiment, experiment.arm(name), 0), registry.training_set("mini_rl").problems
            run = self.tiny.train(trial, model=SHIPPED["quickstart-base"], problems=problems)
        assert len(set(learnt)) == STEPS, "every step learnt something"
        return run, sampled, compared


@pytest.fixture
def ages(tmp_path: Path, tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> Ages:
    return Ages(tmp_path / "age.yaml", tiny, monkeypatch)


def weights(model: LanguageModel) -> str:
    return sha256(b"".join(one.detach().numpy().tobytes() for one in model.net.parameters())).hexdigest()


def distances(run: Run) -> list[float]:
    """Of each step: mean square of the sequence log-ratio of the learner to the sampler, before the step's update."""
    return [record.metrics["sequence/log_ratio_square"] or 0.0 for record in run.watcher.records]


def test_its_rollouts_are_up_to_nine_steps_old_and_the_reference_is_the_policy_that_sampled(ages: Ages) -> None:
    run, sampled, compared = ages.train("semi_online_dpo")
    assert sampled == compared == [0] * 10 + [10] * 10 + [20] * 3
    far = distances(run)
    assert len(far) == STEPS and max(far[0::10]) < 1e-9, "steps 1, 11, 21 are on-policy"
    assert min(value for step, value in enumerate(far) if step % 10) > 1e-6, "and no other is"
    assert far[9] > far[1] and far[19] > far[11], "the older, the further"


def test_online_dpos_are_always_of_the_newest_policy(ages: Ages) -> None:
    run, sampled, compared = ages.train("online_dpo")
    assert sampled == list(range(STEPS)) and compared == [0] * 10 + [10] * 10 + [20] * 3
    assert max(distances(run)) < 1e-9
