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
from harness.backends.local import logprobs
from harness.backends.local.layout import Cells, FlatTokens, cheapest, lay_out
from harness.backends.local.logprobs import entropy_of, fixed_logp, forward_logprobs, micro_batches, response_logp
from harness.engines.base import Request, Sampling
from harness.engines.sampler import sample
from harness.models.flat_forward import runs_flat
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


@pytest.mark.parametrize("architecture", ["qwen3", "qwen2", "llama", "gpt2", "qwen3_window", "mistral"])
@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_the_trainer_agrees_with_the_sampler(
    folders: Mapping[str, Path], architecture: str, temperature: float
) -> None:
    model = load(folders[architecture])
    batch = sampled(model, temperature=temperature)
    assert model.packs == (architecture not in ("qwen3_window", "mistral"))
    assert cheapest(batch, model.packs, 1000).packed == model.packs
    assert runs_flat(model.net) == (architecture in ("qwen2", "qwen3", "llama"))
    logp_BT = response_logp(model, batch, temperature)
    assert_close(logp_BT[batch.mask_BT], batch.old_logp_BT[batch.mask_BT], within=2e-6)
    assert not logp_BT[~batch.mask_BT].any()


def pulled(model: LanguageModel, batch: TokenRollouts) -> list[torch.Tensor]:
    """The gradient of a random weighting of log-probs and entropies."""
    weight_BT = torch.randn(batch.mask_BT.shape, generator=torch.Generator().manual_seed(0))
    found = forward_logprobs(model, batch, 0.9, entropy=True)
    assert found.entropy_BT is not None
    (found.logp_BT * weight_BT + 0.3 * found.entropy_BT * weight_BT.flip(0)).sum().backward()
    gradients = [p.grad for p in model.net.parameters() if p.grad is not None]
    assert len(gradients) == len(list(model.net.parameters()))
    model.net.zero_grad()
    return gradients


@pytest.mark.parametrize("architecture", ["qwen3", "qwen2", "llama", "gpt2"])
def test_neither_layout_nor_chunks_nor_the_written_pass_change_a_gradient(
    folders: Mapping[str, Path], architecture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(folders[architecture])
    batch = sampled(model)
    monkeypatch.setattr(logprobs, "runs_flat", lambda _: False)
    alone = pulled(replace(model, packs=False), batch)
    assert_close(pulled(model, batch), alone, within=3e-6)
    with monkeypatch.context() as one:
        one.setattr(logprobs, "chosen_logprobs", None)  # the whole table of logits
        assert_close(pulled(replace(model, plain_head=False), batch), alone, within=3e-6)
    monkeypatch.setattr("harness.models.chosen_tokens.CHUNK", 3 * len(model.tokenizer))
    assert_close(pulled(model, batch), alone, within=3e-6)
    monkeypatch.undo()
    assert_close(pulled(model, batch), alone, within=3e-6)
    assert_close(pulled(replace(model, packs=False), batch), alone, within=3e-6)


@pytest.mark.parametrize("row_tokens", [0, 1, 24, 40, 10**6])
@pytest.mark.parametrize("flat", [True, False])
def test_however_wide_rows_are_the_log_probs_are_the_same(
    model: LanguageModel, row_tokens: int, flat: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = sampled(model)
    monkeypatch.setattr(logprobs, "cheapest", lambda batch, *_: lay_out(batch, row_tokens))
    monkeypatch.setattr(logprobs, "runs_flat", lambda _: flat)
    logp_BT = response_logp(model, batch, 1.0).detach()
    assert_close(logp_BT, batch.old_logp_BT, within=2e-6)


def test_rows_are_filled_in_order_and_repeat_a_prompt_only_where_they_must(model: LanguageModel) -> None:
    # three prompts of 3, 6 and 1 tokens; responses of 12 tokens each, two to a prompt, of which 11 are read
    batch = sampled(model, samples=2)
    assert batch.length_B.tolist() == [12] * 6
    assert lay_out(batch, 0).place_C == [(row, 0) for row in range(6)]
    wide = lay_out(batch, 37)  # 3 + 11 + 11 = 25; 6 + 11 + 11 = 28, and 1 more with 11 do not fit: 1 + 11 + 11
    assert (wide.place_C, wide.column_B) == ([(0, 0), (1, 0), (2, 0)], [3, 14, 6, 17, 1, 12])
    tight = lay_out(batch, 17)  # the longest sequence: nothing shares
    assert (tight.rows, tight.width, len(tight.place_C)) == (6, 17, 6)
    split = lay_out(batch, 42)  # 25, then prompt 2 with one response; its second needs the prompt again
    assert (split.place_C, split.column_B) == ([(0, 0), (0, 25), (1, 0), (1, 17)], [3, 14, 31, 6, 18, 29])
    assert (split.rows, split.width) == (2, 42)


def test_every_token_is_read_once_and_the_last_of_a_response_never(model: LanguageModel) -> None:
    batch = sampled(model, samples=2)
    flat = FlatTokens(batch)
    assert len(flat.ids_N) == 3 + 6 + 1 + 6 * 11
    assert flat.position_N[:12].tolist() == [0, 1, 2, 0, 1, 2, 3, 4, 5, 0, 3, 4]
    assert len(flat.asked_S) == 3 + 6 * 11  # what follows a prompt is asked once
    assert flat.source_n[:13].tolist() == [0, *range(3, 14), 0]
    assert flat.source_n[-12:].tolist() == [2, *range(58, 69)]
    cells = Cells(flat, lay_out(batch, 42))
    # what a cell holds is what is taken back from it, and the second copy of a prompt holds the same
    assert torch.equal(cells.token_RW.flatten()[cells.cell_N], torch.arange(len(flat.ids_N)))
    assert cells.token_RW[1, :6].tolist() == cells.token_RW[0, 25:31].tolist() == [3, 4, 5, 6, 7, 8]


def test_the_cheapest_layout_weighs_cells_against_pairs(model: LanguageModel) -> None:
    batch = sampled(model, samples=2)
    assert lay_out(batch, 0).cost(100) == 6 * 17 * 117
    assert cheapest(batch, True, 0).width == 17  # attention alone: the narrower the better
    # cells alone: 6 x 17 = 102, 3 x 28 = 84 (24 and 34 wide), 2 x 50 = 100 (51), 2 x 50 (68)
    assert (cheapest(batch, True, 1e9).rows, cheapest(batch, True, 1e9).width) == (3, 28)
    assert cheapest(batch, False, 1e9).rows == 6


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
