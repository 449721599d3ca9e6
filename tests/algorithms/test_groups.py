"""Golden values of group statistics, places, draws and the padded table."""

from __future__ import annotations

from math import sqrt

import pytest
import torch

from algorithms.example import keyed
from algorithms.ops.groups import GroupTable, centred, group_std, keyed_uniform, lowest, mean_old_logp, place_in_group

GROUP_B = torch.tensor([0, 1, 0, 0, 2, 1, 0])
# group 0: 1 0 0 0, group 1: 2 4, group 2: 3, group 3: nobody
VALUE_B = torch.tensor([1.0, 2, 0, 0, 3, 4, 0], dtype=torch.float64)


def test_centred():
    # means 1/4, 3, 3
    assert centred(VALUE_B, GROUP_B, 4).tolist() == [0.75, -1, -0.25, -0.25, 0, 1, -0.25]


def test_leave_one_out():
    # group 0: 1 - 0, 0 - 1/3; group 1: 2 - 4, 4 - 2; a rollout alone has nothing to be compared with
    found = centred(VALUE_B, GROUP_B, 4, leave_one_out=True)
    assert found.tolist() == pytest.approx([1, -2, -1 / 3, -1 / 3, 0, 2, -1 / 3])


def test_centred_among_some():
    # without the first row, group 0 has mean 0 and group 1 (its second row alone) mean 4
    among_B = torch.tensor([False, False, True, True, False, True, True])
    assert centred(VALUE_B, GROUP_B, 4, among_B=among_B).tolist() == [1, -2, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("count", range(1, 9))
def test_equal_values_are_exactly_centred(count):
    value_B = torch.full((count,), 0.1)
    assert not centred(value_B, torch.zeros(count, dtype=torch.int64), 1).any()


def test_standard_deviation():
    # group 0: squares 9/16 + 3/16 = 3/4 over 3 or 4; group 1: 1 + 1 over 1 or 2; a single row has none
    assert group_std(VALUE_B, GROUP_B, 4).tolist() == pytest.approx([1 / 2, sqrt(2), 0, 0])
    assert group_std(VALUE_B, GROUP_B, 4, ddof=0).tolist() == pytest.approx([sqrt(3) / 4, 1, 0, 0])


def test_standard_deviation_among_some():
    among_B = torch.tensor([True, False, True, False, True, True, False])
    # group 0: 1 and 0, half apart from their mean: 1/4 + 1/4 over 1
    assert group_std(VALUE_B, GROUP_B, 4, among_B=among_B).tolist() == pytest.approx([sqrt(1 / 2), 0, 0, 0])


def test_place_in_group():
    assert place_in_group(GROUP_B, 4).tolist() == [0, 0, 1, 2, 0, 1, 3]
    # by key, group 0 is in the order of its rows 6, 3, 2, 0
    assert place_in_group(GROUP_B, 4, -torch.arange(7)).tolist() == [3, 1, 2, 1, 0, 0, 0]


def test_lowest():
    # of group 0 without its last row the two smallest are the tied 0s; group 2 has one eligible row, group 1 none
    among_B = torch.tensor([True, False, True, True, True, False, False])
    assert lowest(VALUE_B, among_B, 2, GROUP_B, 4).tolist() == [False, False, True, True, True, False, False]


def test_table_has_a_row_for_each_group():
    found_GK = GroupTable(GROUP_B, place_in_group(GROUP_B, 4), (4, 4))(VALUE_B)
    assert found_GK.tolist() == [[1, 0, 0, 0], [2, 4, 0, 0], [3, 0, 0, 0], [0, 0, 0, 0]]


def test_mean_old_logp_is_over_response_tokens(rows):
    old_BT = torch.tensor([[-1.0, -2, -3], [-4, 99, 99]], dtype=torch.float64)
    assert mean_old_logp(rows([0, 0], [1, 0], [3, 1], old_logp_BT=old_BT)).tolist() == [-2, -4]


def test_draws_follow_the_rollout_not_its_row(rows):
    old_BT = -torch.arange(1.0, 7, dtype=torch.float64)[:, None]
    batch = rows([0, 0, 0, 1, 1, 1], [1, 0, 1, 0, 1, 0], [1] * 6, old_logp_BT=old_BT)
    draw_B = keyed_uniform(batch, keyed)
    order = torch.tensor([5, 2, 0, 4, 1, 3])
    assert torch.equal(keyed_uniform(batch.rows(order), keyed), draw_B[order])
    # the least likely rollout of a problem takes the problem's first draw
    assert draw_B[2] == torch.rand(1, generator=keyed("problem 0"), dtype=torch.float64)
    assert len(set(draw_B.tolist())) == 6
