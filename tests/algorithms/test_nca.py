from __future__ import annotations

from dataclasses import replace
from math import exp, log, log1p

import pytest
import torch

from algorithms.example import keyed
from algorithms.objectives.nca import NCA, InfoNCA
from algorithms.rollouts import Totals
from tests.closeness import assert_close

LABELS = [1, 1, 1, 0, 0, 0, 0, 0]
K, P, N = 8, 3, 5
CLASSES = (InfoNCA, NCA)


def evaluated(algorithm, batch, logp_BT):
    batch = replace(batch, credit=algorithm.credit(batch, keyed))
    return algorithm.loss(batch, logp_BT, Totals.of(batch))


@pytest.fixture
def three(rows):
    """One correct rollout of three, with scores 1, 0 and -2 for beta 1, of one token each."""
    batch = rows([0, 0, 0], [1, 0, 0], [1, 1, 1])
    batch = replace(batch, ref_logp_BT=batch.old_logp_BT)
    return batch, batch.old_logp_BT + torch.tensor([[1.0], [0.0], [-2.0]], dtype=torch.float64)


def test_losses_worked_out_by_hand(three):
    # alpha 1: rewards 1, 0, 0 give targets e/(e+2), 1/(e+2), 1/(e+2)
    first, other = exp(1) / (exp(1) + 2), 1 / (exp(1) + 2)
    together = log(exp(1) + 1 + exp(-2))
    infonca = first * (together - 1) + other * together + other * (together + 2)
    nca = first * log1p(exp(-1)) + other * log(2) + other * log1p(exp(2))
    nca += (log1p(exp(1)) + log(2) + log1p(exp(-2))) / 3
    for algorithm, value in ((InfoNCA(beta=1, alpha=1), infonca), (NCA(beta=1, alpha=1), nca)):
        loss = evaluated(algorithm, *three)
        assert loss.value.item() == pytest.approx(value)
        # |2 sigma(s) - 1| of 1, 0 and -2
        assert loss.metrics["nca/saturation"].value == pytest.approx((0.4621172 + 0 + 0.7615942) / 3)


def test_targets(rows):
    batch = rows([1, 0, 1, 0, 2, 1], [1, 0, 1, 0, 1, 0])
    hard = InfoNCA().credit(batch, keyed)["target"]
    # two correct of three; none correct of two; one alone
    assert hard.tolist() == pytest.approx([1 / 2, 1 / 2, 1 / 2, 1 / 2, 1, 0])
    soft = InfoNCA(alpha=0.5).credit(batch, keyed)["target"]
    assert soft[[0, 5]].tolist() == pytest.approx([exp(2) / (2 * exp(2) + 1), 1 / (2 * exp(2) + 1)])


@pytest.mark.parametrize("alpha", [1e-4, 0.7])
def test_on_policy_gradient_and_value(toy, alpha):
    """q_k - 1/K = (q_+ - q_-) (r_k - P/K), with q_+ = e^(1/alpha) q_- and P q_+ + N q_- = 1."""
    one = toy([LABELS])
    direction = one.reinforce(one.label_B.double() - P / K)
    ratio = exp(-1 / alpha) if alpha > 0.01 else 0.0
    gap = (1 - ratio) / (P + N * ratio)
    for make, share, value in ((InfoNCA, 1.0, log(K)), (NCA, 0.5, 2 * log(2))):
        loss, found = one.learn(make(beta=0.1, alpha=alpha), one.theta)
        assert_close(found, share * 0.1 * gap * direction, within=1e-9)
        assert loss.value.item() == pytest.approx(value)


@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("make", CLASSES)
def test_equal_labels_only_pull_to_the_reference(toy, make, label):
    one = toy([[label] * 4])
    algorithm = make(beta=0.5)
    assert bool(algorithm.keep(one.batch()).all())
    _, at_reference = one.learn(algorithm, one.theta)
    assert at_reference.abs().max() < 1e-12
    theta = one.moved(0.5)
    batch = one.batch()
    score_B = (0.5 * (one.logp(theta) - batch.ref_logp_BT) * one.mask_BT).sum(1)
    _, found = one.learn(algorithm, theta)
    # dL/ds_k: softmax_k - 1/K, and (sigma(s_k) - sigma(-s_k)) / K = tanh(s_k / 2) / K
    pull_B = score_B.softmax(0) - 1 / 4 if make is InfoNCA else (score_B / 2).tanh() / 4
    leaf = theta.clone().requires_grad_()
    total = (one.logp(leaf) * one.mask_BT).sum(1)
    (expected,) = torch.autograd.grad(-(0.5 * pull_B * total).sum(), leaf)
    assert_close(found, expected, within=1e-9)
    assert found.norm() > 1e-3


def test_nca_knows_the_reference_and_infonca_only_differences(rows):
    """All scores of a group raised by the same: InfoNCA has the same gradient, NCA pushes back."""
    batch = rows([0, 0], [1, 0], [1, 1])
    batch = replace(batch, ref_logp_BT=batch.old_logp_BT)

    def gradient(make, shift):
        algorithm = make(beta=1)
        ready = replace(batch, credit=algorithm.credit(batch, keyed))
        leaf_BT = (batch.old_logp_BT + shift).requires_grad_()
        algorithm.loss(ready, leaf_BT, Totals.of(ready)).value.backward()
        return leaf_BT.grad[:, 0].tolist()

    for shift in (0.0, 3.0):
        assert gradient(InfoNCA, shift) == pytest.approx([-0.5, 0.5])
    # -q sigma(-s) + sigma(s) / 2: once it is likely enough the correct one is pushed down too
    assert gradient(NCA, 0.0) == pytest.approx([-0.25, 0.25])
    sigma = 1 / (1 + exp(-3))
    assert gradient(NCA, 3.0) == pytest.approx([-(1 - sigma) + sigma / 2, sigma / 2])
