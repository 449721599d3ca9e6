"""What theory says of the objectives: which gradient each has, and where they agree. Double precision.

K rollouts of a prompt, P positive and N negative; g(c) is the gradient of sum_k c_k log pi(y_k), c_k = r_k - P/K.
"""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from algorithms.objectives.cispo import CISPO
from algorithms.objectives.dapo import DAPO
from algorithms.objectives.grpo import GRPO
from algorithms.objectives.gspo import GSPO
from algorithms.objectives.lite_ppo import LitePPO
from algorithms.objectives.magistral import Magistral
from algorithms.objectives.online_dpo import OnlineDPO
from algorithms.objectives.reinforce import Reinforce
from algorithms.objectives.rejection import Rejection
from algorithms.objectives.rence import ReNCE
from algorithms.objectives.rloo import RLOO
from algorithms.ops.contrast import nce_losses
from tests.closeness import assert_close

LABELS = [1, 1, 1, 0, 0, 0, 0, 0]
K, P, N = 8, 3, 5
PLAIN = ReNCE(margin_mode="none", kl_mode="off")
POPULATION = {"std_ddof": 0, "kl_coef": 0}


def centred(toy):
    return toy.label_B.double() - P / K


STD_EPSILON = 3e-5
"""ten times what the 1e-6 makes that is added to standard deviations"""


def close(a, b, tolerance=1e-9):
    assert_close(a, b, within=tolerance)


@pytest.mark.parametrize("clip", [{}, {"clip_low": 0.01, "clip_high": 0.01, "clip_dual": 1.5}])
def test_grpo_on_policy_is_weighted_reinforce_whatever_the_clip(toy, clip):
    one = toy([LABELS])
    advantage_B = torch.where(one.label_B, math.sqrt(N / P), -math.sqrt(P / N)).double()
    _, found = one.learn(GRPO(**POPULATION, **clip), one.theta)
    close(found, one.reinforce(advantage_B / one.length_B / K), STD_EPSILON)
    _, found = one.learn(GRPO(aggregation="token_mean", **POPULATION, **clip), one.theta)
    close(found, one.reinforce(advantage_B / one.length_B.sum()), STD_EPSILON)


def test_grpo_advantages_of_binary_rewards(toy):
    one = toy([LABELS])
    population = GRPO(std_ddof=0).credit(one.batch(), None)["advantage"]
    close(population[0], torch.tensor(math.sqrt(N / P)).double(), STD_EPSILON)
    close(population[-1], torch.tensor(-math.sqrt(P / N)).double(), STD_EPSILON)
    sample = GRPO().credit(one.batch(), None)["advantage"]
    close(sample, population * math.sqrt((K - 1) / K), STD_EPSILON)


def test_leave_one_out_is_the_centred_reward_scaled(toy):
    one = toy([LABELS])
    advantage_B = GRPO(baseline="leave_one_out", scale="none").credit(one.batch(), None)["advantage"]
    close(advantage_B, K / (K - 1) * centred(one))


