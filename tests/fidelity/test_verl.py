"""The same numbers as verl 0.9.1's own code, losses and gradients, to 1e-9 of their norm.

verl always clips twice; where ours does not, its bound is put out of reach.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from verl.trainer.config import AlgoConfig
from verl.trainer.ppo import core_algos
from verl.workers.config import ActorConfig

from algorithms.objectives.cispo import CISPO
from algorithms.objectives.dapo import DAPO
from algorithms.objectives.grpo import GRPO
from algorithms.objectives.gspo import GSPO
from algorithms.objectives.reinforce_pp import ReinforcePP, ReinforcePPBaseline
from algorithms.objectives.rloo import RLOO
from algorithms.ops.aggregation import aggregate
from algorithms.ops.kl import kl_tokens
from algorithms.rollouts import Totals
from tests.closeness import assert_close

OUT_OF_REACH = 1e12
MODES = {
    "token_mean": "token-mean",
    "seq_mean_token_mean": "seq-mean-token-mean",
    "seq_mean_token_sum": "seq-mean-token-sum",
    "const": "seq-mean-token-sum-norm",
}
ESTIMATORS = {"k1": "k1", "k2": "k2", "k3": "low_var_kl"}


def close(a, b):
    assert_close(a, b, within=1e-9)


def at_the_end(batch):
    """Token-level rewards that lie on the last token."""
    reward_BT = torch.zeros_like(batch.old_logp_BT)
    reward_BT[torch.arange(len(batch)), batch.length_B - 1] = batch.reward_B
    return reward_BT


def verl_advantage(batch, **options):
    """(B, T)"""
    reward_BT = at_the_end(batch)
    index = np.array([batch.problem_ids[group] for group in batch.group_B.tolist()])
    return core_algos.compute_grpo_outcome_advantage(reward_BT, batch.mask_BT, index, **options)[0]


def verl_loss(batch, logp_BT, algorithm, advantage_BT, weight_BT=None, loss=core_algos.compute_policy_loss_vanilla):
    config = ActorConfig(
        strategy="fsdp",
        rollout_n=1,
        use_dynamic_bsz=True,
        clip_ratio_low=algorithm.clip_low,
        clip_ratio_high=algorithm.clip_high,
        clip_ratio_c=getattr(algorithm, "clip_dual", None) or OUT_OF_REACH,
    )
    config.global_batch_info["loss_scale_factor"] = batch.max_tokens
    mode = MODES[algorithm.aggregation]
    return loss(batch.old_logp_BT, logp_BT, advantage_BT, batch.mask_BT, mode, config, weight_BT)


def with_gradient(function, logp_BT):
    leaf_BT = logp_BT.clone().requires_grad_()
    value = function(leaf_BT)
    return value.detach(), torch.autograd.grad(value, leaf_BT)[0]


@pytest.mark.parametrize("scale", ["std", "none"])
@pytest.mark.parametrize("reward", ["binary", "real"])
def test_grpo_advantage(awkward, scale, reward):
    batch, _ = awkward
    if reward == "real":
        values_B = torch.rand(len(batch), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        batch = replace(batch, reward_B=values_B)
    ours_B = GRPO(scale=scale).credit(batch, None)["advantage"]
    theirs_BT = verl_advantage(batch, norm_adv_by_std_in_grpo=scale == "std")
    close(ours_B[:, None] * batch.mask_BT, theirs_BT)


def test_a_group_of_one_is_where_we_differ():
    """verl gives a rollout alone in its group its raw reward as advantage; ours is 0, as it has nothing to show."""
    theirs, _ = core_algos.compute_grpo_outcome_advantage(torch.ones(1, 1), torch.ones(1, 1), np.array(["alone"]))
    assert_close(theirs.item(), 1.0, within=1e-5)  # 1e-6 is added to a deviation of 1


def test_rloo_advantage(awkward):
    batch, _ = awkward
    sizes = batch.size_G[batch.group_B]
    ours_B = RLOO(kl_coef=0).credit(batch, None)["advantage"]
    index = np.array([batch.problem_ids[group] for group in batch.group_B.tolist()])
    theirs_BT, _ = core_algos.compute_rloo_outcome_advantage(at_the_end(batch), batch.mask_BT, index)
    # a rollout alone in its group keeps its raw reward there
    close((ours_B[:, None] * batch.mask_BT)[sizes > 1], theirs_BT[sizes > 1])


@pytest.mark.parametrize("kl_coef", [0.0, 0.1])
def test_reinforce_pp_advantage(awkward, kl_coef):
    batch, _ = awkward
    algorithm = ReinforcePP(kl_coef=kl_coef)
    batch = replace(batch, reward_B=batch.label_B.double(), weight_BT=None)
    batch = replace(batch, credit=algorithm.credit(batch, None))
    kl_BT = (batch.old_logp_BT - batch.ref_logp_BT) * batch.mask_BT
    config = AlgoConfig(gamma=1.0)
    theirs_BT, returns_BT = core_algos.compute_reinforce_plus_plus_outcome_advantage(
        at_the_end(batch) - kl_coef * kl_BT, batch.mask_BT.double(), config
    )
    ours_BT = algorithm.advantage(batch) * batch.mask_BT
    # ours adds 1e-6 to the deviation and theirs 1e-8 to the variance, which with equal labels is small: KL's, or none
    std = returns_BT[batch.mask_BT].std()
    as_theirs_BT = ours_BT * (std + 1e-6) / (std**2 + 1e-8).sqrt()
    # theirs adds 1e-8 to the number of tokens too, whose root is the norm of standard scores
    assert_close(as_theirs_BT, theirs_BT, within=3e-5, floor=float(batch.mask_BT.sum().sqrt()))


def test_reinforce_pp_baseline_advantage(awkward):
    batch, _ = awkward
    # a group of one keeps its reward there
    batch = batch.select(torch.nonzero(batch.size_G > 1)[:, 0])
    batch = replace(batch, reward_B=batch.label_B.double())
    ours_B = ReinforcePPBaseline().credit(batch, None)["advantage"]
    index = np.array([batch.problem_ids[group] for group in batch.group_B.tolist()])
    theirs_BT, _ = core_algos.compute_reinforce_plus_plus_baseline_outcome_advantage(
        at_the_end(batch), batch.mask_BT.double(), index
    )
    assert_close(ours_B[:, None] * batch.mask_BT, theirs_BT, within=3e-5)


@pytest.mark.parametrize("aggregation", MODES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("algorithm", "name"),
    [(GSPO(), "gspo"), (CISPO(), "cispo"), (CISPO(clip_low=0.2, clip_high=0.2), "cispo")],
    ids=["gspo", "cispo", "cispo, tight"],
)
def test_gspo_and_cispo_losses(awkward, algorithm, name, weighted, aggregation):
    batch, logp_BT = awkward
    # verl clamps the sequence ratio's logarithm at 10, ours at 20
    logp_BT = batch.old_logp_BT + (logp_BT - batch.old_logp_BT).clamp(-5, 5)
    algorithm = replace(algorithm, aggregation=aggregation)
    batch = batch if weighted else replace(batch, weight_BT=None)
    batch = replace(batch, credit=algorithm.credit(batch, None))
    totals, advantage_BT = Totals.of(batch), verl_advantage(batch)

    def theirs(leaf_BT):
        return verl_loss(batch, leaf_BT, algorithm, advantage_BT, batch.weight_BT, core_algos.get_policy_loss_fn(name))

    ours = with_gradient(lambda leaf_BT: algorithm.loss(batch, leaf_BT, totals).value, logp_BT)
    for a, b in zip(ours, with_gradient(lambda leaf_BT: theirs(leaf_BT)[0], logp_BT), strict=True):
        close(a, b)
    found = algorithm.loss(batch, logp_BT, totals).metrics["actor/pg_clipfrac"].value
    assert_close(found, theirs(logp_BT)[1]["actor/pg_clipfrac"], within=1e-6)  # theirs is in single precision


@pytest.mark.parametrize("aggregation", MODES)
@pytest.mark.parametrize("dual", [None, 3.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_clipped_loss(awkward, aggregation, dual, weighted):
    batch, logp_BT = awkward
    batch = batch if weighted else replace(batch, weight_BT=None)
    algorithm = DAPO(aggregation=aggregation, clip_dual=dual, clip_low=0.2, clip_high=0.28)
    batch = replace(batch, credit=algorithm.credit(batch, None))
    totals, advantage_BT = Totals.of(batch), verl_advantage(batch)

    ours = with_gradient(lambda leaf_BT: algorithm.loss(batch, leaf_BT, totals).value, logp_BT)
    theirs = with_gradient(
        lambda leaf_BT: verl_loss(batch, leaf_BT, algorithm, advantage_BT, batch.weight_BT)[0], logp_BT
    )
    for a, b in zip(ours, theirs, strict=True):
        close(a, b)


@pytest.mark.parametrize("dual", [None, 3.0])
def test_metrics_of_the_clipped_loss(awkward, dual):
    batch, logp_BT = awkward
    algorithm = GRPO(kl_coef=0, clip_dual=dual)
    batch = replace(batch, credit=algorithm.credit(batch, None))
    ours = algorithm.loss(batch, logp_BT, Totals.of(batch)).metrics
    _, theirs = verl_loss(batch, logp_BT, algorithm, verl_advantage(batch))
    # ours is not clamped, so it differs where a token's log-ratio is past 20
    within = (logp_BT - batch.old_logp_BT)[batch.mask_BT].abs().max() < 20
    names = ["actor/pg_clipfrac", *(["actor/pg_clipfrac_lower"] if dual else []), *(["actor/ppo_kl"] if within else [])]
    for name in names:
        assert_close(ours[name].value, theirs[name], within=1e-6)  # theirs is in single precision


@pytest.mark.parametrize("aggregation", MODES)
def test_aggregation(awkward, aggregation):
    batch, term_BT = awkward
    scale = batch.max_tokens if aggregation == "const" else None
    theirs = core_algos.agg_loss(term_BT, batch.mask_BT, MODES[aggregation], loss_scale_factor=scale)
    close(aggregate(term_BT, batch, Totals.of(batch), aggregation), theirs)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_kl_estimators(awkward, estimator):
    batch, logp_BT = awkward

    def ours(leaf_BT):
        return kl_tokens(leaf_BT, batch.ref_logp_BT, batch, estimator).sum()

    def theirs(leaf_BT):
        kl_BT = core_algos.kl_penalty(leaf_BT, batch.ref_logp_BT, ESTIMATORS[estimator])
        return torch.where(batch.mask_BT, kl_BT, 0).sum()

    for a, b in zip(with_gradient(ours, logp_BT), with_gradient(theirs, logp_BT), strict=True):
        close(a, b)


def test_grpo_with_kl_as_verl_puts_it_together(awkward):
    """policy loss + coefficient times the KL in the same aggregate, as in verl's `ppo_loss`."""
    batch, logp_BT = awkward
    algorithm = GRPO(kl_coef=0.04)
    batch = replace(batch, credit=algorithm.credit(batch, None), weight_BT=None)
    advantage_BT = verl_advantage(batch)

    def theirs(leaf_BT):
        kl_BT = core_algos.kl_penalty(leaf_BT, batch.ref_logp_BT, "low_var_kl")
        kl = core_algos.agg_loss(kl_BT, batch.mask_BT, "seq-mean-token-mean")
        return verl_loss(batch, leaf_BT, algorithm, advantage_BT)[0] + 0.04 * kl

    ours = with_gradient(lambda leaf_BT: algorithm.loss(batch, leaf_BT, Totals.of(batch)).value, logp_BT)
    for a, b in zip(ours, with_gradient(theirs, logp_BT), strict=True):
        close(a, b)
