"""The engines there are. Listing them imports none of them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from harness.engines.base import Engine
from harness.errors import UserError, nearest


@dataclass(frozen=True)
class Entry:
    """Where an engine is, and what a list says of it."""

    description: str
    module: str
    class_name: str
    """a class whose `open` takes a model's folder"""


ENGINES: dict[str, Entry] = {
    "local": Entry("any Hugging Face causal LM in this process", "harness.engines.local", "LocalEngine"),
    "hf": Entry("transformers' generate, on the CPU or GPUs", "harness.engines.hf", "HfEngine"),
    "vllm": Entry("vLLM, on GPUs or by its CPU build", "harness.engines.vllm", "VllmEngine"),
}


def open_engine(name: str, model: Path, **options: Any) -> Engine:
    """The engine with a model's weights.

    Args:
        options: of its `open`.

    Raises: UserError for a name that is not in the list.
    """
    if name not in ENGINES:
        raise UserError(f"engine `{name}` is unknown. {nearest(name, ENGINES)}")
    entry = ENGINES[name]
    return getattr(import_module(entry.module), entry.class_name).open(model, **options)
