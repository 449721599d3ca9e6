"""A tiny tokenizer, tiny models of three architectures with random weights, and trials on a task they can learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from algorithms.base import Algorithm
from algorithms.registry import get
from benchmarks.problems import Problem
from harness.backends.base import Checkpoint, TrainingResult
from harness.backends.local.backend import LocalBackend
from harness.config.evaluation import Evaluation
from harness.config.experiment import Arm, Experiment, Trial
from harness.config.training_recipe import Recipe
from harness.engines.base import Engine
from harness.models.language_model import LanguageModel, load
from harness.prompts.stream import PromptStream
from harness.records import Comparison, StepRecord, TrialFolder

PAD, EOS = 0, 1
WORDS = ["<pad>", "<eos>", "say", "now", "please", *map(str, range(8)), *(f"\\boxed{{{n}}}" for n in range(8))]
CHAT = "{% for message in messages %}{{ message['content'] }}{% endfor %} now"


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """One token a word, answers with their box included, so that even random weights sometimes answer."""
    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="<pad>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.decoder = decoders.Fuse()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>")
    fast.chat_template = CHAT
    return fast


def qwen3(**changes: Any) -> PreTrainedModel:
    config = Qwen3Config(
        vocab_size=len(WORDS), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        head_dim=8, intermediate_size=64, max_position_embeddings=128, tie_word_embeddings=True,
        pad_token_id=PAD, eos_token_id=EOS, bos_token_id=None, initializer_range=0.1, **changes,
    )  # fmt: skip
    return Qwen3ForCausalLM(config)


def qwen2() -> PreTrainedModel:
    net = Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=len(WORDS), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
            intermediate_size=64, max_position_embeddings=128, pad_token_id=PAD, eos_token_id=EOS, bos_token_id=None,
            initializer_range=0.1,
        )
    )  # fmt: skip
    for name, parameter in net.named_parameters():
        if name.endswith("bias"):  # zero as they are made
            torch.nn.init.normal_(parameter, std=0.1)
    return net


def llama() -> PreTrainedModel:
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(WORDS), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=4,
            intermediate_size=64, max_position_embeddings=128, pad_token_id=PAD, eos_token_id=EOS, bos_token_id=None,
            initializer_range=0.1,
        )
    )  # fmt: skip


def gpt2() -> PreTrainedModel:
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=len(WORDS), n_embd=32, n_layer=2, n_head=4, n_positions=128, pad_token_id=PAD, eos_token_id=EOS,
            bos_token_id=None, initializer_range=0.1,
        )
    )  # fmt: skip


def mistral() -> PreTrainedModel:
    """With an attention window that `layer_types` does not mention."""
    return MistralForCausalLM(
        MistralConfig(
            vocab_size=len(WORDS), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
            intermediate_size=64, max_position_embeddings=128, pad_token_id=PAD, eos_token_id=EOS, bos_token_id=None,
            sliding_window=6, initializer_range=0.1,
        )
    )  # fmt: skip


ARCHITECTURES: dict[str, Callable[[], PreTrainedModel]] = {
    "qwen3": qwen3,
    "qwen2": qwen2,
    "llama": llama,
    "gpt2": gpt2,
    "qwen3_window": lambda: qwen3(use_sliding_window=True, sliding_window=6, max_window_layers=0),
    "mistral": mistral,
}


def save(net: PreTrainedModel, folder: Path) -> Path:
    net.save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Model folders by architecture."""
    root = tmp_path_factory.mktemp("models")
    made = {}
    for name, make in ARCHITECTURES.items():
        torch.manual_seed(0)
        made[name] = save(make(), root / name)
    return made


@pytest.fixture(scope="session")
def folder(folders: Mapping[str, Path]) -> Path:
    return folders["qwen3"]


@pytest.fixture
def model(folder: Path) -> LanguageModel:
    return load(folder)


PROBLEMS = tuple(Problem(f"say {'please ' * (n % 3)}{n}", str(n % 4)) for n in range(8))

RECIPE = Recipe(
    group_size=4, prompts_per_step=4, epochs=2, minibatches=2, microbatch_tokens=4096, max_tokens=6,
    learning_rate=1e-3, checkpoint_steps=2, generator_sync_steps=1, reference_sync_steps=2, refill_batches=3,
)  # fmt: skip


def trial(algorithm: Algorithm | str = "grpo", budget: int = 16 * 4, seed: int = 0, **recipe: Any) -> Trial:
    """One arm of an experiment; a step takes 4 prompts x 4 samples."""
    made = get(algorithm) if isinstance(algorithm, str) else algorithm
    arm = Arm("arm", type(made).__name__, made, replace(RECIPE, **recipe))
    experiment = Experiment(
        name="tiny", backend="local", model="tiny", template="bare", train="tiny", seeds=(seed,),
        budget_rollouts=budget, recipe=arm.recipe, evaluation=Evaluation({"tiny": 1}, {}, points=2), arms=(arm,),
        comparison=Comparison("arm", []),
    )  # fmt: skip
    return Trial(experiment, arm, seed)


@dataclass
class Watcher:
    """An observer and an evaluator that remember what they were told."""

    records: list[StepRecord] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)

    def on_step(self, record: StepRecord) -> None:
        self.records.append(record)

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def evaluate(self, engine: Engine, checkpoint: Checkpoint) -> None:
        self.checkpoints.append(checkpoint)


@dataclass(frozen=True)
class Run:
    """What a training left behind."""

    result: TrainingResult
    folder: TrialFolder
    watcher: Watcher


class Tiny:
    """What tests need of this file, which they cannot import."""

    EOS = EOS
    WORDS = WORDS
    PROBLEMS = PROBLEMS
    Watcher = Watcher
    trial = staticmethod(trial)

    def __init__(self, model: Path, root: Path) -> None:
        self.model, self._root, self._places = model, root, 0

    def place(self) -> Path:
        """A folder that nobody has used."""
        self._places += 1
        return self._root / str(self._places)

    def train(
        self,
        trial: Trial,
        *,
        folder: Path | None = None,
        watcher: Watcher | None = None,
        problems: tuple[Problem, ...] = PROBLEMS,
        model: Path | None = None,
    ) -> Run:
        """In a folder of its own, or in one where an earlier training was killed."""
        watcher, place = watcher or Watcher(), TrialFolder(folder or self.place())
        stream = PromptStream(problems, trial.seed)
        result = LocalBackend().train(trial, model or self.model, stream, place, watcher.evaluate, watcher)
        return Run(result, place, watcher)


@pytest.fixture(scope="module")
def tiny(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    return Tiny(folder, tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the parts do is not measured, which asks an algorithm more often than training does: for its spies."""
    monkeypatch.setattr("harness.backends.local.activity.due", lambda *_: False)
