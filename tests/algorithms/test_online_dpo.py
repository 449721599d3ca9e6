from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import exp, log1p, tanh

import pytest
import torch

from algorithms.example import keyed
from algorithms.objectives.online_dpo import OnlineDPO
from algorithms.rollouts import Totals


def evaluated(algorithm, batch, logp_BT, rng=keyed):
    batch = replace(batch, credit=algorithm.credit(batch, rng))
    return algorithm.loss(batch, logp_BT, Totals.of(batch))


def test_a_loss_worked_out_by_hand(rows):
    # log-ratios to the reference, summed: +2, -1, 0 -> margins 0.1 × 3 and 0.1 × 2; the other group has no pair
    batch = rows([0, 0, 0, 1], [1, 0, 0, 1], [2, 2, 2, 2])
    batch = replace(batch, ref_logp_BT=batch.old_logp_BT)
    logp_BT = batch.old_logp_BT + torch.tensor([[1.0, 1], [-1, 0], [0.5, -0.5], [9, 9]], dtype=torch.float64)
    loss = evaluated(OnlineDPO(pairs="all"), batch, logp_BT)
    assert loss.value.item() == pytest.approx((log1p(exp(-0.3)) + log1p(exp(-0.2))) / 2)
    assert loss.metrics["rewards/margins"].value == pytest.approx(0.25)
    assert loss.metrics["rewards/accuracies"].value == 1
    assert loss.metrics["dpo/saturation"].value == pytest.approx((tanh(0.15) + tanh(0.1)) / 2)
    assert loss.metrics["rewards/margins"].count == 1


def test_one_random_pair_is_drawn_evenly_by_the_problems_key(rows):
    old_BT = -torch.arange(1.0, 6, dtype=torch.float64)[:, None]
    batch = rows([0] * 5, [1, 0, 1, 0, 0], [1] * 5, old_logp_BT=old_BT)
    drawn = Counter()
    for seed in range(300):
        credit = OnlineDPO().credit(batch, lambda problem_id, seed=seed: torch.Generator().manual_seed(seed))
        chosen, rejected = (credit[name].nonzero().flatten().tolist() for name in ("chosen", "rejected"))
        assert len(chosen) == len(rejected) == 1
        drawn[chosen[0], rejected[0]] += 1
    # six pairs, 50 each but for chance: standard deviation 6.5
    assert set(drawn) == {(c, r) for c in (0, 2) for r in (1, 3, 4)}
    assert min(drawn.values()) > 25 and max(drawn.values()) < 75


def test_nll_is_of_the_chosen_and_per_token(rows):
    batch = rows([0, 0], [1, 0], [3, 1], ref_logp_BT=torch.full((2, 3), -1.0, dtype=torch.float64))
    logp_BT = torch.tensor([[-1.0, -2, -3], [-9, 0, 0]], dtype=torch.float64)
    plain, with_nll = (evaluated(OnlineDPO(nll_coef=coef), batch, logp_BT).value.item() for coef in (0, 0.5))
    assert with_nll - plain == pytest.approx(0.5 * 2)


def test_scores_by_length(rows):
    batch = rows([0, 0], [1, 0], [4, 2], ref_logp_BT=torch.full((2, 4), -1.0, dtype=torch.float64))
    logp_BT = torch.zeros(2, 4, dtype=torch.float64)
    # sums 4 and 2, means 1 and 1
    margins = (
        evaluated(OnlineDPO(score_norm=norm), batch, logp_BT).metrics["rewards/margins"] for norm in ("sum", "mean")
    )
    assert [mean.value for mean in margins] == pytest.approx([0.2, 0])


def test_groups_without_a_pair_are_dropped_and_not_replaced(rows):
    algorithm = OnlineDPO()
    assert algorithm.keep(rows([0, 0, 1, 1, 2], [1, 0, 1, 1, 0])).tolist() == [True, False, False]
    assert not algorithm.refill


def test_reference():
    assert OnlineDPO().reference == "synced" and OnlineDPO(ref_policy="init").reference == "init"
