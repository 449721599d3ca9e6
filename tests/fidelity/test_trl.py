"""The same numbers as TRL 1.16.0's own DPO losses, sigmoid, `nca_pair` and `ipo`: losses and gradients, to 1e-9 of the
norm.

TRL has no function for its losses: they are in `DPOTrainer._compute_loss`. It runs here unchanged, on a trainer that
has been given only the settings it reads; the log-probs of the policy and of the reference are ours to choose.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from trl.trainer.dpo_trainer import DPOTrainer

from algorithms.example import keyed
from algorithms.objectives.copg import CoPG
from algorithms.objectives.nca import NCA, InfoNCA
from algorithms.objectives.online_dpo import OnlineDPO
from algorithms.rollouts import Totals
from tests.closeness import assert_close
from tests.fidelity.conftest import build

BETA = 0.1


def trl_loss(logp_BT, batch, pairs, loss_type="sigmoid", beta=BETA):
    """TRL's loss over (chosen row, rejected row) pairs, and its metrics."""
    trainer = DPOTrainer.__new__(DPOTrainer)
    settings = {
        "model": SimpleNamespace(training=True),
        "accelerator": Accelerator(cpu=True),
        "aux_loss_enabled": False,
        "ld_alpha": None,
        "precompute_ref_logps": True,
        "f_divergence_type": "reverse_kl",
        "loss_types": [loss_type],
        "loss_weights": [1.0],
        "beta": beta,
        "label_smoothing": 0.0,
        "use_weighting": False,
        "_metrics": {"train": defaultdict(list)},
        "_total_train_tokens": 0,
        "_tp_size": 1,
    }
    for name, value in settings.items():
        setattr(trainer, name, value)
    chosen, rejected = (torch.tensor(column) for column in zip(*pairs, strict=True))
    rows = torch.cat([chosen, rejected])
    mask_RT = batch.mask_BT[rows]
    ref_B = torch.where(batch.mask_BT, batch.ref_logp_BT, 0).sum(1)
    token_RT = torch.where(mask_RT, logp_BT[rows], 0)
    inputs = {
        # one prompt token stands before each response
        "completion_mask": torch.nn.functional.pad(mask_RT.long(), (1, 0)),
        "input_ids": torch.zeros(len(rows), mask_RT.shape[1] + 1, dtype=torch.long),
        "attention_mask": torch.ones(len(rows), mask_RT.shape[1] + 1, dtype=torch.long),
        "ref_chosen_logps": ref_B[chosen],
        "ref_rejected_logps": ref_B[rejected],
    }
    nothing_RT = torch.zeros_like(token_RT)
    outputs = SimpleNamespace(log_probs=token_RT, entropy=nothing_RT, mean_logits=nothing_RT, is_top1=nothing_RT.bool())
    loss = trainer._compute_loss(lambda **_: outputs, inputs, return_outputs=False)
    return loss, {name: values[0] for name, values in trainer._metrics["train"].items()}


def pairs_of(batch):
    """(chosen, rejected) rows of each group that the batch's credit names."""
    chosen, rejected = (batch.credit[name].nonzero().flatten().tolist() for name in ("chosen", "rejected"))
    group = batch.group_B.tolist()
    return [(c, r) for c in chosen for r in rejected if group[c] == group[r]]


def with_gradient(function, logp_BT):
    leaf_BT = logp_BT.clone().requires_grad_()
    value = function(leaf_BT)
    return value.detach(), torch.autograd.grad(value, leaf_BT)[0]


