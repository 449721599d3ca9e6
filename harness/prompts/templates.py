"""How a problem becomes a prompt: the one function for training and evaluation, on every backend and engine.

A template is a conversation and the chat template that writes it. `messages` and `arguments` are what a backend needs
that calls the tokenizer's `apply_chat_template` itself; everything else calls `render`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from benchmarks.asking import INSTRUCTION, asked
from benchmarks.problems import Problem, content_hash
from harness.base.errors import UserError, nearest
from harness.prompts import trial_rendering

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{{ '<|im_start|>assistant\n' }}"
)
"""the last line inside an expression, because a newline that ends a template is lost"""
CONTENT = "{% if starts %}{{ bos_token }}{% endif %}{{ messages[0]['content'] }}"
"""with the start token where the tokenizer writes one by itself, as for any text"""
PLAIN_TURNS = "{% for message in messages %}{{ message['content'] }}\n{% endfor %}"
"""a line for each turn, and the model goes on: what the quickstart's models have as their own, for short prompts are
most of their speed; it ends, and need not be tried"""

EXAMPLES = (
    ("What is 6+4?", "6+4=10\n\\boxed{10}"),
    ("Compute 9-4.", "9-4=5\n\\boxed{5}"),
    ("Compute 5*4.", "5*4=20\n\\boxed{20}"),
)
"""from the miniature suite's split for SFT, which is neither trained on nor evaluated"""
_SAMPLE = Problem("How much is 6+4, when nothing else is known of either? " * 20, "10")
"""as long as long questions are, to try chat templates with"""


@dataclass(frozen=True)
class Template:
    """One way to ask."""

    description: str
    instruction: str = ""
    """what the user's turn says after the question, before the problem's own note"""
    system: str = ""
    chat_template: str | None = None
    """Jinja source; None: the model's own"""
    options: Mapping[str, Any] = field(default_factory=dict)
    """variables that the chat template sees; templates that do not know one ignore it"""
    examples: tuple[tuple[str, str], ...] = ()
    """questions with answers, as turns before the problem's own"""
    markers: tuple[str, ...] = ()
    """tokens that the tokenizer must know"""

    def messages(self, problem: Problem) -> list[dict[str, str]]:
        """The conversation to continue."""
        turns = [("system", self.system)]
        for question, answer in self.examples:
            turns += [("user", asked(question, instruction=self.instruction)), ("assistant", answer)]
        turns.append(("user", asked(problem.question, problem.note, self.instruction)))
        return [{"role": role, "content": content} for role, content in turns if content]

    def arguments(self, tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
        """What the tokenizer's `apply_chat_template` is given besides messages, to continue with an answer."""
        own = {"chat_template": self.chat_template, "starts": _starts(tokenizer)} if self.chat_template else {}
        return {"add_generation_prompt": True, **own, **self.options}


TEMPLATES: Mapping[str, Template] = {
    "bare": Template("the model's chat template around the question alone"),
    "chat": Template(
        "the model's chat template, asked to reason and to box the answer; thinking off",
        INSTRUCTION,
        options={"enable_thinking": False},
    ),
    "chat_thinking": Template(
        "as `chat`, with the thinking of models that can switch it (Qwen3)",
        INSTRUCTION,
        options={"enable_thinking": True},
    ),
    "chat_examples": Template(
        "as `chat`, after three solved sums: for models too small to box an answer because they are asked to",
        INSTRUCTION,
        options={"enable_thinking": False},
        examples=EXAMPLES,
    ),
    "qwen_math": Template(
        "ChatML with Qwen2.5-Math's system prompt, for its base models too",
        system=INSTRUCTION,
        chat_template=CHATML,
        markers=("<|im_start|>", "<|im_end|>"),
    ),
    "plain": Template("as `chat`, without any chat markup, for base models", INSTRUCTION, chat_template=CONTENT),
}


def template(name: str) -> Template:
    """Raises: UserError for an unknown name."""
    if name not in TEMPLATES:
        raise UserError(f"unknown template `{name}`. {nearest(name, TEMPLATES)}")
    return TEMPLATES[name]


def render(tokenizer: PreTrainedTokenizerBase, problem: Problem, name: str) -> tuple[int, ...]:
    """The token ids to continue.

    `plain` is what lm-eval sends for our tasks; `chat` what it sends with --apply_chat_template and, for models that
    can switch thinking, `enable_thinking=False`. Where a chat template writes no start token but the tokenizer does,
    lm-eval has one on top, against transformers' convention; with `add_bos_token=False` it has not.

    Raises: UserError for an unknown template, or one that this model's tokenizer cannot write.
    """
    chosen = template(name)
    _check(tokenizer, name, chosen)
    ids = tokenizer.apply_chat_template(
        chosen.messages(problem), tokenize=True, return_dict=False, **chosen.arguments(tokenizer)
    )
    return tuple(ids)  # type: ignore[arg-type]


def template_hash(tokenizer: PreTrainedTokenizerBase, name: str) -> str:
    """Of all that decides what `render` writes, the tokenizer's vocabulary aside."""
    chosen = template(name)
    source = chosen.chat_template or str(tokenizer.chat_template)
    user = asked("{question}", instruction=chosen.instruction)
    examples = [text for example in chosen.examples for text in example]
    return content_hash(chosen.system, user, source, repr(sorted(chosen.options.items())), *examples)[:16]


def _starts(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the tokenizer begins a text with its start token."""
    return tokenizer.bos_token_id is not None and tokenizer.encode("0")[:1] == [tokenizer.bos_token_id]


def _check(tokenizer: PreTrainedTokenizerBase, name: str, chosen: Template) -> None:
    model = tokenizer.name_or_path
    if chosen.chat_template is None and not tokenizer.chat_template:
        others = [other for other, known in TEMPLATES.items() if known.chat_template]
        raise UserError(
            f"template `{name}` needs a model with a chat template, but `{model}` has none. "
            f"Templates that need none: {', '.join(others)}."
        )
    if not chosen.chat_template:
        _check_end(tokenizer, name)
    unknown = [marker for marker in chosen.markers if tokenizer.encode(marker, add_special_tokens=False)[1:]]
    if unknown:
        others = [other for other in TEMPLATES if other != name]
        raise UserError(
            f"template `{name}` writes {' and '.join(unknown)}, which are no tokens of `{model}`. "
            f"Other templates: {', '.join(others)}."
        )


def _check_end(tokenizer: PreTrainedTokenizerBase, name: str) -> None:
    """Raises: UserError if a model's own template does not end, or writes without end."""
    source: Any = tokenizer.chat_template
    source = source.get("default", "") if isinstance(source, dict) else str(source)
    special = tuple((key, str(token)) for key, token in tokenizer.special_tokens_map.items())
    if source != PLAIN_TURNS and (wrong := _tried(name, source, special)):
        own = ", ".join(other for other, known in TEMPLATES.items() if known.chat_template)
        raise UserError(
            f"the chat template of `{tokenizer.name_or_path}` {wrong}.\n"
            f"Mend `chat_template` of the model's tokenizer, or use a template that needs none: {own}."
        )


@lru_cache(64)
def _tried(name: str, source: str, special: tuple[tuple[str, str], ...]) -> str | None:
    """What a chat template does instead of ending."""
    chosen = template(name)
    options = {**dict(special), "add_generation_prompt": True, **chosen.options}
    return trial_rendering.mistake(source, chosen.messages(_SAMPLE), options)
