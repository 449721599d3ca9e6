"""One function renders every prompt, as lm-eval does; a template that cannot be written is an error that says so."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset
from lm_eval.api.task import ConfigurableTask
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks._yaml_loader import load_yaml
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from benchmarks.asking import INSTRUCTION, SEVERAL
from benchmarks.marking import mark
from benchmarks.marks import NUMBERS, Mark
from benchmarks.miniature.expressions import Operation, canonical, value
from benchmarks.miniature.suite import Split, split_of
from benchmarks.problems import Problem
from benchmarks.tasks import functions
from harness.base.errors import UserError
from harness.models.resolving import SHIPPED
from harness.prompts.templates import EXAMPLES, TEMPLATES, render, template, template_hash

SUM = Problem("What is 3+4?", "7")

QWEN3_LIKE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)


@cache
def byte_tokenizer(chat_template: str | None = QWEN3_LIKE, bos: str | None = None, writes_bos: bool = False) -> Any:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={token: index for index, token in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|im_start|>", "<|im_end|>"] if chat_template else []
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, chat_template=chat_template, bos_token=bos)
    fast.add_special_tokens({"additional_special_tokens": special})
    if writes_bos:
        start = (str(bos), fast.convert_tokens_to_ids(bos))
        tokenizer = fast.backend_tokenizer
        tokenizer.post_processor = processors.TemplateProcessing(f"{bos} $A", f"{bos} $A $B", [start])
    return fast


@cache
def base_tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(SHIPPED["quickstart-base"])


def text(tokenizer: Any, name: str, problem: Problem = SUM) -> str:
    return tokenizer.decode(list(render(tokenizer, problem, name)))


def test_bare() -> None:
    tokenizer = base_tokenizer()
    prompt = render(tokenizer, SUM, "bare")
    assert tokenizer.convert_ids_to_tokens(list(prompt)) == ["What", "Ġis", "Ġ", "3", "+", "4", "?Ċ"]
    assert text(byte_tokenizer(), "bare") == ("<|im_start|>user\nWhat is 3+4?<|im_end|>\n<|im_start|>assistant\n")


def test_chat_switches_thinking_off_and_chat_thinking_leaves_it_on() -> None:
    asked = f"<|im_start|>user\nWhat is 3+4?\n\n{INSTRUCTION}<|im_end|>\n<|im_start|>assistant\n"
    assert text(byte_tokenizer(), "chat") == f"{asked}<think>\n\n</think>\n\n"
    assert text(byte_tokenizer(), "chat_thinking") == asked


def test_chat_examples_are_turns_before_the_question() -> None:
    assert text(byte_tokenizer(), "chat_examples").startswith(
        f"<|im_start|>user\nWhat is 6+4?\n\n{INSTRUCTION}<|im_end|>\n"
        "<|im_start|>assistant\n6+4=10\n\\boxed{10}<|im_end|>\n<|im_start|>user\nCompute 9-4.\n\n"
    )
    assert text(byte_tokenizer(), "chat_examples").endswith(text(byte_tokenizer(), "chat"))
    for (question, answer), op in zip(EXAMPLES, "+-*", strict=True):
        left, right = map(int, re.findall(r"\d+", question))
        assert mark(answer, str(value(Operation(op, left, right))), NUMBERS).mark is Mark.CORRECT
        assert split_of(canonical(Operation(op, left, right))) is Split.SFT


def test_qwen_math() -> None:
    assert text(byte_tokenizer(), "qwen_math") == (
        f"<|im_start|>system\n{INSTRUCTION}<|im_end|>\n"
        "<|im_start|>user\nWhat is 3+4?<|im_end|>\n<|im_start|>assistant\n"
    )


def test_plain_is_as_the_tokenizer_writes_any_text() -> None:
    asked = f"What is 3+4?\n\n{INSTRUCTION}"
    assert text(byte_tokenizer(chat_template=None), "plain") == asked
    assert text(byte_tokenizer(bos="<s>", writes_bos=True), "plain") == f"<s>{asked}"
    assert text(byte_tokenizer(bos="<s>"), "plain") == asked  # it has one, but writes none


def test_a_problems_own_note_is_in_every_prompt() -> None:
    noted = Problem("Solve $x^2=4$.", "-2,2", note=SEVERAL)
    assert noted.id == Problem("Solve $x^2=4$.", "-2,2").id
    told = f"Solve $x^2=4$.\n\n{INSTRUCTION} {SEVERAL}"
    assert text(byte_tokenizer(), "plain", noted) == told
    for name in ("chat", "chat_thinking"):
        assert text(byte_tokenizer(), name, noted).startswith(f"<|im_start|>user\n{told}<|im_end|>")
    for name in ("bare", "qwen_math"):
        assert f"user\nSolve $x^2=4$.\n\n{SEVERAL}<|im_end|>" in text(byte_tokenizer(), name, noted)


def test_braces_in_a_question_are_left_alone() -> None:
    tokenizer = byte_tokenizer()
    question = r"{{ 7 }} {question} \frac{1}{2} {% x %}"
    assert text(tokenizer, "plain", Problem(question, "7")) == f"{question}\n\n{INSTRUCTION}"


def test_a_model_without_a_chat_template() -> None:
    with pytest.raises(UserError) as error:
        render(byte_tokenizer(chat_template=None), SUM, "chat")
    assert "template `chat` needs a model with a chat template" in str(error.value)
    assert "Templates that need none: qwen_math, plain." in str(error.value)


def test_a_tokenizer_without_the_markers() -> None:
    with pytest.raises(UserError, match=r"writes <\|im_start\|> and <\|im_end\|>, which are no tokens of"):
        render(byte_tokenizer(chat_template=None), SUM, "qwen_math")


def test_an_unknown_template() -> None:
    with pytest.raises(UserError, match=r"unknown template `chatt`\. Did you mean `chat`\?"):
        template("chatt")


def test_template_hash_tells_templates_and_models_apart() -> None:
    tokenizers = (byte_tokenizer(), base_tokenizer())
    hashes = {template_hash(tokenizer, name) for tokenizer in tokenizers for name in TEMPLATES}
    # qwen_math and plain write the same for both models
    assert len(hashes) == 2 * len(TEMPLATES) - 2


@cache
def task() -> ConfigurableTask:
    """Ours, over two problems."""
    noted = Problem("Solve $x^2=4$ for {{ x }}.", "-2,2", note=SEVERAL)
    documents = Dataset.from_list([functions.document(problem) for problem in (SUM, noted)])
    common = load_yaml(Path(functions.__file__).with_name("_common.yaml"))
    of_two = {"task": "two", "test_split": "test", "custom_dataset": lambda: {"test": documents}}
    return ConfigurableTask(config={**common, **of_two})


def of_lm_eval(tokenizer: Any, chat: bool, **options: Any) -> list[list[int]]:
    """The ids that its model for Hugging Face's would get for the two problems, by its own code."""
    model = AutoModelForCausalLM.from_pretrained(SHIPPED["quickstart-base"])  # not asked
    lm = HFLM(pretrained=model, tokenizer=tokenizer, **options)
    extra = {"chat_template": lm.apply_chat_template, "tokenizer_name": lm.tokenizer_name} if chat else {}
    task().build_all_requests(apply_chat_template=chat, rank=0, world_size=1, **extra)
    return [lm.tok_batch_encode([str(instance.args[0])])[0][0].tolist() for instance in task().instances]


