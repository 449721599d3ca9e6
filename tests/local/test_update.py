"""Optimiser steps: cutting a mini-batch changes nothing, several updates a batch, warm-up, the guard."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from algorithms.base import Algorithm
from algorithms.registry import ALL
from algorithms.rollouts import Loss, Rollouts, Totals
from benchmarks.problems import Problem
from harness.backends.diverged import Diverged
from harness.backends.groups import Group, Rollout, TokenRollouts, as_batch
from harness.backends.local.update import Learner, make_optimizer
from harness.config.training_recipe import Recipe
from harness.engines.base import Request, Sampling
from harness.engines.sampler import sample
from harness.models.language_model import LanguageModel
from harness.prompts.stream import Prompt
from harness.records import Mark
from tests.closeness import assert_close

PROMPTS = [(2, 5, 3), (2, 4, 4, 4, 9, 3), (7,), (2, 8, 3)]
RECIPE = Recipe(epochs=2, minibatches=2, microbatch_tokens=10**6, learning_rate=1e-3, max_grad_norm=1.0)


def batch_for(algorithm: Algorithm, model: LanguageModel) -> TokenRollouts:
    """Groups of 8 sampled responses, marked by their tokens, with all that an algorithm asks for; the weights have
    moved since, so that ratios are not 1."""
    requests = [Request(prompt, tuple(range(8))) for prompt in PROMPTS]
    drawn = sample(model.net, requests, Sampling(10), model.stop)
    rows = zip(drawn.tokens_BT, drawn.logp_BT, drawn.length_B.tolist(), strict=True)
    rollouts = [
        Rollout(tokens[:n], logp[:n], n == 10, Mark.CORRECT if int(tokens.sum()) % 2 == 0 else Mark.WRONG)
        for tokens, logp, n in rows
    ]
    groups = [
        Group(Prompt(Problem(str(g), ""), 0), prompt, tuple(rollouts[g * 8 : g * 8 + 8]))
        for g, prompt in enumerate(PROMPTS)
    ]
    batch = as_batch(groups, 10)
    assert algorithm.keep(batch).all()
    with torch.no_grad():
        for i, parameter in enumerate(model.net.parameters()):
            noise = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(i))
            parameter.add_(0.02 * noise)
    batch = replace(batch, ref_logp_BT=1.05 * batch.old_logp_BT)
    batch = replace(batch, reward_B=algorithm.shape(batch))
    return replace(batch, credit=algorithm.credit(batch, lambda _: torch.Generator().manual_seed(0)))


def learner(model: LanguageModel, algorithm: Algorithm, **recipe: Any) -> Learner:
    chosen = replace(RECIPE, **recipe)
    return Learner(model, algorithm, chosen, make_optimizer(model, chosen))


@pytest.mark.parametrize("name", ALL)
def test_micro_batches_change_neither_loss_nor_gradient(name: str, model: LanguageModel) -> None:
    algorithm = ALL[name]
    batch = batch_for(algorithm, model)
    found = []
    for tokens in (10**6, 1):  # one micro-batch, one for each group
        model.net.zero_grad()
        value, metrics = learner(model, algorithm, microbatch_tokens=tokens).backward(batch, progress=0.5)
        found.append((value, {k: m.value for k, m in metrics.items()}, [p.grad for p in model.net.parameters()]))
    (value, metrics, gradient), (value_cut, metrics_cut, gradient_cut) = found
    # a loss may be a small difference: of DisCO's mean log-probs, near -3 on either side, it is less than 0.01
    assert_close(value_cut, value, within=1e-5, floor=1.0)
    assert_close(metrics_cut.pop("actor/pg_loss"), metrics.pop("actor/pg_loss"), within=1e-5, floor=1.0)
    assert_close(metrics_cut, metrics, within=3e-5)
    # Rounding is 2e-7 to 5e-7 of the norm for every algorithm. The norm itself is 0.05 to 9, and 44 for DisCO, whose
    # squared hinge multiplies the KL's gradient by 1e3 times the excess of 0.03: so are the errors of its elements.
    assert max(float(g.abs().max()) for g in gradient) > 1e-3
    assert_close(gradient_cut, gradient, within=1e-5)


def test_updates_are_epochs_times_minibatches(model: LanguageModel) -> None:
    trainer = learner(model, ALL["grpo"], epochs=3, minibatches=2)
    logged = trainer.learn(batch_for(trainer.algorithm, model), ("order", 0), progress=0.1)
    assert trainer.updates == logged["actor/grad_norm"].count == logged["actor/lr"].count == 6


def test_fewer_groups_than_minibatches_make_fewer_updates(model: LanguageModel) -> None:
    trainer = learner(model, ALL["grpo"], epochs=1, minibatches=9)
    trainer.learn(batch_for(trainer.algorithm, model), ("order", 0), progress=0.1)
    assert trainer.updates == len(PROMPTS)


def test_every_epoch_sees_every_group_once_in_an_order_of_its_own(model: LanguageModel) -> None:
    seen: list[list[str]] = []

    class Spy(type(ALL["grpo"])):  # type: ignore[misc]
        def loss(self, batch: Rollouts, logp_BT: torch.Tensor, totals: Totals) -> Loss:
            seen.append(list(batch.problem_ids))
            return super().loss(batch, logp_BT, totals)

    trainer = learner(model, Spy(), epochs=2, minibatches=2)
    batch = batch_for(trainer.algorithm, model)
    trainer.learn(batch, ("order", 3), progress=0.1)
    first, second = seen[0] + seen[1], seen[2] + seen[3]
    assert sorted(first) == sorted(second) == sorted(batch.problem_ids)
    assert first != second


def test_warm_up_is_linear_and_starts_above_zero() -> None:
    recipe = Recipe(learning_rate=0.4, warmup_updates=4)
    assert [recipe.rate(n) for n in range(6)] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])
    assert Recipe(learning_rate=0.4).rate(0) == 0.4


def test_the_gradient_is_clipped(model: LanguageModel) -> None:
    trainer = learner(model, ALL["grpo"], max_grad_norm=1e-4, learning_rate=1.0, adam_eps=1.0, epochs=1, minibatches=1)
    batch = batch_for(trainer.algorithm, model)
    before = [p.detach().clone() for p in model.net.parameters()]
    logged = trainer.learn(batch, ("order", 0), progress=0.1)
    assert logged["actor/grad_norm"].value > 1e-3  # logged as it was before clipping
    # Adam's first step is g / (|g| + eps): with eps 1 and a small g it is g, whose norm was clipped to 1e-4
    moved = torch.cat([(p.detach() - b).flatten() for p, b in zip(model.net.parameters(), before, strict=True)])
    # and what eps leaves out of it is |g| of it, 1e-4 at most
    assert_close(moved.norm(), 1e-4, within=3e-4)


@pytest.mark.parametrize("poison", ["loss", "gradient"])
def test_nothing_that_is_not_finite_reaches_the_weights(model: LanguageModel, poison: str) -> None:
    class Poisoned(type(ALL["grpo"])):  # type: ignore[misc]
        def loss(self, batch: Rollouts, logp_BT: torch.Tensor, totals: Totals) -> Loss:
            if poison == "loss":
                return Loss(logp_BT.sum() * float("nan"))
            return Loss(torch.where(batch.mask_BT, (logp_BT - logp_BT.detach()).abs().sqrt(), 0).sum())

    trainer = learner(model, Poisoned())
    batch = batch_for(trainer.algorithm, model)
    before = [p.detach().clone() for p in model.net.parameters()]
    with pytest.raises(Diverged, match="must be finite"):
        trainer.learn(batch, ("order", 0), progress=0.1)
    assert all(torch.equal(p, b) for p, b in zip(model.net.parameters(), before, strict=True))


def test_measuring_on_the_learning_pass_or_before_it_is_the_same(model: LanguageModel) -> None:
    algorithm = ALL["rence"]
    assert algorithm.measures
    batch = batch_for(algorithm, model)
    trainer = learner(model, algorithm)
    whole = [batch.select(torch.arange(4))]
    parts = [batch.select(torch.tensor([g])) for g in range(4)]
    once = trainer._measured(whole, trainer._said(whole[0]))
    assert_close(trainer._measured(parts, None)["kl"], once["kl"], within=2e-6)
    assert abs(once["kl"]) > 1e-4
