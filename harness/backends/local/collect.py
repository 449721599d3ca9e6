"""One step's rollouts: prompts from the stream, responses from the sampler, marks, the algorithm's filter, refill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from algorithms.base import Algorithm
from benchmarks.marking import mark
from harness.backends.local.batch import Group, Rollout, as_batch
from harness.backends.local.diverged import Diverged
from harness.backends.local.model import LanguageModel
from harness.backends.local.sampler import Samples, sample
from harness.engines.base import Request, Sampling
from harness.experiment import Trial
from harness.prompts import render
from harness.records import Mark
from harness.stream import Prompt, PromptStream


@dataclass(frozen=True)
class Collected:
    """What a step generated and what of it may be learnt from."""

    groups: list[Group]
    """to be learnt from, at most `prompts_per_step`"""
    generated: list[Group]
    """all of them, in the order of the stream"""
    dropped: int
    """groups that the filter dropped, and groups in which no rollout could be marked"""

    @property
    def surplus(self) -> int:
        """Groups that passed the filter and were not needed."""
        return len(self.generated) - len(self.groups) - self.dropped

    @property
    def rollouts(self) -> int:
        return sum(len(group.rollouts) for group in self.generated)

    @property
    def tokens(self) -> int:
        return sum(len(rollout.tokens) for group in self.generated for rollout in group.rollouts)

    @property
    def discarded(self) -> int:
        """Rollouts that were generated and are not learnt from."""
        return self.rollouts - sum(len(group.marked) for group in self.groups)

    @property
    def marks(self) -> Counter[Mark]:
        return Counter(rollout.mark for group in self.generated for rollout in group.rollouts)


def collect(
    model: LanguageModel, trial: Trial, stream: PromptStream, cursor: int, warn: Callable[[str], None]
) -> Collected:
    """Generate `prompts_per_step` groups; where the algorithm asks for refill, again until as many are kept.

    Past `refill_batches` the step learns from fewer groups, with a warning. Surplus groups are discarded: a later
    step would learn from them with an older policy's samples.

    Raises: Diverged if the sampler's log-probs are not finite.
    """
    recipe, algorithm = trial.arm.recipe, trial.arm.algorithm
    wanted = recipe.prompts_per_step
    generated: list[Group] = []
    kept: list[Group] = []
    for _ in range(recipe.refill_batches):
        fresh = generate(model, trial, stream.take(cursor + len(generated), wanted))
        generated.extend(fresh)
        kept.extend(passing(algorithm, fresh, recipe.max_tokens))
        if len(kept) >= wanted or not algorithm.refill:
            break
    else:
        warn(
            f"{trial.name}: {len(kept)} of {wanted} groups passed the filter in {recipe.refill_batches} generation "
            "batches; this step learns from those (`refill_batches` raises the cap)."
        )
    return Collected(kept[:wanted], generated, dropped=len(generated) - len(kept))


def passing(algorithm: Algorithm, groups: Sequence[Group], max_tokens: int) -> list[Group]:
    """The groups that may be learnt from: they hold a marked rollout, and the algorithm's filter keeps them."""
    marked = [group for group in groups if group.marked]
    if not marked:
        return []
    keep_G = algorithm.keep(as_batch(marked, max_tokens))
    return [group for group, keep in zip(marked, keep_G.tolist(), strict=True) if keep]


def generate(model: LanguageModel, trial: Trial, prompts: Sequence[Prompt]) -> list[Group]:
    """The rollouts of each prompt, marked."""
    recipe = trial.arm.recipe
    tokens = [render(model.tokenizer, prompt.problem.question, trial.experiment.template) for prompt in prompts]
    requests = [
        Request(ids, tuple(prompt.sample_seed(trial.seed, k) for k in range(recipe.group_size)))
        for ids, prompt in zip(tokens, prompts, strict=True)
    ]
    samples = sample(model.net, requests, Sampling(recipe.max_tokens, recipe.temperature), model.stop)
    if not samples.logp_BT.isfinite().all():
        raise Diverged("the sampler's log-probs are not finite")
    golds = [prompt.problem.gold for prompt in prompts for _ in range(recipe.group_size)]
    rollouts = mark_all(samples, model.decode(samples.tokens_BT, samples.length_B), golds)
    size = recipe.group_size
    return [Group(p, tokens[g], tuple(rollouts[g * size : (g + 1) * size])) for g, p in enumerate(prompts)]


def mark_all(samples: Samples, texts: Sequence[str], golds: Sequence[str]) -> list[Rollout]:
    """Each response with its mark."""
    rollouts = []
    ends = zip(samples.length_B.tolist(), samples.stopped_B.tolist(), strict=True)
    for row, (length, stopped) in enumerate(ends):
        found = Mark(mark(texts[row], golds[row], truncated=not stopped).mark)
        tokens, logp = samples.tokens_BT[row, :length], samples.logp_BT[row, :length]
        rollouts.append(Rollout(tokens, logp, not stopped, found))
    return rollouts
