"""The engines there are: ours, and what other packages offer in the group `rence.engines`. Each is a class whose `open`
takes a model's folder (`base.py`). Listing ours imports none of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.base import reserved
from harness.base.errors import UserError
from harness.base.named import Builtin, Named
from harness.base.plugins import Unfit
from harness.engines.base import Engine
from harness.models import weights

_PARTS = ("name", "version", "positions", "generate")
"""of an engine; see `base.py`"""


def _accept(name: str, offered: Any) -> type[Any]:
    if wrong := reserved.mistake(name):
        raise Unfit(wrong)
    if not isinstance(offered, type):
        raise Unfit(f"it must be a class with `open` and `generate`, but is {type(offered).__name__} instead")
    lacking = [part for part in ("open", "generate") if not hasattr(offered, part)]
    if lacking:
        raise Unfit(f"the class {offered.__name__} has no `{lacking[0]}`")
    return offered


ENGINES = Named(
    "engine",
    {
        "local": Builtin("harness.engines.local:LocalEngine", "any Hugging Face causal LM, on the CPU or one GPU"),
        "hf": Builtin("harness.engines.hf:HfEngine", "transformers' generate, on the CPU or GPUs"),
        "vllm": Builtin("harness.engines.vllm:VllmEngine", "vLLM, on GPUs or by its CPU build"),
    },
    _accept,
)


def open_engine(name: str, model: Path, **options: Any) -> Engine:
    """The engine with a model's weights.

    Args:
        options: of its `open`.

    Raises: UserError for a name that is not in the list; UnusableWeights, whichever engine would load them;
        PluginError.
    """
    found = ENGINES.get(name)
    weights.check(model)
    if name in ENGINES.ours:
        return found.open(model, **options)
    try:
        engine = found.open(model, **options)
        lacking = [part for part in _PARTS if not hasattr(engine, part)]
        if lacking:
            raise Unfit(f"what its `open` returns has no `{lacking[0]}`")
    except (UserError, OSError):
        raise
    except Exception as error:
        raise ENGINES.plugins.error(name, error) from error
    return engine
