"""What the harness adds to a training step of verl, on CPUs: alternating pairs with verl's own trainer.

    python -m bench.verl_overhead [--pairs 5] [--steps 4] [--poll 0.1] [--keep FOLDER]

In the environment of `make test-verl`, at the root of the repository. Both sides are started as a user starts them, on
a Ray of their own each:

- plain: verl's `run_ppo` with its own task runner, synchronous trainer, data loader, replay buffer, agent loop, reward
  manager, GRPO advantages and policy loss, and a log of one line a step. Of ours it has the platform for CPUs alone
  (`harness/backends/verl/cpu.py`);
- ours: `rence run` of one trial: the same trainer with our prompts, groups, marks, credit, loss and records, and the
  command that waits for it.

The configuration of plain is that of ours (`settings.translate`) but for the keys of `verl_plain.py`: one model of
random weights that never ends a response, so that both sample the same number of tokens; the same prompts in the same
order, which is checked by every step's tokens; the same samplers, micro-batches, log-probs of learner and reference,
and updates. No evaluation and no checkpoint is in a measured step.

A pair is a block of steps of plain and then one of ours. While one side is at work, all processes of the other are
stopped (SIGSTOP), so that a pair is of one time and the machine's other work falls on both alike. The first step of a
block is dropped, for it was begun in the block before.

verl looks at its replay buffer every 2 s, so that a step waits one second for nothing, on average. Plain looks as often
as ours here (`--poll`), through verl's own hook for a buffer; `--poll 2` is verl as it is.

Measured from outside and alike: when a step's line is in its file, and the processor seconds that all processes of that
side have used until then. A figure is the median over the steps of a block, and then over blocks; a ratio is of a pair.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path

from bench.verl_sides import KINDS, PHASES, WARM, Side, Step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=4, help="that are measured of each side in a pair")
    parser.add_argument("--prompts", type=int, default=16, help="of a step")
    parser.add_argument("--group", type=int, default=8, help="rollouts of a prompt")
    parser.add_argument("--tokens", type=int, default=64, help="of every response")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--hidden", type=int, default=192, help="width of the model, of 4 layers")
    parser.add_argument("--poll", type=float, default=0.1, help="seconds between plain's looks at its replay buffer")
    parser.add_argument("--keep", type=Path, help="folder for logs and runs, new")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="overhead") as scratch:
        folder = (asked.keep or Path(scratch)).resolve()
        make_model(folder / "model", asked.hidden)
        compare(asked, folder)


def make_model(folder: Path, hidden: int) -> None:
    """Random weights in Qwen3's architecture that never end a response: the first entry of every embedding is large,
    and the end's row of the head takes it off. With the shipped tokenizer and ChatML, whose markers verl asks for."""
    import torch
    from transformers import AutoTokenizer, Qwen3Config, Qwen3ForCausalLM

    from harness.models.resolving import resolve
    from harness.prompts.templates import CHATML

    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(resolve("quickstart-base"))
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    tokenizer.chat_template = CHATML
    tokenizer.save_pretrained(folder)
    ids = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    config = Qwen3Config(
        vocab_size=512, hidden_size=hidden, num_hidden_layers=4, num_attention_heads=hidden // 32, head_dim=32,
        num_key_value_heads=hidden // 64, intermediate_size=3 * hidden, max_position_embeddings=1024,
        tie_word_embeddings=False, bos_token_id=None, dtype="float32", **ids,
    )  # fmt: skip
    net = Qwen3ForCausalLM(config)
    with torch.no_grad():
        net.model.embed_tokens.weight[:, 0] = 10.0
        net.lm_head.weight[:, 0] = 0.0
        net.lm_head.weight[tokenizer.eos_token_id, 0] = -10.0
    net.generation_config.eos_token_id, net.generation_config.pad_token_id = ids.values()
    net.save_pretrained(folder)
    print(f"model of {sum(weight.numel() for weight in net.parameters()):,} parameters", flush=True)


def compare(asked: argparse.Namespace, folder: Path) -> None:
    """All pairs, and the tables."""
    blocks: dict[str, list[list[Step]]] = {"plain": [], "ours": []}
    with ExitStack() as ending:
        sides: dict[str, Side] = {}
        for name in blocks:
            sides[name] = side = ending.enter_context(closing(Side(name, folder / name, asked)))
            for _ in range(WARM):
                side.mark()
            side.pause()
        for pair in range(1, asked.pairs + 1):
            for name, side in sides.items():
                blocks[name].append(side.block(asked.steps))
                (side.work / "measured.json").write_text(json.dumps([list(map(asdict, own)) for own in blocks[name]]))
            plain, ours = (own[-1] for own in blocks.values())
            if [step.tokens for step in plain] != [step.tokens for step in ours]:
                raise SystemExit("the two sides have not trained on the same tokens")
            said = (f"{name} {_pair(plain, ours, of)}" for name, of in MEASURES.items())
            print(f"pair {pair}: {'; '.join(said)}; load {os.getloadavg()[0]:.1f}", flush=True)
        print(table(blocks["plain"], blocks["ours"]), flush=True)


MEASURES: Mapping[str, Callable[[Step], float]] = {
    "wall": lambda s: s.wall,
    "processor": lambda s: sum(s.spent.values()),
}


def table(plain: Sequence[Sequence[Step]], ours: Sequence[Sequence[Step]]) -> str:
    """Medians over blocks of medians over their steps, in seconds; the ratio is the median of the pairs' own."""
    rows = {
        **MEASURES,
        **{f"wall, {name}": lambda s, name=name: s.timers[name] for name in (*PHASES, "other")},
        **{f"processor, {kind}": lambda s, kind=kind: s.spent[kind] for kind in KINDS},
    }
    lines = [
        "| seconds a step | plain verl | ours | ours - plain | median ratio of pairs |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, of in rows.items():
        a, b = ([_median(run, of) for run in runs] for runs in (plain, ours))
        ratio = statistics.median(y / x if x else float("nan") for x, y in zip(a, b, strict=True))
        medians = statistics.median(a), statistics.median(b)
        lines.append(f"| {name} | {medians[0]:.3f} | {medians[1]:.3f} | {medians[1] - medians[0]:+.3f} | {ratio:.3f} |")
    return "\n".join(lines)


def _median(run: Sequence[Step], of: Callable[[Step], float]) -> float:
    return statistics.median(map(of, run))


def _pair(plain: Sequence[Step], ours: Sequence[Step], of: Callable[[Step], float]) -> str:
    a, b = _median(plain, of), _median(ours, of)
    return f"{a:.2f} s and {b:.2f} s, {100 * (b / a - 1):+.1f} %"


if __name__ == "__main__":
    main()
