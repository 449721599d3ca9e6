"""The engines there are: ours, and what other packages offer in the group `rence.engines`, where an entry point names a
class as `Entry.class_name` does. Listing ours imports none of them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from inspect import getdoc
from pathlib import Path
from typing import Any

from harness.base.errors import UserError, nearest
from harness.base.plugins import Plugins, Unfit
from harness.engines.base import Engine


@dataclass(frozen=True)
class EngineEntry:
    """Where an engine is, and what a list says of it."""

    description: str
    module: str
    class_name: str
    """a class whose `open` takes a model's folder"""


ENGINES: dict[str, EngineEntry] = {
    "local": EngineEntry("any Hugging Face causal LM in this process", "harness.engines.local", "LocalEngine"),
    "hf": EngineEntry("transformers' generate, on the CPU or GPUs", "harness.engines.hf", "HfEngine"),
    "vllm": EngineEntry("vLLM, on GPUs or by its CPU build", "harness.engines.vllm", "VllmEngine"),
}
_PARTS = ("name", "version", "positions", "generate")
"""of an engine; see `base.py`"""


def _accept(name: str, offered: Any) -> type[Any]:
    if not isinstance(offered, type):
        raise Unfit(f"it must be a class with `open` and `generate`, but is {type(offered).__name__} instead")
    lacking = [part for part in ("open", "generate") if not hasattr(offered, part)]
    if lacking:
        raise Unfit(f"the class {offered.__name__} has no `{lacking[0]}`")
    return offered


PLUGINS = Plugins("rence.engines", "engine", lambda: ENGINES, _accept)


def names() -> list[str]:
    """Ours in their order, then plug-ins by name; imports none of them."""
    return [*ENGINES, *PLUGINS.names()]


def descriptions() -> dict[str, str]:
    """By name, plug-ins that cannot be used left out; imports all plug-ins."""
    added = {name: (getdoc(found) or "").partition("\n")[0] for name, found in PLUGINS.usable().items()}
    return {**{name: entry.description for name, entry in ENGINES.items()}, **added}


def check_name(name: str) -> None:
    """Raises: UserError for a name that is not in the list."""
    if name not in names():
        raise UserError(f"engine `{name}` is unknown. {nearest(name, names())}")


def open_engine(name: str, model: Path, **options: Any) -> Engine:
    """The engine with a model's weights.

    Args:
        options: of its `open`.

    Raises: UserError for a name that is not in the list; PluginError.
    """
    check_name(name)
    if name not in ENGINES:
        return _opened(name, model, options)
    entry = ENGINES[name]
    return getattr(import_module(entry.module), entry.class_name).open(model, **options)


def _opened(name: str, model: Path, options: dict[str, Any]) -> Engine:
    found = PLUGINS.get(name)
    try:
        engine = found.open(model, **options)
        lacking = [part for part in _PARTS if not hasattr(engine, part)]
        if lacking:
            raise Unfit(f"what its `open` returns has no `{lacking[0]}`")
    except (UserError, OSError):
        raise
    except Exception as error:
        raise PLUGINS.error(name, error) from error
    return engine
