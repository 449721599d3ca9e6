"""The switches of ReNCE (reconstruction), each against a value worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log

import pytest
import torch

from algorithms import registry
from algorithms.example import keyed
from algorithms.objectives.rence import ReNCE
from algorithms.rollouts import Totals

PLAIN = ReNCE(margin_mode="none", kl_mode="off", score_beta=1.0)


def evaluated(algorithm, batch, logp_BT, **totals):
    batch = replace(batch, credit=algorithm.credit(batch, keyed))
    return algorithm.loss(batch, logp_BT, replace(Totals.of(batch), **totals))


def scored(rows, labels, scores, **changes):
    """One group of one-token rollouts with given log-ratios to the old policy."""
    batch = rows([0] * len(labels), labels, [1] * len(labels), **changes)
    return batch, batch.old_logp_BT + torch.tensor(scores, dtype=torch.float64)[:, None]


def test_the_frozen_defaults():
    default = ReNCE()
    frozen = {
        "nce_form": "sum_log_nce",
        "pos_reduction": "sum",
        "score_ref": "old",
        "score_norm": "sum",
        "score_beta": 0.1,
        "margin_mode": "reward_gap",
        "margin_alpha": 0.5,
        "t_easy": 0.8,
        "refill_dropped": True,
        "kl_mode": "window",
        "kl_coef": 1e-3,
        "kl_window": 0.02,
        "negatives": "all",
    }
    assert {name: getattr(default, name) for name in frozen} == frozen
    assert default.title == "ReNCE (reconstruction)"
    # everything else is off
    assert (default.t_hard, default.overlong_factor, default.nll_coef, default.kl_reference) == (0, 0, 0, "init")


@pytest.mark.parametrize(
    ("form", "reduction", "value"),
    [
        # positives at log 2 and log 3, negatives at 0 and 0
        ("sum_log_nce", "sum", -(log(2 / 4) + log(3 / 5)) / 4),
        ("sum_log_nce", "mean", -(log(2 / 4) + log(3 / 5)) / 2),
        ("sum_log", "sum", -(log(2 / 7) + log(3 / 7)) / 4),
        ("sum_log", "mean", -(log(2 / 7) + log(3 / 7)) / 2),
        ("log_sum", "sum", -log(5 / 7)),
        ("max_min", "sum", -log(2 / 7)),
    ],
)
def test_forms(rows, form, reduction, value):
    batch, logp_BT = scored(rows, [1, 1, 0, 0], [log(2), log(3), 0, 0])
    algorithm = replace(PLAIN, nce_form=form, pos_reduction=reduction)
    assert evaluated(algorithm, batch, logp_BT).value.item() == pytest.approx(value)


@pytest.mark.parametrize(
    ("mode", "factors"),
    [
        # what the negatives count, with alpha 1/2 and rewards 1 against 0 and 1/2
        ("none", (1, 1)),
        ("const", (exp(0.5), exp(0.5))),
        ("reward_gap", (exp(0.5), exp(0.25))),
        ("log_gap", (1, 0.5**0.5)),
        ("difficulty", (exp(0.5 * 2 / 3), exp(0.5 * 2 / 3))),
        ("easiness", (exp(0.5 / 3), exp(0.5 / 3))),
        ("curriculum", (exp(0.25), exp(0.25))),
    ],
)
def test_margins(rows, mode, factors):
    reward_B = torch.tensor([1.0, 0, 0.5], dtype=torch.float64)
    batch, logp_BT = scored(rows, [1, 0, 0], [0, 0, 0], reward_B=reward_B)
    algorithm = replace(PLAIN, margin_mode=mode, margin_alpha=0.5)
    # progress 1/4 of a warm-up over 1/2: half way up
    found = evaluated(algorithm, batch, logp_BT, progress=0.25).value.item()
    assert found == pytest.approx(log(1 + sum(factors)) / 3)


def test_a_pair_without_a_gap_is_no_pair_for_log_gap(rows):
    reward_B = torch.tensor([0.5, 0.5, 0.5], dtype=torch.float64)
    batch, logp_BT = scored(rows, [1, 0, 0], [1, 2, 3], reward_B=reward_B)
    logp_BT = logp_BT.requires_grad_()
    loss = evaluated(replace(PLAIN, margin_mode="log_gap"), batch, logp_BT).value
    loss.backward()
    assert loss.item() == 0 and not logp_BT.grad.any()


def test_curriculum_rises_to_alpha_and_needs_to_know_progress(rows):
    batch, logp_BT = scored(rows, [1, 0], [0, 0])
    algorithm = replace(PLAIN, margin_mode="curriculum", margin_alpha=0.5, margin_warmup=0.5)
    margins = [evaluated(algorithm, batch, logp_BT, progress=p).metrics["nce/margin"].value for p in (0, 0.25, 0.5, 1)]
    assert margins == pytest.approx([0, 0.25, 0.5, 0.5])
    with pytest.raises(ValueError, match=r"needs `Totals.progress`"):
        evaluated(algorithm, batch, logp_BT)


@pytest.mark.parametrize(
    ("changes", "scores"),
    [
        # lengths 2 and 1; log-probs -1 each; log-ratios to old +1 a token, to the reference +3 a token
        ({}, (2, 1)),
        ({"score_norm": "mean"}, (1, 1)),
        ({"score_ref": "init"}, (6, 3)),
        ({"score_ref": "none"}, (-2, -1)),
        ({"score_ref": "none", "score_norm": "mean", "score_beta": 0.25}, (-0.25, -0.25)),
    ],
)
def test_scores(rows, changes, scores):
    old_BT, ref_BT = torch.full((2, 2), -2.0, dtype=torch.float64), torch.full((2, 2), -4.0, dtype=torch.float64)
    batch = rows([0, 0], [1, 0], [2, 1], old_logp_BT=old_BT, ref_logp_BT=ref_BT)
    found = evaluated(replace(PLAIN, **changes), batch, torch.full((2, 2), -1.0, dtype=torch.float64))
    assert found.value.item() == pytest.approx(log(1 + exp(scores[1] - scores[0])) / 2)


def test_filter(rows):
    # P/K: 0, 1/4, 2/4, 3/4, 4/4, 4/5; P/N of the middle ones: 1/3, 1, 3, 4
    labels = [[0] * 4, [1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1] * 4, [1, 1, 1, 1, 0]]
    batch = rows([g for g, group in enumerate(labels) for _ in group], [x for group in labels for x in group])

    def kept(**changes):
        return [g for g, keep in enumerate(ReNCE(**changes).keep(batch).tolist()) if keep]

    assert kept() == [1, 2, 3, 5]  # 4/5 is not above 0.8
    assert kept(t_easy=0.75) == [1, 2, 3]
    assert kept(t_easy=1, t_hard=0.5) == [2, 3, 5]
    assert kept(t_easy=1) == [1, 2, 3, 5]
    assert kept(easy_stat="pos_neg_ratio", t_easy=1) == [1, 2]
    assert kept(easy_stat="pos_neg_ratio", t_easy=3, t_hard=1) == [2, 3]
    assert ReNCE().refill and not ReNCE(refill_dropped=False).refill


def test_hard_negatives_are_the_likeliest_per_token(rows):
    # totals -2, -3, -3 over 1, 2 and 3 tokens: means -2, -1.5, -1
    old_BT = torch.tensor([[0.0, 0, 0], [-2, 0, 0], [-1, -2, 0], [-1, -1, -1]], dtype=torch.float64)
    batch = rows([0] * 4, [1, 0, 0, 0], [1, 1, 2, 3], old_logp_BT=old_BT)
    credit = ReNCE(negatives="topk", negatives_k=2).credit(batch, keyed)
    assert credit["negative"].tolist() == [False, False, True, True]
    found = evaluated(replace(PLAIN, negatives="topk", negatives_k=2), batch, old_BT).value.item()
    assert found == pytest.approx(log(1 + 2) / 4)


def test_random_negatives_are_keyed_by_the_problem(rows):
    old_BT = -torch.arange(1.0, 9, dtype=torch.float64)[:, None]
    batch = rows([0] * 8, [1, 1, 0, 0, 0, 0, 0, 0], [1] * 8, old_logp_BT=old_BT)
    algorithm = ReNCE(negatives="random_k", negatives_k=3)
    draws = set()
    for seed in range(50):
        picked = algorithm.credit(batch, lambda _, seed=seed: torch.Generator().manual_seed(seed))["negative"]
        assert picked.sum() == 3 and not picked[:2].any()
        draws.add(tuple(picked.tolist()))
    assert len(draws) > 10
    again = [algorithm.credit(batch, keyed)["negative"].tolist() for _ in range(2)]
    assert again[0] == again[1]


def test_overlong_penalty_makes_the_margin_dynamic(rows):
    # limit 10, cache 2: the positive of 10 tokens has reward 0, the negatives of 3 and 10 tokens 0 and -1
    batch = rows([0] * 3, [1, 0, 0], [10, 3, 10])
    algorithm = replace(PLAIN, margin_mode="reward_gap", margin_alpha=0.5, overlong_factor=1.0)
    reward_B = algorithm.shape(batch)
    assert reward_B.tolist() == [0, 0, -1]
    found = evaluated(algorithm, replace(batch, reward_B=reward_B), batch.old_logp_BT).value.item()
    assert found == pytest.approx(log(1 + 1 + exp(0.5)) / 3)


def test_nll_of_positives(rows):
    batch = rows([0, 0, 0], [1, 1, 0], [3, 1, 1])
    logp_BT = torch.tensor([[-1.0, -2, -3], [-4, 0, 0], [-9, 0, 0]], dtype=torch.float64)
    plain, with_nll = (evaluated(replace(PLAIN, nll_coef=coef), batch, logp_BT).value.item() for coef in (0, 0.5))
    assert with_nll - plain == pytest.approx(0.5 * (2 + 4) / 2)


def test_weight_shift_tells_whether_the_contrast_acts(rows):
    # 1 - p is 1/2 on-policy and 1/(1 + 3) after the positive has gained log 3
    batch, logp_BT = scored(rows, [1, 0], [log(3), 0])
    metrics = evaluated(PLAIN, batch, logp_BT).metrics
    values = [metrics[f"nce/{name}"].value for name in ("weight", "weight_on_policy", "weight_shift")]
    assert values == pytest.approx([1 / 4, 1 / 2, 1 / 4])
    assert evaluated(PLAIN, batch, batch.old_logp_BT).metrics["nce/weight_shift"].value == 0


def test_activity_lists_the_window_only_where_there_is_one():
    assert "actor/kl_gate" in [activity.metric for activity in ReNCE().activity]
    assert "actor/kl_gate" not in [activity.metric for activity in PLAIN.activity]


@pytest.mark.parametrize(
    ("changes", "reference"),
    [
        ({}, "init"),
        ({"kl_mode": "off"}, None),
        ({"kl_reference": "old"}, None),
        ({"kl_reference": "synced"}, "synced"),
        ({"kl_mode": "off", "score_ref": "synced"}, "synced"),
    ],
)
def test_which_reference_is_needed(changes, reference):
    assert ReNCE(**changes).reference == reference


def test_a_trial_has_one_reference():
    with pytest.raises(ValueError, match="`kl_reference` must be synced, as `score_ref` is, but is init instead"):
        ReNCE(score_ref="synced")


def test_variants():
    plain, mean = registry.ALL["rence_plain"], registry.ALL["rence_mean"]
    assert replace(plain, margin_mode="reward_gap", kl_mode="window", t_easy=0.8) == ReNCE()
    assert replace(mean, pos_reduction="sum") == ReNCE()
