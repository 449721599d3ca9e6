"""Responses to prompts of the stream, marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchmarks.marking import mark_all as mark_texts
from benchmarks.marks import Response
from benchmarks.problems import Problem
from benchmarks.rewards import Rated
from harness.backends.groups import Group, Rollout
from harness.backends.own_rewards import rewarded
from harness.config.experiment import Trial
from harness.engines.base import Request, Sampling, require_finite
from harness.engines.sampler import Samples, sample
from harness.models.language_model import LanguageModel
from harness.prompts.stream import Prompt
from harness.prompts.templates import render
from harness.records import Mark


def generate(model: LanguageModel, trial: Trial, prompts: Sequence[Prompt]) -> list[Group]:
    """The rollouts of each prompt.

    Raises: NotFinite; UserError if a reward of the user's own cannot be called.
    """
    recipe = trial.arm.recipe
    tokens = [render(model.tokenizer, prompt.problem, trial.experiment.template) for prompt in prompts]
    requests = [
        Request(ids, tuple(prompt.sample_seed(trial.seed, k) for k in range(recipe.group_size)))
        for ids, prompt in zip(tokens, prompts, strict=True)
    ]
    samples = sample(model.net, requests, Sampling(recipe.max_tokens, recipe.temperature), model.stop)
    require_finite("local", samples.logp_BT.sum(1).tolist())
    problems = [prompt.problem for prompt in prompts for _ in range(recipe.group_size)]
    texts = model.decode(samples.tokens_BT, samples.length_B)
    given = rewarded(recipe, [Rated(text, problem) for text, problem in zip(texts, problems, strict=True)])
    marked = mark_all(samples, texts, problems)
    rollouts = [replace(rollout, given=own) for rollout, own in zip(marked, given, strict=True)]
    size = recipe.group_size
    return [Group(p, tokens[g], tuple(rollouts[g * size : (g + 1) * size])) for g, p in enumerate(prompts)]


def mark_all(samples: Samples, texts: Sequence[str], problems: Sequence[Problem]) -> list[Rollout]:
    """Each response with its mark."""
    ends = list(zip(texts, problems, samples.stopped_B.tolist(), strict=True))
    marked = mark_texts(Response(text, problem.gold, problem.rule, not stopped) for text, problem, stopped in ends)
    lengths = samples.length_B.tolist()
    return [
        Rollout(
            samples.tokens_BT[row, :length],
            samples.logp_BT[row, :length],
            not stopped,
            Mark(one.mark),
            one.answer or None,
        )
        for row, (length, (_, _, stopped), one) in enumerate(zip(lengths, ends, marked, strict=True))
    ]
