"""vLLM's CPU build as an engine, with the shipped model."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

from benchmarks import registry
from harness.base.errors import UserError
from harness.base.seeds import derive
from harness.engines.base import Request, Sampling
from harness.engines.local import LocalEngine
from harness.engines.registry import open_engine
from harness.engines.vllm import VllmEngine, sampling_params
from harness.models.resolving import resolve
from harness.prompts import templates

SAMPLED, GREEDY = Sampling(96), Sampling(96, temperature=0)


@pytest.fixture(scope="module")
def folder() -> Path:
    return resolve("quickstart-base")


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[VllmEngine]:
    engine = open_engine("vllm", folder)
    assert isinstance(engine, VllmEngine)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def requests(folder: Path) -> list[Request]:
    """64 problems, four seeds each."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return [
        Request(templates.render(tokenizer, problem, "bare"), tuple(derive("test", problem.id, i) for i in range(4)))
        for problem in registry.benchmark("mini_sums").problems[:64]
    ]


def test_the_version_is_that_of_the_distribution(engine: VllmEngine) -> None:
    assert (engine.name, engine.version) == ("vllm", "0.28.0+cpu")


def test_weights_and_logits_that_are_broken_are_errors(tmp_path: Path, folder: Path) -> None:
    """In a process of its own, for this one has its engine."""
    held = load_file(folder / "model.safetensors")
    for name, change in (("lacking", None), ("large", torch.full((64,), 3e38))):
        copy = Path(shutil.copytree(folder, tmp_path / name))
        kept = (
            {k: v for k, v in held.items() if "norm" in k} if change is None else {**held, "model.norm.weight": change}
        )
        save_file(kept, copy / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match="tensors missing"):
        open_engine("vllm", tmp_path / "lacking")
    command = [sys.executable, "-m", "rence", "eval", "--model", "large", "--benchmarks", "mini_sums", "--limit", "4",
               "--max-tokens", "8", "--engine", "vllm", "--out", "r"]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (3, ""), done.stderr
    assert "engine `vllm`: the model's logits are not finite (NaN or infinity) in 4 of 4 answers" in done.stderr


def test_equal_seeds_give_equal_completions(engine: VllmEngine, requests: list[Request]) -> None:
    assert engine.generate(requests, SAMPLED) == engine.generate(requests, SAMPLED)


def test_a_completion_does_not_depend_on_its_company(engine: VllmEngine, requests: list[Request]) -> None:
    # Last digits of probabilities may differ with the number of rows; in none of these 256 does it decide a token.
    together = engine.generate(requests, SAMPLED)
    assert engine.generate(requests[::-1], SAMPLED)[::-1] == together
    for request, completions in zip(requests[:16], together, strict=False):
        for seed, completion in zip(request.seeds, completions, strict=True):
            assert engine.generate([Request(request.prompt, (seed,))], SAMPLED) == [[completion]]


def test_nor_where_samples_share_a_prompt_that_is_in_the_cache(engine: VllmEngine, requests: list[Request]) -> None:
    """Prompts of 400 tokens fill blocks of the cache, which vLLM shares among samples; short ones do not."""
    long = [Request((r.prompt * 40)[:400], (*r.seeds, *(seed + 1 for seed in r.seeds))) for r in requests[:8]]
    together = engine.generate(long, SAMPLED)
    assert len({one.text for completions in together for one in completions}) > 16
    assert engine.generate(long, SAMPLED) == together
    assert engine.generate(long[::-1], SAMPLED)[::-1] == together
    for request, completions in zip(long[:2], together, strict=False):
        for seed, completion in zip(request.seeds, completions, strict=True):
            assert engine.generate([Request(request.prompt, (seed,))], SAMPLED) == [[completion]]


def test_seeds_of_one_prompt_differ(engine: VllmEngine, requests: list[Request]) -> None:
    first = Request(requests[0].prompt, tuple(range(64)))
    texts = {completion.text for completion in engine.generate([first], SAMPLED)[0]}
    assert len(texts) > 16
    again = engine.generate([Request(first.prompt, (7, 7, 8))], SAMPLED)[0]
    assert again[0] == again[1] != again[2]


def test_greedy_is_the_local_engines(engine: VllmEngine, requests: list[Request], folder: Path) -> None:
    assert engine.generate(requests, GREEDY) == LocalEngine.open(folder).generate(requests, GREEDY)


def test_samples_come_from_the_local_engines_distribution(
    engine: VllmEngine, requests: list[Request], folder: Path
) -> None:
    # The engines draw other random numbers, so only frequencies can agree. Of 64 problems with 64 samples each, the
    # mean length differs with a standard error of 7.0 tokens (the deviation within a problem) * sqrt(2 / 4096) = 0.15.
    many = [Request(request.prompt, tuple(range(64))) for request in requests]
    means = []
    for answers in (engine.generate(many, SAMPLED), LocalEngine.open(folder).generate(many, SAMPLED)):
        means.append(sum(c.tokens for completions in answers for c in completions) / 4096)
    assert means[0] == pytest.approx(means[1], abs=0.5)


def test_the_end_is_counted_and_not_written(engine: VllmEngine, requests: list[Request], folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for completions in engine.generate(requests[:16], SAMPLED):
        for completion in completions:
            assert completion.finish_reason == "stop"
            assert tokenizer.eos_token not in completion.text
            assert completion.tokens > len(tokenizer.encode(completion.text, add_special_tokens=False))


def test_what_is_cut_off_says_so(engine: VllmEngine, requests: list[Request]) -> None:
    for completions in engine.generate(requests[:16], Sampling(3)):
        assert [(c.tokens, c.finish_reason) for c in completions] == [(3, "length")] * 4


def test_what_does_not_fit_the_model_is_refused(engine: VllmEngine) -> None:
    with pytest.raises(UserError, match=r"`max_tokens` must be at most 12 for a prompt of 500 tokens, but is 13"):
        engine.generate([Request((5,) * 500, (0,))], Sampling(13))
    assert engine.generate([Request((5,) * 500, (0,))], Sampling(12))[0][0].tokens <= 12


def test_every_sample_has_a_seed_and_every_stop_token() -> None:
    params = sampling_params(Sampling(5, temperature=0.6, top_p=0.9), seed=2**62, stop=(1, 7))
    assert params["seed"] == 2**62
    assert params["stop_token_ids"] == [1, 7]
    assert (params["max_tokens"], params["temperature"], params["top_p"]) == (5, 0.6, 0.9)


def test_naming_the_engine_imports_no_vllm() -> None:
    code = "import sys, harness.engines.vllm; sys.exit(bool({'vllm', 'torch'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)