@pytest.mark.parametrize("drawn", ["random", "all"])
def test_sigmoid_loss(awkward, drawn):
    batch, logp_BT = awkward
    algorithm = OnlineDPO(beta=BETA, pairs=drawn)
    batch = replace(batch, weight_BT=None)
    batch = replace(batch, credit=algorithm.credit(batch, keyed))
    pairs = pairs_of(batch)
    value, gradient_BT = with_gradient(lambda leaf_BT: algorithm.loss(batch, leaf_BT, Totals.of(batch)).value, logp_BT)
    if not pairs:  # TRL has no loss of nothing
        assert value == 0 and not gradient_BT.any()
        return
    # TRL means over pairs; ours over groups, and over the pairs of a group
    by_group = defaultdict(list)
    for pair in pairs:
        by_group[batch.group_B[pair[0]].item()].append(pair)

    def theirs(leaf_BT):
        return sum(trl_loss(leaf_BT, batch, group)[0] for group in by_group.values()) / len(by_group)

    expected, expected_BT = with_gradient(theirs, logp_BT)
    assert_close(value, expected, within=1e-9)
    assert_close(gradient_BT, expected_BT, within=1e-9)


def test_reward_metrics(awkward):
    batch, logp_BT = awkward
    algorithm = OnlineDPO(beta=BETA)
    batch = replace(batch, credit=algorithm.credit(batch, keyed))
    ours = algorithm.loss(batch, logp_BT, Totals.of(batch)).metrics
    if not pairs_of(batch):
        assert ours["rewards/margins"].count == ours["rewards/accuracies"].count == 0
        return
    _, theirs = trl_loss(logp_BT, batch, pairs_of(batch))
    for name in ("rewards/margins", "rewards/accuracies"):
        assert_close(ours[name].value, theirs[name], within=1e-6)  # theirs is in single precision


@pytest.fixture
def pairs_of_two():
    """Twelve groups of one correct and one incorrect rollout, and log-probs of a policy that has moved."""
    random = torch.Generator().manual_seed(0)
    batch, logp_BT = build("random_large")
    rows = torch.arange(24)
    batch = replace(
        batch.rows(rows),
        group_B=rows // 2,
        label_B=rows % 2 == 0,
        reward_B=(rows % 2 == 0).double(),
        problem_ids=tuple(map(str, range(12))),
        weight_BT=None,
    )
    return batch, logp_BT[rows] + 0.3 * torch.randn(24, 40, generator=random, dtype=torch.float64)


@pytest.mark.parametrize(("make", "loss_type"), [(InfoNCA, "sigmoid"), (NCA, "nca_pair")])
def test_nca_losses_of_pairs(pairs_of_two, make, loss_type):
    batch, logp_BT = pairs_of_two
    algorithm = make(beta=BETA)
    batch = replace(batch, credit=algorithm.credit(batch, keyed))
    pairs = [(2 * group, 2 * group + 1) for group in range(12)]
    found = with_gradient(lambda leaf_BT: algorithm.loss(batch, leaf_BT, Totals.of(batch)).value, logp_BT)
    expected = with_gradient(lambda leaf_BT: trl_loss(leaf_BT, batch, pairs, loss_type)[0], logp_BT)
    for ours, theirs in zip(found, expected, strict=True):
        assert_close(ours, theirs, within=1e-9)


def test_copg_of_pairs_is_ipo(pairs_of_two):
    """With IPO's tau = beta / 2, and d the difference of log-ratios: ((1 - beta d)^2 - 1) / (2 beta) / 2 is
    (beta (d - 1/beta)^2 - 1/beta) / 4. Rollouts of one token: TRL takes means over tokens, CoPG sums."""
    batch, logp_BT = pairs_of_two
    batch = replace(batch, mask_BT=batch.mask_BT & (torch.arange(40) == 0))
    algorithm = CoPG(beta=BETA)
    pairs = [(2 * group, 2 * group + 1) for group in range(12)]
    found = with_gradient(lambda leaf_BT: algorithm.loss(batch, leaf_BT, Totals.of(batch)).value, logp_BT)

    def ipo(leaf_BT):
        return (BETA * trl_loss(leaf_BT, batch, pairs, "ipo", BETA / 2)[0] - 1 / BETA) / 4

    for ours, theirs in zip(found, with_gradient(ipo, logp_BT), strict=True):
        assert_close(ours, theirs, within=1e-9)
