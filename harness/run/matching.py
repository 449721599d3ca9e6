"""What makes trials comparable, and how a trial's header proves it: one prompt order a seed, one set of weights."""

from __future__ import annotations

from benchmarks.problems import hash_of
from harness.base.errors import UserError
from harness.base.fingerprint import fingerprint
from harness.base.registry import ALGORITHM_PLUGINS, BACKENDS, BENCHMARK_PLUGINS
from harness.config import rewards
from harness.config.experiment import Experiment
from harness.prompts.stream import PromptStream
from harness.records import DataRecord, Plan, RunFolder, TrialRecord
from harness.records.differences import differences
from harness.records.environment import environment
from harness.records.seals import file_hash


def stream(experiment: Experiment, seed: int) -> PromptStream:
    """The prompts of a seed, the same for all arms."""
    return PromptStream(experiment.training_set.problems, seed)


def header(experiment: Experiment, run: RunFolder, arm: str, seed: int) -> TrialRecord:
    """`trial.json` of one arm with one seed.

    Args:
        run: whose plan and data are written.
    """
    plan = Plan.read(run.plan)
    identity = {
        "arm_fingerprint": experiment.arm(arm).fingerprint,
        "data_order": stream(experiment, seed).order_hash,
        "initial_weights": plan.model_hash,
        "budget_rollouts": experiment.budget_rollouts,
        "backend": experiment.backend,
    }
    return TrialRecord(
        experiment=experiment.name,
        arm=arm,
        seed=seed,
        fingerprint=fingerprint(seed=seed, grid=experiment.grid_rollouts, template=experiment.template, **identity),
        environment={**environment(), **_plugins(experiment, arm)},
        plan=file_hash(run.plan),
        data=file_hash(run.data),
        reward=rewards.words(experiment.arm(arm).recipe),
        **identity,
    )


def _plugins(experiment: Experiment, arm: str) -> dict[str, str]:
    """Package -> version, of those that a trial takes its algorithm, its backend or its problems from; and of what the
    backend's package asks for, such as the trainer that it wraps."""
    evaluation = experiment.evaluation
    used = [
        (ALGORITHM_PLUGINS, experiment.arm(arm).algorithm_name),
        (BACKENDS.plugins, experiment.backend),
        *((BENCHMARK_PLUGINS, name) for name in (experiment.train, *evaluation.benchmarks, *evaluation.curve)),
    ]
    offers = [plugins.versions(name) for plugins, name in used if name in plugins.names()]
    wraps = BACKENDS.plugins.requirements(experiment.backend)
    return {package: version for found in (wraps, *offers) for package, version in found.items()}


def claim_data(run: RunFolder, experiment: Experiment) -> None:
    """Write `data.json`, the training set and what was left out of it, or check that it is the same.

    Raises: UserError with the differences.
    """
    train = experiment.training_set
    now = DataRecord(train.name, len(train.problems), hash_of(train.problems), dict(train.removed), dict(train.kept))
    if not run.data.exists():
        now.write(run.data)
    elif found := list(differences(DataRecord.read(run.data).to_json(), now.to_json())):
        raise UserError(
            f"{run.data} is of other training problems: {'; '.join(found)}.\n"
            "Give the changed experiment another `name`, or start over with `--clean`."
        )


def claim(run: RunFolder, expected: TrialRecord) -> None:
    """Write a trial's header, or check that the trial that was begun here is the same.

    Raises: UserError with the differences.
    """
    path = run.trial(expected.arm, expected.seed).trial
    if not path.exists():
        expected.write(path)
        return
    there, now = TrialRecord.read(path), expected
    if there.fingerprint == now.fingerprint:
        return
    found = [line for line in differences(there.to_json(), now.to_json()) if not line.startswith("environment")]
    raise UserError(
        f"{path.parent} holds another trial under the same name: {'; '.join(found)}.\n"
        "Give the changed experiment another `name`, or start over with `--clean`."
    )
