"""What the harness adds to a training step of verl, on CPUs: alternating pairs with verl's own trainer.

    python -m bench.verl_overhead [--pairs 5] [--steps 8] [--epochs 1] [--poll 0.1] [--keep FOLDER]

In the environment of `make test-verl`, at the root of the repository. Both sides are started as a user starts them, on
a Ray of their own, one after the other:

- plain: verl's `run_ppo` with its own task runner, synchronous trainer, data loader, replay buffer, agent loop, reward
  manager, GRPO advantages and policy loss, and a log of one line a step. Of ours it has the platform for CPUs alone
  (`harness/backends/verl/cpu.py`);
- ours: `rence run` of one trial: the same trainer with our prompts, groups, marks, credit, loss and records, and the
  command that waits for it.

The configuration of plain is that of ours (`settings.translate`) but for the keys of
`verl_plain.py`: one model of random
weights that never ends a response, so that both sample the same number of tokens; the same prompts in the same order,
which is checked by every step's tokens; the same samplers, micro-batches, log-probs of learner and reference, and
updates. No evaluation and no checkpoint is in a measured step.

verl looks at its replay buffer every 2 s, so that a step waits one second for nothing, on average. Plain looks as often
as ours here (`--poll`), through verl's own hook for a buffer; `--poll 2` is verl as it is.

Measured from outside and alike: when a step's line is in its file, and the processor seconds that all processes of that
side have used until then. Medians are over steps 3 to `--steps` of a run; a ratio is of one pair.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import yaml

ROOT = Path(__file__).parents[1]
NAME, SEED = "overhead", 0
PHASES = ("gen", "old_log_prob", "ref", "adv", "update_actor", "update_weights")
"""timers of verl's trainer, in the order of a step"""
KINDS: Mapping[str, Sequence[str]] = {
    "Ray": ("gcs_server", "raylet", "ray/dashboard", "log_monitor"),
    "learner": ("WorkerDict",),
    "sampler": ("VLLM", "vLLM"),
    "agent loop": ("AgentLoopWorker",),
    "marking": ("RewardLoopWorker",),
    "queue": ("SimpleStorage", "TransferQueue"),
    "rest": ("",),
}
"""processes by words of their titles, the first that fits; `rest` is the trainer, and on our side `rence run`"""
FIRST = 3
"""step that is measured: before it, memory is taken for the first time"""
LOOK_SECONDS = 0.02
_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Mark:
    """The end of a step."""

    at: float
    """seconds of a monotonic clock"""
    spent: Mapping[str, float]
    """processor seconds until then, by `KINDS`"""


@dataclass(frozen=True)
class Step:
    """One step of one side."""

    wall: float
    """seconds since the line of the step before"""
    spent: Mapping[str, float]
    """processor seconds in that time, by `KINDS`"""
    tokens: int
    """of the batch, prompts among them"""
    timers: Mapping[str, float]
    """seconds of `PHASES`, and `other`: what none of them holds"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=8, help="the last one that is measured")
    parser.add_argument("--prompts", type=int, default=16, help="of a step")
    parser.add_argument("--group", type=int, default=8, help="rollouts of a prompt")
    parser.add_argument("--tokens", type=int, default=64, help="of every response")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--hidden", type=int, default=192, help="width of the model, of 4 layers")
    parser.add_argument("--poll", type=float, default=0.1, help="seconds between plain's looks at its replay buffer")
    parser.add_argument("--keep", type=Path, help="folder for logs and runs, new")
    asked = parser.parse_args()
    # What loses its parent becomes a child of this process, and is counted.
    ctypes.CDLL(None).prctl(_CHILD_SUBREAPER, 1, 0, 0, 0)
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


def experiment(asked: argparse.Namespace, model: Path) -> dict[str, Any]:
    """One trial of GRPO, with a step more than is measured: its last one writes a checkpoint."""
    return {
        "schema": 1,
        "name": NAME,
        "backend": "verl",
        "model": str(model),
        "template": "bare",
        "train": "mini_rl",
        "seeds": [SEED],
        "budget": {"rollouts": (asked.steps + 1) * asked.prompts * asked.group},
        "recipe": {
            "group_size": asked.group,
            "prompts_per_step": asked.prompts,
            "epochs": asked.epochs,
            "minibatches": 2,
            "max_tokens": asked.tokens,
            "microbatch_tokens": 2048,
            "checkpoint_steps": 10**6,
        },
        "evaluation": {"benchmarks": {"mini_sums": 1}, "points": 1, "limit": 1, "max_tokens": asked.tokens},
        "arms": {"grpo": {}},
        "comparison": {"target": "grpo", "baselines": []},
        "verl": {"device": "cpu", "gpus_per_node": 1, "max_prompt_tokens": 192, "stall_seconds": 600},
    }


def compare(asked: argparse.Namespace, folder: Path) -> None:
    """All pairs, and the tables."""
    sides: dict[str, list[list[Step]]] = {"plain": [], "ours": []}
    for pair in range(1, asked.pairs + 1):
        for side, runs in sides.items():
            work = folder / f"{side}{pair}"
            work.mkdir(parents=True)
            (work / "overhead.yaml").write_text(yaml.safe_dump(experiment(asked, folder / "model")))
            runs.append(run(side, work, asked)[FIRST - 1 : asked.steps])
            (work / "measured.json").write_text(json.dumps([asdict(step) for step in runs[-1]]))
        plain, ours = (runs[-1] for runs in sides.values())
        if [step.tokens for step in plain] != [step.tokens for step in ours]:
            raise SystemExit("the two sides have not trained on the same number of tokens")
        said = (f"{name} {_pair(plain, ours, of)}" for name, of in MEASURES.items())
        print(f"pair {pair}: {'; '.join(said)}; load {os.getloadavg()[0]:.1f}", flush=True)
    print(table(sides["plain"], sides["ours"]))


MEASURES: Mapping[str, Callable[[Step], float]] = {
    "wall": lambda s: s.wall,
    "processor": lambda s: sum(s.spent.values()),
}


def table(plain: Sequence[Sequence[Step]], ours: Sequence[Sequence[Step]]) -> str:
    """Medians over runs of medians over steps, in seconds; the ratio is the median of the pairs' own."""
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


