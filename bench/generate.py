"""Generation: useful tokens a processor second of our sampler and of transformers' `generate`, side by side.

    OMP_NUM_THREADS=1 PYTHONPATH=. python bench/generate.py [--models quickstart-base,10m] [--rows 8,128,512] [--json F]

The same prompts, eight samples of each, in one process, in turns. A token is useful up to and including the first end
of sequence. transformers has its default settings (sdpa attention, its own cache), and draws from the whole
distribution as we do. The share is of the ceiling of matrix products at so many rows (`sides.gemm_rate`).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import torch

from bench import sides
from bench.made_models import MADE, made
from benchmarks.registry import training_set
from harness.engines.base import Request, Sampling
from harness.engines.sampler import sample
from harness.models.language_model import LanguageModel, load
from harness.models.resolving import resolve
from harness.models.weights import load_net
from harness.prompts.templates import render

SAMPLES = 8
"""of a prompt"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="quickstart-base,10m", help=f"names, folders, or of {', '.join(MADE)}")
    parser.add_argument("--rows", default="8,128,512")
    parser.add_argument("--tokens", type=int, default=64, help="most of a response")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="file to write")
    asked = parser.parse_args()
    rows = [int(count) for count in asked.rows.split(",")]
    with tempfile.TemporaryDirectory() as scratch:
        found = {
            name: measure(made(name, Path(scratch) / name) if name in MADE else resolve(name), rows, asked)
            for name in asked.models.split(",")
        }
    sides.write(asked.json, found)


def measure(folder: Path, rows: list[int], asked: argparse.Namespace) -> list[dict[str, Any]]:
    """One entry for each number of rows; printed as it is found."""
    model, plain = load(folder), load_net(folder, dtype=torch.float32).eval()
    print(f"{folder.name}: useful tokens a processor second, at most {asked.tokens} tokens a response")
    print(f"{'rows':>6s} {'ours':>8s} {'theirs':>8s} {'ratio':>6s} {'ceiling':>8s} {'share':>6s}")
    found = []
    for count in rows:
        prompts = [render(model.tokenizer, p, "bare") for p in training_set("mini_rl").problems[: count // SAMPLES]]
        ways = {
            "ours": lambda p=prompts: sides.here(lambda: ours(model, p, asked.tokens)),
            "transformers": lambda p=prompts: sides.here(lambda: theirs(plain, model.stop, p, asked.tokens)),
        }
        runs = sides.alternate(ways, asked.repeats, warm=1)
        rate = {name: sides.median(run.value / run.cpu for run in of) for name, of in runs.items()}
        ceiling = count / sides.gemm_seconds(count, sides.products_of(model.net.config))
        one = {
            "rows": count,
            "tokens": {name: sides.median(run.value for run in of) for name, of in runs.items()},
            "tokens_a_cpu_s": rate,
            "ratio": rate["ours"] / rate["transformers"],
            "ceiling_tokens_a_cpu_s": ceiling,
            "share_of_ceiling": rate["ours"] / ceiling,
            "runs": {name: sides.summary(of) for name, of in runs.items()},
        }
        found.append(one)
        numbers = f"{count:6d} {rate['ours']:8.0f} {rate['transformers']:8.0f} {one['ratio']:6.2f}"
        print(f"{numbers} {ceiling:8.0f} {one['share_of_ceiling']:6.2f}", flush=True)
    return found


def ours(model: LanguageModel, prompts: list[tuple[int, ...]], tokens: int) -> int:
    requests = [Request(prompt, tuple(range(i, i + SAMPLES))) for i, prompt in enumerate(prompts)]
    return int(sample(model.net, requests, Sampling(tokens), model.stop).length_B.sum())


def theirs(net: Any, stop: tuple[int, ...], prompts: list[tuple[int, ...]], tokens: int) -> int:
    width = max(map(len, prompts))
    padded = [[0] * (width - len(prompt)) + list(prompt) for prompt in prompts for _ in range(SAMPLES)]
    mask = [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts for _ in range(SAMPLES)]
    drawn = net.generate(
        input_ids=torch.tensor(padded),
        attention_mask=torch.tensor(mask),
        max_new_tokens=tokens,
        do_sample=True,
        top_k=0,
        eos_token_id=list(stop),
        pad_token_id=0,
    )[:, width:]
    ended = torch.isin(drawn, torch.tensor(stop)).cumsum(1)
    return int((ended == 0).sum()) + int((ended.amax(1) > 0).sum())


if __name__ == "__main__":
    main()
