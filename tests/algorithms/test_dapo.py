from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from algorithms.objectives.dapo import DAPO
from algorithms.rollouts import Totals


def test_the_filter_looks_at_labels_not_at_shaped_rewards(rows):
    # all correct with lengths 10 (the limit) and 3: rewards differ, labels do not
    batch = rows([0, 0, 1, 1, 2, 2], [1, 1, 1, 0, 0, 0], [10, 3, 3, 3, 3, 3])
    assert DAPO().shape(batch)[:2].tolist() == [0, 1]
    assert DAPO().keep(batch).tolist() == [False, True, False]


def test_rewards_are_plus_and_minus_one_less_the_penalty(rows):
    # limit 10, cache 2: length 9 is half way, 10 is the end
    batch = rows([0] * 4, [1, 0, 1, 0], [8, 9, 10, 10])
    assert DAPO().shape(batch).tolist() == pytest.approx([1, -1.5, 0, -2])
    assert DAPO(overlong_factor=0).shape(batch).tolist() == [1, -1, 1, -1]


def test_refill_is_a_switch():
    assert DAPO().refill and not DAPO(refill_dropped=False).refill


def masked_batch(rows):
    truncated_B = torch.tensor([False, False, True, False])
    return rows([0, 0, 0, 0], [1, 0, 0, 0], [1, 2, 8, 1], truncated_B=truncated_B)


@pytest.mark.parametrize("in_baseline", [True, False])
def test_truncated_rollouts_leave_loss_and_denominator(rows, in_baseline):
    algorithm = DAPO(mask_truncated=True, truncated_in_baseline=in_baseline, scale="none", overlong_factor=0)
    batch = masked_batch(rows)
    batch = replace(batch, reward_B=algorithm.shape(batch))
    batch = replace(batch, credit=algorithm.credit(batch, None))
    # rewards 1 -1 -1 -1: means -1/2 with the truncated one and -1/3 without
    mean = -1 / 2 if in_baseline else -1 / 3
    logp_BT = batch.old_logp_BT.clone().requires_grad_()
    loss = algorithm.loss(batch, logp_BT, Totals.of(batch))
    # 4 tokens are left, and the ratio is 1
    assert loss.value.item() == pytest.approx(-((1 - mean) + 3 * (-1 - mean)) / 4)
    loss.value.backward()
    assert not logp_BT.grad[2].any() and logp_BT.grad[1, :2].all()


def test_only_truncated_rollouts_in_a_minibatch(rows):
    algorithm = DAPO(mask_truncated=True)
    batch = rows([0, 0], [1, 0], truncated_B=torch.tensor([True, True]))
    batch = replace(batch, credit=algorithm.credit(batch, None))
    logp_BT = batch.old_logp_BT.clone().requires_grad_()
    loss = algorithm.loss(batch, logp_BT, Totals.of(batch))
    loss.value.backward()
    assert loss.value.item() == 0 and not logp_BT.grad.any()
