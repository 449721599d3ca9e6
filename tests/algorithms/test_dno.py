from __future__ import annotations

from math import exp, log, log1p

import pytest
import torch

from algorithms.example import keyed
from algorithms.objectives.dno import DNO
from algorithms.objectives.online_dpo import OnlineDPO
from tests.closeness import assert_close

LABELS = [1, 1, 1, 0, 0, 0, 0, 0]
K, P, N = 8, 3, 5


def sigma(x):
    return 1 / (1 + exp(-x))


def test_win_rates(rows):
    # of three correct and five incorrect: (5 + 2/2) / 7 and (4/2) / 7, a gap of 4/7 = K / (2K - 2)
    batch = rows([0] * 8 + [1] * 2 + [2], [*LABELS, 0, 0, 1], [1] * 11)
    rates = DNO().credit(batch, keyed)["win_rate"]
    assert rates.tolist() == pytest.approx([6 / 7] * 3 + [2 / 7] * 5 + [1 / 2] * 2 + [0])
    # rewards decide, where they are shaped
    graded = rows([0] * 3, [1, 1, 0], [1] * 3, reward_B=torch.tensor([1.0, 0.5, 0.0]).double())
    assert DNO().credit(graded, keyed)["win_rate"].tolist() == pytest.approx([1, 1 / 2, 0])


def test_a_pair_worked_out_by_hand(toy):
    # win rates 1 and 0, a target of sigma(1)
    one = toy([[1, 0]])
    theta = one.moved(0.5)
    logit = one.learn(OnlineDPO(), theta)[0].metrics["rewards/margins"].value
    loss, _ = one.learn(DNO(), theta)
    expected = sigma(1) * log1p(exp(-logit)) + sigma(-1) * log1p(exp(logit))
    assert loss.value.item() == pytest.approx(expected)
    assert loss.metrics["dpo/saturation"].value == pytest.approx(abs(2 * sigma(logit) - 1))


def test_on_policy_gradient_and_value(toy):
    """sigma(gap) - 1/2 for P N of K (K - 1) / 2 pairs: w = 2 eta (sigma(gap) - 1/2) / (K - 1)."""
    one = toy([LABELS])
    loss, found = one.learn(DNO(), one.theta)
    weight = 2 * 0.1 * (sigma(K / (2 * K - 2)) - 1 / 2) / (K - 1)
    assert_close(found, weight * one.reinforce(one.label_B.double() - P / K), within=1e-9)
    assert loss.value.item() == pytest.approx(log(2))


def test_the_minimum_is_a_step_of_soft_policy_iteration(toy):
    """s_k = w_k up to a constant: pi_theta = pi_t e^(w / eta) / Z."""
    one = toy([LABELS])
    theta, eta = one.moved(0.5), 0.7
    rate_B = DNO().credit(one.batch(), keyed)["win_rate"]
    shift_BT = (rate_B / eta / one.length_B)[:, None]
    _, found = one.learn(DNO(eta=eta), theta, one.batch(ref_logp_BT=one.logp(theta) - shift_BT))
    assert found.abs().max() < 1e-12


@pytest.mark.parametrize("label", [0, 1])
def test_equal_labels_pull_scores_together(toy, label):
    one = toy([[label] * 4, [label]])
    assert bool(DNO().keep(one.batch()).all())
    assert one.learn(DNO(), one.theta)[1].abs().max() < 1e-12
    ref = one.moved(0.5)
    score_B = 0.7 * ((one.logp(one.theta) - one.logp(ref)) * one.mask_BT).sum(1)
    # dL/ds_i = sum over j of (sigma(s_i - s_j) - 1/2), over 6 pairs and 2 groups; the rollout alone has none
    pull_B = (score_B[:, None] - score_B[:4]).sigmoid().sub(0.5).sum(1) / 6 / 2
    pull_B[4] = 0
    _, found = one.learn(DNO(eta=0.7), one.theta, one.batch(ref=ref))
    assert_close(found, one.reinforce(-0.7 * pull_B), within=1e-9)
