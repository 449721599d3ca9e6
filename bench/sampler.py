"""Useful tokens per CPU-second of our sampler and of transformers' `generate`, on the same prompts.

    OMP_NUM_THREADS=1 PYTHONPATH=. python bench/sampler.py [MODEL] [--max-tokens 48] [--repeats 5]

A token is useful up to and including the first end of sequence. The best of the repeats counts: other work on the
machine only ever slows one down.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch

from benchmarks.registry import training_set
from harness.engines.base import Request, Sampling
from harness.engines.sampler import sample
from harness.models.language_model import LanguageModel, load
from harness.models.resolving import resolve
from harness.prompts.templates import render

SAMPLES = 8


def prompts_of(model: LanguageModel, count: int) -> list[tuple[int, ...]]:
    problems = training_set("mini_rl").problems[:count]
    return [render(model.tokenizer, problem, "bare") for problem in problems]


def ours(model: LanguageModel, prompts: list[tuple[int, ...]], max_tokens: int, drop_at: float) -> int:
    requests = [Request(prompt, tuple(range(i, i + SAMPLES))) for i, prompt in enumerate(prompts)]
    return int(sample(model.net, requests, Sampling(max_tokens), model.stop, drop_at=drop_at).length_B.sum())


def theirs(model: LanguageModel, prompts: list[tuple[int, ...]], max_tokens: int) -> int:
    width = max(map(len, prompts))
    padded = [[0] * (width - len(prompt)) + list(prompt) for prompt in prompts for _ in range(SAMPLES)]
    mask = [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts for _ in range(SAMPLES)]
    tokens = model.net.generate(  # type: ignore[operator]
        input_ids=torch.tensor(padded),
        attention_mask=torch.tensor(mask),
        max_new_tokens=max_tokens,
        do_sample=True,
        top_k=0,
        eos_token_id=list(model.stop),
        pad_token_id=0,
    )[:, width:]
    ended = torch.isin(tokens, torch.tensor(model.stop)).cumsum(1)
    return int((ended == 0).sum()) + int((ended.amax(1) > 0).sum())


def report(name: str, generate: Callable[[], int], repeats: int) -> None:
    rates = []
    for _ in range(repeats + 1):  # the first is a warm-up
        start = time.process_time()
        tokens = generate()
        rates.append(tokens / (time.process_time() - start))
    print(f"  {name:34s} {max(rates[1:]):9.0f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", default="quickstart-base", help="name, folder or hub id")
    parser.add_argument("--max-tokens", type=int, default=48)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    folder = resolve(arguments.model)
    model, plain = load(folder), load(folder)
    plain.net.set_attn_implementation("sdpa")
    limit, repeats = arguments.max_tokens, arguments.repeats
    print("useful tokens per CPU-second")
    for rows in (8, 128, 256, 512):
        prompts = prompts_of(model, rows // SAMPLES)
        print(f"{rows} rows")
        report("ours", lambda p=prompts: ours(model, p, limit, 0.15), repeats)
        report("ours, finished rows stay", lambda p=prompts: ours(model, p, limit, 2.0), repeats)
        report("ours, torch's attention", lambda p=prompts: ours(plain, p, limit, 0.15), repeats)
        report("transformers generate", lambda p=prompts: theirs(plain, p, limit), repeats)


if __name__ == "__main__":
    main()
