"""Which groups make a mini-batch, and which rank of the learner holds which of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from verl.utils.seqlen_balancing import calculate_workload, get_seqlen_balanced_partitions

from harness.base.seeds import derive

ONE_EPOCH: Mapping[str, Any] = {
    "epochs": 1,
    "dataloader_kwargs": {"shuffle": False},
    "distillation_use_topk": False,
    "distillation_only": False,
}
"""what verl is told with every batch: to go through it once, in the order that it has"""


def minibatches(groups: int, most: int, identity: Sequence[str | int]) -> list[list[int]]:
    """The groups 0 to `groups` - 1 in the order and the mini-batches that the local backend takes them in.

    Args:
        most: mini-batches, if there are groups enough.
        identity: what the order is drawn by.
    """
    generator = torch.Generator().manual_seed(derive(*identity))
    order = torch.randperm(groups, generator=generator)
    return [part.tolist() for part in order.tensor_split(min(most, groups))]


def filled(parts: Sequence[Sequence[int]], size: int, fillers: Sequence[int]) -> list[list[int]]:
    """Every mini-batch at the size that verl wants, with groups that nothing is learnt from at its end."""
    spare = iter(fillers)
    return [[*part, *(next(spare) for _ in range(size - len(part)))] for part in parts]


def over_ranks(parts: Sequence[Sequence[int]], tokens: Sequence[int], ranks: int) -> list[int]:
    """One order for a whole batch, such that when verl cuts it into `ranks` equal pieces, and each piece into
    mini-batches, every rank has its share of every mini-batch, about as much work as the others, in whole groups.

    Args:
        tokens: of each group.
    """
    work = calculate_workload(torch.tensor(tokens)).tolist()
    shares: list[list[int]] = [[] for _ in range(ranks)]
    for part in parts:
        cut: Any = get_seqlen_balanced_partitions([work[group] for group in part], k_partitions=ranks, equal_size=True)
        for share, places in zip(shares, cut, strict=True):
            share.extend(part[place] for place in places)
    return [group for share in shares for group in share]
