from __future__ import annotations

import pytest
import torch

from algorithms.objectives.rejection import Rejection
from algorithms.rollouts import Totals


def test_groups_with_a_correct_rollout_are_kept(rows):
    assert Rejection().keep(rows([0, 0, 1, 1, 2, 2], [1, 1, 1, 0, 0, 0])).tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("aggregation", "weight"),
    [
        ("token_mean", [1 / 6, 1 / 6, 1 / 6]),  # 2 + 3 + 1 tokens are correct
        ("seq_mean_token_mean", [1 / 6, 1 / 9, 1 / 3]),  # 3 rollouts are
        ("seq_mean_token_sum", [1 / 3, 1 / 3, 1 / 3]),
        ("group_token_mean", [1 / 4, 1 / 8, 1 / 8]),  # in 2 groups, with 2 and with 3 + 1 tokens
        ("const", [1 / 30, 1 / 30, 1 / 30]),  # the limit is 10 tokens
    ],
)
def test_wrong_rollouts_are_in_no_sum_and_no_denominator(rows, aggregation, weight):
    # groups of one correct and one wrong, two correct, two wrong
    batch = rows([0, 0, 1, 1, 2, 2], [1, 0, 1, 1, 0, 0], [2, 5, 3, 1, 4, 4])
    logp_BT = batch.old_logp_BT.clone().requires_grad_()
    loss = Rejection(aggregation=aggregation).loss(batch, logp_BT, Totals.of(batch))
    loss.value.backward()
    assert -logp_BT.grad[[0, 2, 3], 0].numpy() == pytest.approx(weight)
    assert not logp_BT.grad[[1, 4, 5]].any()
    accepted = loss.metrics["rejection/accepted"]
    assert (accepted.total, accepted.count) == (3, 6)


def test_importance_weights_scale_tokens(rows):
    batch = rows([0, 0], [1, 0], [2, 2], weight_BT=torch.tensor([[0.5, 2.0], [9.0, 9.0]]).double())
    logp_BT = batch.old_logp_BT.clone().requires_grad_()
    Rejection().loss(batch, logp_BT, Totals.of(batch)).value.backward()
    assert logp_BT.grad[0].tolist() == [-0.25, -1.0]
