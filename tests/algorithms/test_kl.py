"""Estimators by exact enumeration over a vocabulary, gates by hand."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log

import pytest
import torch

from algorithms.example import totals_of
from algorithms.objectives.rence import ReNCE
from algorithms.ops.kl import MAX_K3, Charge, base_logp, charge, controlled, divergence_tokens, kl_tokens
from tests.closeness import assert_close


def vocabulary(seed=0):
    """Log-probs of five tokens under the current policy (a leaf), the old one and the reference."""
    random = torch.Generator().manual_seed(seed)
    return ((0.7 * torch.randn(5, generator=random, dtype=torch.float64)).log_softmax(0) for _ in range(3))


def as_batch(rows, old_V, ref_V):
    """Every token of the vocabulary as a response of its own."""
    return rows([0] * 5, [1] * 5, [1] * 5, old_logp_BT=old_V[:, None], ref_logp_BT=ref_V[:, None])


def expected_gradient(rows, estimator, theta, old_V, ref_V):
    """E over the old policy of the estimator's gradient."""
    leaf = theta.clone().requires_grad_()
    batch = as_batch(rows, old_V, ref_V)
    token_V = kl_tokens(leaf.log_softmax(0)[:, None], batch.ref_logp_BT, batch, estimator)[:, 0]
    return torch.autograd.grad((old_V.exp() * token_V).sum(), leaf)[0]


def gradient_of(function, theta):
    leaf = theta.clone().requires_grad_()
    return torch.autograd.grad(function(leaf.log_softmax(0)), leaf)[0]


def test_values(rows):
    # d = log 2: k1 = log 2, k2 = log(2)^2 / 2, k3 = 1/2 + log 2 - 1; the ratio to the old policy is 4
    batch = rows([0], [1], [1], old_logp_BT=torch.full((1, 1), -log(4.0)))
    now_BT, ref_BT = torch.zeros(1, 1), torch.full((1, 1), -log(2.0))
    d = log(2)
    golden = {"k1": d, "k2": d * d / 2, "k3": d - 0.5, "rho_k3": 4 * (d - 0.5)}
    for estimator, value in golden.items():
        assert kl_tokens(now_BT, ref_BT, batch, estimator).item() == pytest.approx(value, rel=1e-5)


def test_one_token_the_policy_gave_up_is_held(rows):
    batch = rows([0], [1], [1])
    assert kl_tokens(torch.full((1, 1), -50.0), torch.zeros(1, 1), batch, "k3").item() == MAX_K3


def test_expected_gradients_on_policy(rows):
    theta, ref_V, _ = vocabulary()
    reverse = gradient_of(lambda logp_V: (logp_V.exp() * (logp_V - ref_V)).sum(), theta)
    forward = gradient_of(lambda logp_V: (ref_V.exp() * (ref_V - logp_V)).sum(), theta)
    expected = {"k1": torch.zeros(5, dtype=torch.float64), "k2": reverse, "k3": forward, "rho_k3": reverse}
    for estimator, gradient in expected.items():
        found = expected_gradient(rows, estimator, theta, theta.log_softmax(0), ref_V)
        assert_close(found, gradient, within=1e-9, floor=1.0)  # k1's is 0, a sum of terms of that size


def test_only_the_corrected_k3_is_right_off_policy(rows):
    theta, ref_V, old_V = vocabulary()
    reverse = gradient_of(lambda logp_V: (logp_V.exp() * (logp_V - ref_V)).sum(), theta)
    assert_close(expected_gradient(rows, "rho_k3", theta, old_V, ref_V), reverse, within=1e-9)
    for wrong in ("k1", "k2", "k3"):
        assert (expected_gradient(rows, wrong, theta, old_V, ref_V) - reverse).norm() > 0.1 * reverse.norm(), wrong


def test_k1_against_the_old_policy_has_the_gradient_of_kl_old_new(rows):
    theta, old_V, _ = vocabulary()
    batch = as_batch(rows, old_V, old_V)
    leaf = theta.clone().requires_grad_()
    token_V = -kl_tokens(leaf.log_softmax(0)[:, None], base_logp(batch, "old"), batch, "k1")[:, 0]
    found = torch.autograd.grad((old_V.exp() * token_V).sum(), leaf)[0]
    exact = gradient_of(lambda logp_V: (old_V.exp() * (old_V - logp_V)).sum(), theta)
    assert_close(found, exact, within=1e-9)


def test_a_missing_reference_is_refused(rows):
    with pytest.raises(ValueError, match="needs the reference policy `init`, but the batch has no `ref_logp_BT`"):
        base_logp(rows([0], [1]), "init")


