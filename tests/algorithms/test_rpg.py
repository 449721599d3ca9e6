from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from algorithms.example import keyed
from algorithms.objectives.grpo import GRPO
from algorithms.objectives.rpg import RPG
from algorithms.rollouts import Totals
from tests.closeness import assert_close

LABELS = [1, 1, 1, 0, 0, 0, 0, 0]
DIVERGENCES = ("fkl", "ufkl", "rkl", "urkl")
UNCLIPPED = {"clip_low": 1.0, "clip_high": 1e9, "clip_dual": None}


def prepared(algorithm, batch):
    batch = replace(batch, reward_B=algorithm.shape(batch))
    return replace(batch, credit=algorithm.credit(batch, keyed))


@pytest.mark.parametrize("divergence", DIVERGENCES)
@pytest.mark.parametrize("style", ["reinforce", "differentiable"])
def test_the_gradient_is_that_of_the_regularised_objective_off_policy(rows, divergence, style):
    """Every token of a vocabulary as a rollout, weighed by the sampler: the expectation is exact."""
    random = torch.Generator().manual_seed(0)
    theta, old_V = ((0.7 * torch.randn(5, generator=random, dtype=torch.float64)) for _ in range(2))
    old_V = old_V.log_softmax(0)
    beta = 0.7
    batch = rows([0] * 5, [1, 0, 0, 1, 0], [1] * 5, old_logp_BT=old_V[:, None], weight_BT=5 * old_V.exp()[:, None])
    algorithm = RPG(divergence=divergence, style=style, divergence_coef=beta, **UNCLIPPED)
    leaf = theta.clone().requires_grad_()
    ready = prepared(algorithm, batch)
    loss = algorithm.loss(ready, leaf.log_softmax(0)[:, None], Totals.of(batch))
    (found,) = torch.autograd.grad(loss.value, leaf)

    leaf = theta.clone().requires_grad_()
    logp_V = leaf.log_softmax(0)
    forward, reverse = (old_V.exp() * (old_V - logp_V)).sum(), (logp_V.exp() * (logp_V - old_V)).sum()
    objective = (logp_V.exp() * ready.reward_B).sum() - beta * (forward if "fkl" in divergence else reverse)
    (expected,) = torch.autograd.grad(-objective, leaf)
    assert_close(found, expected, within=1e-12)


@pytest.mark.parametrize("divergence", DIVERGENCES)
def test_both_surrogates_have_one_gradient_where_nothing_is_clipped(toy, divergence):
    one = toy([LABELS, [1, 0, 0]])
    theta = one.moved(0.5)
    reinforce, differentiable = (
        one.learn(RPG(divergence=divergence, style=style, divergence_coef=0.3, **UNCLIPPED), theta)
        for style in ("reinforce", "differentiable")
    )
    assert_close(reinforce[1], differentiable[1], within=1e-12)
    # their values differ: the KL of one is a weight of the gradient, of the other a term
    assert abs(reinforce[0].value.item() - differentiable[0].value.item()) > 1e-3


@pytest.mark.parametrize("divergence", DIVERGENCES)
def test_on_policy_it_is_reinforce_with_centred_rewards(toy, divergence):
    """A = r - mean r, for rewards of ±1 twice the centred label; without the correction for mass it is beta off."""
    one = toy([LABELS])
    beta = 0.3
    shift = {"fkl": beta, "rkl": -beta}.get(divergence, 0.0)
    advantage_B = 2 * (one.label_B.double() - 3 / 8) + shift
    for style in ("reinforce", "differentiable"):
        loss, found = one.learn(RPG(divergence=divergence, style=style, divergence_coef=beta), one.theta)
        assert_close(found, one.reinforce(advantage_B / one.length_B.sum()), within=1e-9)
        assert loss.metrics["rpg/pull"].value == pytest.approx(abs(shift))
    if not shift:
        dr_grpo = GRPO(scale="none", kl_coef=0, aggregation="token_mean")
        assert_close(found, 2 * one.learn(dr_grpo, one.theta)[1], within=1e-9)


def test_without_kl_it_is_the_clipped_surrogate_of_centred_rewards(toy):
    one = toy([LABELS])
    theta = one.moved(0.5)
    clip = {"clip_low": 0.1, "clip_high": 0.28, "clip_dual": 3.0}
    grpo = GRPO(scale="none", kl_coef=0, aggregation="token_mean", **clip)
    batch = one.batch()
    signed = replace(batch, reward_B=2 * batch.reward_B - 1)
    for style in ("reinforce", "differentiable"):
        loss, found = one.learn(RPG(divergence_coef=0, style=style, **clip), theta)
        expected, gradient = one.learn(grpo, theta, signed)
        assert_close(loss.value, expected.value, within=1e-9)
        assert_close(found, gradient, within=1e-9)


@pytest.fixture
def ratios(rows):
    """Four correct and four incorrect rollouts of one token each, with ratios to the sampler of 0.5, 1, 2 and 12."""
    batch = rows([0] * 8, [1] * 4 + [0] * 4, [1] * 8)
    return batch, batch.old_logp_BT + torch.tensor([0.5, 1, 2, 12] * 2, dtype=torch.float64).log()[:, None]


@pytest.mark.parametrize("style", ["reinforce", "differentiable"])
def test_what_is_clipped(ratios, style):
    """A = 1 and -1. Held: above 1.28 for the correct, below 0.8 and above 10 for the incorrect."""
    batch, logp_BT = ratios
    beta = 0.1
    algorithm = RPG(style=style, divergence_coef=beta)
    leaf_BT = logp_BT.clone().requires_grad_()
    loss = algorithm.loss(prepared(algorithm, batch), leaf_BT, Totals.of(batch))
    loss.value.backward()
    w = [0.5, 1.0, 2.0, 12.0]
    # -w (A - beta log w), log w between log 0.8 and log 1.28; the KL of `differentiable` is not clipped: + beta w log w
    if style == "reinforce":
        correct = [-0.5 * (1 - beta * math.log(0.8)), -1, 0, 0]
        incorrect = [0, 1, -2 * (-1 - beta * math.log(1.28)), 0]
    else:
        correct = [-0.5 + beta * 0.5 * math.log(0.5), -1] + [beta * x * math.log(x) for x in w[2:]]
        incorrect = [beta * 0.5 * math.log(0.5), 1, 2 + beta * 2 * math.log(2), beta * 12 * math.log(12)]
    assert (8 * leaf_BT.grad[:, 0]).tolist() == pytest.approx([*correct, *incorrect])
    # two of the correct and one of the incorrect by the clip, one by the dual clip
    assert loss.metrics["actor/pg_clipfrac"].total == 3 and loss.metrics["actor/pg_clipfrac_lower"].total == 1
    pull = [beta * abs(math.log(x)) for x in (0.8, 1, 1.28, 1.28)]
    assert loss.metrics["rpg/pull"].value == pytest.approx(sum(pull) / 4)


def test_the_data_path_is_dapos(rows):
    batch = rows([0, 0, 1, 1], [1, 0, 1, 1], [10, 2, 3, 3])
    assert RPG().keep(batch).tolist() == [True, False] and RPG().refill
    # the cache is 2.5 of 10 tokens
    assert RPG().shape(batch).tolist() == [0, -1, 1, 1]
    assert RPG(overlong_factor=0).shape(batch).tolist() == [1, -1, 1, 1]
