"""DAPO's soft overlong punishment, in the paper's form and in verl's."""

from __future__ import annotations

import pytest
import torch

from algorithms.ops.reward import less_overlong, overlong_penalty, overlong_words
from tests.closeness import assert_close

# L_max 20, the last quarter is the cache: L_cache 5
LENGTHS = torch.arange(0, 21)


def test_golden():
    found = overlong_penalty(LENGTHS, 20, 0.25)
    assert found[:16].eq(0).all()
    assert found[15:].tolist() == pytest.approx([0, -0.2, -0.4, -0.6, -0.8, -1])


def test_half_at_half_the_cache_and_monotone():
    assert overlong_penalty(torch.tensor([18432]), 20480, 0.2).item() == pytest.approx(-0.5)
    assert (overlong_penalty(LENGTHS, 20, 0.25).diff() <= 0).all()


def test_the_papers_branches():
    def paper(length, l_max, l_cache):
        if length <= l_max - l_cache:
            return 0.0
        return ((l_max - l_cache) - length) / l_cache if length <= l_max else -1.0

    assert overlong_penalty(LENGTHS, 20, 0.25).tolist() == pytest.approx([paper(n, 20, 5) for n in LENGTHS.tolist()])


def test_verls_form():
    exceed = LENGTHS - (20 - 5)
    assert_close(overlong_penalty(LENGTHS, 20, 0.25), torch.clamp(-exceed / 5, max=0), within=1e-9)


def test_rewards_less_the_punishment(rows):
    batch = rows([0, 0], [1, 0], [10, 9])
    # the cache is the last 2 of 10 tokens: -1 and -1/2, halved
    assert less_overlong(batch.reward_B, batch, 0.5, 0.2).tolist() == [0.5, -0.25]
    assert less_overlong(batch.reward_B, batch, 0, 0.2) is batch.reward_B
    assert overlong_words(0.5, 0.2) == " - 0.5 × overlong (last 20% of the limit)" and overlong_words(0, 0.2) == ""