def test_gates():
    below, above = {"kl": 0.01}, {"kl": 0.05}
    assert charge("off", 2, 0.02, {}, {}) == Charge(0)
    assert charge("penalty", 2, 0.02, {}, {}) == Charge(2)
    assert charge("window", 2, 0.02, below, {}) == Charge(0, 0.02)
    assert charge("window", 2, 0.02, above, {}) == Charge(2, 0.02)
    assert charge("sq_hinge", 2, 0.02, below, {}) == Charge(0)
    assert charge("sq_hinge", 2, 0.02, above, {}).coefficient == pytest.approx(2 * 0.03)
    assert charge("controller", 2, 0.02, above, {"kl_coef": 7.0}) == Charge(7)


@pytest.mark.parametrize(("gate", "handed"), [("window", "measure"), ("sq_hinge", "measure"), ("controller", "adapt")])
def test_a_backend_that_hands_over_nothing_is_told(gate, handed):
    with pytest.raises(ValueError, match=f"has to call `{handed}` before `loss`"):
        charge(gate, 1, 0.02, {}, {})


def test_controller():
    assert controlled(1.0, kl=0.041, target=0.02) == 1.5
    assert controlled(1.0, kl=0.009, target=0.02) == pytest.approx(2 / 3)
    assert controlled(1.0, kl=0.02, target=0.02) == 1.0
    algorithm = ReNCE(kl_mode="controller", kl_coef=0.1, kl_window=0.02)
    state = {}
    for kl in (1.0, 1.0, 0.02, 0.0):
        state = algorithm.adapt(state, {"kl": kl})
    assert state["kl_coef"] == pytest.approx(0.1 * 1.5)


def test_the_window_opens_where_it_should(toy):
    """Nothing below the window, kl_coef times the KL's gradient above, and no jump of the value between."""
    one = toy([[1, 1, 0, 0], [1, 0, 0]])
    theta, ref = one.moved(0.3), one.moved(0.3)
    batch = one.batch(ref=ref)
    off_loss, off = one.learn(ReNCE(kl_mode="off"), theta, batch)
    always_loss, always = one.learn(ReNCE(kl_mode="penalty", kl_coef=1.0), theta, batch)
    kl = (always_loss.value - off_loss.value).item()

    def windowed(window):
        return one.learn(ReNCE(kl_mode="window", kl_coef=0.5, kl_window=window), theta, batch)

    shut, opened = windowed(kl * 1.01), windowed(kl * 0.25)
    assert torch.equal(shut[1], off) and shut[0].value == off_loss.value
    assert shut[0].metrics["actor/kl_gate"].value == 0 and opened[0].metrics["actor/kl_gate"].value == 1
    assert_close(opened[1] - off, 0.5 * (always - off), within=1e-12)
    assert (opened[0].value - off_loss.value).item() == pytest.approx(0.5 * 0.75 * kl)
    assert_close(windowed(kl * (1 - 1e-9))[0].value - off_loss.value, 0.0, within=1e-6, floor=0.5 * kl)


def test_squared_hinge_is_the_gradient_of_a_squared_hinge(toy):
    one = toy([[1, 0, 0]])
    theta, batch = one.moved(0.3), one.batch(ref=one.moved(0.5))
    measured = ReNCE(kl_window=0.01, kl_mode="sq_hinge", kl_coef=3.0)
    off = one.learn(replace(measured, kl_mode="off"), theta, batch)[1]
    always = one.learn(replace(measured, kl_mode="penalty", kl_coef=1.0), theta, batch)[1] - off
    kl = totals_of(measured, batch, one.logp(theta)).means["kl"]
    assert kl > 0.01
    found = one.learn(measured, theta, batch)[1] - off
    assert_close(found, 3.0 * (kl - 0.01) * always, within=1e-12)


def test_measure_is_the_sum_over_response_tokens(rows):
    batch = rows([0, 0], [1, 0], [2, 1], ref_logp_BT=torch.full((2, 2), -1.5, dtype=torch.float64))
    logp_BT = torch.full((2, 2), -1.0, dtype=torch.float64)
    # rho is 1 and d = 1/2 on three tokens
    found = ReNCE().measure(batch, logp_BT)["kl"].item()
    assert found == pytest.approx(3 * (exp(-0.5) + 0.5 - 1))


def test_divergences_from_the_sampler_have_the_right_value_and_gradient_off_policy(rows):
    theta, old_V, _ = vocabulary()

    def forward(logp_V):
        return (old_V.exp() * (old_V - logp_V)).sum()

    def reverse(logp_V):
        return (logp_V.exp() * (logp_V - old_V)).sum()

    batch = as_batch(rows, old_V, old_V)
    for divergence, exact in {"fkl": forward, "ufkl": forward, "rkl": reverse, "urkl": reverse}.items():

        def estimated(logp_V, divergence=divergence):
            return (old_V.exp() * divergence_tokens(logp_V[:, None], batch, divergence)[:, 0]).sum()

        assert estimated(theta.log_softmax(0)).item() == pytest.approx(exact(theta.log_softmax(0)).item())
        assert_close(gradient_of(estimated, theta), gradient_of(exact, theta), within=1e-12)
        assert (
            divergence_tokens(theta.log_softmax(0)[:, None], batch, divergence) >= 0
        ).all() == divergence.startswith("u")
