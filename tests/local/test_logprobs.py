"""The training forward: responses that share a row have the log-probs and gradients that they have alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest
import torch

from benchmarks.problems import Problem
from harness.backends.local.batch import Group, Rollout, TokenRollouts, as_batch
from harness.backends.local.logprobs import fixed_logp, lay_out, micro_batches, response_logp
from harness.backends.local.model import LanguageModel, load
from harness.backends.local.sampler import sample
from harness.engines.base import Request, Sampling
from harness.records import Mark
from harness.stream import Prompt

PROMPTS = [(2, 5, 3), (2, 4, 4, 4, 9, 3), (7,)]


def sampled(model: LanguageModel, samples: int = 5, temperature: float = 1.0) -> TokenRollouts:
    """Groups of sampled responses, as a step makes them."""
    requests = [Request(prompt, tuple(range(samples))) for prompt in PROMPTS]
    drawn = sample(model.net, requests, Sampling(12, temperature), model.stop)
    rollouts = [
        Rollout(tokens[:length], logp[:length], False, Mark.WRONG)
        for tokens, logp, length in zip(drawn.tokens_BT, drawn.logp_BT, drawn.length_B, strict=True)
    ]
    groups = [
        Group(Prompt(Problem(str(g), ""), 0), prompt, tuple(rollouts[g * samples : (g + 1) * samples]))
        for g, prompt in enumerate(PROMPTS)
    ]
    return as_batch(groups, 12)


@pytest.mark.parametrize("architecture", ["qwen3", "llama", "gpt2", "qwen3_window"])
@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_the_trainer_agrees_with_the_sampler(
    folders: Mapping[str, Path], architecture: str, temperature: float
) -> None:
    model = load(folders[architecture])
    batch = sampled(model, temperature=temperature)
    assert model.shares_rows == lay_out(model, batch).shared == (architecture != "qwen3_window")
    logp_BT = response_logp(model, batch, temperature)
    assert logp_BT[batch.mask_BT].detach() == pytest.approx(batch.old_logp_BT[batch.mask_BT], abs=1e-5)
    assert not logp_BT[~batch.mask_BT].any()


@pytest.mark.parametrize("architecture", ["qwen3", "llama", "gpt2"])
def test_sharing_rows_changes_no_gradient(folders: Mapping[str, Path], architecture: str) -> None:
    gradients = []
    for shares in (True, False):
        model = replace(load(folders[architecture]), shares_rows=shares)
        torch.manual_seed(0)
        batch = sampled(model)
        assert lay_out(model, batch).shared == shares
        weight_BT = torch.randn(batch.mask_BT.shape, generator=torch.Generator().manual_seed(0))
        (response_logp(model, batch, 1.0) * weight_BT).sum().backward()
        gradients.append([p.grad for p in model.net.parameters()])
    for shared, alone in zip(*gradients, strict=True):
        assert shared == pytest.approx(alone, abs=2e-5, rel=1e-4)


def test_rows_end_where_a_response_no_longer_fits(model: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = sampled(model)
    monkeypatch.setattr("harness.backends.local.logprobs.ROW_TOKENS", 32)
    layout = lay_out(model, batch)
    assert all(width <= 32 for width in layout.width_R)
    assert 3 < len(layout.width_R) < len(batch)
    lengths = batch.length_B.tolist()
    for row, width in enumerate(layout.width_R):
        held = [lengths[b] for b in range(len(batch)) if layout.row_B[b] == row]
        assert width == len(layout.prompt_R[row]) + sum(held)
    assert response_logp(model, batch, 1.0)[batch.mask_BT].detach() == pytest.approx(
        batch.old_logp_BT[batch.mask_BT], abs=1e-5
    )


def test_micro_batches_hold_every_group_once_within_the_limit(model: LanguageModel) -> None:
    batch = sampled(model)
    widths = dict(zip(lay_out(model, batch).group_R, lay_out(model, batch).width_R, strict=True))
    whole = [groups.tolist() for groups in micro_batches(model, batch, 10**6)]
    parts = [groups.tolist() for groups in micro_batches(model, batch, 2 * max(widths.values()))]
    alone = [groups.tolist() for groups in micro_batches(model, batch, 1)]
    assert sorted(chain(*whole)) == sorted(chain(*parts)) == sorted(chain(*alone)) == [0, 1, 2]
    assert [len(whole), len(parts), len(alone)] == [1, 2, 3]
    assert list(chain(*alone)) == sorted(widths, key=lambda g: widths[g])  # like lengths together


def test_a_fixed_policy_is_read_in_pieces(model: LanguageModel) -> None:
    batch = sampled(model)
    logp_BT = fixed_logp(model, batch, 1.0, limit=1)
    assert not logp_BT.requires_grad
    assert logp_BT == pytest.approx(batch.old_logp_BT, abs=1e-5)
