"""transformers' generate as an engine: the local sampler's numbers, drawn by `generate`'s own loop."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import torch
from transformers import GenerationConfig, MambaConfig, MambaForCausalLM

from harness.base.errors import INCOMPLETE, UserError
from harness.engines.base import Completion, EngineFailed, Request, Sampling, complete
from harness.engines.hf import HfEngine
from harness.engines.local import LocalEngine
from harness.engines.registry import open_engine
from harness.models.language_model import LanguageModel, load
from tests.local.conftest import EOS, PAD, WORDS, save

REQUESTS = [Request((2, 5, 3), tuple(range(12))), Request((2, 4, 9, 3), (20, 21)), Request((7,), (30, 31, 32))]
SAMPLED = Sampling(12)


@pytest.mark.parametrize("name", ["qwen3", "llama", "gpt2"])
@pytest.mark.parametrize("sampling", [SAMPLED, Sampling(12, 0.7, 0.9), Sampling(12, 0)], ids=["1", "0.7", "greedy"])
def test_answers_are_the_local_engines(folders: Mapping[str, Path], name: str, sampling: Sampling) -> None:
    hf, local = open_engine("hf", folders[name]), open_engine("local", folders[name])
    assert hf.generate(REQUESTS, sampling) == local.generate(REQUESTS, sampling)
    assert hf.positions == local.positions == 128


def test_windows_of_attention(folders: Mapping[str, Path]) -> None:
    long = [Request((2, 5, 3) * 5, (0, 1, 2))]
    hf, local = HfEngine.open(folders["mistral"]), LocalEngine.open(folders["mistral"])
    assert hf.generate(long, SAMPLED) == local.generate(long, SAMPLED)


def test_a_sample_is_the_same_alone_and_in_company(folder: Path) -> None:
    engine = HfEngine.open(folder)
    together = engine.generate(REQUESTS, SAMPLED)
    for request, completions in zip(REQUESTS, together, strict=True):
        for seed, completion in zip(request.seeds, completions, strict=True):
            assert engine.generate([Request(request.prompt, (seed,))], SAMPLED) == [[completion]]


def test_the_weights_of_a_live_model_are_followed(folder: Path) -> None:
    model = load(folder)
    engine = HfEngine.over(model)
    before = engine.generate(REQUESTS, Sampling(12, 0))
    with torch.no_grad():
        model.net.get_input_embeddings().weight.mul_(-1)
    after = engine.generate(REQUESTS, Sampling(12, 0))
    assert after == LocalEngine(model).generate(REQUESTS, Sampling(12, 0)) != before


def test_what_a_folder_recommends_to_generate_is_not_in_force(folder: Path, tmp_path: Path) -> None:
    model = load(folder)
    plain = HfEngine.over(model).generate(REQUESTS, SAMPLED)
    advice = GenerationConfig(repetition_penalty=5.0, min_new_tokens=11, temperature=0.1, eos_token_id=EOS)
    model.net.generation_config = advice
    assert HfEngine.over(model).generate(REQUESTS, SAMPLED) == plain
    assert model.net.generation_config is advice


def test_a_model_that_keeps_a_recurrent_state(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = MambaConfig(
        vocab_size=len(WORDS), hidden_size=32, state_size=4, num_hidden_layers=2, pad_token_id=PAD, eos_token_id=EOS,
        bos_token_id=None,
    )  # fmt: skip
    folder = save(MambaForCausalLM(config), tmp_path / "mamba")
    with pytest.raises(UserError, match="keep a recurrent state"):
        LocalEngine.open(folder)
    engine = HfEngine.open(folder)
    assert engine.positions is None
    found = engine.generate([REQUESTS[0]], SAMPLED)
    assert len(found[0]) == 12 and len({one.text for one in found[0]}) > 1
    assert engine.generate([REQUESTS[0]], SAMPLED) == found


def test_draws_follow_the_models_probabilities(folder: Path) -> None:
    """The surprisal of the first tokens of 4,000 samples is their entropy, to four standard errors."""
    engine, net = HfEngine.open(folder), load(folder).net
    request = Request((2, 5, 3), tuple(range(4000)))
    drawn = [net_token(one, folder) for one in engine.generate([request], Sampling(1))[0]]
    logp_V = torch.log_softmax(net(torch.tensor([request.prompt])).logits[0, -1].float(), -1)
    entropy = -(logp_V.exp() * logp_V).sum().item()
    variance = (logp_V.exp() * logp_V**2).sum().item() - entropy**2
    surprisal = -logp_V[torch.tensor(drawn)].mean().item()
    assert abs(surprisal - entropy) < 4 * math.sqrt(variance / len(drawn))


def net_token(completion: Completion, folder: Path) -> int:
    """A word is a token; the two that are not written are told apart by how the sample ended."""
    if completion.text:
        return WORDS.index(completion.text)
    return EOS if completion.finish_reason == "stop" else PAD


@pytest.mark.parametrize("name", ["local", "hf"])
def test_a_context_that_is_too_small_is_recorded_as_such(folder: Path, name: str) -> None:
    engine = open_engine(name, folder)
    prompts = [(2, 5, 3), (4,) * 120, (4,) * 128, (4,) * 400]
    requests = [Request(prompt, (0, 1, 2, 3)) for prompt in prompts]
    whole, part, none, less = complete(engine, requests, SAMPLED)
    assert whole == engine.generate([requests[0]], SAMPLED)[0]
    assert {one.finish_reason for one in part} <= {"stop", "context"}
    assert all(one.tokens == 8 for one in part if one.finish_reason == "context")
    assert any(one.finish_reason == "context" for one in part)
    assert none == less == [Completion("", 0, "context")] * 4
    with pytest.raises(UserError, match="`max_tokens` must be at most"):
        engine.generate(requests, SAMPLED)


class Calls:
    """Records what it is asked."""

    name, version = "calls", "1"

    def __init__(self, positions: int | None) -> None:
        self.positions, self.asked = positions, []  # type: ignore[var-annotated]

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[list[Completion]]:
        self.asked.append((list(requests), sampling.max_tokens))
        return [[Completion("x", sampling.max_tokens, "length")] * len(request.seeds) for request in requests]


class Broken(Calls):
    """A plug-in that says what an engine says that was stopped, or that breaks down."""

    def __init__(self, reason: str | Exception) -> None:
        super().__init__(None)
        self.reason = reason

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[list[Completion]]:
        if isinstance(self.reason, Exception):
            raise self.reason
        return [[Completion("", 0, self.reason) for _ in request.seeds] for request in requests]


@pytest.mark.parametrize("reason", ["abort", "error", "None", ""])
def test_an_answer_that_was_given_up_is_no_answer(reason: str) -> None:
    with pytest.raises(EngineFailed, match=f"an answer ended by `{reason}` and by none of stop, length, context") as e:
        complete(Broken(reason), REQUESTS, SAMPLED)
    assert e.value.exit_code == INCOMPLETE


def test_an_engine_that_breaks_down_is_an_error(model: LanguageModel) -> None:
    for engine in (HfEngine.over(model), LocalEngine(model)):
        with pytest.raises(EngineFailed, match=f"engine `{engine.name}` failed while it was asked: IndexError: ") as e:
            complete(engine, [Request((10**6,), (1,))], SAMPLED)  # a token that the model does not have
        assert e.value.exit_code == INCOMPLETE and "run the same again" in str(e.value)


def test_where_all_have_room_there_is_one_unchanged_call() -> None:
    for positions in (None, 16):
        engine = Calls(positions)
        assert complete(engine, REQUESTS, SAMPLED)[0][0] == Completion("x", 12, "length")
        assert engine.asked == [(REQUESTS, 12)]


def test_requests_are_grouped_by_the_room_they_have() -> None:
    engine = Calls(15)
    found = complete(engine, [*REQUESTS, Request((1,) * 15, (9,))], SAMPLED)
    assert engine.asked == [([REQUESTS[0], REQUESTS[2]], 12), ([REQUESTS[1]], 11)]
    assert [one[0].finish_reason for one in found] == ["length", "context", "length", "context"]
