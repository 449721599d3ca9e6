from __future__ import annotations

from dataclasses import replace
from math import log

import pytest
import torch

from algorithms.example import keyed
from algorithms.objectives.a_lol import ALoL
from algorithms.objectives.rejection import Rejection
from algorithms.rollouts import Totals
from tests.closeness import assert_close

LABELS = [1, 1, 1, 0, 0, 0, 0, 0]
K, P = 8, 3


def test_on_policy_it_is_rejection_weighed_by_the_prompts_difficulty(toy):
    """1 - P/K for a correct rollout, nothing for an incorrect one."""
    one = toy([LABELS])
    for importance in ("sequence", "token", "none"):
        _, found = one.learn(ALoL(importance=importance), one.theta)
        assert_close(found, one.reinforce((1 - P / K) * one.label_B.double() / K), within=1e-9)
        # rejection means over the P correct ones
        _, rejection = one.learn(Rejection(aggregation="seq_mean_token_sum"), one.theta)
        assert_close(found, (1 - P / K) * P / K * rejection, within=1e-9)


def test_ratios_are_held_constant_within_the_clip(rows):
    # correct: two tokens with ratios 2 and 3, one token with ratio 1/2; A+ = 1/3 for both, and three rollouts
    batch = rows([0, 0, 0], [1, 1, 0], [2, 1, 1])
    logp_BT = batch.old_logp_BT + torch.tensor([[log(2), log(3)], [-log(2), 0], [5, 0]], dtype=torch.float64)
    for importance, weights, held in (
        # the response's 6 is held at 1.9, on both its tokens
        ("sequence", [1.9, 1.9, 0.5], 2),
        ("token", [1.9, 1.9, 0.5], 2),
        ("none", [1, 1, 1], None),
    ):
        algorithm = ALoL(importance=importance)
        ready = replace(batch, credit=algorithm.credit(batch, keyed))
        leaf_BT = logp_BT.clone().requires_grad_()
        loss = algorithm.loss(ready, leaf_BT, Totals.of(batch))
        loss.value.backward()
        found = [-leaf_BT.grad[0, 0], -leaf_BT.grad[0, 1], -leaf_BT.grad[1, 0]]
        assert found == pytest.approx([weight / 9 for weight in weights])
        assert not leaf_BT.grad[2].any()
        assert loss.metrics["a_lol/leftover"].value == pytest.approx(2 / 3)
        if held is None:
            assert "actor/pg_clipfrac" not in loss.metrics
        else:
            assert loss.metrics["actor/pg_clipfrac"].total == held


def test_a_response_and_its_tokens_have_different_ratios(rows):
    # ratios 3 and 1/3: 1 for the response, and 1.9 and 1/3 for its tokens
    batch = rows([0, 0], [1, 0], [2, 1])
    logp_BT = batch.old_logp_BT + torch.tensor([[log(3), -log(3)], [0, 0]], dtype=torch.float64)
    for importance, weights in (("sequence", [1, 1]), ("token", [1.9, 1 / 3])):
        algorithm = ALoL(importance=importance)
        ready = replace(batch, credit=algorithm.credit(batch, keyed))
        leaf_BT = logp_BT.clone().requires_grad_()
        algorithm.loss(ready, leaf_BT, Totals.of(batch)).value.backward()
        assert (-leaf_BT.grad[0]).tolist() == pytest.approx([weight / 4 for weight in weights])


def test_groups_without_a_contrast_have_nothing_left_over(toy):
    assert ALoL().keep(toy([LABELS, [1, 1], [0, 0]]).batch()).tolist() == [True, False, False]
    one = toy([[1, 1, 1]])
    loss, gradient = one.learn(ALoL(), one.moved(0.5))
    assert loss.value.item() == 0 and not gradient.any()
