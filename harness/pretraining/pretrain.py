"""The quickstart's base model, made from scratch by a fixed recipe: one thread, every draw seeded, the same bytes on
the same machine.

A small Qwen3 learns the miniature suite's SFT split by supervised learning on worked solutions, bare answers and
solutions with a slipped step. The last two leave room to learn: one of eight samples is right far more often than one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.miniature.kinds import Exercise
from benchmarks.miniature.solutions import direct, slipped, worked
from benchmarks.miniature.suite import TAUGHT, Split, draws
from benchmarks.problems import Problem
from harness.base.aside import made_aside, new
from harness.pretraining.recipe import Pretraining
from harness.pretraining.tokenizer import EOS, build_tokenizer
from harness.prompts.templates import render

if TYPE_CHECKING:
    from torch import Generator, Tensor
    from transformers import PreTrainedTokenizerFast, Qwen3ForCausalLM

    from harness.pretraining.card import CardScore

TEMPLATE = "bare"
"""how the base model is asked"""


def pretrain(
    out: Path, recipe: Pretraining | None = None, on_step: Callable[[int, float], None] | None = None
) -> list[CardScore]:
    """Write the model, its tokenizer and its card to a folder, Hugging Face layout, whole or not at all, and return
    the card's scores.

    Args:
        on_step: told the step and its loss.
    """
    from harness.pretraining.card import write_card

    recipe = recipe or Pretraining()
    with made_aside(out) as place:
        make(new(place), recipe, on_step or (lambda step, loss: None))
        return write_card(new(place), recipe, TEMPLATE)


def make(out: Path, recipe: Pretraining, on_step: Callable[[int, float], None]) -> None:
    """The part of `pretrain` that is the same to the byte on every run."""
    import torch
    from transformers.utils import logging

    logging.disable_progress_bar()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        tokenizer = build_tokenizer(recipe.context)
        model = build_model(len(tokenizer), recipe)
        train(model, tokenizer, recipe, on_step)
    finally:
        torch.set_num_threads(threads)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)


def build_model(vocabulary: int, recipe: Pretraining) -> Qwen3ForCausalLM:
    """Random weights from the recipe's seed."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    model = Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=vocabulary,
            hidden_size=recipe.hidden,
            intermediate_size=3 * recipe.hidden,
            num_hidden_layers=recipe.layers,
            num_attention_heads=recipe.heads,
            num_key_value_heads=recipe.heads,
            head_dim=recipe.hidden // recipe.heads,
            max_position_embeddings=recipe.context,
            tie_word_embeddings=True,
            pad_token_id=0,
            eos_token_id=1,
            bos_token_id=None,
        )
    )
    generator = torch.Generator().manual_seed(recipe.seed)
    for name, parameter in model.named_parameters():
        initialise(name, parameter.data, generator)
    return model


def initialise(name: str, weight: Tensor, generator: Generator) -> None:
    """Norms at 1, embeddings small, matrices by fan-in, those that write into the residual stream smaller."""
    if weight.dim() == 1:
        weight.fill_(1.0)
    elif "embed" in name:
        weight.normal_(0.0, 0.05, generator=generator)
    else:
        writes_to_residual = "o_proj" in name or "down_proj" in name
        weight.normal_(0.0, (0.3 if writes_to_residual else 1.0) * weight.shape[1] ** -0.5, generator=generator)


def train(
    model: Qwen3ForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    recipe: Pretraining,
    on_step: Callable[[int, float], None],
) -> None:
    """Supervised learning of the response, given the prompt."""
    import torch
    from torch.nn.functional import cross_entropy

    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=recipe.weight_decay, fused=True
    )
    model.train()
    for step, batch in enumerate(islice(batches(tokenizer, recipe), recipe.steps), 1):
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * schedule(step, recipe)
        tokens, response = padded(batch)
        hidden = model.model(input_ids=tokens, use_cache=False).last_hidden_state
        predicting = response.roll(-1, dims=1)
        loss = cross_entropy(model.lm_head(hidden[predicting]), tokens[response])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.max_grad_norm)
        optimizer.step()
        on_step(step, loss.item())
    model.eval()


def schedule(step: int, recipe: Pretraining) -> float:
    """Factor of the learning rate: warm-up, constant, straight down to a tenth."""
    left = (1 - step / recipe.steps) / (1 - recipe.constant_until)
    return min(1.0, step / recipe.warmup_steps) * min(1.0, max(0.1, left))


Example = tuple[list[int], list[int]]
"""token ids of a prompt and of a response with its end"""


def batches(tokenizer: PreTrainedTokenizerFast, recipe: Pretraining) -> Iterator[list[Example]]:
    """Examples of like length together, without end."""
    order = random.Random(f"{recipe.seed}/batches")
    stream = examples(tokenizer, recipe)
    size = recipe.examples_per_step
    while True:
        bucket = sorted(islice(stream, size * recipe.bucket_steps), key=lambda example: len(example[0] + example[1]))
        starts = list(range(0, len(bucket), size))
        order.shuffle(starts)
        yield from (bucket[start : start + size] for start in starts)


def examples(tokenizer: PreTrainedTokenizerFast, recipe: Pretraining) -> Iterator[Example]:
    """The taught kinds in turn, from the SFT split."""
    rng = random.Random(f"{recipe.seed}/solutions")
    streams = [draws(Split.SFT, kind, TAUGHT[kind], random.Random(f"{recipe.seed}/{kind}")) for kind in TAUGHT]
    for stream in cycle(streams):
        _, exercise = next(stream)
        response = tokenizer.encode(f"{solution(exercise, recipe, rng)}{EOS}", add_special_tokens=False)
        yield list(render(tokenizer, Problem(exercise.question, gold=""), TEMPLATE)), response


def solution(exercise: Exercise, recipe: Pretraining, rng: random.Random) -> str:
    """What the model is taught to write for an exercise: steps, the answer alone, or steps with a slip in one, drawn
    with the recipe's weights."""
    style = rng.choices(("worked", "direct", "slipped"), (recipe.worked, recipe.direct, recipe.slipped))[0]
    if style == "slipped":
        return slipped(exercise.expression, rng)
    return worked(exercise.expression) if style == "worked" else direct(exercise.expression)


def padded(batch: Sequence[Example]) -> tuple[Tensor, Tensor]:
    """Tokens, and which are of the response; each B x T, padded on the right (attention looks left only, so it needs
    no mask)."""
    import torch

    width = max(len(prompt) + len(response) for prompt, response in batch)
    tokens = torch.zeros(len(batch), width, dtype=torch.long)
    is_response = torch.zeros(len(batch), width, dtype=torch.bool)
    for row, (prompt, response) in enumerate(batch):
        end = len(prompt) + len(response)
        tokens[row, :end] = torch.tensor(prompt + response)
        is_response[row, len(prompt) : end] = True
    return tokens, is_response
