"""Packing is asked of the model: small ones of several families, with random weights, in plain transformers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM

from harness.backends.verl.packing import MOST_CHANGED, MOST_SEEN, Packing, Row, check, probe
from harness.base.errors import FAILED, UserError

SIZES = {
    "vocab_size": 128, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 512, "pad_token_id": 0,
}  # fmt: skip
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 64}
MAMBA = {"mamba_n_heads": 4, "mamba_d_head": 32, "mamba_d_state": 16, "shared_intermediate_size": 64}
FAMILIES: dict[str, dict[str, Any]] = {
    "qwen3": {},
    "llama": {},
    "gemma3_text": {"sliding_window": 16},
    "qwen3_moe": EXPERTS,
    "gpt2": {"n_positions": 512, "n_embd": 64, "n_layer": 4, "n_head": 4},
    # these do not keep sequences apart in transformers 5.10
    "opt": {"ffn_dim": 128, "word_embed_proj_dim": 64},
    "falcon": {"head_dim": None},
    "granitemoehybrid": {**MAMBA, "num_local_experts": 0, "layer_types": ["mamba", "attention"] * 2},
}
APART = ("qwen3", "llama", "gemma3_text", "qwen3_moe", "gpt2")
Make = Callable[[str], Any]


@pytest.fixture(scope="module")
def make() -> Make:
    """A model of a family, made once."""
    made: dict[str, Any] = {}

    def model(family: str) -> Any:
        if family not in made:
            torch.manual_seed(0)
            sizes = {name: size for name, size in {**SIZES, **FAMILIES[family]}.items() if size is not None}
            config = AutoConfig.for_model(family, **sizes)
            made[family] = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa").eval()
        return made[family]

    return model


def packing(model: Any, precision: torch.dtype = torch.float32, **passed: Any) -> Packing:
    """As verl's engine calls it (`prepare_model_inputs`), or with something else passed."""

    def scored(row: Row) -> Tensor:
        ids = [torch.tensor(sequence) for sequence in row]
        positions = torch.cat([torch.arange(len(one)) for one in ids])[None]
        inputs = {"position_ids": positions, "attention_mask": None, "use_cache": False, **passed}
        inputs = {name: value(positions) if callable(value) else value for name, value in inputs.items()}
        with torch.no_grad(), torch.autocast("cpu", precision, enabled=precision != torch.float32):
            logits = model(input_ids=torch.cat(ids)[None], **inputs).logits[0].float()
        ends = torch.cumsum(torch.tensor([len(one) for one in ids]), 0)
        logp = torch.log_softmax(logits, -1)[:-1].gather(1, torch.cat(ids)[1:, None])[:, 0]
        within = torch.ones(len(logp), dtype=torch.bool)
        within[ends[:-1] - 1] = False
        return logp[within]

    def score(rows: Sequence[Row]) -> list[Tensor]:
        return [scored(row) for row in rows]

    return probe(score, SIZES["vocab_size"])


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("family", FAMILIES)
def test_families_that_keep_sequences_apart_and_families_that_do_not(
    make: Make, family: str, precision: torch.dtype
) -> None:
    found = packing(make(family), precision)
    assert found.apart == (family in APART), found
    if found.apart:
        assert found.seen == 0.0
        assert found.changed < (1e-5 if precision == torch.float32 else 0.01)
    else:
        assert found.seen > 100 * MOST_SEEN and found.changed > 4 * MOST_CHANGED


@pytest.mark.parametrize(
    ("passed", "value"), [("use_cache", True), ("attention_mask", torch.ones_like), ("position_ids", None)]
)
def test_what_would_let_the_same_model_see_other_sequences(make: Make, passed: str, value: Any) -> None:
    """transformers reads boundaries from positions alone, and only without a mask and a cache."""
    found = packing(make("qwen3"), **{passed: value})
    assert not found.apart
    assert found.seen > 0.9


def test_a_sequence_that_is_seen_from_afar_through_one_layer_of_many() -> None:
    """Each test has its own limit: the first is on what may be seen at all, the second on sums in another order."""
    assert Packing(0.0, MOST_CHANGED).apart and Packing(MOST_SEEN, 0.0).apart
    assert not Packing(0.001, 0.0).apart and not Packing(0.0, 0.06).apart
    assert not Packing(float("nan"), 0.0).apart and not Packing(0.0, float("nan")).apart


def test_a_model_on_which_nothing_depends_is_no_mistake() -> None:
    flat = probe(lambda rows: [torch.zeros(sum(len(one) - 1 for one in row)) for row in rows], 9)
    assert flat == Packing(0.0, 0.0)


def test_the_message_says_what_to_do() -> None:
    check([None, Packing(0.0, 0.001)], "m", "sdpa")
    with pytest.raises(UserError) as caught:
        check([Packing(0.0, 0.0), None, Packing(0.25, 0.5)], "facebook/opt-1.3b", "sdpa")
    first, second = str(caught.value).splitlines()
    assert "`facebook/opt-1.3b` does not keep packed sequences apart with attention sdpa" in first
    assert "25.00%" in first and "50.00%" in first
    assert "verl.remove_padding=false" in second and caught.value.exit_code == FAILED
