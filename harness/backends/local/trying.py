"""The largest micro-batch of an experiment, and a few tokens sampled, tried here for `rence doctor --gpu`."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from harness.backends.local.memory import phases, settled
from harness.backends.local.policies import Policies
from harness.backends.local.rehearsal import GB, longest_prompt, rehearse_or_recompute
from harness.backends.local.settings import settings_of
from harness.backends.local.update import Learner, make_optimizer
from harness.backends.predicted import Workload
from harness.base.errors import UserError
from harness.base.findings import Finding, FindingState
from harness.config.experiment import Arm, Experiment
from harness.engines.base import Request, Sampling, check_room
from harness.engines.sampler import sample
from harness.models import resolving
from harness.models.language_model import load
from harness.models.shape import read
from harness.prompts.templates import render

SAMPLED = 16
"""tokens of a response"""
PART, SAMPLER = "largest micro-batch", "sampler"


def tried(experiment: Experiment) -> Iterator[Finding]:
    """Nothing is written. Of several arms the one with the largest micro-batches is tried."""
    folder = resolving.find(experiment.model)
    if folder is None:
        mend = f"have {experiment.model} here first: `rence run` fetches it"
        yield Finding(PART, FindingState.NOT_CHECKED, f"the model {experiment.model} is not there", mend)
        return
    settings, arm = settings_of(experiment), max(experiment.arms, key=_size)
    recipe, algorithm = arm.recipe, arm.algorithm
    try:
        model = load(folder, settings.compute, to_train=True, lora=recipe.lora)
    except UserError as error:
        yield _refused(PART, error)
        return
    # As a trial has them: with the reference and the lagging sampler, which take memory too.
    policies = Policies.start(model, algorithm.reference, recipe.generator_sync_steps, recipe.reference_sync_steps)
    learner = Learner(policies.learner, algorithm, recipe, make_optimizer(policies.learner, recipe))
    problems = experiment.training_preview.problems
    requests = [Request(render(model.tokenizer, p, experiment.template), (0, 1, 2, 3)) for p in problems[:8]]
    few = Sampling(min(SAMPLED, recipe.max_tokens), recipe.temperature)
    try:
        check_room(requests, few, None)
        drawn = sample(policies.sampler.net, requests, few, model.stop)
        finite = bool(drawn.logp_BT.isfinite().all())
        said = f"{len(drawn.length_B)} responses, {int(drawn.length_B.sum())} tokens ({settings.compute.said})"
        state = FindingState.OK if finite else FindingState.LACKS
        yield Finding(SAMPLER, state, said if finite else f"{said}: log-probs are not finite")
        longest = longest_prompt(problems, model.tokenizer, experiment.template)
        done = rehearse_or_recompute(learner, longest, settings.gradient_checkpointing)
    except (UserError, torch.OutOfMemoryError) as error:
        yield _refused(PART, error)
        return
    again = ", layers computed again" if model.checkpointing else ""
    said = f"{done.tokens:,} tokens, {done.rows} responses ({arm.name}{again}): room enough, {done.seconds:.1f} s"
    yield Finding(PART, FindingState.OK, said + _peak(experiment, arm, done.peak))


def _size(arm: Arm) -> tuple[int, int, bool]:
    recipe = arm.recipe
    return recipe.microbatch_tokens, recipe.group_size * recipe.max_tokens, arm.algorithm.reference is not None


def _peak(experiment: Experiment, arm: Arm, peak: int) -> str:
    """What it took of the card, beside what the plan says."""
    if not peak:
        return ""
    total = torch.cuda.get_device_properties().total_memory
    shape = read(resolving.resolve(experiment.model))
    planned = ""
    if shape:
        work = Workload(shape, shape.parameters, (), ())
        update = next(one for one in phases(settled(experiment, work, total)) if one.name == "update")
        planned = f"; planned {update.bytes / GB:.1f} GB"
    return f", at most {peak / GB:.1f} of {total / GB:.1f} GB{planned}"


def _refused(part: str, error: Exception) -> Finding:
    found, _, mend = str(error).partition("\n")
    return Finding(part, FindingState.LACKS, found, mend)
