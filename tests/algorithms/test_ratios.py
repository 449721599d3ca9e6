"""Where the clip holds, and how token log-ratios become scores."""

from __future__ import annotations

from math import exp, log

import pytest
import torch

from algorithms.ops.ratios import MAX_LOG_RATIO, clipped_surrogate, log_ratio, ratio, sequence_score, weigh_gradient


@pytest.mark.parametrize(
    ("rho", "advantage", "loss", "gradient"),
    [
        # -min(rho A, clip(rho) A) with clip to [0.8, 1.3]; gradient to rho
        (1.0, 2, -2.0, -2),
        (1.2, 2, -2.4, -2),
        (1.5, 2, -2.6, 0),  # clipped above
        (0.5, 2, -1.0, -2),  # pessimistic: no clip below for a positive advantage
        (0.9, -1, 0.9, 1),
        (0.5, -1, 0.8, 0),  # clipped below
        (1.5, -1, 1.5, 1),  # pessimistic above
        (5.0, -1, 3.0, 0),  # dual clip at 3
        (5.0, 2, -2.6, 0),
    ],
)
def test_regions_of_the_clip(rho, advantage, loss, gradient):
    ratio_BT = torch.tensor([[rho]], requires_grad=True)
    found = clipped_surrogate(ratio_BT, torch.tensor([[float(advantage)]]), 0.2, 0.3, dual=3.0)
    assert found.loss_BT.item() == pytest.approx(loss)
    assert torch.autograd.grad(found.loss_BT.sum(), ratio_BT)[0].item() == gradient
    assert (found.clipped_BT | found.dual_clipped_BT).item() == (gradient == 0)


def test_without_dual_clip_a_bad_token_costs_its_ratio():
    found = clipped_surrogate(torch.tensor([[50.0]]), torch.tensor([[-1.0]]), 0.2, 0.2)
    assert found.loss_BT.item() == 50
    assert found.dual_clipped_BT is None


def test_ratio_is_held_and_padding_is_one(rows):
    batch = rows([0, 0], [1, 0], [2, 1])
    logp_BT = torch.tensor([[-1 + log(2), 99.0], [0.5, 1e6]], dtype=torch.float64)
    assert ratio(logp_BT, batch).tolist() == [[pytest.approx(2), pytest.approx(exp(MAX_LOG_RATIO))], [exp(1.5), 1]]


def test_log_probs_of_another_shape_are_refused(rows):
    with pytest.raises(ValueError, match=r"`logp_BT` must have shape \(2, 3\), but has \(2, 1\) instead"):
        log_ratio(torch.zeros(2, 1), None, rows([0, 0], [1, 0]))


def test_sequence_score_is_a_sum_or_a_mean(rows):
    batch = rows([0, 0], [1, 0], [3, 1])
    logp_BT = torch.tensor([[0.0, 1, 2], [3, 7, 7]], dtype=torch.float64)
    # old log-probs are -1
    assert sequence_score(logp_BT, batch.old_logp_BT, batch).tolist() == [6, 4]
    assert sequence_score(logp_BT, batch.old_logp_BT, batch, "mean").tolist() == [2, 4]
    assert sequence_score(logp_BT, None, batch).tolist() == [3, 3]


def test_importance_weights_scale_gradients_and_not_scores(rows):
    weight_BT = torch.tensor([[2.0, 0.5]], dtype=torch.float64)
    batch = rows([0], [1], [2], weight_BT=weight_BT)
    logp_BT = torch.zeros(1, 2, dtype=torch.float64, requires_grad=True)
    score_B = sequence_score(logp_BT, batch.old_logp_BT, batch)
    assert score_B.tolist() == [2]
    assert torch.equal(torch.autograd.grad(score_B.sum(), logp_BT)[0], weight_BT)


def test_weights_act_on_gradients_and_not_on_values(rows):
    batch = rows([0], [1], [2], weight_BT=torch.tensor([[2.0, 0.5]], dtype=torch.float64))
    term_BT = torch.tensor([[3.0, 4.0]], dtype=torch.float64, requires_grad=True)
    weighed_BT = weigh_gradient(term_BT.square(), batch)
    assert weighed_BT.tolist() == [[9, 16]]
    assert torch.autograd.grad(weighed_BT.sum(), term_BT)[0].tolist() == [[2 * 6, 0.5 * 8]]
    plain = rows([0], [1], [2])
    assert weigh_gradient(term_BT, plain) is term_BT