def test_on_policy_group_methods_are_one_direction_with_a_weight(toy):
    """With sequence sums and theta at the sampling policy, every method ascends along w(P, N) g(c)."""
    one = toy([LABELS])
    direction = one.reinforce(centred(one))
    beta, m = 0.1, 0.7
    margin = {"margin_mode": "const", "margin_alpha": m}
    mean = {"pos_reduction": "mean"}
    sums = {"aggregation": "seq_mean_token_sum", "kl_coef": 0}
    weights = {
        GRPO(scale="none", **sums): 1 / K,
        GRPO(scale="none", baseline="leave_one_out", **sums): 1 / (K - 1),
        GRPO(std_ddof=0, **sums): K / math.sqrt(P * N) / K,
        RLOO(kl_coef=0): 1 / (K - 1),
        Reinforce(baseline="group_mean"): 1 / K,
        # one group is the batch, so both deviations are the group's
        LitePPO(std_ddof=0, aggregation="seq_mean_token_sum"): 1 / math.sqrt(P * N),
        Magistral(std_ddof=0, aggregation="seq_mean_token_sum"): 1 / math.sqrt(P * N),
        CISPO(std_ddof=0, aggregation="seq_mean_token_sum"): 1 / math.sqrt(P * N),
        GSPO(std_ddof=0, aggregation="seq_mean_token_sum"): 1 / math.sqrt(P * N),
        PLAIN: beta * K / (1 + N) / K,
        replace(PLAIN, **mean): beta * K / (P * (1 + N)),
        replace(PLAIN, **margin): beta * K * math.exp(m) / (1 + N * math.exp(m)) / K,
        replace(PLAIN, nce_form="log_sum"): beta / P,
        replace(PLAIN, nce_form="sum_log", **mean): beta / P,
        OnlineDPO(pairs="all"): beta * K / (2 * P * N),
    }
    for algorithm, weight in weights.items():
        _, found = one.learn(algorithm, one.theta)
        # a standard deviation is divided by with 1e-6 added
        close(found, weight * direction, STD_EPSILON)


