from __future__ import annotations

import pytest
import torch

from algorithms.objectives.rejection import Rejection
from algorithms.rollouts import Totals
from tests.closeness import assert_close


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


def test_dft_descends_on_minus_the_sum_of_probabilities(toy):
    one = toy([[1, 1, 0], [0, 0], [1]])
    theta = one.moved(0.5)
    loss, found = one.learn(Rejection(weighting="probability"), theta)
    correct_BT = one.mask_BT & one.label_B[:, None]
    leaf = theta.clone().requires_grad_()
    mean = torch.where(correct_BT, one.logp(leaf).exp(), 0).sum() / correct_BT.sum()
    assert_close(found, torch.autograd.grad(mean, leaf)[0], within=1e-12)
    # the value is the paper's, -sg(pi) log pi
    logp_BT = one.logp(theta)
    value = -(logp_BT.exp() * logp_BT)[correct_BT].mean()
    assert loss.value.item() == pytest.approx(value.item())
    assert loss.metrics["rejection/discount"].value == pytest.approx(1 - mean.item())
    assert loss.metrics["rejection/discount"].count == correct_BT.sum()


def test_dft_takes_as_much_of_a_token_as_its_probability(rows):
    batch = rows([0, 0], [1, 0], [3, 3])
    logp_BT = torch.tensor([[0.5, 0.25, 1.0], [0.5, 0.5, 0.5]]).double().log().requires_grad_()
    Rejection(weighting="probability").loss(batch, logp_BT, Totals.of(batch)).value.backward()
    assert logp_BT.grad[0].tolist() == pytest.approx([-0.5 / 3, -0.25 / 3, -1 / 3])
    assert not logp_BT.grad[1].any()
    assert "rejection/discount" not in Rejection().loss(batch, logp_BT, Totals.of(batch)).metrics
