"""The training forward: packed responses have the log-probs and gradients that they have alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from benchmarks.problems import Problem
from harness.backends.groups import Group, Rollout, TokenRollouts, as_batch
from harness.backends.local.logprobs import (
    entropy_of,
    fixed_logp,
    forward_logprobs,
    lay_out,
    micro_batches,
    response_logp,
)
from harness.engines.base import Request, Sampling
from harness.engines.sampler import sample
from harness.models.language_model import LanguageModel, load
from harness.prompts.stream import Prompt
from harness.records import Mark
from tests.closeness import assert_close

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


@pytest.mark.parametrize("architecture", ["qwen3", "llama", "gpt2", "qwen3_window", "mistral"])
@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_the_trainer_agrees_with_the_sampler(
    folders: Mapping[str, Path], architecture: str, temperature: float
) -> None:
    model = load(folders[architecture])
    batch = sampled(model, temperature=temperature)
    assert lay_out(batch, model.row_tokens).packed == (architecture not in ("qwen3_window", "mistral"))
    logp_BT = response_logp(model, batch, temperature)
    assert_close(logp_BT[batch.mask_BT], batch.old_logp_BT[batch.mask_BT], within=2e-6)
    assert not logp_BT[~batch.mask_BT].any()


@pytest.mark.parametrize("architecture", ["qwen3", "llama", "gpt2"])
def test_packing_changes_no_gradient(folders: Mapping[str, Path], architecture: str) -> None:
    gradients = []
    for row_tokens in (64, 0):
        model = replace(load(folders[architecture]), row_tokens=row_tokens)
        batch = sampled(model)
        weight_BT = torch.randn(batch.mask_BT.shape, generator=torch.Generator().manual_seed(0))
        (response_logp(model, batch, 1.0) * weight_BT).sum().backward()
        gradients.append([p.grad for p in model.net.parameters()])
    packed, alone = gradients
    assert_close(packed, alone, within=1e-5)


@pytest.mark.parametrize("row_tokens", [0, 1, 24, 40, 10**6])
def test_however_wide_rows_are_the_log_probs_are_the_same(model: LanguageModel, row_tokens: int) -> None:
    batch = sampled(model)
    logp_BT = response_logp(replace(model, row_tokens=row_tokens), batch, 1.0).detach()
    assert_close(logp_BT, batch.old_logp_BT, within=2e-6)


def test_rows_are_filled_in_order_and_repeat_a_prompt_only_where_they_must(model: LanguageModel) -> None:
    # three prompts of 3, 6 and 1 tokens; responses of 12 tokens each, two to a prompt
    batch = sampled(model, samples=2)
    assert batch.length_B.tolist() == [12] * 6
    assert lay_out(batch, 0).place_C == [(row, 0) for row in range(6)]
    wide = lay_out(batch, 40)  # 3 + 12 + 12 = 27; 6 + 12 + 12 = 30, and 1 more with 12 do not fit: 1 + 12 + 12
    assert (wide.place_C, wide.column_B) == ([(0, 0), (1, 0), (2, 0)], [3, 15, 6, 18, 1, 13])
    tight = lay_out(batch, 18)  # the longest sequence: nothing shares
    assert (tight.rows, tight.width, len(tight.prompt_C)) == (6, 18, 6)
    split = lay_out(batch, 45)  # 27, then prompt 2 with one response; its second needs the prompt again
    assert (split.place_C, split.column_B) == ([(0, 0), (0, 27), (1, 0), (1, 18)], [3, 15, 33, 6, 19, 31])
    assert (split.rows, split.width) == (2, 45)


def test_micro_batches_hold_every_group_once_within_the_limit(model: LanguageModel) -> None:
    batch = sampled(model)  # 5 responses of at most 12 tokens behind 3, 6 and 1 tokens of prompt
    assert [groups.tolist() for groups in micro_batches(batch, 10**6)] == [[2, 0, 1]]  # shortest first
    assert [groups.tolist() for groups in micro_batches(batch, 10 * (3 + 12))] == [[2, 0], [1]]
    assert [groups.tolist() for groups in micro_batches(batch, 1)] == [[2], [0], [1]]


def test_a_fixed_policy_is_read_in_pieces(model: LanguageModel) -> None:
    batch = sampled(model)
    logp_BT = fixed_logp(model, batch, 1.0, limit=1)
    assert not logp_BT.requires_grad
    assert_close(logp_BT, batch.old_logp_BT, within=2e-6)


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_entropy_is_of_the_whole_distribution(folders: Mapping[str, Path], temperature: float) -> None:
    model = load(folders["qwen3"])
    batch = sampled(model, temperature=temperature)
    found = forward_logprobs(model, batch, temperature, entropy=True)
    assert torch.equal(found.logp_BT, response_logp(model, batch, temperature))
    assert forward_logprobs(model, batch, temperature).entropy_BT is None
    assert found.entropy_BT is not None and not found.entropy_BT[~batch.mask_BT].any()
    row = int(batch.length_B.argmax())
    prompt = batch.prompts[batch.problem_ids[int(batch.group_B[row])]]
    tokens = torch.tensor([[*prompt, *batch.tokens_BT[row][batch.mask_BT[row]].tolist()]])
    logits = model.net(tokens).logits[0, len(prompt) - 1 : -1] / temperature
    expected = torch.distributions.Categorical(logits=logits).entropy()
    assert_close(found.entropy_BT[row][batch.mask_BT[row]], expected, within=2e-6)
    found.entropy_BT.sum().backward()
    assert any(p.grad is not None and p.grad.abs().max() > 0 for p in model.net.parameters())


def test_entropy_of_a_fair_and_of_a_certain_choice() -> None:
    logits = torch.tensor([[0.0, 0, 0, 0], [50, 0, 0, 0]])
    assert_close(entropy_of(logits), [math.log(4), 0], within=2e-6)
