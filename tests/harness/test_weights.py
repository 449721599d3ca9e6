"""The shipped model, damaged in every way that a copy, a download or a slip may: refused with exit code 3, or whole."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from harness.base.errors import INCOMPLETE, UserError
from harness.models import weights
from harness.models.language_model import load
from harness.models.resolving import SHIPPED
from harness.models.tensor_files import INDEX, LARGEST, SINGLE, content, header
from harness.models.weights import UnusableWeights, check, quantisation

EMBEDDING, HEAD, UP = "model.embed_tokens.weight", "lm_head.weight", "model.layers.0.mlp.up_proj.weight"
Tensors = dict[str, torch.Tensor]


class Copy:
    """The shipped model in a folder of its own, to be changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(shutil.copytree(SHIPPED["quickstart-base"], folder))
        self.file = self.folder / SINGLE

    def tensors(self, change: Callable[[Tensors], Any]) -> None:
        held = load_file(self.file)
        change(held)
        save_file(held, self.file, {"format": "pt"})

    def config(self, **keys: Any) -> None:
        path = self.folder / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **keys}))

    def header(self, change: Callable[[dict[str, Any]], Any]) -> None:
        """The same numbers below another header."""
        raw = self.file.read_bytes()
        length = struct.unpack("<Q", raw[:8])[0]
        entries = json.loads(raw[8 : 8 + length])
        change(entries)
        text = json.dumps(entries).encode()
        self.file.write_bytes(struct.pack("<Q", len(text)) + text + raw[8 + length :])

    def shards(self, change: Callable[[dict[str, str]], Any] = lambda _: None) -> None:
        """Two files and an index; `change` is given its map."""
        held = load_file(self.file)
        self.file.unlink()
        names = sorted(held)
        files = {name: f"model-0000{1 + (i >= len(names) // 2)}-of-00002.safetensors" for i, name in enumerate(names)}
        for file in set(files.values()):
            save_file({name: held[name] for name in names if files[name] == file}, self.folder / file)
        change(files)
        (self.folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": files}))

    def tokenizer(self, change: Callable[[dict[str, Any]], Any]) -> None:
        path = self.folder / "tokenizer.json"
        data = json.loads(path.read_text())
        change(data)
        path.write_text(json.dumps(data))

    def cut(self, keep: int) -> None:
        self.file.write_bytes(self.file.read_bytes()[:keep])


def first(names: Tensors, count: int) -> None:
    for name in list(names)[count:]:
        del names[name]


def put(name: str, value: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[Tensors], None]:
    def change(held: Tensors) -> None:
        held[name] = value(held[name]).contiguous()

    return change


def one_number(value: float) -> Callable[[Copy], None]:
    def change(held: Tensors) -> None:
        held[UP][3, 5] = value

    return lambda c: c.tensors(change)


def everything(dtype: torch.dtype) -> Callable[[Tensors], None]:
    return lambda held: held.update({name: value.to(dtype) for name, value in held.items()})


def zeros_at_the_end(c: Copy) -> None:
    raw = c.file.read_bytes()
    c.file.write_bytes(raw[: len(raw) // 3] + bytes(len(raw) - len(raw) // 3))


def more_words(count: int) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        vocabulary = data["model"]["vocab"]
        vocabulary.update({f"word{i}": 403 + i for i in range(count)})

    return change


DAMAGED: dict[str, tuple[Callable[[Copy], Any], str]] = {
    "most missing": (lambda c: c.tensors(lambda t: first(t, 4)), "20 tensors missing (model.layers.0."),
    "one missing": (lambda c: c.tensors(lambda t: t.pop(UP)), f"1 tensor missing ({UP})"),
    "no embedding": (lambda c: c.tensors(lambda t: t.pop(EMBEDDING)), "missing (lm_head.weight, model.embed"),
    "no norm": (lambda c: c.tensors(lambda t: t.pop("model.norm.weight")), "1 tensor missing (model.norm.weight)"),
    "a layer more in the config": (lambda c: c.config(num_hidden_layers=3, layer_types=None), "11 tensors missing"),
    "a layer less in the config": (lambda c: c.config(num_hidden_layers=1, layer_types=None), "11 tensors unknown"),
    "not tied": (lambda c: c.config(tie_word_embeddings=False), "1 tensor missing (lm_head.weight)"),
    "a tied head of its own": (
        lambda c: c.tensors(lambda t: t.update({HEAD: 2 * t[EMBEDDING]})),
        f"`{HEAD}` differs from `{EMBEDDING}`",
    ),
    "one unknown": (lambda c: c.tensors(lambda t: t.update(score=torch.ones(2, 64))), "1 tensor unknown to it (score)"),
    "renamed": (lambda c: c.tensors(lambda t: t.update({UP + "s": t.pop(UP)})), f"1 tensor missing ({UP})"),
    "of another architecture": (
        lambda c: c.config(model_type="llama", architectures=["LlamaForCausalLM"]),
        "4 tensors unknown",
    ),
    "rows missing": (lambda c: c.tensors(put(EMBEDDING, lambda w: w[:300])), "([300, 64], not [403, 64])"),
    "turned": (lambda c: c.tensors(put(UP, lambda w: w.T)), f"1 tensor of another shape ({UP} ([64, 192], not [192"),
    "flat": (lambda c: c.tensors(put(UP, lambda w: w.flatten())), "1 tensor of another shape"),
    "another width in the config": (lambda c: c.config(hidden_size=128), "of another shape"),
    "another vocabulary in the config": (lambda c: c.config(vocab_size=500), "of another shape"),
    "NaN": (one_number(float("nan")), f"1 tensor not finite (NaN or infinity) ({UP})"),
    "infinity": (one_number(float("inf")), "1 tensor not finite"),
    "minus infinity": (one_number(float("-inf")), "1 tensor not finite"),
    "all NaN": (lambda c: c.tensors(lambda t: t.update({n: v * torch.nan for n, v in t.items()})), "24 tensors not f"),
    "NaN in bfloat16": (
        lambda c: c.tensors(lambda t: t.update({n: (v * torch.nan).bfloat16() for n, v in t.items()})),
        "24 tensors not finite",
    ),
    "overflown in float16": (lambda c: c.tensors(put(UP, lambda w: (w * 1e9).half())), "1 tensor not finite"),
    "int8": (lambda c: c.tensors(put(UP, lambda w: (w * 100).to(torch.int8))), f"no weight has ({UP} (I8))"),
    "all int8": (lambda c: c.tensors(everything(torch.int8)), "24 tensors of a type that no weight has"),
    "complex": (lambda c: c.tensors(put(UP, lambda w: w.to(torch.complex64))), f"({UP} (C64))"),
    "bool": (lambda c: c.tensors(put(UP, lambda w: w > 0)), f"({UP} (BOOL))"),
    "float8 without a method": (
        lambda c: c.tensors(put(UP, lambda w: w.to(torch.float8_e4m3fn))),
        f"({UP} (F8_E4M3))",
    ),
    "zeros at the end": (zeros_at_the_end, "all zeros at the end of model.safetensors, as if it was not written"),
    "cut short": (lambda c: c.cut(400_000), "was cut short: it has 400,000 bytes"),
    "cut by a byte": (lambda c: c.cut(c.file.stat().st_size - 1), "was cut short"),
    "cut in the header": (lambda c: c.cut(1000), "is no safetensors, or was cut short: it has 1,000 bytes"),
    "empty": (lambda c: c.cut(0), "is no safetensors, or was cut short: it has 0 bytes"),
    "too long": (lambda c: c.file.write_bytes(c.file.read_bytes() + bytes(8)), "bytes that belong to no tensor"),
    "no safetensors": (lambda c: c.file.write_text("not weights"), "is no safetensors"),
    "a pointer of Git LFS": (
        lambda c: c.file.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 533416\n"),
        "is a pointer of Git LFS",
    ),
    "an enormous header": (
        lambda c: c.file.write_bytes(struct.pack("<Q", 2**62) + c.file.read_bytes()[8:]),
        "is no safetensors",
    ),
    "a header that contradicts itself": (lambda c: c.header(lambda h: h[UP].update(shape=[1, 1])), "cannot be read"),
    "a header without a type": (lambda c: c.header(lambda h: h[UP].pop("dtype")), "its header cannot be read"),
    "a header of a list": (lambda c: c.header(lambda h: h.update({UP: [1]})), "its header cannot be read"),
    "none": (lambda c: c.file.unlink(), "has no *.safetensors"),
    "a folder in its place": (lambda c: (c.file.unlink(), c.file.mkdir()), "is no file"),
    "a shard missing": (
        lambda c: (c.shards(), next(c.folder.glob("*-00002-*")).unlink()),
        "1 of 2 files (`model-00002-of-00002.safetensors`)",
    ),
    "no index": (lambda c: (c.shards(), (c.folder / INDEX).unlink()), "neither model.safetensors nor"),
    "an index that lacks one": (lambda c: c.shards(lambda m: m.pop(UP)), f"1 of 24 tensors (`{UP}`) of the files"),
    "an index that has one more": (lambda c: c.shards(lambda m: m.update(x=m[UP])), "1 of 25 tensors (`x`)"),
    "an index that names the other shard": (
        lambda c: c.shards(lambda m: m.update({UP: "model-00002-of-00002.safetensors"})),
        "are not in the files that it says",
    ),
    "an index that leaves the folder": (
        lambda c: c.shards(lambda m: m.update({UP: "../other.safetensors"})),
        "is no *.safetensors of this folder",
    ),
    "an index that is no JSON": (lambda c: (c.shards(), (c.folder / INDEX).write_text("{")), "must be JSON with"),
    "an index that is a list": (lambda c: (c.shards(), (c.folder / INDEX).write_text("[]")), "must be JSON with"),
    "one file and shards": (
        lambda c: (shutil.copy(c.file, c.folder / "kept"), c.shards(), (c.folder / "kept").rename(c.file)),
        "one of them is not meant",
    ),
    "one file twice": (lambda c: shutil.copy(c.file, c.folder / "old.safetensors"), "both hold `model.embed_tokens"),
    "a larger tokenizer": (lambda c: c.tokenizer(lambda d: more_words(97)(d)), "97 tokens beyond the embedding"),
    "a token that was added": (
        lambda c: c.tokenizer(lambda d: d["added_tokens"].append({**d["added_tokens"][-1], "id": 403, "content": "ab",
                                                                  "special": False})),
        "1 token beyond the embedding (ab)",
    ),
}  # fmt: skip

WHOLE: dict[str, Callable[[Copy], Any]] = {
    "as shipped": lambda c: None,
    "a tied head that is equal": lambda c: c.tensors(lambda t: t.update({HEAD: t[EMBEDDING].clone()})),
    "the tied head alone": lambda c: c.tensors(lambda t: t.update({HEAD: t.pop(EMBEDDING)})),
    "with rotary frequencies": lambda c: c.tensors(
        lambda t: t.update({"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(16)})
    ),
    "without the prefix": lambda c: c.tensors(
        lambda t: t.update({name.removeprefix("model."): t.pop(name) for name in list(t)})
    ),
    "in two files": lambda c: c.shards(),
    "bfloat16": lambda c: c.tensors(everything(torch.bfloat16)),
    "float16": lambda c: c.tensors(everything(torch.float16)),
    "float64": lambda c: c.tensors(everything(torch.float64)),
    "other weights beside it": lambda c: save_file({"lora": torch.ones(2)}, c.folder / "adapter_model.safetensors"),
    "a special token beyond the embedding": lambda c: c.tokenizer(
        lambda d: d["added_tokens"].append({**d["added_tokens"][-1], "id": 403, "content": "<picture>"})
    ),
    "a vocabulary smaller than the embedding": lambda c: (
        c.tensors(put(EMBEDDING, lambda w: torch.cat([w, torch.zeros(45, 64)]))),
        c.config(vocab_size=448),
    ),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_broken_instrument_is_an_error(damage: str, tmp_path: Path) -> None:
    change, message = DAMAGED[damage]
    copy = Copy(tmp_path / "model")
    change(copy)
    for reader in (check, load):
        with pytest.raises(UserError) as error:
            reader(copy.folder)
        said = str(error.value)
        assert error.value.exit_code == INCOMPLETE and isinstance(error.value, UnusableWeights)
        assert message in said and str(copy.folder) in said and "download it again" in said
        assert len(said.splitlines()) <= 3


@pytest.mark.parametrize("kind", WHOLE)
def test_what_is_whole_is_taken(kind: str, tmp_path: Path) -> None:
    copy = Copy(tmp_path / "model")
    WHOLE[kind](copy)
    check(copy.folder)
    logits = load(copy.folder).net(torch.tensor([[5, 6, 7]])).logits
    original = load(SHIPPED["quickstart-base"]).net(torch.tensor([[5, 6, 7]])).logits
    assert logits.isfinite().all()
    assert (logits[..., :403] - original).norm() < 0.05 * original.norm(), "another model was read"


@pytest.mark.parametrize("method", ["gptq", "awq", "bitsandbytes"])
def test_quantised_weights_are_named(method: str, tmp_path: Path) -> None:
    copy = Copy(tmp_path / "model")
    copy.config(quantization_config={"quant_method": method, "bits": 4})
    copy.tensors(put(UP, lambda w: (w * 100).to(torch.int8)))
    assert quantisation(copy.folder) == method
    check(copy.folder)  # an engine that knows the method may try
    with pytest.raises(UnusableWeights, match=rf"are quantised \({method}\)"):
        load(copy.folder)
    copy.cut(100_000)
    with pytest.raises(UnusableWeights, match="cut short"):
        check(copy.folder)


SMALL = {"vocab_size": 50, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2,
         "num_attention_heads": 2, "num_key_value_heads": 1, "pad_token_id": 0}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("llama", {}),
        ("qwen2", {}),
        ("gemma2", {"head_dim": 8}),
        ("mixtral", {"num_local_experts": 3}),
        ("qwen3_moe", {"num_experts": 3, "moe_intermediate_size": 8, "head_dim": 8}),
        ("gpt2", {"n_embd": 16, "n_layer": 2, "n_head": 2}),
        ("mamba", {}),
    ],
)
def test_every_architecture_is_looked_at(kind: str, more: dict[str, Any], tmp_path: Path) -> None:
    """Also where names in the file are not those of the modules: experts that are fused, convolutions that were."""
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    net = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **SMALL | more))
    net.save_pretrained(tmp_path)
    check(tmp_path)
    held = load_file(tmp_path / SINGLE)
    name = max(held, key=lambda one: (held[one].dim() > 1 and "embed" not in one and "wte" not in one, one))
    save_file({one: value for one, value in held.items() if one != name}, tmp_path / SINGLE, {"format": "pt"})
    with pytest.raises(UnusableWeights):
        check(tmp_path)


@pytest.mark.parametrize(("name", "dtype"), [("F16", torch.float16), ("BF16", torch.bfloat16), ("F32", torch.float32),
                                             ("F64", torch.float64), ("F8_E4M3", torch.float8_e4m3fn),
                                             ("F8_E5M2", torch.float8_e5m2)])  # fmt: skip
def test_largest_and_smallest_numbers_are_finite(name: str, dtype: torch.dtype, tmp_path: Path) -> None:
    assert name in LARGEST
    limits = torch.finfo(dtype)
    values = {
        "most": torch.tensor([[1.0, limits.max]], dtype=torch.float64).to(dtype),
        "least": torch.tensor([[limits.min, 1.0]], dtype=torch.float64).to(dtype),
        "nan": torch.tensor([[1.0, torch.nan]]).to(dtype),
        "zero": torch.tensor([[0.0, -0.0]]).to(dtype),
    }
    if name != "F8_E4M3":  # has no infinity
        values["infinity"] = torch.tensor([[1.0, -torch.inf]]).to(dtype)
    save_file(values, tmp_path / "x.safetensors")
    found = {one.name: content(one) for one in header(tmp_path / "x.safetensors")}
    assert {one for one, said in found.items() if not said.finite} == {"nan", "infinity"} & values.keys()
    assert {one for one, said in found.items() if said.zero} == {"zero"}


def test_what_has_changed_is_looked_at_again(tmp_path: Path) -> None:
    copy = Copy(tmp_path / "model")
    check(copy.folder)
    hits = weights._check.cache_info().hits
    check(copy.folder)
    assert weights._check.cache_info().hits == hits + 1
    one_number(float("nan"))(copy)
    with pytest.raises(UnusableWeights, match="not finite"):
        check(copy.folder)
