"""What the sampler promises: its log-probs are the model's, and its draws depend on nothing but seed and model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import DynamicCache, MambaConfig, MambaForCausalLM

from harness.base.errors import UserError
from harness.engines import sampler
from harness.engines.base import Request, Sampling
from harness.engines.drawing import draw
from harness.engines.sampler import Samples, padded, read_prompts, sample
from harness.engines.steps import Steps, graph_rows
from harness.models.decoding import LeanDecoder, PlainDecoder, decoder_of
from harness.models.language_model import LanguageModel, load
from harness.models.slots import Slots
from tests.closeness import assert_close

REQUESTS = [  # prompts of different lengths, different numbers of samples
    Request((2, 5, 3), tuple(range(0, 12))),
    Request((2, 4, 4, 4, 9, 3), tuple(range(100, 105))),
    Request((7,), tuple(range(200, 209))),
]
SAMPLING = Sampling(max_tokens=12)


def run(
    model: LanguageModel, requests: list[Request] = REQUESTS, sampling: Sampling = SAMPLING, **how: float
) -> Samples:
    return sample(model.net, requests, sampling, model.stop, **how)  # type: ignore[arg-type]


def plain_logp(model: LanguageModel, prompt: tuple[int, ...], response: list[int], temperature: float) -> Tensor:
    """One unpadded sequence through transformers' own attention, with no cache."""
    ids = torch.tensor([[*prompt, *response]])
    with torch.no_grad():
        logits = model.net(input_ids=ids, use_cache=False).logits[0, len(prompt) - 1 : -1]
    return torch.log_softmax(logits / temperature, dim=-1).gather(1, torch.tensor(response)[:, None])[:, 0]


@pytest.mark.parametrize("architecture", ["qwen3", "llama", "gpt2", "qwen3_window", "mistral"])
@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_logp_is_that_of_a_plain_forward(folders: Mapping[str, Path], architecture: str, temperature: float) -> None:
    model = load(folders[architecture])
    samples = run(model, sampling=Sampling(12, temperature))
    prompts = [request.prompt for request in REQUESTS for _ in request.seeds]
    lengths = samples.length_B.tolist()
    assert len(set(lengths)) > 1  # responses end at different times
    model.net.set_attn_implementation("eager")
    for row, prompt in enumerate(prompts):
        response = samples.tokens_BT[row, : lengths[row]].tolist()
        expected = plain_logp(model, prompt, response, temperature)
        assert_close(samples.logp_BT[row, : lengths[row]], expected, within=5e-6)


def test_responses_end_with_the_first_stop_token_or_at_the_limit(model: LanguageModel) -> None:
    samples = run(model)
    assert 0 < int(samples.stopped_B.sum()) < len(samples.stopped_B)
    for tokens, length, stopped in zip(samples.tokens_BT, samples.length_B, samples.stopped_B, strict=True):
        assert (tokens[:length] == model.stop[0]).sum() == stopped
        assert length == 12 if not stopped else tokens[length - 1] == model.stop[0]
        assert not tokens[length:].any()


def test_draws_do_not_depend_on_the_batch(model: LanguageModel) -> None:
    together = run(model)
    rows = [(request.prompt, seed) for request in REQUESTS for seed in request.seeds]
    for row in (0, 11, 12, 20, 25):
        alone = run(model, [Request(rows[row][0], (rows[row][1],))])
        assert torch.equal(alone.tokens_BT[0], together.tokens_BT[row])
        assert_close(alone.logp_BT[0], together.logp_BT[row], within=5e-6)


def test_order_of_requests_and_seeds_does_not_matter(model: LanguageModel) -> None:
    turned = run(model, [Request(r.prompt, r.seeds[::-1]) for r in REQUESTS[::-1]])
    assert torch.equal(turned.tokens_BT.flip(0), run(model).tokens_BT)


def test_dropping_finished_rows_changes_nothing(model: LanguageModel) -> None:
    eager, never = run(model, drop_at=0.0), run(model, drop_at=2.0)
    assert torch.equal(eager.tokens_BT, never.tokens_BT)
    assert torch.equal(eager.length_B, never.length_B)
    assert_close(eager.logp_BT, never.logp_BT, within=5e-6)


def test_what_is_sampled_can_be_learnt_from(model: LanguageModel) -> None:
    samples = run(model)
    assert not any(getattr(samples, field.name).is_inference() for field in fields(samples))


