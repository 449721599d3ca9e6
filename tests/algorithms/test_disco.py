from __future__ import annotations

from dataclasses import replace
from math import exp, log

import pytest
import torch

from algorithms.example import totals_of
from algorithms.objectives.conspo import ConSPO
from algorithms.objectives.disco import DisCO
from tests.closeness import assert_close

LABELS = [1, 1, 1, 0, 0, 0, 0, 0]
K, P, N = 8, 3, 5
OFF = {"kl_coef": 0.0}


def evaluated(algorithm, batch, logp_BT):
    return algorithm.loss(batch, logp_BT, totals_of(algorithm, batch, logp_BT.detach()))


@pytest.fixture
def three(rows):
    """One correct rollout and two incorrect ones, of one token: log-probs -1, -2 and -4, each -1 to the sampler."""
    batch = rows([0, 0, 0], [1, 0, 0], [1, 1, 1])
    return batch, torch.tensor([[-1.0], [-2.0], [-4.0]], dtype=torch.float64)


def test_losses_worked_out_by_hand(three):
    soft = 2 * log((exp(-1) + exp(-2)) / 2)  # tau 2
    assert evaluated(DisCO(tau=2, **OFF), *three).value.item() == pytest.approx(-(-1 - soft))
    assert evaluated(DisCO(negatives="mean", **OFF), *three).value.item() == pytest.approx(-(-1 + 3))
    # ratios to the sampler: 1, e^-1 and e^-3
    ratios = evaluated(DisCO(score="l_ratio", negatives="mean", **OFF), *three)
    assert ratios.value.item() == pytest.approx(-(1 - (exp(-1) + exp(-3)) / 2))
    # weights of the negatives e^-1 and e^-2: 0.7311 and 0.2689, 0.2311 away from one half
    assert evaluated(DisCO(tau=2), *three).metrics["disco/focus"].value == pytest.approx(0.2310586)
    assert "disco/focus" not in evaluated(DisCO(negatives="mean"), *three).metrics


def test_the_constraint_is_a_squared_hinge(three):
    """KL(pi_old || pi_theta), log pi_old - log pi_theta: 0, 1 and 3, mean 4/3."""
    batch, logp_BT = three
    for divergence, kl in (("fkl", 4 / 3), ("ufkl", (0 + exp(-1) + exp(-3) + 2) / 3)):
        on, off = (
            evaluated(DisCO(kl_coef=coef, kl_threshold=0.5, kl_divergence=divergence), batch, logp_BT)
            for coef in (7.0, 0.0)
        )
        assert (on.value - off.value).item() == pytest.approx(7 * (kl - 0.5) * kl)
        assert on.metrics["actor/kl_loss"].value == pytest.approx(kl)
        assert (on.metrics["actor/kl_gate"].value, off.metrics["actor/kl_gate"].value) == (1, 0)
    below = evaluated(DisCO(kl_threshold=2.0), batch, logp_BT)
    assert below.value.item() == evaluated(DisCO(**OFF), batch, logp_BT).value.item()
    assert below.metrics["actor/kl_gate"].value == 0


def test_on_policy_disco_b_is_the_difference_of_means(toy):
    """1/P to a positive and -1/N to a negative, over lengths: K / (P N) times the centred label."""
    one = toy([LABELS])
    expected = one.reinforce(K / (P * N) * (one.label_B.double() - P / K) / one.length_B)
    # ratios are all 1, so that the soft maximum is the mean
    for algorithm in (
        DisCO(negatives="mean"),
        DisCO(negatives="mean", score="l_ratio"),
        DisCO(score="l_ratio", tau=1.0),
    ):
        loss, found = one.learn(algorithm, one.theta)
        assert_close(found, expected, within=1e-9)
        assert loss.metrics["actor/kl_gate"].value == 0
        if algorithm.score == "l_ratio":
            assert_close(loss.value, 0.0, within=1e-12, floor=1.0)  # a difference of means of ratios of 1


def test_tau_goes_from_the_hardest_negative_to_the_mean(toy):
    one = toy([LABELS])
    theta = one.moved(0.5)
    mean, soft, hard = (
        one.learn(algorithm, theta)
        for algorithm in (DisCO(negatives="mean", **OFF), DisCO(tau=1e6, **OFF), DisCO(tau=1e-6, **OFF))
    )
    # what is left is of the order of 1 / tau, or of tau log N
    assert_close(soft[1], mean[1], within=2e-5)
    assert_close(soft[0].value, mean[0].value, within=2e-5)
    score_B = (one.logp(theta) * one.mask_BT).sum(1) / one.length_B
    gap = score_B[:P].mean() - score_B[P:].max()
    assert_close(hard[0].value, -gap, within=2e-5)
    assert soft[0].metrics["disco/focus"].value < 1e-5
    assert hard[0].metrics["disco/focus"].value == pytest.approx(1 - 1 / N)


def test_prompts_without_a_contrast_count_in_the_mean_and_in_the_kl_alone(toy):
    alone, among = toy([LABELS]), toy([LABELS, [1, 1, 1], [0, 0]])
    for name in ("tokens_BT", "length_B", "mask_BT"):
        getattr(among, name)[:K] = getattr(alone, name)
    theta = alone.moved(0.5)
    assert bool(DisCO().keep(among.batch()).all())
    expected, expected_gradient = alone.learn(DisCO(**OFF), theta)
    loss, gradient = among.learn(DisCO(**OFF), theta)
    assert loss.value.item() == pytest.approx(expected.value.item() / 3)
    assert_close(gradient, expected_gradient / 3, within=1e-9)
    assert loss.metrics["actor/kl_loss"].count == among.mask_BT.sum()
    assert loss.metrics["disco/focus"].count == 1


def test_where_positives_lose_by_far_conspo_is_disco(toy):
    """-log p_i is then log sum_j e^(s_j/tau) - s_i/tau; times tau it is DisCO's loss and tau log N."""
    one = toy([LABELS])
    theta, tau = one.moved(0.5), 0.1
    far = one.batch(old_logp_BT=one.logp(theta))
    # the positives' tokens are made unlikely by a constant, which has no gradient
    drop_BT = torch.where(one.label_B[:, None], -100.0, 0.0)

    def gradient(algorithm):
        leaf = theta.clone().requires_grad_()
        logp_BT = one.logp(leaf) + drop_BT
        ready = replace(far, credit=algorithm.credit(far, None))
        loss = algorithm.loss(ready, logp_BT, totals_of(algorithm, ready, logp_BT.detach()))
        return loss.value.item(), torch.autograd.grad(loss.value, leaf)[0]

    conspo, conspo_gradient = gradient(ConSPO(score_beta=1 / tau, margin_mode="none"))
    disco, disco_gradient = gradient(DisCO(tau=tau, **OFF))
    assert_close(tau * conspo_gradient, disco_gradient, within=1e-9)
    assert tau * conspo - tau * log(N) == pytest.approx(disco)
