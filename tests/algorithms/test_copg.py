from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from algorithms.objectives.copg import CoPG
from algorithms.objectives.grpo import GRPO
from algorithms.rollouts import Totals
from tests.closeness import assert_close

LABELS = [1, 1, 1, 0, 0, 0, 0, 0]
K = 8


def scores(toy, theta, ref):
    return ((toy.logp(theta) - toy.logp(ref)) * toy.mask_BT).sum(1)


def test_a_pair_worked_out_by_hand(rows):
    # rewards 1 and 0, log-ratios 2 and -1, beta 0.1: R_{beta/2} 0.9 and 0.05, and
    # -(0.9 - 0.05) (2 + 1) / 2 = -1.275; the regression: ((1 - 0.1 × 3)^2 - 1) / (2 × 0.1) / 2 = -1.275
    batch = rows([0, 0], [1, 0], [1, 1])
    batch = replace(batch, ref_logp_BT=batch.old_logp_BT)
    logp_BT = batch.old_logp_BT + torch.tensor([[2.0], [-1.0]], dtype=torch.float64)
    loss = CoPG().loss(batch, logp_BT, Totals.of(batch))
    assert loss.value.item() == pytest.approx(-1.275)
    # beta × (2 + 1) for both
    assert loss.metrics["copg/pull"].value == pytest.approx(0.3)


def test_it_is_the_mean_over_pairs_of_a_squared_difference(toy):
    one = toy([LABELS])
    theta, ref = one.moved(0.5), one.moved(0.5)
    s, r, beta = scores(one, theta, ref), one.label_B.double(), 0.3
    squares = ((r[:, None] - r) - beta * (s[:, None] - s)).square() - (r[:, None] - r).square()
    pairs = (squares.sum() / 2) / (K * (K - 1) / 2) / (2 * beta)
    loss, _ = one.learn(CoPG(beta=beta), theta, one.batch(ref=ref))
    assert loss.value.item() == pytest.approx(pairs.item() / 2)


def test_on_policy_it_is_rloo_of_the_regularised_reward(toy):
    """Its gradient sees twice the beta of its value: R_beta, not R_{beta/2}."""
    one = toy([LABELS, [1, 0, 0]])
    ref, beta = one.moved(0.5), 0.3
    regularised_B = one.label_B.double() - beta * scores(one, one.theta, ref)
    batch = one.batch(ref=ref)
    rloo = GRPO(scale="none", baseline="leave_one_out", kl_coef=0, aggregation="seq_mean_token_sum")
    advantage_B = rloo.credit(replace(batch, reward_B=regularised_B), None)["advantage"]
    _, found = one.learn(CoPG(beta=beta), one.theta, batch)
    assert_close(found, one.reinforce(advantage_B / (K + 3)), within=1e-9)
    # and where the reference is the sampler, RLOO
    _, plain = one.learn(rloo, one.theta)
    assert_close(one.learn(CoPG(beta=beta), one.theta)[1], plain, within=1e-9)


def test_the_optimum_of_the_regularised_objective_is_its_minimum(toy):
    """pi = pi_ref e^(r/beta) / Z: every regularised reward is beta log Z, whoever sampled, and nothing is learnt."""
    one = toy([LABELS])
    theta, sampler, beta = one.moved(0.5), one.moved(0.5), 0.5
    shift_BT = one.label_B.double()[:, None] / beta / one.length_B[:, None]
    batch = one.batch(old_logp_BT=one.logp(sampler), ref_logp_BT=one.logp(theta) - shift_BT)
    _, found = one.learn(CoPG(beta=beta), theta, batch)
    assert found.abs().max() < 1e-12


@pytest.mark.parametrize("label", [0, 1])
def test_equal_labels_pull_log_ratios_together_and_a_rollout_alone_teaches_nothing(toy, label):
    one = toy([[label] * 4])
    assert one.learn(CoPG(), one.theta)[1].abs().max() == 0
    ref = one.moved(0.5)
    _, found = one.learn(CoPG(beta=0.3), one.theta, one.batch(ref=ref))
    s = scores(one, one.theta, ref)
    assert_close(found, one.reinforce(-0.3 * (s - s.mean()) / 3), within=1e-9)
    alone = toy([[label]])
    loss, gradient = alone.learn(CoPG(), alone.moved(0.5))
    assert loss.value.item() == 0 and not gradient.any()
