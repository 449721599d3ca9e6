from __future__ import annotations

from dataclasses import replace
from math import exp, log, log1p

import pytest
import torch

from algorithms.example import keyed
from algorithms.objectives.odpo import ODPO
from algorithms.rollouts import Totals


def evaluated(algorithm, batch, logp_BT):
    batch = replace(batch, reward_B=algorithm.shape(batch))
    batch = replace(batch, credit=algorithm.credit(batch, keyed))
    return algorithm.loss(batch, logp_BT, Totals.of(batch))


@pytest.fixture
def pair(rows):
    """One correct and one incorrect rollout, log-ratios +2 and -1: a logit of 0.3. Lengths 9 and 10 of at most 10."""
    batch = rows([0, 0], [1, 0], [9, 10])
    batch = replace(batch, ref_logp_BT=batch.old_logp_BT)
    step_BT = torch.zeros(2, 10, dtype=torch.float64)
    step_BT[:, 0] = torch.tensor([2.0, -1.0])
    return batch, batch.old_logp_BT + step_BT


def test_the_gap_of_labels_is_an_offset_of_alpha(pair):
    loss = evaluated(ODPO(alpha=0.7), *pair)
    assert loss.value.item() == pytest.approx(log1p(exp(-(0.3 - 0.7))))
    assert loss.metrics["dpo/offset"].value == pytest.approx(0.7)
    # the logit is logged without it
    assert loss.metrics["rewards/margins"].value == pytest.approx(0.3)


def test_the_logarithm_of_a_gap_of_one_is_no_offset(pair):
    loss = evaluated(ODPO(offset="log_gap"), *pair)
    assert loss.value.item() == pytest.approx(log1p(exp(-0.3)))
    assert loss.metrics["dpo/offset"].value == 0


def test_shaped_rewards_have_gaps_of_their_own(pair):
    # the cache is the last 2 of 10 tokens: penalties -1/2 and -1, gap 1 - 1/2 + 1 = 3/2
    assert evaluated(ODPO(overlong_factor=1.0), *pair).value.item() == pytest.approx(log1p(exp(1.5 - 0.3)))
    logarithm = evaluated(ODPO(overlong_factor=1.0, offset="log_gap", alpha=2.0), *pair)
    assert logarithm.value.item() == pytest.approx(log1p(exp(2 * log(1.5) - 0.3)))


def test_a_pair_without_a_gap_is_no_pair_for_the_logarithm(rows):
    # the correct rollout reaches the limit: 1 - 1 against 0
    batch = rows([0, 0], [1, 0], [10, 2])
    batch = replace(batch, ref_logp_BT=batch.old_logp_BT)
    logarithm = evaluated(ODPO(overlong_factor=1.0, offset="log_gap"), batch, batch.old_logp_BT)
    assert logarithm.value.item() == 0 and logarithm.metrics["dpo/offset"].count == 0
    assert evaluated(ODPO(overlong_factor=1.0), batch, batch.old_logp_BT).value.item() == pytest.approx(log(2))
