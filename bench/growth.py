"""Processor seconds a token of learning, as answers, prompts and groups grow: flat, or falling, is what should be.

    OMP_NUM_THREADS=1 PYTHONPATH=. python bench/growth.py [--model 10m] [--repeats 3] [--json FILE]

One update of GRPO (forward, backward, optimiser) on made-up answers of equal length, for the cost of sampling is
bench/generate.py's. One of the three grows, in four points, while the others stay.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from algorithms.registry import get
from bench import sides
from bench.train_step import folder_of
from benchmarks.problems import Problem
from harness.backends.groups import Group, Rollout, TokenRollouts, as_batch
from harness.backends.local.update import Learner, make_optimizer
from harness.config.training_recipe import Recipe
from harness.models.language_model import load
from harness.prompts.stream import Prompt
from harness.records import Mark

POINTS = {
    "length": [(8, 4, tokens) for tokens in (16, 32, 64, 128)],
    "prompts": [(prompts, 8, 32) for prompts in (2, 4, 8, 16)],
    "K": [(8, k, 32) for k in (2, 4, 8, 16)],
}
"""what grows -> (prompts, K, tokens of an answer)"""
PROMPT_TOKENS = 16


def batch_of(prompts: int, k: int, tokens: int, vocab: int) -> TokenRollouts:
    """Every second rollout is right."""
    random = torch.Generator().manual_seed(0)

    def rollout(number: int) -> Rollout:
        ids = torch.randint(2, vocab, (tokens,), generator=random)
        return Rollout(ids, torch.full((tokens,), -6.0), False, Mark.CORRECT if number % 2 else Mark.WRONG)

    def group(number: int) -> Group:
        asked = tuple(torch.randint(2, vocab, (PROMPT_TOKENS,), generator=random).tolist())
        return Group(Prompt(Problem(str(number), ""), 0), asked, tuple(map(rollout, range(k))))

    return as_batch([group(number) for number in range(prompts)], tokens)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="10m")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args()
    algorithm, recipe = get("grpo", kl_coef=0.0), Recipe()
    with tempfile.TemporaryDirectory() as root:
        model = load(folder_of(options.model, Path(root)))
    learner = Learner(model, algorithm, recipe, make_optimizer(model, recipe))

    def update(batch: TokenRollouts) -> sides.Run:
        return sides.here(lambda: learner.update(batch, 0.0))

    results: dict[str, list[dict[str, Any]]] = {}
    for grows, points in POINTS.items():
        batches = {}
        for point in points:
            batch = batch_of(*point, model.net.config.vocab_size)
            rng = torch.Generator().manual_seed(0)
            credit = algorithm.credit(batch, lambda _, rng=rng: rng)
            batches[point] = replace(batch, credit=credit)
        runs = sides.alternate(
            {str(point): lambda batch=batch: update(batch) for point, batch in batches.items()}, options.repeats, warm=1
        )
        rows = results[f"As {grows} grows"] = []
        for prompts, k, tokens in points:
            cost = sides.median(run.cpu for run in runs[str((prompts, k, tokens))]) / (prompts * k * tokens)
            rows.append({"prompts": prompts, "K": k, "tokens": tokens, "us_a_token": 1e6 * cost})
            print(f"{grows:8s} {prompts:3d} x {k:2d} x {tokens:3d} tokens  {1e6 * cost:7.0f} us a token", flush=True)
    sides.write(options.json, results)


if __name__ == "__main__":
    main()
