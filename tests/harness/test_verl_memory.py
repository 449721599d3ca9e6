"""What verl's plan says of memory, against torch's fake tensors, and against figures worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen2Config, Qwen3Config

from harness.backends.gpus import TYPES
from harness.backends.verl import memory
from harness.backends.verl.memory import Load
from harness.backends.verl.options import VerlSettings
from harness.models import shape as shapes
from harness.models.shape import ModelShape
from tests.harness import fake_memory

SIZES: dict[str, Any] = {
    "hidden_size": 512, "intermediate_size": 1792, "num_attention_heads": 8, "num_key_value_heads": 2, "head_dim": 128,
    "vocab_size": 512, "max_position_embeddings": 8192,
}  # fmt: skip
FAMILIES = {"qwen3": Qwen3Config, "qwen2": Qwen2Config, "llama": LlamaConfig}
WIDTHS = {torch.bfloat16: "bf16", torch.float32: "fp32"}


def config(family: str, layers: int, **changes: Any) -> Any:
    return FAMILIES[family](**{**SIZES, "num_hidden_layers": layers, "tie_word_embeddings": True, **changes})


def shape(family: str, layers: int, tmp_path: Path, **changes: Any) -> ModelShape:
    config(family, layers, **changes).save_pretrained(tmp_path)
    found = shapes.read(tmp_path)
    assert found is not None
    return found


def load(of: ModelShape, tokens: int, dtype: torch.dtype, checkpointing: bool, **changes: Any) -> Load:
    settings = VerlSettings(gpus_per_node=1, precision=WIDTHS[dtype], gradient_checkpointing=checkpointing)
    return Load(**{"shape": of, "parameters": of.parameters, "settings": settings, "tokens": tokens, **changes})


class InPlace(torch.autograd.Function):
    """What flash-attn's cross-entropy holds: the logits, and their gradient."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor) -> Tensor:
        ctx.save_for_backward(logits)
        return logits[:, 0].sum()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (logits,) = ctx.saved_tensors
        return torch.empty_like(logits)


def by_rows(logits: Tensor) -> Tensor:
    """As verl's `logprobs_from_logits_v2` does without flash-attn, where autocast makes its softmax fp32."""
    label = torch.zeros(1, dtype=torch.long)
    if logits.dtype == torch.float32:
        own = torch.gather(logits, 1, label.expand(len(logits), 1)).squeeze(-1)
        return (own - torch.stack([torch.logsumexp(row, -1) for row in logits])).sum()
    found = []
    for row in logits:
        found.append(torch.log_softmax(row, -1, dtype=torch.float32).gather(-1, label).squeeze(-1))
    return torch.stack(found).sum()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("tied", [True, False])
def test_parameters_are_counted_as_the_model_has_them(family: str, tied: bool, tmp_path: Path) -> None:
    of = shape(family, 3, tmp_path, tie_word_embeddings=tied)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config(family, 3, tie_word_embeddings=tied))
    assert of.parameters == sum(one.numel() for one in model.parameters())
    assert of.biases == any(name.endswith("bias") for name, _ in model.named_parameters())


def test_sizes_of_models_that_are_not_here() -> None:
    sizes = {name: one.parameters for name, one in shapes.STATED.items()}
    assert sizes == {
        "Qwen/Qwen2.5-0.5B": 494_032_768,
        "Qwen/Qwen2.5-1.5B": 1_543_714_304,
        "Qwen/Qwen3-0.6B": 596_049_920,
        "Qwen/Qwen3-1.7B": 1_720_574_976,
        "Qwen/Qwen3-4B": 4_022_468_096,
        "Qwen/Qwen3-8B": 8_190_735_360,
    }
    assert shapes.shape("Qwen/Qwen3-4B-Base@abc", None) == shapes.STATED["Qwen/Qwen3-4B"]
    assert shapes.shape("Qwen/Qwen2.5-0.5B-Instruct", None) == shapes.STATED["Qwen/Qwen2.5-0.5B"]
    assert shapes.shape("someone/else", None) is None


@pytest.mark.parametrize("dtype", WIDTHS)
@pytest.mark.parametrize("family", FAMILIES)
def test_what_a_layer_keeps(family: str, dtype: torch.dtype, tmp_path: Path) -> None:
    """By the difference of four layers and two, so that nothing else is in it."""
    tokens = 1024
    few, more = (
        fake_memory.peak(config(family, layers), tokens, dtype, False, InPlace.apply, backward=False)[1]
        for layers in (2, 4)
    )
    counted = memory.kept_by_layer(shape(family, 2, tmp_path), dtype.itemsize)
    assert counted == pytest.approx((more - few) / 2 / tokens, rel=0.02)


@pytest.mark.parametrize("vocab", [512, 65536], ids=["layers_are_largest", "logits_are_largest"])
@pytest.mark.parametrize("checkpointing", [True, False])
@pytest.mark.parametrize("dtype", WIDTHS)
@pytest.mark.parametrize("family", ["qwen3", "llama"])
def test_activations_of_an_update(
    family: str, dtype: torch.dtype, checkpointing: bool, vocab: int, tmp_path: Path
) -> None:
    tokens = 2048
    made = config(family, 6, vocab_size=vocab)
    of = load(shape(family, 6, tmp_path, vocab_size=vocab), tokens, dtype, checkpointing, flash=True)
    # Here attention is torch's. The output's gradient is whole when the embeddings' part of it is there: at the end.
    here = {**memory.activations(of), **memory.masks(replace(of, flash=False))}
    counted = sum(here.values()) + dtype.itemsize * vocab * of.shape.hidden
    found, _ = fake_memory.peak(made, tokens, dtype, checkpointing, InPlace.apply)
    assert found <= counted <= 1.08 * found, (here, found)  # at most, and not by much


