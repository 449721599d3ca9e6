"""One function renders every prompt; a template that cannot be written is an error that says what can."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from harness.errors import UserError
from harness.models import SHIPPED
from harness.prompts import INSTRUCTION, TEMPLATES, render, template, template_hash

QWEN3_LIKE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)


@cache
def byte_tokenizer(chat_template: str | None = QWEN3_LIKE, bos: str | None = None) -> Any:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={token: index for index, token in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|im_start|>", "<|im_end|>"] if chat_template else []
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, chat_template=chat_template, bos_token=bos)
    fast.add_special_tokens({"additional_special_tokens": special})
    return fast


@cache
def base_tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(SHIPPED["quickstart-base"])


def text(tokenizer: Any, name: str) -> str:
    return tokenizer.decode(list(render(tokenizer, "What is 3+4?", name)))


def test_bare() -> None:
    tokenizer = base_tokenizer()
    prompt = render(tokenizer, "What is 3+4?", "bare")
    assert tokenizer.convert_ids_to_tokens(list(prompt)) == ["What", "Ġis", "Ġ", "3", "+", "4", "?Ċ"]
    assert text(byte_tokenizer(), "bare") == ("<|im_start|>user\nWhat is 3+4?<|im_end|>\n<|im_start|>assistant\n")


def test_chat_switches_thinking_off_and_chat_thinking_leaves_it_on() -> None:
    asked = f"<|im_start|>user\nWhat is 3+4?\n\n{INSTRUCTION}<|im_end|>\n<|im_start|>assistant\n"
    assert text(byte_tokenizer(), "chat") == f"{asked}<think>\n\n</think>\n\n"
    assert text(byte_tokenizer(), "chat_thinking") == asked


def test_qwen_math() -> None:
    assert text(byte_tokenizer(), "qwen_math") == (
        f"<|im_start|>system\n{INSTRUCTION}<|im_end|>\n"
        "<|im_start|>user\nWhat is 3+4?<|im_end|>\n<|im_start|>assistant\n"
    )


def test_plain_is_the_question_after_the_start_token_if_there_is_one() -> None:
    assert text(byte_tokenizer(chat_template=None), "plain") == "What is 3+4?"
    assert text(byte_tokenizer(bos="<s>"), "plain") == "<s>What is 3+4?"


def test_braces_in_a_question_are_left_alone() -> None:
    tokenizer = byte_tokenizer()
    question = r"{{ 7 }} {question} \frac{1}{2} {% x %}"
    assert tokenizer.decode(list(render(tokenizer, question, "plain"))) == question


def test_a_model_without_a_chat_template() -> None:
    with pytest.raises(UserError) as error:
        render(byte_tokenizer(chat_template=None), "What is 3+4?", "chat")
    assert "template `chat` needs a model with a chat template" in str(error.value)
    assert "Templates that need none: qwen_math, plain." in str(error.value)


def test_a_tokenizer_without_the_markers() -> None:
    with pytest.raises(UserError, match=r"writes <\|im_start\|> and <\|im_end\|>, which are no tokens of"):
        render(byte_tokenizer(chat_template=None), "What is 3+4?", "qwen_math")


def test_an_unknown_template() -> None:
    with pytest.raises(UserError, match=r"unknown template `chatt`\. Did you mean `chat`\?"):
        template("chatt")


def test_template_hash_tells_templates_and_models_apart() -> None:
    tokenizers = (byte_tokenizer(), base_tokenizer())
    hashes = {template_hash(tokenizer, name) for tokenizer in tokenizers for name in TEMPLATES}
    # qwen_math and plain write the same for both models
    assert len(hashes) == 2 * len(TEMPLATES) - 2