@pytest.mark.parametrize("labels", [[1, 1, 1, 1], [0, 0, 0, 0]])
@pytest.mark.parametrize(
    "algorithm",
    [
        GRPO(kl_coef=0),
        GRPO(kl_coef=0, scale="none", aggregation="const"),
        DAPO(),
        OnlineDPO(nll_coef=1.0),
        OnlineDPO(pairs="all"),
        *(ReNCE(kl_mode="off", nce_form=form) for form in ("sum_log_nce", "sum_log", "log_sum", "max_min")),
        ReNCE(kl_mode="off", score_ref="none", nll_coef=1.0, margin_mode="difficulty"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, list) else None,
)
def test_all_equal_groups_give_exactly_nothing(toy, algorithm, labels):
    one = toy([labels])
    loss, gradient = one.learn(algorithm, one.moved(0.5), one.batch(ref=one.moved(0.5)))
    assert loss.value.item() == 0
    assert not gradient.any()


@pytest.mark.parametrize(
    "algorithm", [PLAIN, replace(PLAIN, nce_form="sum_log", nll_coef=0.5), OnlineDPO(nll_coef=0.5)]
)
def test_groups_without_a_contrast_are_not_counted(toy, algorithm):
    alone, among = toy([LABELS]), toy([LABELS, [1, 1, 1], [0, 0]])
    for name in ("tokens_BT", "length_B", "mask_BT"):
        getattr(among, name)[:K] = getattr(alone, name)
    theta = alone.moved(0.5)
    loss, gradient = among.learn(algorithm, theta)
    expected, expected_gradient = alone.learn(algorithm, theta)
    close(loss.value, expected.value)
    close(gradient, expected_gradient)
    contrasts = [name for name in expected.metrics if name.startswith(("nce/", "dpo/", "rewards/"))]
    assert contrasts
    for name in contrasts:
        found, wanted = loss.metrics[name], expected.metrics[name]
        assert (found.total, found.count) == pytest.approx((wanted.total, wanted.count))


def test_score_gradients_of_rence():
    """dL/ds_i = -(1 - p_i) and dL/ds_j = sum_i q_ij, so that all of them sum to 0."""
    random = torch.Generator().manual_seed(1)
    score_GK = torch.randn(1, K, generator=random, dtype=torch.float64, requires_grad=True)
    margin_GKK = torch.randn(1, K, K, generator=random, dtype=torch.float64)
    positive_GK = torch.tensor([LABELS]).bool()
    pair_GKK = positive_GK[:, :, None] & ~positive_GK[:, None, :]
    loss = nce_losses(score_GK, positive_GK, pair_GKK, margin_GKK, "sum_log_nce").sum()
    (found_GK,) = torch.autograd.grad(loss, score_GK)
    s, m = score_GK.detach()[0], margin_GKK[0]
    rivals_PN = (s[P:] + m[:P, P:]).exp()
    q_PN = rivals_PN / (s[:P].exp() + rivals_PN.sum(1))[:, None]
    close(found_GK[0, :P], -q_PN.sum(1))
    close(found_GK[0, P:], q_PN.sum(0))
    assert abs(found_GK.sum()) < 1e-12


def test_rence_of_one_pair_is_dpo_to_the_old_policy_with_an_offset(toy):
    one = toy([[1, 0]])
    theta = one.moved(0.5)
    dpo, dpo_gradient = one.learn(OnlineDPO(), theta)  # the reference is the old policy
    rence, rence_gradient = one.learn(replace(PLAIN, pos_reduction="mean"), theta)
    close(rence.value, dpo.value)
    close(rence_gradient, dpo_gradient)
    logit = dpo.metrics["rewards/margins"].value
    offset = replace(PLAIN, pos_reduction="mean", margin_mode="reward_gap", margin_alpha=0.3)
    assert one.learn(offset, theta)[0].value.item() == pytest.approx(math.log1p(math.exp(-(logit - 0.3))))


def test_rence_mean_is_group_dpo_only_with_one_negative(toy):
    mean = replace(PLAIN, pos_reduction="mean")
    single, several = toy([[1, 1, 1, 0]]), toy([[1, 1, 0, 0]])
    gaps = []
    for one in (single, several):
        theta = one.moved(0.5)
        gaps.append(abs(one.learn(mean, theta)[0].value - one.learn(OnlineDPO(pairs="all"), theta)[0].value).item())
    assert gaps[0] < 1e-12 and gaps[1] > 0.01


def test_two_pass_gradient(toy):
    """The gradient of sum_k sg(dL/ds_k) s_k(theta) is that of the loss: a group can be taken one rollout at a time."""
    one = toy([LABELS])
    theta = one.moved(0.5)
    _, found = one.learn(PLAIN, theta)
    score_GK = 0.1 * ((one.logp(theta) - one.logp(one.theta)) * one.mask_BT).sum(1)[None].requires_grad_()
    positive_GK = one.label_B[None]
    pair_GKK = positive_GK[:, :, None] & ~positive_GK[:, None, :]
    losses_GK = nce_losses(score_GK, positive_GK, pair_GKK, torch.zeros(1, 1, 1), "sum_log_nce")
    (weight_GK,) = torch.autograd.grad(losses_GK.sum() / K, score_GK)
    summed = torch.zeros_like(theta)
    for row in range(K):
        leaf = theta.clone().requires_grad_()
        score = 0.1 * (one.logp(leaf)[row] * one.mask_BT[row]).sum()
        summed -= torch.autograd.grad(weight_GK[0, row] * score, leaf)[0]
    close(found, summed)


@pytest.mark.parametrize("algorithm", [GRPO(), GRPO(scale="none"), GRPO(baseline="leave_one_out"), ReNCE()])
def test_a_constant_on_all_rewards_changes_nothing(toy, algorithm):
    one = toy([LABELS, [1, 0, 0]])
    theta, reward_B = one.moved(0.3), torch.rand(K + 3, generator=one.random, dtype=torch.float64)
    _, before = one.learn(algorithm, theta, one.batch(reward_B=reward_B))
    _, after = one.learn(algorithm, theta, one.batch(reward_B=reward_B + 3))
    close(before, after)


def test_a_factor_on_all_rewards(toy):
    one = toy([LABELS])
    reward_B = torch.rand(K, generator=one.random, dtype=torch.float64)

    def advantage(algorithm, factor):
        return algorithm.credit(one.batch(reward_B=factor * reward_B), None)["advantage"]

    close(advantage(GRPO(), 5), advantage(GRPO(), 1), STD_EPSILON)
    for algorithm in (GRPO(scale="none"), GRPO(scale="none", baseline="leave_one_out")):
        close(advantage(algorithm, 5), 5 * advantage(algorithm, 1))
    theta = one.moved(0.3)
    scaled = one.learn(ReNCE(margin_alpha=0.1), theta, one.batch(reward_B=5 * reward_B))
    close(scaled[1], one.learn(ReNCE(margin_alpha=0.5), theta, one.batch(reward_B=reward_B))[1])


def test_loss_values_on_policy(toy):
    """Values at the first update after sampling; anything else says that old log-probs do not match."""
    one = toy([LABELS])
    m = 0.5
    rence = P * math.log(1 + N * math.exp(m)) / K
    assert one.learn(ReNCE(kl_mode="off"), one.theta)[0].value.item() == pytest.approx(rence)
    assert one.learn(PLAIN, one.theta)[0].value.item() == pytest.approx(P * math.log(1 + N) / K)
    assert one.learn(OnlineDPO(), one.theta)[0].value.item() == pytest.approx(math.log(2))
    # each positive against all K: -log 1/K, the hard-label InfoNCA
    infonca = replace(PLAIN, nce_form="sum_log", pos_reduction="mean")
    assert one.learn(infonca, one.theta)[0].value.item() == pytest.approx(math.log(K))


def test_dapo_is_grpo_where_their_differences_are_off(toy):
    """Equal clips, the same mean, no overlong penalty; rewards of ±1 and of 0 and 1 have the same standard scores."""
    one = toy([LABELS, [1, 0, 0]])
    theta = one.moved(0.5)
    grpo = GRPO(kl_coef=0)
    dapo = DAPO(clip_high=0.2, aggregation="seq_mean_token_mean", overlong_factor=0)
    for a, b in zip(one.learn(grpo, theta), one.learn(dapo, theta), strict=True):
        close(getattr(a, "value", a), getattr(b, "value", b), STD_EPSILON)


@pytest.mark.parametrize("labels", [[LABELS], [LABELS, [1, 1], [0, 0, 0], [1]]])
def test_rejection_on_policy_is_reinforce_on_the_positives_alone(toy, labels):
    """Positive sample reinforcement: weight 1 on each token of a correct rollout, 0 on those of a wrong one."""
    one = toy(labels)
    positive_B = one.label_B.double()
    _, found = one.learn(Rejection(), one.theta)
    close(found, one.reinforce(positive_B / one.length_B[one.label_B].sum()))
    _, found = one.learn(Rejection(aggregation="seq_mean_token_sum"), one.theta)
    close(found, one.reinforce(positive_B / positive_B.sum()))


def test_rejection_and_grpo_on_policy_differ_by_what_is_learnt_from_wrong_answers(toy):
    """With sums and means over sequences, P/K of rejection's direction is GRPO's for raw rewards: g(r)/K, while the
    centred reward's adds -P/K of every rollout's score."""
    one = toy([LABELS])
    sums = {"aggregation": "seq_mean_token_sum"}
    _, rejection = one.learn(Rejection(**sums), one.theta)
    _, centred_reward = one.learn(GRPO(scale="none", kl_coef=0, **sums), one.theta)
    close(P / K * rejection - centred_reward, one.reinforce(torch.full((K,), P / K / K).double()))


def test_rejection_has_no_ratio_to_the_sampler(toy):
    """Away from the sampling policy it is still plain likelihood, whatever the old log-probs."""
    one = toy([LABELS])
    theta = one.moved(0.5)
    loss, gradient = one.learn(Rejection(), theta)
    correct = one.mask_BT & one.label_B[:, None]
    assert loss.value.item() == pytest.approx(-one.logp(theta)[correct].mean().item())
    other = one.batch(old_logp_BT=one.logp(one.moved(0.5)))
    again, same_gradient = one.learn(Rejection(), theta, other)
    assert again.value.item() == loss.value.item() and torch.equal(same_gradient, gradient)