def ours(tokenizer: Any, name: str) -> list[list[int]]:
    problems = [Problem(one["question"], one["gold"], note=one["note"]) for one in task().eval_docs]
    return [list(render(tokenizer, problem, name)) for problem in problems]


TOKENIZERS = {
    "the shipped model's": base_tokenizer,
    "no start token": lambda: byte_tokenizer(),
    "one that nobody writes": lambda: byte_tokenizer(bos="<s>"),
    "one that both write": lambda: byte_tokenizer("{{ bos_token }}" + QWEN3_LIKE, bos="<s>", writes_bos=True),
}


@pytest.mark.parametrize("name", TOKENIZERS)
def test_lm_eval_sends_the_same_ids(name: str) -> None:
    tokenizer = TOKENIZERS[name]()
    assert of_lm_eval(tokenizer, chat=False) == ours(tokenizer, "plain")
    assert of_lm_eval(tokenizer, chat=True, enable_thinking=False) == ours(tokenizer, "chat")
    assert of_lm_eval(tokenizer, chat=True) == ours(tokenizer, "chat_thinking")
    starts = [ids[0] == tokenizer.bos_token_id for ids in ours(tokenizer, "plain")]
    assert starts == [name == "one that both write"] * 2


def test_a_start_token_that_only_the_tokenizer_writes() -> None:
    """lm-eval has it before chat markup too, unless told."""
    tokenizer = byte_tokenizer(bos="<s>", writes_bos=True)
    assert of_lm_eval(tokenizer, chat=False) == ours(tokenizer, "plain")
    added = [[tokenizer.bos_token_id, *ids] for ids in ours(tokenizer, "chat_thinking")]
    assert of_lm_eval(tokenizer, chat=True) == added
    assert of_lm_eval(tokenizer, chat=True, add_bos_token=False) == ours(tokenizer, "chat_thinking")
