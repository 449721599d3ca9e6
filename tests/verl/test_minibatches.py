"""Mini-batches of whole groups: the local backend's, filled to one size, spread over ranks."""

from __future__ import annotations

import pytest
import torch

from harness.backends.verl.minibatches import filled, minibatches, over_ranks
from harness.base.seeds import derive


@pytest.mark.parametrize(("groups", "most"), [(8, 2), (7, 2), (5, 4), (1, 2), (3, 8)])
def test_the_same_groups_as_on_the_local_backend(groups: int, most: int) -> None:
    """`Learner.learn` of the local backend, written out."""
    identity = ("minibatches", 3, 11, 1)
    order = torch.randperm(groups, generator=torch.Generator().manual_seed(derive(*identity)))
    expected = [part.tolist() for part in order.tensor_split(min(most, groups))]
    assert minibatches(groups, most, identity) == expected


def test_filled_to_one_size_with_others() -> None:
    assert filled([[4, 0, 2], [1, 3]], 4, range(5, 8)) == [[4, 0, 2, 5], [1, 3, 6, 7]]


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_every_rank_has_its_share_of_every_mini_batch(ranks: int) -> None:
    parts = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    order = over_ranks(parts, [10 * (group + 1) for group in range(12)], ranks)
    share = len(order) // ranks
    of_rank = [order[rank * share : (rank + 1) * share] for rank in range(ranks)]
    for number, part in enumerate(parts):
        each = len(part) // ranks
        pieces = [held[number * each : (number + 1) * each] for held in of_rank]
        assert sorted(group for piece in pieces for group in piece) == part


def test_ranks_have_like_amounts_of_work() -> None:
    tokens = [1000, 10, 900, 110]
    first, second = over_ranks([[0, 1, 2, 3]], tokens, 2)[:2], over_ranks([[0, 1, 2, 3]], tokens, 2)[2:]
    assert {frozenset(first), frozenset(second)} == {frozenset({0, 1}), frozenset({2, 3})}
