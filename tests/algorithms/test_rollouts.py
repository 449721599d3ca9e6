"""What a batch refuses, how it is cut, and what is counted."""

from __future__ import annotations

from dataclasses import replace
from math import isnan

import pytest
import torch

from algorithms.rollouts import Mean, Totals


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mask_BT": torch.ones(3, dtype=torch.bool)}, "`mask_BT` must have 2 dimensions, but has 1 instead"),
        ({"reward_B": torch.zeros(2)}, r"`reward_B` must have shape \(3,\), but has \(2,\) instead"),
        ({"old_logp_BT": torch.zeros(3, 4)}, r"`old_logp_BT` must have shape \(3, 3\), but has \(3, 4\) instead"),
        ({"ref_logp_BT": torch.zeros(3, 1)}, r"`ref_logp_BT` must have shape \(3, 3\)"),
        ({"credit": {"advantage": torch.zeros(4)}}, "credit `advantage` must have 3 rows, but has 4 instead"),
        ({"label_B": torch.zeros(3)}, "`label_B` must be bool, but is torch.float32 instead"),
        ({"group_B": torch.tensor([0, 1, 2])}, r"`group_B` must lie in 0..1"),
        ({"group_B": torch.tensor([0, -1, 1])}, r"`group_B` must lie in 0..1"),
    ],
)
def test_bad_batches_are_refused(rows, change, message):
    with pytest.raises(ValueError, match=message):
        rows([0, 0, 1], [1, 0, 1], **change)


def test_counts(rows):
    batch = rows([0, 2, 0, 3, 3], [1, 1, 0, 1, 1], [3, 1, 2, 1, 1])
    assert batch.size_G.tolist() == [2, 0, 1, 2]
    assert batch.positives_G.tolist() == [1, 0, 1, 2]
    assert batch.contrast_G.tolist() == [True, False, False, False]


def test_totals(rows):
    truncated_B = torch.tensor([True, False, False, True, False])
    totals = Totals.of(rows([0, 2, 0, 3, 3], [1, 1, 0, 1, 1], [3, 1, 2, 1, 1], truncated_B=truncated_B))
    positives = {"positive_groups": 3, "positive_rollouts": 4, "positive_tokens": 6}
    assert totals == Totals(4, 1, 5, 8, truncated_rollouts=2, truncated_tokens=4, **positives)
    positive = totals.of_positives()
    assert (positive.groups, positive.rollouts, positive.tokens) == (3, 4, 6)
    assert totals.without_truncated() == Totals(4, 1, 3, 4, **positives)


def test_select_takes_whole_groups_in_the_order_given(rows):
    batch = rows([1, 0, 2, 1], [1, 0, 1, 0], [1, 2, 3, 1], credit={"row": torch.arange(4)})
    chosen = batch.select(torch.tensor([2, 1]))
    assert chosen.problem_ids == ("problem 2", "problem 1")
    assert chosen.group_B.tolist() == [0, 1, 1]
    assert chosen.credit["row"].tolist() == [2, 0, 3]
    assert chosen.length_B.tolist() == [3, 1, 1]
    nothing = batch.select(torch.zeros(0, dtype=torch.int64))
    assert len(nothing) == nothing.groups == 0


def test_rows_leave_groups_their_numbers(rows):
    batch = rows([1, 0, 2, 1], [1, 0, 1, 0], ref_logp_BT=torch.rand(4, 3))
    kept = batch.rows(torch.tensor([True, False, True, True]))
    assert kept.group_B.tolist() == [1, 2, 1] and kept.groups == 3
    assert torch.equal(kept.ref_logp_BT, batch.ref_logp_BT[[0, 2, 3]])


def test_means_add_as_sums_and_counts():
    # 2 of 4 and 1 of 1 are 3 of 5, not the mean of a half and one
    assert (Mean(2, 4) + Mean(1, 1)).value == 0.6
    assert isnan(Mean(0, 0).value)
    assert replace(Mean(1, 2), count=4).value == 0.25
