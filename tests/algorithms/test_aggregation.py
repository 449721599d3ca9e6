"""Golden values of every way from token terms to a number."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from algorithms.ops.aggregation import aggregate
from algorithms.rollouts import Totals

# group 0: terms 1 2 3 and 4; group 1: terms 5 6
TERM_BT = torch.tensor([[1.0, 2, 3], [4, 99, 99], [5, 6, 99]], dtype=torch.float64)
GOLDEN = {
    "token_mean": 21 / 6,
    "group_token_mean": (10 / 4 + 11 / 2) / 2,
    "seq_mean_token_mean": (2 + 4 + 5.5) / 3,
    "seq_mean_token_sum": (6 + 4 + 11) / 3,
    "const": 21 / (3 * 10),
}


@pytest.mark.parametrize("how", GOLDEN)
def test_golden(rows, how):
    batch = rows([0, 0, 1], [1, 0, 1], [3, 1, 2])
    assert aggregate(TERM_BT, batch, Totals.of(batch), how).item() == pytest.approx(GOLDEN[how])


@pytest.mark.parametrize("how", GOLDEN)
def test_denominators_come_from_outside(rows, how):
    batch = rows([0, 0, 1], [1, 0, 1], [3, 1, 2])
    one = Totals.of(batch)
    twice = replace(one, groups=2 * one.groups, rollouts=2 * one.rollouts, tokens=2 * one.tokens)
    assert aggregate(TERM_BT, batch, twice, how).item() == pytest.approx(GOLDEN[how] / 2)
