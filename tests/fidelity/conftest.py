"""Batches that losses get wrong, with every group of one size, as verl and TRL have them. Double precision."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from algorithms.rollouts import Rollouts

torch.set_num_threads(1)

SHAPES = {
    # groups, rollouts each, tokens, distance to the old policy, labels
    "random": (6, 4, 12, 0.2, None),
    "random_large": (16, 8, 40, 0.5, None),
    "all_correct": (3, 4, 6, 0.2, True),
    "all_wrong": (3, 4, 6, 0.2, False),
    "one_token": (3, 4, 1, 0.2, None),
    "much_padding": (4, 4, 60, 0.2, None),
    "one_group": (1, 5, 7, 0.2, None),
    "far_outside_the_clip": (4, 4, 8, 8.0, None),
    "beyond_the_log_ratio_limit": (4, 4, 8, 40.0, None),
}


def build(name: str) -> tuple[Rollouts, Tensor]:
    groups, size, tokens, distance, label = SHAPES[name]
    random = torch.Generator().manual_seed(len(name))
    rows = groups * size
    longest = 4 if name == "much_padding" else tokens
    label_B = torch.rand(rows, generator=random) < 0.5
    old_BT = -2 * torch.rand(rows, tokens, generator=random, dtype=torch.float64)
    batch = Rollouts(
        group_B=torch.arange(groups).repeat_interleave(size),
        label_B=label_B if label is None else torch.full_like(label_B, label),
        reward_B=(label_B if label is None else torch.full_like(label_B, label)).double(),
        truncated_B=torch.zeros_like(label_B),
        mask_BT=torch.arange(tokens) < torch.randint(1, longest + 1, (rows, 1), generator=random),
        old_logp_BT=old_BT,
        problem_ids=tuple(str(group) for group in range(groups)),
        max_tokens=64,
        ref_logp_BT=old_BT + distance * torch.randn(rows, tokens, generator=random, dtype=torch.float64),
        weight_BT=torch.rand(rows, tokens, generator=random, dtype=torch.float64) * 2,
    )
    return batch, old_BT + distance * torch.randn(rows, tokens, generator=random, dtype=torch.float64)


@pytest.fixture(params=SHAPES)
def awkward(request) -> tuple[Rollouts, Tensor]:
    """A batch, and log-probs of a policy that has moved."""
    return build(request.param)
