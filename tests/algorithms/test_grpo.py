from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from algorithms.objectives.grpo import GRPO
from algorithms.rollouts import Totals
from tests.closeness import assert_close


def evaluated(algorithm, batch, logp_BT):
    batch = replace(batch, credit=algorithm.credit(batch, None))
    return algorithm.loss(batch, logp_BT, Totals.of(batch))


def test_a_loss_worked_out_by_hand(rows):
    # rewards 1, 0: mean 1/2, sample std 1/sqrt(2), advantages ±1/sqrt(2); ratios e^0.1 = 1.105 inside the clip and
    # e^0.5, clipped to 1.2 for the positive and not for the negative advantage
    batch = rows([0, 0], [1, 0], [2, 1])
    logp_BT = torch.tensor([[-0.9, -0.5], [-0.5, 0]], dtype=torch.float64)
    a = 0.5**0.5
    loss = evaluated(GRPO(kl_coef=0), batch, logp_BT)
    expected = (-(1.1051709 + 1.2) / 2 + 1.6487213) * a / 2
    assert_close(loss.value, expected, within=3e-5)  # 1e-6 is added to the deviation
    assert {name: mean.value for name, mean in loss.metrics.items()} == pytest.approx(
        {
            "actor/pg_loss": loss.value.item(),
            "actor/pg_clipfrac": 1 / 3,
            "actor/ppo_kl": -1.1 / 3,
            "sequence/log_ratio": 1.1 / 2,
            "sequence/log_ratio_square": (0.36 + 0.25) / 2,
            "sequence/log_ratio_positive": 0.6,
            "sequence/log_ratio_negative": 0.5,
        }
    )


def test_kl_is_added_with_its_coefficient(rows):
    batch = rows([0, 0], [1, 0], ref_logp_BT=torch.full((2, 3), -1.5, dtype=torch.float64))
    loss = evaluated(GRPO(kl_coef=0.04), batch, batch.old_logp_BT)
    # on-policy the surrogate is the mean advantage, 0; d = 1/2 on every token
    k3 = 2.718281828**-0.5 + 0.5 - 1
    assert loss.metrics["actor/kl_loss"].value == pytest.approx(k3)
    assert loss.metrics["actor/kl_coef"].value == 0.04
    assert loss.value.item() == pytest.approx(0.04 * k3)


def test_importance_weights_multiply_token_losses(rows):
    weight_BT = torch.tensor([[2.0, 2, 2], [1, 1, 1]], dtype=torch.float64)
    batch = rows([0, 0], [1, 0], weight_BT=weight_BT)
    loss = evaluated(GRPO(kl_coef=0, scale="none"), batch, batch.old_logp_BT)
    assert loss.value.item() == pytest.approx((-0.5 * 2 + 0.5) / 2)


def test_a_rollout_alone_has_no_advantage(rows):
    assert GRPO().credit(rows([0, 1, 1], [1, 1, 0]), None)["advantage"][0] == 0


def test_groups_left_without_rollouts_are_dropped(rows):
    assert GRPO().keep(rows([0, 2, 2], [1, 1, 1])).tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("changes", "reference"),
    [({}, "init"), ({"kl_reference": "synced"}, "synced"), ({"kl_reference": "old"}, None), ({"kl_coef": 0}, None)],
)
def test_which_reference_is_needed(changes, reference):
    assert GRPO(**changes).reference == reference
