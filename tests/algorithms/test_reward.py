"""DAPO's soft overlong punishment, in the paper's form and in verl's."""

from __future__ import annotations

import pytest
import torch

from algorithms.pieces.reward import overlong_penalty

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
    assert torch.allclose(overlong_penalty(LENGTHS, 20, 0.25), torch.clamp(-exceed / 5, max=0))
