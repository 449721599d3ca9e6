"""A Llama in one GGUF file, written out in Hugging Face layout: weights as fp32, tokenizer, configuration.

Not by transformers' own GGUF reader: the tokenizer that it makes of such a file takes `<|im_start|>` for the end of a
sequence and divides line breaks before digits otherwise than the model was taught. Read here, 2,949 benchmark problems
become the token ids that llama.cpp makes of them; with transformers 5.10.4, 21 do not. The bytes that are written do
not depend on versions of torch or transformers either.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.base.errors import UserError

if TYPE_CHECKING:
    from gguf import GGUFReader
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
"""llama.cpp's names of tensors -> those of transformers, a layer's without its number"""
CONTROL = 3
"""the type of a token that never comes from text"""
SPECIAL = {"bos": "bos", "eos": "eos", "unk": "unknown", "pad": "padding"}
"""transformers' name of a special token -> the GGUF's"""
PRE_TOKENIZER = "smollm"
"""llama.cpp's name of the way in which text is divided; other ways are not known here"""


def convert(source: Path, folder: Path) -> None:
    """Write config.json, generation_config.json, model.safetensors and the tokenizer's files into a folder.

    Raises: UserError if the file is something else than a Llama with such a tokenizer.
    """
    from gguf import GGUFReader
    from safetensors.numpy import save_file

    reader = GGUFReader(source)
    facts = {name: field.contents() for name, field in reader.fields.items()}
    found = facts.get("general.architecture"), facts.get("tokenizer.ggml.pre")
    if found != ("llama", PRE_TOKENIZER):
        raise UserError(f"{source} must be a `llama` with tokenizer `{PRE_TOKENIZER}`, but is {found} instead.")
    _write(folder / "config.json", config(facts))
    ids = {f"{name}_token_id": facts[f"tokenizer.ggml.{ours}_token_id"] for name, ours in SPECIAL.items()}
    _write(folder / "generation_config.json", {name: ids[name] for name in sorted(ids.keys() - {"unk_token_id"})})
    tokenizer(facts).save(str(folder / "tokenizer.json"))
    _write(folder / "tokenizer_config.json", tokenizer_config(facts))
    (folder / "chat_template.jinja").write_text(facts["tokenizer.chat_template"], encoding="utf-8")
    save_file(dict(weights(reader, facts)), folder / "model.safetensors", metadata={"format": "pt"})


def config(facts: Mapping[str, Any]) -> dict[str, Any]:
    """config.json"""
    heads, width = facts["llama.attention.head_count"], facts["llama.embedding_length"]
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "dtype": "float32",
        "vocab_size": facts["llama.vocab_size"],
        "hidden_size": width,
        "intermediate_size": facts["llama.feed_forward_length"],
        "num_hidden_layers": facts["llama.block_count"],
        "num_attention_heads": heads,
        "num_key_value_heads": facts["llama.attention.head_count_kv"],
        "head_dim": width // heads,
        "hidden_act": "silu",
        "max_position_embeddings": facts["llama.context_length"],
        "rms_norm_eps": facts["llama.attention.layer_norm_rms_epsilon"],
        "rope_parameters": {"rope_type": "default", "rope_theta": facts["llama.rope.freq_base"]},
        "tie_word_embeddings": True,
        "bos_token_id": facts["tokenizer.ggml.bos_token_id"],
        "eos_token_id": facts["tokenizer.ggml.eos_token_id"],
        "pad_token_id": facts["tokenizer.ggml.padding_token_id"],
    }


def tokenizer(facts: Mapping[str, Any]) -> Tokenizer:
    """Byte-level BPE that takes every digit for itself first."""
    from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE

    tokens = facts["tokenizer.ggml.tokens"]
    merges = [tuple(pair.split(" ")) for pair in facts["tokenizer.ggml.merges"]]
    unknown = tokens[facts["tokenizer.ggml.unknown_token_id"]]
    made = Tokenizer(BPE({token: id for id, token in enumerate(tokens)}, merges, unk_token=unknown))
    digits = pre_tokenizers.Digits(individual_digits=True)
    made.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    made.decoder = decoders.ByteLevel()
    types = zip(tokens, facts["tokenizer.ggml.token_type"], strict=True)
    made.add_special_tokens([AddedToken(token, special=True) for token, kind in types if kind == CONTROL])
    return made


def tokenizer_config(facts: Mapping[str, Any]) -> dict[str, Any]:
    """tokenizer_config.json"""
    tokens = facts["tokenizer.ggml.tokens"]
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": facts["llama.context_length"],
        "clean_up_tokenization_spaces": False,
        **{f"{name}_token": tokens[facts[f"tokenizer.ggml.{ours}_token_id"]] for name, ours in SPECIAL.items()},
    }


def weights(reader: GGUFReader, facts: Mapping[str, Any]) -> Iterator[tuple[str, NDArray[Any]]]:
    """Name and fp32 values of every tensor; the LM head is the embedding and has none of its own."""
    import numpy as np
    from gguf.quants import dequantize

    heads = {"attn_q": facts["llama.attention.head_count"], "attn_k": facts["llama.attention.head_count_kv"]}
    for tensor in reader.tensors:
        *layer, part, _ = tensor.name.split(".")
        values = dequantize(tensor.data, tensor.tensor_type)
        values = np.ascontiguousarray(halves(values, heads[part]) if part in heads else values, dtype=np.float32)
        place = ["model.layers", layer[1]] if layer else []
        # a name that is not known stays: the check of what was written says so
        yield ".".join([*place, NAMES.get(part, part), "weight"]), values


def halves(values: NDArray[Any], heads: int) -> NDArray[Any]:
    """Rows of a query or key projection as transformers wants them: of each head the first of all rotated pairs, then
    the second. llama.cpp keeps pairs together.

    Args:
        values: (heads x size, width).
    """
    rows, width = values.shape
    return values.reshape(heads, rows // heads // 2, 2, width).swapaxes(1, 2).reshape(rows, width)


def _write(path: Path, data: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
