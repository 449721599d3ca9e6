from __future__ import annotations

from dataclasses import fields, replace
from math import exp, log1p

import pytest
import torch

from algorithms.example import keyed
from algorithms.objectives.conspo import ConSPO
from algorithms.objectives.rence import ReNCE
from algorithms.rollouts import Totals


def evaluated(algorithm, batch, logp_BT, progress=1.0):
    batch = replace(batch, credit=algorithm.credit(batch, keyed))
    return algorithm.loss(batch, logp_BT, replace(Totals.of(batch), progress=progress))


def test_a_loss_worked_out_by_hand(rows):
    # mean log-probs -1 (2 tokens) and -3 (1 token) correct, -2 (3 tokens) and -4 (1 token) incorrect; tau 1/2
    batch = rows([0] * 4, [1, 1, 0, 0], [2, 1, 3, 1])
    logp_BT = torch.tensor([[-0.5, -1.5, 9], [-3, 9, 9], [-1, -2, -3], [-4, 9, 9]], dtype=torch.float64)
    rivals = exp(-4) + exp(-8)
    for progress, margin in ((0.0, 0.0), (0.25, 0.35), (0.5, 0.7), (1.0, 0.7)):
        # -log p_i = log(1 + sum_j e^(2 s_j) / e^(2 s_i - m)), the margin risen by half after half of its way
        losses = [log1p(rivals / exp(2 * score - margin)) for score in (-1, -3)]
        loss = evaluated(ConSPO(score_beta=2, margin_alpha=0.7), batch, logp_BT, progress)
        assert loss.value.item() == pytest.approx(sum(losses) / 2)
        assert loss.metrics["nce/margin"].value == pytest.approx(margin)


def test_it_is_rence_with_other_settings_and_nothing_else(toy):
    one = toy([[1, 1, 0, 0, 0], [1, 0], [1, 1]])
    names = [field.name for field in fields(ConSPO)]
    assert names == [field.name for field in fields(ReNCE)]
    same = ReNCE(**{name: getattr(ConSPO(), name) for name in names})
    theta = one.moved(0.5)
    for found, expected in zip(one.learn(ConSPO(), theta), one.learn(same, theta), strict=True):
        assert torch.equal(getattr(found, "value", found), getattr(expected, "value", expected))
    assert ConSPO().spec() == same.spec()


def test_no_sampler_no_reference_no_refill(toy):
    one = toy([[1, 1, 0, 0]])
    assert ConSPO().reference is None and not ConSPO().refill
    theta = one.moved(0.5)
    _, found = one.learn(ConSPO(), theta)
    _, again = one.learn(ConSPO(), theta, one.batch(old_logp_BT=one.logp(one.moved(0.5))))
    assert torch.equal(found, again)
