"""The base model's card: what it is, how it was made, what it scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.marking import mark
from benchmarks.marks import Mark
from benchmarks.miniature.suite import CARD, SHARES
from benchmarks.problems import Benchmark
from harness.base.seeds import derive
from harness.engines.base import Engine, Request, Sampling
from harness.engines.registry import open_engine
from harness.prompts.templates import render
from harness.records.seals import file_hash

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from harness.pretraining.recipe import Pretraining

SAMPLES = 8
SAMPLING = Sampling(max_tokens=48, temperature=1.0, top_p=1.0)
CHUNK = 50
"""problems asked together"""


@dataclass(frozen=True)
class CardScore:
    """What the model makes of one benchmark, as fractions."""

    benchmark: Benchmark
    pass_1: float
    """mean over problems and samples"""
    pass_8: float
    """problems that one of eight samples solves"""
    tokens: float
    """mean length of a response"""


def write_card(folder: Path, recipe: Pretraining, template: str) -> list[CardScore]:
    """Measure the model in a folder and write its README.md."""
    from transformers import AutoTokenizer

    engine, tokenizer = open_engine("local", folder), AutoTokenizer.from_pretrained(folder)
    scores = [measure(engine, tokenizer, benchmark, template) for benchmark in CARD]
    (folder / "README.md").write_text(card(folder, recipe, scores), encoding="utf-8")
    return scores


def measure(engine: Engine, tokenizer: PreTrainedTokenizerBase, benchmark: Benchmark, template: str) -> CardScore:
    """Eight samples of every problem."""
    correct, tokens = [], 0
    for start in range(0, benchmark.count, CHUNK):
        problems = benchmark.problems[start : start + CHUNK]
        requests = [
            Request(
                render(tokenizer, problem, template),
                tuple(derive("card", benchmark.name, problem.id, sample) for sample in range(SAMPLES)),
            )
            for problem in problems
        ]
        for problem, completions in zip(problems, engine.generate(requests, SAMPLING), strict=True):
            marks = [mark(one.text, problem.gold, problem.rule).mark for one in completions]
            correct.append(marks.count(Mark.CORRECT))
            tokens += sum(one.tokens for one in completions)
    total = benchmark.count * SAMPLES
    return CardScore(benchmark, sum(correct) / total, sum(map(bool, correct)) / benchmark.count, tokens / total)


def card(folder: Path, recipe: Pretraining, scores: list[CardScore]) -> str:
    """README.md, with the front matter that the hub reads."""
    return "\n".join(_lines(folder, recipe, scores)) + "\n"


def _lines(folder: Path, recipe: Pretraining, scores: list[CardScore]) -> Iterator[str]:
    yield "---\nlicense: apache-2.0\nlanguage: en\nlibrary_name: transformers\npipeline_tag: text-generation\n---\n"
    yield PURPOSE
    yield "| setting | value |\n|---|---|"
    yield from (f"| {name} | {value} |" for name, value in asdict(recipe).items())
    yield DATA.format(shares=", ".join(f"{split} {share} %" for split, share in SHARES.items()))
    yield "| benchmark | problems | pass@1 | pass@8 | tokens | what it asks |\n|---|---:|---:|---:|---:|---|"
    for score in scores:
        name, count, description = score.benchmark.name, score.benchmark.count, score.benchmark.description
        yield f"| {name} | {count} | {score.pass_1:.1%} | {score.pass_8:.1%} | {score.tokens:.1f} | {description} |"
    yield (
        f"\n{SAMPLES} samples a problem, temperature {SAMPLING.temperature:g}, at most {SAMPLING.max_tokens} tokens, "
        f"template `bare`; written by `rence pretrain` on {date.today().isoformat()}."
    )
    yield LIMITS.format(slipped=recipe.slipped, direct=recipe.direct)
    yield f"## Files\n\nsha256 of model.safetensors: `{file_hash(folder / 'model.safetensors')}`"


PURPOSE = """# quickstart-base

The start model of rence-bench's quickstart: a Qwen3 made from scratch that solves about a third of the taught problems
of the miniature suite, and nearly all of them once in eight tries, so that reinforcement learning has something to do.
It is there to compare algorithms on a laptop, and useful for nothing else. Licence: Apache-2.0.

## Recipe

`rence pretrain` makes it again: one thread, a fixed number of steps, the same bytes on the same machine.
"""

DATA = """
The problems are made by rule and split by a hash of the canonical computation: {shares}.
This model learnt from the sft split alone. `mini_unseen` and `mini_longer` ask kinds and lengths that are neither
taught here nor trained on later.

## Scores
"""

LIMITS = """
## Limits

It knows the suite's words and the numbers up to 99, no language beyond them and no facts. Its errors are partly taught:
of the solutions it learnt from, {slipped:.0%} have a slipped step and {direct:.0%} give the answer without working.
"""
