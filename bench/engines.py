"""Tokens a processor second of the engines, on one model made for the purpose.

    OMP_NUM_THREADS=1 python bench/engines.py [--engines local,hf,vllm] [--prompt 300] [--tokens 64] [--repeats 3]

Random weights in Qwen3's architecture (hidden 256, 6 layers), prompts of equal length, 32 samples in each row: k of
each of 32 / k prompts, so that only what is shared differs between the rows.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROWS = 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", default="local,hf")
    parser.add_argument("--prompt", type=int, default=300)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make_model(Path(folder))
        for name in arguments.engines.split(","):
            measure(name, Path(folder), arguments.prompt, arguments.tokens, arguments.repeats)


def make_model(folder: Path) -> None:
    """With the shipped model's tokenizer."""
    import torch
    from transformers import AutoTokenizer, Qwen3Config, Qwen3ForCausalLM

    from harness.models.resolving import resolve

    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=512, hidden_size=256, num_hidden_layers=6, num_attention_heads=8, num_key_value_heads=4, head_dim=32,
        intermediate_size=768, max_position_embeddings=1024, tie_word_embeddings=True,
    )  # fmt: skip
    net = Qwen3ForCausalLM(config)
    net.generation_config.eos_token_id = 511
    net.config.eos_token_id = 511
    net.save_pretrained(folder)
    AutoTokenizer.from_pretrained(resolve("quickstart-base")).save_pretrained(folder)


def measure(name: str, folder: Path, prompt: int, tokens: int, repeats: int) -> None:
    from harness.engines.base import Request, Sampling
    from harness.engines.registry import open_engine

    engine = open_engine(name, folder)
    for k in (1, 4, 16):
        prompts = [tuple(3 + (i * j) % 300 for j in range(prompt)) for i in range(1, 1 + ROWS // k)]
        requests = [Request(ids, tuple(range(k))) for ids in prompts]
        engine.generate(requests[:1], Sampling(4))
        seconds = []
        for _ in range(repeats):
            started = time.process_time()
            answers = engine.generate(requests, Sampling(tokens))
            seconds.append(time.process_time() - started)
        made = sum(one.tokens for completions in answers for one in completions)
        print(f"{name} k={k}: {made / statistics.median(seconds):,.0f} tokens a cpu-second ({made:,} tokens)")


if __name__ == "__main__":
    main()
