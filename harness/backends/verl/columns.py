"""Our columns in verl's batches: the trainer writes what it knows of every rollout, the objective reads it in a worker.

A batch has rows that nothing is learnt from, since verl needs whole groups of K and mini-batches of one size: rollouts
whose marking failed, and fillers. They are not valid, and are left out of what is read.

Besides these, verl's own: response_mask, old_log_probs, and where there are any ref_log_prob and rollout_is_weights,
as nested tensors of the responses.
"""

from __future__ import annotations

from typing import Any

import torch
from tensordict import TensorDict
from torch import Tensor

from algorithms.rollouts import Rollouts

GROUP = "rence_group"
"""int64: number of the group in the rollout batch, -1 where the row is not valid"""
LABEL = "rence_label"
"""bool"""
REWARD = "rence_reward"
"""float: as `Algorithm.shape` has left it"""
TRUNCATED = "rence_truncated"
"""bool"""
VALID = "rence_valid"
"""bool: whether anything may be learnt from the row"""
CREDIT = "rence_credit_"
"""and a name: one column for each entry of `Algorithm.credit`"""


def write(rollouts: Rollouts, rows: Tensor, size: int) -> dict[str, Tensor]:
    """Dense columns for a batch of `size` rows.

    Args:
        rollouts: those to learn from, with shaped rewards and credit.
        rows: int64_B, the row of each in verl's batch; all others are not valid.
    """

    def column(value_B: Tensor) -> Tensor:
        return value_B.new_zeros(size, *value_B.shape[1:]).index_copy(0, rows, value_B)

    valid = column(torch.ones_like(rollouts.label_B))
    return {
        GROUP: torch.where(valid, column(rollouts.group_B), -1),
        LABEL: column(rollouts.label_B),
        REWARD: column(rollouts.reward_B),
        TRUNCATED: column(rollouts.truncated_B),
        VALID: valid,
        **{CREDIT + name: column(value) for name, value in rollouts.credit.items()},
    }


def of_learner(data: TensorDict, rows: Tensor, length: int) -> dict[str, Tensor | None]:
    """What verl has computed of the rollouts to learn from, float_BT under the names of `Rollouts`; None where verl
    was not asked for it.

    Args:
        data: verl's batch, padded.
        rows: int64_B, the row of each in it.
        length: T, of the longest of them; verl's columns may be wider.
    """
    names = {"old_logp_BT": "old_log_probs", "ref_logp_BT": "ref_log_prob", "weight_BT": "rollout_is_weights"}
    return {ours: data[name][rows, :length] if name in data else None for ours, name in names.items()}


def as_rollouts(data: TensorDict, max_tokens: int) -> tuple[Rollouts, Tensor]:
    """The valid rows of a batch of whole groups, and int64_B which rows they are.

    Groups keep their order and are numbered from 0; `problem_ids` are names and no content hashes. T is the longest
    response of the batch, whether its row is valid or not.
    """
    rows = torch.nonzero(data[VALID])[:, 0]
    numbers, group_B = torch.unique(data[GROUP][rows], return_inverse=True)
    credit = {key.removeprefix(CREDIT): value[rows] for key, value in data.items() if key.startswith(CREDIT)}

    def padded(name: str) -> Tensor:
        return data[name].to_padded_tensor(0)[rows]

    def optional(name: str) -> Any:
        return padded(name).float() if name in data else None

    rollouts = Rollouts(
        group_B=group_B,
        label_B=data[LABEL][rows],
        reward_B=data[REWARD][rows],
        truncated_B=data[TRUNCATED][rows],
        mask_BT=padded("response_mask").bool(),
        old_logp_BT=padded("old_log_probs").float(),
        problem_ids=tuple(map(str, numbers.tolist())),
        max_tokens=max_tokens,
        ref_logp_BT=optional("ref_log_prob"),
        weight_BT=optional("rollout_is_weights"),
        credit=credit,
    )
    return rollouts, rows