def run(side: str, work: Path, asked: argparse.Namespace) -> list[Step]:
    """One side from its start to its end, and its steps."""
    rows = work / "runs" / NAME / "grpo" / f"seed{SEED}" / "steps.jsonl" if side == "ours" else work / "steps.jsonl"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    environment.pop("RAY_ADDRESS", None)
    # Ray would give its workers, and so the trainer of plain but not ours, way to all other processes of the machine.
    environment["RAY_worker_niceness"] = "0"
    command = ["rence", "run", "overhead.yaml"]
    if side == "plain":
        from harness.backends.verl.platform import ENVIRONMENT, NO_TELEMETRY

        environment |= {
            **ENVIRONMENT,
            **NO_TELEMETRY,
            "VLLM_LOG_STATS_INTERVAL": "600",
            "VERL_FILE_LOGGER_PATH": str(rows),
        }
        command = ["bench.verl_plain", "overhead.yaml", "--poll", str(asked.poll)]
    with (work / "output.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", *command], cwd=work, env=environment, stdout=log, stderr=log)
        marks = watch(process, rows)
    if process.returncode or len(marks) != asked.steps + 1:
        print((work / "output.log").read_text(errors="replace")[-5000:])
        raise SystemExit(f"{side} ended with {process.returncode} after {len(marks)} steps")
    lines = [json.loads(line) for line in rows.read_text().splitlines()]
    found = [line.get("metrics") or line["data"] for line in lines]
    # The first step began before there was a line; it is not measured.
    return [_step(row, *ends) for row, ends in zip(found, pairwise([marks[0], *marks]), strict=True)]


def watch(process: subprocess.Popen[bytes], rows: Path) -> list[Mark]:
    """Until the process ends: a mark as soon as each line of `rows` is there."""
    marks: list[Mark] = []
    while process.poll() is None:
        if rows.exists() and rows.read_bytes().count(b"\n") > len(marks):
            marks.append(Mark(time.monotonic(), processor_seconds()))
        time.sleep(LOOK_SECONDS)
    with suppress(ChildProcessError):  # those that it has left to us
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return marks


def processor_seconds() -> dict[str, float]:
    """Of all descendants of this process by `KINDS`, those that have ended among them."""
    me = psutil.Process()
    own = me.cpu_times()
    total = dict.fromkeys(KINDS, 0.0) | {"rest": own.children_user + own.children_system}
    for process in me.children(recursive=True):
        try:
            spent, title = process.cpu_times(), " ".join(process.cmdline())
        except psutil.NoSuchProcess:  # its seconds are its parent's now
            continue
        kind = next((kind for kind, words in KINDS.items() if any(word in title for word in words)), "rest")
        total[kind] += spent.user + spent.system + spent.children_user + spent.children_system
    return total


def _step(metrics: Mapping[str, Any], before: Mark, after: Mark) -> Step:
    """
    Args:
        metrics: of its line; both sides have verl's names.
    """
    timers = {name: float(metrics[f"timing_s/{name}"]) for name in PHASES}
    wall = after.at - before.at
    spent = {kind: after.spent[kind] - before.spent[kind] for kind in KINDS}
    named = {**timers, "other": wall - sum(timers.values())}
    return Step(wall, spent, int(metrics["perf/total_num_tokens"]), named)


if __name__ == "__main__":
    main()