@pytest.mark.parametrize("together", [40, 7])  # all at once, and with rows that wait
def test_rows_that_end_with_their_first_token_leave_the_others_as_they_are(
    model: LanguageModel, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    stop = (1, 9, 10, 11, 12, 13, 14)  # a third of the vocabulary
    requests = [Request(tuple((7 * i + j) % 19 + 2 for j in range(1 + i % 9)), (i,)) for i in range(40)]
    never = sample(model.net, requests, SAMPLING, stop, 2.0)
    assert int((never.length_B == 1).sum()) > 5 and int((never.length_B > 3).sum()) > 5
    monkeypatch.setattr(sampler, "CACHE_BYTES", together * row_bytes(9 + 12))
    eager = sample(model.net, requests, SAMPLING, stop, 0.0)
    assert torch.equal(eager.tokens_BT, never.tokens_BT)
    assert_close(eager.logp_BT, never.logp_BT, within=5e-6)


def test_equal_calls_give_equal_bits(model: LanguageModel) -> None:
    assert torch.equal(run(model).logp_BT, run(model).logp_BT)


def row_bytes(tokens: int) -> int:
    """Of `model`: 2 layers x 2 (keys, values) x 2 heads x 8 numbers of 4 bytes a token."""
    return tokens * 2 * 2 * 2 * 8 * 4


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows of each step from here on."""
    rows: list[int] = []
    original = Steps.run
    monkeypatch.setattr(Steps, "run", lambda self, count, width: (rows.append(count), original(self, count, width))[1])
    return rows


def test_a_row_that_ends_gives_its_place_to_one_that_waits(
    model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(model)
    monkeypatch.setattr(sampler, "CACHE_BYTES", 7 * row_bytes(6 + 12))
    rows = counted(monkeypatch)
    parts = run(model)
    assert max(rows) == 7
    # 26 samples, seven at a time. A step reads one token of a row, and the first of each was drawn from its prompt.
    read = int((whole.length_B - 1).sum())
    assert len(rows) < 1.3 * read / 7  # in four parts, each as long as its longest row: 4 x 11
    assert torch.equal(whole.tokens_BT, parts.tokens_BT)
    assert torch.equal(whole.length_B, parts.length_B)
    assert_close(whole.logp_BT, parts.logp_BT, within=5e-6)


def test_rows_that_outgrow_the_memory_wait_and_go_on_where_they_were(
    model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, rows = run(model), counted(monkeypatch)
    # Room for all 26 rows with 2 tokens of a response, and for 11 at their longest.
    monkeypatch.setattr(sampler, "FIRST_COLUMNS", 2)
    monkeypatch.setattr(sampler, "CACHE_BYTES", 26 * row_bytes(6 + 2))
    parts = run(model)
    assert rows[0] == 26 and max(rows[-3:]) <= 26 * 8 // 18
    assert torch.equal(whole.tokens_BT, parts.tokens_BT)
    assert_close(whole.logp_BT, parts.logp_BT, within=5e-6)


def test_memory_that_holds_less_than_a_row_still_samples_one_at_a_time(
    model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, rows = run(model), counted(monkeypatch)
    monkeypatch.setattr(sampler, "CACHE_BYTES", 1)
    assert torch.equal(whole.tokens_BT, run(model).tokens_BT)
    assert set(rows) == {1}


@pytest.mark.parametrize("architecture", ["qwen3", "llama"])
def test_the_lean_decoder_is_transformers_own(folders: Mapping[str, Path], architecture: str) -> None:
    net = load(folders[architecture]).net
    assert isinstance(decoder_of(net, 32), LeanDecoder)
    prompts = [(2, 5, 3), (7,)]
    ids, mask = padded(prompts, torch.device("cpu"))
    with torch.inference_mode():
        found = []
        for decoder in (decoder_of(net, 32), PlainDecoder(net)):
            slots = Slots(net.config.num_hidden_layers, 3, 8, torch.device("cpu"))
            read, _ = read_prompts(net, ids, mask, DynamicCache())
            slots.fill(read, [range(0, 2), range(2, 3)], [3, 1])
            slots.place(torch.tensor([3, 3, 1]), 4)  # rows of different length, side by side
            found.append(decoder.step(torch.tensor([4, 9, 8]), slots))
        for row, full in enumerate([(2, 5, 3, 4), (2, 5, 3, 9), (7, 8)]):
            expected = net(input_ids=torch.tensor([full])).logits[0, -1]
            assert_close(found[0][row], expected, within=5e-6)
            assert_close(found[1][row], expected, within=5e-6)


def test_models_with_windows_go_through_their_own_forward(folders: Mapping[str, Path]) -> None:
    assert isinstance(decoder_of(load(folders["qwen3_window"]).net, 32), PlainDecoder)


def test_rows_of_a_graph_are_rounded_up_by_little() -> None:
    rounded = {rows: graph_rows(rows) for rows in range(1, 600)}
    assert all(rows <= rounded[rows] <= max(8, rows + rows // 7 + 7) for rows in rounded)
    assert len(set(rounded.values())) < 50  # graphs to record


def test_different_seeds_draw_differently_and_equal_seeds_alike(model: LanguageModel) -> None:
    samples = run(model, [Request((2, 5, 3), (1, 1, 2))])
    assert torch.equal(samples.tokens_BT[0], samples.tokens_BT[1])
    assert not torch.equal(samples.tokens_BT[0], samples.tokens_BT[2])


def test_greedy_takes_the_likeliest_token(model: LanguageModel) -> None:
    samples = run(model, [Request((2, 5, 3), (1, 2))], Sampling(5, temperature=0.0))
    ids = [2, 5, 3]
    for token in samples.tokens_BT[0, : samples.length_B[0]].tolist():
        with torch.no_grad():
            assert token == int(model.net(input_ids=torch.tensor([ids])).logits[0, -1].argmax())
        ids.append(token)
    assert torch.equal(samples.tokens_BT[0], samples.tokens_BT[1])


def test_draw_inverts_the_cumulative_distribution() -> None:
    # p = 0, 1/2, 1/4, 1/4: u in (0, 1/2] is token 1, (1/2, 3/4] token 2, (3/4, 1] token 3; never token 0
    logits = torch.tensor([0.0, 0.5, 0.25, 0.25]).log().repeat(6, 1)
    uniform = torch.tensor([1e-9, 0.5, 0.51, 0.75, 0.76, 1.0])
    token, logp = draw(logits, uniform, Sampling(1))
    assert token.tolist() == [1, 1, 2, 2, 3, 3]
    assert_close(logp.exp(), [0.5, 0.5, 0.25, 0.25, 0.25, 0.25], within=2e-6)


def test_top_p_keeps_the_smallest_set_that_reaches_it() -> None:
    # sorted 0.5, 0.3, 0.2 (tokens 2, 0, 1): top_p 0.6 keeps 0.5 and 0.3; within it u <= 5/8 is token 2, above token 0
    logits = torch.tensor([0.3, 0.2, 0.5]).log().repeat(3, 1)
    token, logp = draw(logits, torch.tensor([0.62, 0.63, 1.0]), Sampling(1, top_p=0.6))
    assert token.tolist() == [2, 0, 0]
    assert_close(logp.exp(), [0.5, 0.3, 0.3], within=2e-6)  # of the whole distribution, as a trainer computes them


def test_samples_follow_the_distribution(model: LanguageModel) -> None:
    draws, prompt = 4000, (2, 5, 3)
    tokens = run(model, [Request(prompt, tuple(range(draws)))], Sampling(1)).tokens_BT[:, 0]
    with torch.no_grad():
        p = model.net(input_ids=torch.tensor([prompt])).logits[0, -1].softmax(-1)
    share = torch.bincount(tokens, minlength=len(p)) / draws
    assert ((share - p).abs() < 4 * (p * (1 - p) / draws).sqrt() + 1e-3).all()  # four standard errors


def test_no_room_for_the_response_is_an_error(model: LanguageModel) -> None:
    with pytest.raises(UserError, match="`max_tokens` must be at most 125 for a prompt of 3 tokens, but is 126"):
        run(model, [Request((2, 5, 3), (0,))], Sampling(126))


def test_a_model_with_a_recurrent_state_is_refused(tmp_path: Path, model: LanguageModel) -> None:
    MambaForCausalLM(MambaConfig(vocab_size=21, hidden_size=8, num_hidden_layers=1)).save_pretrained(tmp_path)
    model.tokenizer.save_pretrained(tmp_path)
    with pytest.raises(UserError, match="is a mamba model, whose layers keep a recurrent state"):
        load(tmp_path)
