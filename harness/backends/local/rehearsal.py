"""The largest micro-batch that a trial may compute, computed before its first step: does it fit, and if not, what does.

Nothing of the trial changes: the gradient is thrown away and no step is made.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from transformers import PreTrainedTokenizerBase

from benchmarks.problems import Problem
from harness.backends.groups import TokenRollouts
from harness.backends.local.memory import PROMPT_TOKENS
from harness.backends.local.update import Learner
from harness.base.errors import UserError
from harness.models.checkpointing import keep_inputs_alone
from harness.prompts.templates import render

GB = 1e9
LOOKED_AT = 32
"""prompts that are rendered to find the longest: those of the longest texts"""


@dataclass(frozen=True)
class Rehearsal:
    """What was computed, and what it took."""

    tokens: int
    """padded, prompts and responses"""
    rows: int
    peak: int
    """bytes of the device at most, everything counted; 0 on the CPU, where torch does not count them"""
    seconds: float


def longest_prompt(problems: Iterable[Problem], tokenizer: PreTrainedTokenizerBase, template: str) -> int:
    """Tokens of the longest, looked for among the longest texts; a guess where there are none."""
    longest = sorted(problems, key=lambda problem: -len(problem.question))[:LOOKED_AT]
    return max((len(render(tokenizer, problem, template)) for problem in longest), default=PROMPT_TOKENS)


def rehearse_or_recompute(learner: Learner, prompt_tokens: int, recompute: bool | None) -> Rehearsal:
    """Where there is no room, and the settings leave it open, layers are computed again in the backward pass from here
    on, which on a GPU changes no number.

    Args:
        recompute: `local.gradient_checkpointing`.
    Raises: UserError, as `rehearse`.
    """
    try:
        return rehearse(learner, prompt_tokens)
    except UserError:
        if recompute is not None or not keep_inputs_alone(learner.model.net):
            raise
    return rehearse(learner, prompt_tokens)


def rehearse(learner: Learner, prompt_tokens: int) -> Rehearsal:
    """
    Args:
        prompt_tokens: of the longest prompt.
    Raises: UserError if it does not fit, with the micro-batch in tokens and the setting that would fit, by trial.
    """
    recipe = learner.recipe
    group = recipe.group_size * (prompt_tokens + recipe.max_tokens)
    groups = max(1, min(recipe.prompts_per_step, recipe.microbatch_tokens // group))
    try:
        return _computed(learner, groups, prompt_tokens)
    except torch.OutOfMemoryError as error:
        refused = f"{str(error).partition('. ')[0]}"
    fits = groups // 2
    while fits:
        try:
            _computed(learner, fits, prompt_tokens)
            break
        except torch.OutOfMemoryError:
            fits //= 2
    raise _too_large(learner, groups * group, prompt_tokens + recipe.max_tokens, fits * group, refused)


@contextmanager
def room_for(what: str, learner: Learner) -> Iterator[None]:
    """
    Args:
        what: is done, as the beginning of the message.
    Raises: UserError if the device runs out of memory.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        why, recipe = str(error).partition(". ")[0], learner.recipe
        # Not the rehearsed micro-batch but what a sampler's cache or the pieces of free memory left to it.
        raise UserError(
            f"{what}: out of memory. {why}.\n`recipe.microbatch_tokens={max(1, recipe.microbatch_tokens // 2)}` halves "
            f"a micro-batch; `local.gradient_checkpointing=true` keeps less of each layer."
        ) from error


def _too_large(learner: Learner, tokens: int, longest: int, fits: int, why: str) -> UserError:
    recipe, ways = learner.recipe, []
    if fits:
        ways.append(f"`recipe.microbatch_tokens={fits}` fits, as was tried")
    if not learner.model.checkpointing:
        ways.append("`local.gradient_checkpointing=true` keeps less of each layer")
    if not fits:
        ways.append("a smaller `recipe.max_tokens` or `recipe.group_size`: a group is never cut")
        if learner.model.compute.dtype == "fp32":
            ways.append("`local.dtype=bf16` halves what a token takes")
    return UserError(
        f"out of memory at the largest micro-batch: {tokens:,} tokens ({tokens // longest} responses of {longest:,} "
        f"with their prompts; `recipe.microbatch_tokens` is {recipe.microbatch_tokens:,}). {why}.\n{'; '.join(ways)}."
    )


def _computed(learner: Learner, groups: int, prompt_tokens: int) -> Rehearsal:
    """Raises: torch.OutOfMemoryError, with everything that was made gone."""
    device, began = learner.model.device, time.perf_counter()
    batch = _batch(learner, groups, prompt_tokens)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    # What AdamW will have made in its first step.
    moments: list[torch.Tensor] = []
    state = learner.state
    try:
        if not learner.optimizer.state:
            moments = [torch.empty_like(one) for one in learner.model.learnt() for _ in range(2)]
        learner.backward(batch, 0.0)
        peak = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0
    finally:
        moments.clear()
        learner.state = state
        learner.optimizer.zero_grad()
        learner.model.net.zero_grad()
        if device.type == "cuda":
            torch.cuda.empty_cache()
    return Rehearsal(
        groups * learner.recipe.group_size * (prompt_tokens + learner.recipe.max_tokens),
        len(batch),
        peak,
        time.perf_counter() - began,
    )


def _batch(learner: Learner, groups: int, prompt_tokens: int) -> TokenRollouts:
    """Random tokens, every prompt and response at its longest; half of a group is right."""
    recipe, net = learner.recipe, learner.model.net
    rows, size, tokens = groups * recipe.group_size, recipe.max_tokens, net.config.get_text_config().vocab_size
    generator = torch.Generator().manual_seed(0)
    names = tuple(f"rehearsal {number}" for number in range(groups))
    label_B = torch.arange(rows) % 2 == 0
    logp_BT = torch.full((rows, size), -1.0)
    batch = TokenRollouts(
        group_B=torch.arange(rows) // recipe.group_size,
        label_B=label_B,
        reward_B=label_B.float(),
        truncated_B=torch.zeros(rows, dtype=torch.bool),
        mask_BT=torch.ones(rows, size, dtype=torch.bool),
        old_logp_BT=logp_BT,
        problem_ids=names,
        max_tokens=size,
        ref_logp_BT=logp_BT if learner.algorithm.reference else None,
        tokens_BT=torch.randint(tokens, (rows, size), generator=generator),
        prompts={name: tuple(torch.randint(tokens, (prompt_tokens,), generator=generator).tolist()) for name in names},
        correct_B=label_B,
    )
    batch = replace(batch, reward_B=learner.algorithm.shape(batch))
    credit = learner.algorithm.credit(batch, lambda _: torch.Generator().manual_seed(0))
    return replace(batch, credit=credit).to(learner.model.device)
