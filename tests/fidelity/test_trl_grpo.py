"""The same numbers as TRL 1.16.0's GRPOTrainer: losses and gradients given advantages, to 1e-9 of the norm.

Its loss is in `GRPOTrainer._compute_loss`, which runs here unchanged on a trainer that has only the settings it reads.
Advantages are handed in: TRL makes them where it generates, over the deviation of the group (ddof 1) + 1e-4.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from trl.trainer.grpo_trainer import GRPOTrainer

from algorithms.example import keyed
from algorithms.objectives.cispo import CISPO
from algorithms.objectives.dapo import DAPO
from algorithms.objectives.dr_grpo import DrGRPO
from algorithms.objectives.grpo import GRPO
from algorithms.objectives.gspo import GSPO
from algorithms.policy_gradient import PolicyGradient
from algorithms.rollouts import Rollouts, Totals
from tests.closeness import assert_close
from tests.fidelity.conftest import SHAPES, build


def trl_loss(logp_BT: torch.Tensor, batch: Rollouts, advantage_B: torch.Tensor, **settings: Any) -> torch.Tensor:
    trainer = GRPOTrainer.__new__(GRPOTrainer)
    defaults = {
        "model": SimpleNamespace(training=True),
        "accelerator": Accelerator(cpu=True),
        "aux_loss_enabled": False,
        "top_entropy_quantile": 1.0,
        "off_policy_mask_threshold": None,
        "importance_sampling_level": "token",
        "beta": 0.0,
        "loss_type": "grpo",
        "epsilon_low": 0.2,
        "epsilon_high": 0.2,
        "use_vllm": False,
        "current_gradient_accumulation_steps": 1,
        "max_completion_length": batch.max_tokens,
        "use_adaptive_entropy": False,
        "_entropy_bonus_enabled": False,
        "_metrics": {"train": defaultdict(list)},
        "args": SimpleNamespace(use_bias_correction_kl=False, delta=None, steps_per_generation=1),
    }
    nothing_BT = torch.zeros_like(logp_BT)
    trainer._get_per_token_logps_and_entropies = lambda *_, **__: (logp_BT, nothing_BT, None)
    for name, value in (defaults | settings).items():
        setattr(trainer, name, value)
    mask_BT = batch.mask_BT.long()
    one_B1 = torch.ones(len(batch), 1, dtype=torch.long)
    inputs = {
        "prompt_ids": one_B1,
        "prompt_mask": one_B1,
        "completion_ids": torch.zeros_like(mask_BT),
        "completion_mask": mask_BT,
        "advantages": advantage_B,
        "old_per_token_logps": batch.old_logp_BT,
        "ref_per_token_logps": batch.ref_logp_BT,
        "num_items_in_batch": mask_BT.sum(),
    }
    return trainer._compute_loss(None, inputs)


def with_gradient(function: Any, logp_BT: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    leaf_BT = logp_BT.clone().requires_grad_()
    value = function(leaf_BT)
    return value.detach(), torch.autograd.grad(value, leaf_BT)[0]


FAR = ("far_outside_the_clip", "beyond_the_log_ratio_limit")
"""where ours holds what is far away"""

CASES: list[tuple[PolicyGradient, dict[str, Any]]] = [
    (GRPO(kl_coef=0.0), {"loss_type": "grpo"}),
    (GRPO(kl_coef=0.04), {"loss_type": "grpo", "beta": 0.04}),
    (GRPO(kl_coef=0.0, clip_low=0.1, clip_high=0.3), {"loss_type": "grpo", "epsilon_low": 0.1, "epsilon_high": 0.3}),
    (GRPO(kl_coef=0.0, aggregation="token_mean"), {"loss_type": "bnpo"}),
    (DrGRPO(), {"loss_type": "dr_grpo"}),
    (DAPO(overlong_factor=0.0), {"loss_type": "dapo", "epsilon_high": 0.28}),
    (
        GSPO(),
        {"loss_type": "grpo", "importance_sampling_level": "sequence", "epsilon_low": 3e-4, "epsilon_high": 4e-4},
    ),
    # TRL's epsilon_high is the cap itself
    (CISPO(), {"loss_type": "cispo", "epsilon_high": 5.0}),
]


@pytest.mark.parametrize(
    "shape", [name for name in SHAPES if name not in ("far_outside_the_clip", "beyond_the_log_ratio_limit")]
)
@pytest.mark.parametrize(("algorithm", "settings"), CASES, ids=lambda value: getattr(value, "title", None))
def test_losses_given_advantages(shape: str, algorithm: PolicyGradient, settings: dict[str, Any]) -> None:
    batch, logp_BT = build(shape)
    batch = replace(batch, weight_BT=None)
    batch = replace(batch, reward_B=algorithm.shape(batch))
    batch = replace(batch, credit=algorithm.credit(batch, keyed))
    advantage_B = batch.credit["advantage"]
    ours = with_gradient(lambda leaf_BT: algorithm.loss(batch, leaf_BT, Totals.of(batch)).value, logp_BT)
    theirs = with_gradient(lambda leaf_BT: trl_loss(leaf_BT, batch, advantage_B, **settings), logp_BT)
    for found, expected in zip(ours, theirs, strict=True):
        assert_close(found, expected, within=1e-9)


def test_k3_of_a_far_token_is_held_here_and_not_by_trl() -> None:
    """Ours is at most 10 a token, as in verl."""
    batch, logp_BT = build("far_outside_the_clip")
    batch = replace(batch, weight_BT=None)
    batch = replace(batch, credit=GRPO().credit(batch, keyed))
    ours = [GRPO(kl_coef=beta).loss(batch, logp_BT, Totals.of(batch)).value for beta in (0.04, 0.0)]
    theirs = [trl_loss(logp_BT, batch, batch.credit["advantage"], beta=beta) for beta in (0.04, 0.0)]
    assert 0 < ours[0] - ours[1] <= 0.04 * 10 < theirs[0] - theirs[1]
