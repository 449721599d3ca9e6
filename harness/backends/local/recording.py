"""Keeping a step's rollouts as they were learnt from (`record_steps`), for `rence diff`. Training does not change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.backends.collect import Collected
from harness.backends.groups import as_batch
from harness.backends.local.logprobs import fixed_logp
from harness.backends.local.policies import Policies
from harness.backends.recorded import Origin, Recorded, write
from harness.config.experiment import Trial
from harness.models.language_model import load
from harness.models.resolving import model_hash
from harness.records import TrialFolder
from harness.records.environment import environment


def record(
    folder: TrialFolder,
    trial: Trial,
    start: Path,
    policies: Policies,
    collected: Collected,
    step: int,
    progress: float,
) -> bool:
    """Write what a step generated, with the learner's weights of this moment. False if no rollout could be marked.

    Args:
        start: folder of the model that training started from.
        progress: share of the budget that has been generated.
    """
    # A batch cannot be made of nothing: its width is that of the longest marked response.
    groups = [group for group in collected.generated if group.marked]
    if not groups:
        return False
    recipe, arm = trial.arm.recipe, trial.arm
    batch = as_batch(groups, recipe.max_tokens)
    limit, temperature = recipe.microbatch_tokens, recipe.temperature
    reference, kind = policies.reference, policies.reference_kind
    # A reference of the kind `init` is the initial model. Otherwise nobody holds it here, and it is read again; a copy
    # has no gradients.
    initial = reference if reference and kind == "init" else load(start).copy()
    synced = fixed_logp(reference, batch, temperature, limit) if reference and kind == "synced" else None
    origin = Origin(
        experiment=trial.experiment.name,
        arm=arm.name,
        algorithm=arm.algorithm_name,
        seed=trial.seed,
        step=step,
        progress=progress,
        temperature=temperature,
        max_tokens=recipe.max_tokens,
        start_hash=model_hash(start),
        environment=environment(),
    )
    # In the order of the rows of the batch, which has the marked rollouts alone.
    marks = tuple(rollout.mark for group in groups for rollout in group.marked)
    recorded = Recorded(origin, batch, marks, fixed_logp(initial, batch, temperature, limit), synced)
    write(folder.rollouts(step), recorded, policies.learner.save)
    return True


def missed(folder: TrialFolder, trial: Trial, step: int, *, ended: bool) -> Iterator[str]:
    """Warnings about steps that were to be recorded and cannot be any more.

    Args:
        step: steps that are done.
        ended: whether there will be no others.
    """
    for wanted in sorted(trial.experiment.record_steps):
        if wanted > step and ended:
            yield f"{trial.name}: `record_steps` names step {wanted}, but training ended after step {step}."
        elif wanted <= step and not ended and not folder.rollouts(wanted).exists():
            yield (
                f"{trial.name}: step {wanted} is not recorded: it was learnt from before `record_steps` named it. "
                "`--clean` starts the run over."
            )
