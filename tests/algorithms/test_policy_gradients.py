"""Numbers worked out by hand for the algorithms that weigh log-probs by advantages, and where they meet."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from algorithms.example import differentiated, example, learn, prepared, totals_of
from algorithms.objectives.cispo import CISPO
from algorithms.objectives.dapo import DAPO
from algorithms.objectives.dr_grpo import DrGRPO
from algorithms.objectives.grpo import GRPO
from algorithms.objectives.gspo import GSPO
from algorithms.objectives.lite_ppo import LitePPO
from algorithms.objectives.magistral import Magistral
from algorithms.objectives.reinforce import Reinforce
from algorithms.objectives.reinforce_pp import ReinforcePP, ReinforcePPBaseline
from algorithms.objectives.rejection import Rejection
from algorithms.objectives.rloo import RLOO
from algorithms.objectives.w_reinforce import NSR, PSR, WReinforce
from algorithms.registry import get
from algorithms.rollouts import Totals
from tests.closeness import assert_close

STD_EPSILON = 3e-5
"""ten times what the 1e-6 makes that is added to standard deviations"""


def evaluated(algorithm, batch, logp_BT):
    batch = prepared(algorithm, batch)
    return algorithm.loss(batch, logp_BT, Totals.of(batch))


def advantage(algorithm, batch):
    return prepared(algorithm, batch).credit["advantage"].tolist()


def test_dr_grpo_by_hand(rows):
    # advantages ±1/2, ratios 1; sums over 2 and 1 tokens, over 2 rollouts and a limit of 10 tokens
    batch = rows([0, 0], [1, 0], [2, 1])
    loss = evaluated(DrGRPO(), batch, batch.old_logp_BT)
    assert loss.value.item() == pytest.approx((-0.5 * 2 + 0.5 * 1) / 2 / 10)


def test_lite_ppo_takes_the_mean_of_the_group_and_the_deviation_of_the_batch(rows):
    # rewards 1, 0 | 0, 0: batch mean 1/4, sample variance (9/16 + 3/16) / 3 = 1/4
    assert_close(advantage(LitePPO(), rows([0, 0, 1, 1], [1, 0, 0, 0])), [1, -1, 0, 0], within=STD_EPSILON)


def test_magistral_takes_the_deviation_of_the_centred_rewards(rows):
    # centred 1/2, -1/2, 0, 0: sample variance 1/2 / 3
    batch = rows([0, 0, 1, 1], [1, 0, 0, 0])
    a = 0.5 / math.sqrt(1 / 6)
    assert_close(advantage(Magistral(), batch), [a, -a, 0, 0], within=STD_EPSILON)


def test_magistral_is_penalised_a_tenth_at_the_limit(rows):
    batch = rows([0, 0], [1, 1], [10, 8])  # the last fifth of the limit of 10 is the buffer
    assert Magistral().shape(batch).tolist() == pytest.approx([0.9, 1.0])
    assert DAPO().shape(batch).tolist() == pytest.approx([0.0, 1.0])
    assert Magistral().shape(rows([0], [0])).tolist() == [0.0]


def test_magistral_averages_tokens_of_a_group_and_then_groups(rows):
    # reward 1 of 2 tokens and 0 of 1 | 1 of 3 and 0 of 3: centred ±1/2, sample std 1/sqrt(3)
    batch = rows([0, 0, 1, 1], [1, 0, 1, 0], [2, 1, 3, 3])
    a = 0.5 * math.sqrt(3)
    loss = evaluated(Magistral(), batch, batch.old_logp_BT)
    assert_close(loss.value, -((2 - 1) / 3 + (3 - 3) / 6) / 2 * a, within=STD_EPSILON)


def test_reinforce_by_hand(rows):
    # log-probs -1 a token: 2 tokens of the correct rollout, over 2 rollouts
    batch = rows([0, 0], [1, 0], [2, 1])
    loss = evaluated(Reinforce(), batch, batch.old_logp_BT)
    assert loss.value.item() == pytest.approx(2 / 2)
    assert set(loss.metrics).isdisjoint({"actor/pg_clipfrac", "actor/kl_loss"})


def test_rloo_takes_the_mean_of_the_others_less_kl(rows):
    # k1 is 1/2 a token: rewards 1 - 0.03 × 3/2, 0 - 0.03 × 3/2 and 1 - 0.03 × 1/2
    batch = rows([0, 0, 0], [1, 0, 1], [3, 3, 1], ref_logp_BT=torch.full((3, 3), -1.5, dtype=torch.float64))
    reward = [1 - 0.045, -0.045, 1 - 0.015]
    assert prepared(RLOO(), batch).reward_B.tolist() == pytest.approx(reward)
    expected = [one - (sum(reward) - one) / 2 for one in reward]
    assert advantage(RLOO(), batch) == pytest.approx(expected)


def test_reinforce_pp_whitens_over_tokens(rows):
    # rewards 1 on 3 tokens and 0 on 1: mean 3/4, sample variance 4 × 3/16 / 3 = 1/4
    batch = rows([0, 1], [1, 0], [3, 1])
    assert_close(advantage(ReinforcePP(kl_coef=0), batch), [0.5, -1.5], within=STD_EPSILON)


def test_reinforce_pp_charges_each_token_for_the_kl_to_come(rows):
    # k1 is 1/2 a token: with beta 0.1 returns 1 - .15, 1 - .1, 1 - .05 and 0 - .05
    batch = rows([0, 1], [1, 0], [3, 1], ref_logp_BT=torch.full((2, 3), -1.5, dtype=torch.float64))
    algorithm = ReinforcePP(kl_coef=0.1)
    ready = prepared(algorithm, batch)
    assert ready.reward_B.tolist() == [1.0, 0.0]
    returns = torch.tensor([0.85, 0.9, 0.95, -0.05], dtype=torch.float64)
    expected = (returns - returns.mean()) / returns.std()
    assert_close(algorithm.advantage(ready)[ready.mask_BT], expected, within=STD_EPSILON)


def test_reinforce_pp_with_baseline_centres_groups_first(rows):
    # centred 1/2, -1/2 on 1 token each | 0, 0: sample variance 1/2 / 3 over 4 tokens
    batch = rows([0, 0, 1, 1], [1, 0, 1, 1], [1, 1, 1, 1])
    a = 0.5 / math.sqrt(1 / 6)
    assert_close(advantage(ReinforcePPBaseline(kl_coef=0), batch), [a, -a, 0, 0], within=STD_EPSILON)


def test_w_reinforce_by_hand(rows):
    # 2 tokens at +0.1 and 1 at -1, ratio 1, over 3 tokens
    batch = rows([0, 0], [1, 0], [2, 1])
    assert evaluated(WReinforce(), batch, batch.old_logp_BT).value.item() == pytest.approx((-0.2 + 1) / 3)
    assert evaluated(PSR(), batch, batch.old_logp_BT).value.item() == pytest.approx(-2 / 3)
    assert evaluated(NSR(), batch, batch.old_logp_BT).value.item() == pytest.approx(1 / 3)


def test_only_incorrect_rollouts_move_nsr_and_only_correct_ones_psr():
    batch, logp_BT = example()
    for algorithm, moved_B in ((NSR(), ~batch.label_B), (PSR(), batch.label_B)):
        _, gradient_BT = learn(algorithm, batch, logp_BT)
        assert not gradient_BT[~moved_B].any()
        assert gradient_BT[moved_B].abs().sum(1).gt(0).float().mean() > 0.9  # a short rollout may be clipped whole


def test_groups_of_wrong_answers_alone_teach_without_a_baseline(toy):
    for name in ("reinforce_pp", "w_reinforce", "nsr"):
        one = toy([[0, 0, 0], [1, 0]])
        _, gradient = one.learn(get(name, kl_coef=0), one.theta)
        alone = toy([[0, 0, 0]])
        _, gradient_alone = alone.learn(get(name, kl_coef=0), alone.theta)
        assert gradient.abs().max() > 1e-3
        # whitened, equal rewards are nothing
        assert (gradient_alone.abs().max() > 1e-3) == (name != "reinforce_pp")
    for name in ("grpo", "dr_grpo", "lite_ppo", "magistral", "gspo", "cispo", "rloo", "reinforce_pp_baseline"):
        alone = toy([[0, 0, 0], [1, 1]])
        _, gradient = alone.learn(get(name, kl_coef=0), alone.moved(0.3))
        assert not gradient.any(), name


def test_gspo_clips_whole_sequences(rows):
    # log-ratios +0.01 and -0.009 average to 0.0005, s = 1.0005 > 1.0004: the positive has no gradient, on no token
    batch = rows([0, 0], [1, 0], [2, 2])
    logp_BT = batch.old_logp_BT + torch.tensor([[0.01, -0.009], [0.01, -0.009]], dtype=torch.float64)
    algorithm = GSPO(scale="none")
    batch = prepared(algorithm, batch)
    loss, gradient_BT = differentiated(algorithm, batch, logp_BT, Totals.of(batch))
    s = math.exp(0.0005)
    assert loss.value.item() == pytest.approx((-0.5 * 1.0004 + 0.5 * s) / 2)
    assert gradient_BT[0].tolist() == [0, 0]
    assert gradient_BT[1].tolist() == pytest.approx([0.5 * s / 2 / 2] * 2)
    assert loss.metrics["actor/pg_clipfrac"].value == 0.5


def test_cispo_caps_the_weight_and_keeps_the_gradient(rows):
    # ratios e^2 = 7.39, held at 5, and e^0.5: gradient -held × A / tokens, where GRPO's clip would give the first none
    batch = rows([0, 0], [1, 0], [1, 1])
    logp_BT = batch.old_logp_BT + torch.tensor([[2.0], [0.5]], dtype=torch.float64)
    algorithm = CISPO(scale="none")
    batch = prepared(algorithm, batch)
    loss, gradient_BT = differentiated(algorithm, batch, logp_BT, Totals.of(batch))
    assert gradient_BT[:, 0].tolist() == pytest.approx([-5 * 0.5 / 2, math.exp(0.5) * 0.5 / 2])
    assert loss.metrics["actor/pg_clipfrac"].value == 0.5


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (GSPO(aggregation="seq_mean_token_mean"), GRPO(kl_coef=0)),
        (CISPO(), GRPO(kl_coef=0, aggregation="token_mean")),
        (PSR(aggregation="seq_mean_token_sum"), Reinforce()),
        (WReinforce(positive=1.0, negative=1.0), DAPO(baseline="none", scale="none", overlong_factor=0.0)),
        (Magistral(scale="none", aggregation="const", overlong_factor=0.0), DrGRPO()),
        (RLOO(kl_coef=0), Reinforce(baseline="leave_one_out")),
    ],
    ids=lambda algorithm: type(algorithm).__name__,
)
def test_where_theta_is_the_sampler_they_are_one(one, other):
    batch, _ = example()
    _, found_BT = learn(one, batch, batch.old_logp_BT)
    _, expected_BT = learn(other, batch, batch.old_logp_BT)
    assert_close(found_BT, expected_BT, within=1e-12)


def test_psr_is_rejection_fine_tuning_over_all_tokens(toy):
    one = toy([[1, 0, 0], [1, 1, 0]])
    tokens, correct = int(one.mask_BT.sum()), int(one.mask_BT[one.label_B].sum())
    _, found = one.learn(PSR(), one.theta)
    _, expected = one.learn(Rejection(), one.theta)
    assert_close(found * tokens, expected * correct, within=1e-9)


@pytest.mark.parametrize("name", ["grpo", "dapo", "reinforce", "gspo"])
def test_the_entropy_bonus_is_aggregated_as_the_surrogate_is(name):
    batch, logp_BT = example()
    plain, bonus = get(name, kl_coef=0), get(name, kl_coef=0, entropy_coef=0.3)
    assert bonus.wants_entropy and not plain.wants_entropy
    batch = prepared(bonus, replace(batch, weight_BT=None))
    totals = totals_of(bonus, batch, logp_BT)
    entropy_BT = batch.entropy_BT.clone().requires_grad_()
    loss = bonus.loss(replace(batch, entropy_BT=entropy_BT), logp_BT, totals)
    (gradient_BT,) = torch.autograd.grad(loss.value, entropy_BT)
    share_BT = {
        "grpo": 1 / batch.length_B[:, None] / 25,
        "gspo": 1 / batch.length_B[:, None] / 25,
        "dapo": torch.tensor(1 / totals.tokens),
        "reinforce": torch.tensor(1 / 25),
    }[name]
    expected_BT = -0.3 * torch.where(batch.mask_BT, share_BT, 0).double()
    assert_close(gradient_BT, expected_BT, within=1e-6)  # a share is in single precision
    without = plain.loss(batch, logp_BT, totals).value
    assert loss.value.item() == pytest.approx((without + (gradient_BT * entropy_BT).sum()).item())
    assert loss.metrics["actor/policy_entropy"].value == pytest.approx(batch.entropy_BT[batch.mask_BT].mean().item())


def test_scales_need_a_baseline():
    with pytest.raises(ValueError, match="`scale` must be none without a `baseline`, but is std instead"):
        GRPO(baseline="none")
    with pytest.raises(ValueError, match="`kl_reference` must be init or synced where KL is in the reward"):
        RLOO(kl_reference="old")
