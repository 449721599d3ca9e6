"""How a problem becomes a prompt: the one function for training and evaluation, on every backend and engine.

A template is a conversation and the chat template that writes it. `messages` and `arguments` are what a backend needs
that calls the tokenizer's `apply_chat_template` itself; everything else calls `render`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.problems import content_hash
from harness.errors import UserError, nearest

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

INSTRUCTION = "Please reason step by step, and put your final answer within \\boxed{}."
"""Qwen2.5-Math's sentence, the usual one in the field"""

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{{ '<|im_start|>assistant\n' }}"
)
"""the last line inside an expression, because a newline that ends a template is lost"""
CONTENT = "{{ bos_token }}{{ messages[0]['content'] }}"


@dataclass(frozen=True)
class Template:
    """One way to ask."""

    description: str
    user: str
    """the user's turn; {question} is the problem"""
    system: str = ""
    chat_template: str | None = None
    """Jinja source; None: the model's own"""
    options: Mapping[str, Any] = field(default_factory=dict)
    """variables that the chat template sees; templates that do not know one ignore it"""
    markers: tuple[str, ...] = ()
    """tokens that the tokenizer must know"""

    def messages(self, question: str) -> list[dict[str, str]]:
        """The conversation to continue."""
        turns = {"system": self.system, "user": self.user.replace("{question}", question)}
        return [{"role": role, "content": content} for role, content in turns.items() if content]

    def arguments(self) -> dict[str, Any]:
        """What the tokenizer's `apply_chat_template` is given besides messages, to continue with an answer."""
        own = {"chat_template": self.chat_template} if self.chat_template else {}
        return {"add_generation_prompt": True, **own, **self.options}


ASK = f"{{question}}\n\n{INSTRUCTION}"

TEMPLATES: Mapping[str, Template] = {
    "bare": Template("the model's chat template around the question alone", "{question}"),
    "chat": Template(
        "the model's chat template, asked to reason and to box the answer; thinking off",
        ASK,
        options={"enable_thinking": False},
    ),
    "chat_thinking": Template(
        "as `chat`, with the thinking of models that can switch it (Qwen3)", ASK, options={"enable_thinking": True}
    ),
    "qwen_math": Template(
        "ChatML with Qwen2.5-Math's system prompt, for its base models too",
        "{question}",
        system=INSTRUCTION,
        chat_template=CHATML,
        markers=("<|im_start|>", "<|im_end|>"),
    ),
    "plain": Template(
        "the question alone, without any chat markup, for base models", "{question}", chat_template=CONTENT
    ),
}


def template(name: str) -> Template:
    """Raises: UserError for an unknown name."""
    if name not in TEMPLATES:
        raise UserError(f"unknown template `{name}`. {nearest(name, TEMPLATES)}")
    return TEMPLATES[name]


def render(tokenizer: PreTrainedTokenizerBase, question: str, name: str) -> tuple[int, ...]:
    """The token ids to continue.

    Raises: UserError for an unknown template, or one that this model's tokenizer cannot write.
    """
    chosen = template(name)
    _check(tokenizer, name, chosen)
    ids = tokenizer.apply_chat_template(
        chosen.messages(question), tokenize=True, return_dict=False, **chosen.arguments()
    )
    return tuple(ids)  # type: ignore[arg-type]


def template_hash(tokenizer: PreTrainedTokenizerBase, name: str) -> str:
    """Of all that decides what `render` writes, the tokenizer's vocabulary aside."""
    chosen = template(name)
    source = chosen.chat_template or str(tokenizer.chat_template)
    return content_hash(chosen.system, chosen.user, source, repr(sorted(chosen.options.items())))[:16]


def _check(tokenizer: PreTrainedTokenizerBase, name: str, chosen: Template) -> None:
    model = tokenizer.name_or_path
    if chosen.chat_template is None and not tokenizer.chat_template:
        others = [other for other, known in TEMPLATES.items() if known.chat_template]
        raise UserError(
            f"template `{name}` needs a model with a chat template, but `{model}` has none. "
            f"Templates that need none: {', '.join(others)}."
        )
    unknown = [marker for marker in chosen.markers if tokenizer.encode(marker, add_special_tokens=False)[1:]]
    if unknown:
        others = [other for other in TEMPLATES if other != name]
        raise UserError(
            f"template `{name}` writes {' and '.join(unknown)}, which are no tokens of `{model}`. "
            f"Other templates: {', '.join(others)}."
        )