@pytest.mark.parametrize("flash", [True, False])
@pytest.mark.parametrize("dtype", WIDTHS)
def test_logits_and_what_is_kept_of_them(dtype: torch.dtype, flash: bool, tmp_path: Path) -> None:
    tokens, vocab = 256, 65536
    of = load(shape("qwen3", 1, tmp_path, vocab_size=vocab), tokens, dtype, True, flash=flash)
    found = fake_memory.peak_of_loss(tokens, vocab, dtype, InPlace.apply if flash else by_rows)
    assert memory.logits(of) == pytest.approx(found, rel=0.02)


def qwen3_4b(**changes: Any) -> Load:
    of = shapes.STATED["Qwen/Qwen3-4B"]
    settings = VerlSettings(**{"gpus_per_node": 8, **changes.pop("settings", {})})
    return Load(
        **{"shape": of, "parameters": of.parameters, "settings": settings, "tokens": 49152, "flash": True} | changes
    )


def gigabytes(phases: tuple[memory.MemoryPhase, ...]) -> dict[str, float]:
    return {phase.name: round(phase.bytes / 1e9, 1) for phase in phases}


def test_the_papers_config_by_hand() -> None:
    """4.02e9 parameters over 8 ranks: 2.01 GB a copy in fp32; 49,152 tokens of 151,936 logits in bf16: 14.9 GB."""
    load, a100 = qwen3_4b(), TYPES[0]
    assert gigabytes(memory.device_phases(load, a100)) == {
        "load": 9.1, "sampling": 50.0, "log-probs": 34.6, "update": 55.5, "checkpoint": 11.6,
    }  # fmt: skip
    update = memory.device_phases(load, a100)[3].parts
    assert update["logits and their gradient"] == 2 * 2 * 49152 * 151936
    assert update["layers' inputs"] == 36 * 2560 * 2 * 49152
    assert update["moments of AdamW"] == 4_022_468_096
    # A tied model is in the memory of its machine eight times; one that is not, once.
    assert memory.host_phases(load)[0].parts["the model, whole, 8 times"] == 8 * 4 * 4_022_468_096
    untied = replace(load, shape=replace(load.shape, tied=False))
    assert memory.host_phases(untied)[0].parts["the model, whole"] == 4 * 4_022_468_096
    assert (
        memory.checkpoint_bytes(load.parameters, load.parameters, 2, lags=False, reference_moves=False)
        == 14 * load.parameters
    )
    assert (
        memory.checkpoint_bytes(load.parameters, load.parameters, 4, lags=True, reference_moves=True)
        == 24 * load.parameters
    )


def test_settings_that_free_memory_and_settings_that_take_it() -> None:
    def phases(**changes: Any) -> dict[str, float]:
        return gigabytes(memory.device_phases(qwen3_4b(**changes), TYPES[0]))

    plain = phases()
    offloaded = phases(settings={"offload": ("params", "optimizer")})
    assert offloaded["sampling"] == pytest.approx(plain["sampling"] - 6.0, abs=0.1)
    assert offloaded["update"] == plain["update"]
    assert phases(settings={"nodes": 2})["update"] == pytest.approx(plain["update"] - 4.0, abs=0.1)
    assert phases(tokens=24576)["update"] == pytest.approx(plain["update"] - 20.0, abs=0.1)
    assert phases(settings={"gradient_checkpointing": False})["update"] > 4 * plain["update"]
    assert phases(unit_temperature=False)["log-probs"] == pytest.approx(plain["log-probs"] + 14.9, abs=0.1)
    # Torch's attention: a softmax of the logits in fp32 is kept where there was a gradient in bf16, and masks.
    assert phases(flash=False)["update"] == pytest.approx(plain["update"] + 14.9 + 7.2, abs=0.2)
    large = gigabytes(memory.device_phases(qwen3_4b(), TYPES[2]))
    assert large["sampling"] == pytest.approx(plain["sampling"] + 30.5, abs=0.1)
    host = gigabytes(memory.host_phases(qwen3_4b(lags=True, reference=True)))
    assert host["training"] == pytest.approx(gigabytes(memory.host_phases(qwen3_4b()))["training"] + 48.3, abs=0.1)


def test_trials_side_by_side_share_the_memory_of_a_machine() -> None:
    """Four trials of two devices each: a tied model is loaded by every rank, one that is not by every trial."""
    load = qwen3_4b(settings={"gpus_per_trial": 2}, reference=True)
    whole = 4 * load.parameters
    assert memory.host_phases(load)[0].parts["the model, whole, 8 times"] == 8 * whole
    assert memory.host_phases(load)[1].parts["reference"] == 4 * whole
    untied = replace(load, shape=replace(load.shape, tied=False))
    assert memory.host_phases(untied)[0].parts["the model, whole, 4 times"] == 4 * whole
    update = memory.device_phases(load, TYPES[0])[3].parts
    assert update["weights, fp32"] == whole // 2
