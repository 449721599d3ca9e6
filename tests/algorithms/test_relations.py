"""Where the contrastive objectives agree: the same numbers from two files. Double precision.

K rollouts of a prompt, P positive and N negative; g(c) is the gradient of sum_k c_k log pi(y_k), c_k = r_k - P/K.
"""

from __future__ import annotations

import math

import pytest

from algorithms.objectives.a_lol import ALoL
from algorithms.objectives.conspo import ConSPO
from algorithms.objectives.disco import DisCO
from algorithms.objectives.nca import NCA, InfoNCA
from algorithms.objectives.odpo import ODPO
from algorithms.objectives.online_dpo import OnlineDPO
from algorithms.objectives.rence import ReNCE
from algorithms.objectives.rpg import RPG
from tests.closeness import assert_close

LABELS = [1, 1, 1, 0, 0, 0, 0, 0]
K, P, N = 8, 3, 5


def close(found, expected, tolerance=1e-9):
    for a, b in zip(found, expected, strict=True):
        a, b = (getattr(x, "value", x) for x in (a, b))
        assert_close(a, b, within=tolerance)


@pytest.mark.parametrize("labels", [[1, 1, 1, 1], [0, 0, 0, 0]])
@pytest.mark.parametrize(
    "algorithm",
    [
        ODPO(nll_coef=1.0),
        ODPO(pairs="all"),
        ConSPO(nll_coef=1.0),
        *(
            DisCO(kl_coef=0, score=score, negatives=how)
            for score in ("log_l", "l_ratio")
            for how in ("log_mean_exp", "mean")
        ),
        ALoL(),
        RPG(divergence_coef=0),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, list) else None,
)
def test_all_equal_groups_give_exactly_nothing(toy, algorithm, labels):
    """InfoNCA, NCA, CoPG and DNO still pull to their reference; their own tests say how."""
    one = toy([labels])
    loss, gradient = one.learn(algorithm, one.moved(0.5), one.batch(ref=one.moved(0.5)))
    assert loss.value.item() == 0
    assert not gradient.any()


@pytest.mark.parametrize("pairs", ["random", "all"])
@pytest.mark.parametrize("changes", [{"alpha": 0.0}, {"offset": "log_gap"}])
def test_odpo_without_an_offset_is_online_dpo(toy, pairs, changes):
    one = toy([LABELS, [1, 0], [1, 1]])
    theta, batch = one.moved(0.5), one.batch(ref=one.moved(0.5))
    close(one.learn(ODPO(pairs=pairs, **changes), theta, batch), one.learn(OnlineDPO(pairs=pairs), theta, batch))


def test_odpo_of_one_pair_is_rence_with_its_margin(toy):
    one = toy([[1, 0]])
    theta = one.moved(0.5)
    rence = ReNCE(margin_alpha=0.3, kl_mode="off", pos_reduction="mean")
    close(one.learn(ODPO(alpha=0.3), theta), one.learn(rence, theta))


def test_on_policy_odpo_over_all_pairs_is_reinforce_with_a_weight(toy):
    """Each pair has sigma(alpha) where DPO has a half: w = sigma(alpha) beta K / (P N)."""
    one = toy([LABELS])
    for alpha in (0.0, 1.0, 3.0):
        loss, found = one.learn(ODPO(pairs="all", alpha=alpha), one.theta)
        weight = 0.1 * K / (P * N) / (1 + math.exp(-alpha))
        assert_close(found, weight * one.reinforce(one.label_B.double() - P / K), within=1e-9)
        assert loss.value.item() == pytest.approx(math.log1p(math.exp(alpha)))


def test_infonca_of_hard_labels_is_sum_log_nce(toy):
    one = toy([LABELS])
    theta, batch = one.moved(0.5), one.batch(ref=one.moved(0.5))
    nce = ReNCE(nce_form="sum_log", pos_reduction="mean", score_ref="init", margin_mode="none", kl_mode="off")
    close(one.learn(InfoNCA(beta=0.1), theta, batch), one.learn(nce, theta, batch))


def test_infonca_of_a_pair_is_dpo(toy):
    one = toy([[1, 0]])
    theta, batch = one.moved(0.5), one.batch(ref=one.moved(0.5))
    close(one.learn(InfoNCA(beta=0.1), theta, batch), one.learn(OnlineDPO(ref_policy="init"), theta, batch))


def test_nca_at_the_reference_is_half_of_infonca(toy):
    one = toy([LABELS, [1, 0, 0]])
    for alpha in (1e-4, 1.0):
        infonca, nca = (one.learn(make(alpha=alpha), one.theta)[1] for make in (InfoNCA, NCA))
        assert_close(2 * nca, infonca, within=1e-6)
