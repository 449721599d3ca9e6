"""The base model's recipe: deterministic, and the shipped files come from it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from functools import cache
from itertools import islice
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from benchmarks.marking import mark
from benchmarks.marks import Mark
from benchmarks.miniature import suite
from benchmarks.problems import Benchmark
from benchmarks.registry import BENCHMARKS
from harness.engines.registry import open_engine
from harness.models.resolving import SHIPPED
from harness.pretraining.card import measure
from harness.pretraining.pretrain import batches, examples, make, padded, schedule
from harness.pretraining.recipe import Pretraining
from harness.pretraining.tokenizer import EOS, build_tokenizer
from harness.prompts.templates import render

BASE = SHIPPED["quickstart-base"]
built = cache(lambda: build_tokenizer(Pretraining().context))


def test_the_same_bytes_twice_and_the_loss_falls(tmp_path: Path) -> None:
    losses: list[float] = []
    few = Pretraining(steps=16, examples_per_step=48, warmup_steps=2)
    make(tmp_path / "a", few, lambda step, loss: losses.append(loss))
    torch.rand(3)  # the global generator must not matter
    make(tmp_path / "b", few, lambda step, loss: None)
    assert losses[0] > 5.5 and losses[-1] < 4.0  # log(407) = 6.01
    files = sorted(file.name for file in (tmp_path / "a").iterdir())
    assert files == sorted(file.name for file in (tmp_path / "b").iterdir())
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_the_shipped_tokenizer_and_configuration_are_the_recipes(tmp_path: Path) -> None:
    make(tmp_path, Pretraining(steps=1, examples_per_step=6), lambda step, loss: None)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "generation_config.json"):
        assert json_or_text(tmp_path / name) == json_or_text(BASE / name), name
    assert json_or_text(tmp_path / "config.json") == json_or_text(BASE / "config.json")


def json_or_text(file: Path) -> object:
    if file.suffix != ".json":
        return file.read_text()
    return {key: value for key, value in json.loads(file.read_text()).items() if key != "transformers_version"}


def test_shipped_model_loads_and_answers() -> None:
    model, tokenizer = AutoModelForCausalLM.from_pretrained(BASE), AutoTokenizer.from_pretrained(BASE)
    assert model.dtype == torch.float32 and model.config.vocab_size == len(tokenizer)
    problems = BENCHMARKS["mini_validation"].problems[:24]
    correct = 0
    for problem in problems:
        prompt = torch.tensor([render(tokenizer, problem, "bare")])
        output = model.generate(prompt, max_new_tokens=48, do_sample=False)[0, prompt.shape[1] :]
        text = tokenizer.decode(output, skip_special_tokens=True)
        correct += mark(text, problem.gold, problem.rule).mark is Mark.CORRECT
    assert 4 <= correct <= 20


def test_the_shipped_card_states_this_recipe_and_every_score() -> None:
    card = (BASE / "README.md").read_text()
    assert all(f"| {name} | {value} |" in card for name, value in asdict(Pretraining()).items())
    scores = dict(re.findall(r"\| (mini_\w+) \| \d+ \| ([\d.]+)% \|", card))
    assert list(scores) == [benchmark.name for benchmark in suite.CARD]
    taught = [float(scores[name]) for name in ("mini_sums", "mini_chains", "mini_stories", "mini_equations")]
    assert all(25 <= score <= 45 for score in taught)
    assert float(scores["mini_longer"]) > 3 and float(scores["mini_unseen"]) > 3


def test_scores_are_measured_with_every_sample() -> None:
    problems = BENCHMARKS["mini_validation"].problems[:20]
    few = Benchmark("few", "Few", "twenty problems", 20, lambda: problems)
    score = measure(open_engine("local", BASE), AutoTokenizer.from_pretrained(BASE), few, "bare")
    assert (score.pass_1 * 160) % 1 == (score.pass_8 * 20) % 1 == 0
    assert 0.15 < score.pass_1 < 0.6 < score.pass_8 <= 1
    assert 5 < score.tokens < 20


def test_prompts_and_responses_are_short_and_round_trip() -> None:
    tokenizer = AutoTokenizer.from_pretrained(BASE)
    prompts = [
        (problem.question, render(tokenizer, problem, "bare"))
        for name, benchmark in BENCHMARKS.items()
        if name.startswith("mini_")
        for problem in benchmark.problems
    ]
    assert all(tokenizer.decode(list(prompt)) == f"{question}\n" for question, prompt in prompts)
    assert max(len(prompt) for _, prompt in prompts) <= 48
    taught = list(islice(examples(tokenizer, Pretraining()), 3000))
    assert max(len(response) for _, response in taught) <= 40


def test_any_text_survives_the_tokenizer() -> None:
    tokenizer = built()
    for text in ("naïve ∑ 12345 \t ☃ )*(", "\\boxed{\\frac{1}{2}}", "Tom  has\n\n7", "x" * 100):
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_numbers_and_words_are_whole_tokens() -> None:
    tokenizer = built()
    assert tokenizer.tokenize("12-3=99. \\boxed{99}") == ["12", "-", "3", "=", "99", ".Ġ\\boxed{", "99", "}"]
    assert tokenizer.tokenize("Tom has 7 apples") == ["Tom", "Ġhas", "Ġ", "7", "Ġapples"]
    assert tokenizer.tokenize("123") == ["1", "2", "3"]


def test_only_the_response_is_learnt() -> None:
    tokens, is_response = padded([([5, 6, 7], [8, 9]), ([5], [8])])
    assert tokens.tolist() == [[5, 6, 7, 8, 9], [5, 8, 0, 0, 0]]
    assert is_response.int().tolist() == [[0, 0, 0, 1, 1], [0, 1, 0, 0, 0]]


def test_batches_hold_the_examples_of_the_stream() -> None:
    tokenizer, recipe = built(), Pretraining(examples_per_step=6, bucket_steps=4)
    bucket = [example for batch in islice(batches(tokenizer, recipe), 4) for example in batch]
    assert sorted(bucket) == sorted(islice(examples(tokenizer, recipe), 24))
    assert all(response[-1] == tokenizer.convert_tokens_to_ids(EOS) for _, response in bucket)


def test_schedule() -> None:
    recipe = Pretraining(steps=1000, warmup_steps=30, constant_until=0.25)
    # half-way through the warm-up; flat; half-way down: (1-.625)/.75; the last tenth
    assert [round(schedule(step, recipe), 3) for step in (15, 30, 250, 625, 1000)] == [0.5, 1.0, 1.0, 0.5, 0.1]
