"""The engines there are. Listing them imports none of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from harness.engines.base import Engine
from harness.errors import UserError, nearest


@dataclass(frozen=True)
class Entry:
    """Where an engine is, and what a list says of it."""

    description: str
    opener: str
    """module:function, which takes a model's folder and returns the engine"""


ENGINES: dict[str, Entry] = {
    "local": Entry("any Hugging Face causal LM in this process", "harness.engines.local:LocalEngine.open"),
}


def open_engine(name: str, model: Path) -> Engine:
    """The engine with a model's weights.

    Raises: UserError for a name that is not in the list.
    """
    if name not in ENGINES:
        raise UserError(f"engine `{name}` is unknown. {nearest(name, ENGINES)}")
    module, _, path = ENGINES[name].opener.partition(":")
    opener: Callable[[Path], Engine] = import_module(module)
    for part in path.split("."):
        opener = getattr(opener, part)
    return opener(model)
