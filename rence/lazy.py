"""Modules whose public names are imported when they are first asked for (PEP 562).

Such a module says its names once, as type checkers and editors read them: imports under `if TYPE_CHECKING:`, and
`__all__`. This reads the same lines, and refuses to import what is not ours (`shadows.py`). Imports the standard
library alone.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from rence.shadows import refuse_shadows


def attribute(module: str, name: str) -> Any:
    """What a module's `__getattr__` returns; imports it, and keeps it in the module.

    Raises: AttributeError for a name that is not public; ShadowedError.
    """
    place = _places(module).get(name)
    if place is None:
        raise AttributeError(f"module {module!r} has no attribute {name!r}", name=name, obj=sys.modules[module])
    refuse_shadows()
    parent, original = place
    found = None if parent == module else getattr(import_module(parent), original, None)  # its own would ask us again
    if found is None:
        found = import_module(f"{parent}.{original}")
    setattr(sys.modules[module], name, found)
    return found


@cache
def _places(module: str) -> Mapping[str, tuple[str, str]]:
    """Name -> the module that it is imported from, and its name there."""
    spec = sys.modules[module].__spec__
    source = getattr(spec and spec.loader, "get_source", lambda _: None)(module) or ""
    return {
        alias.asname or alias.name: (line.module, alias.name)
        for block in ast.parse(source).body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for line in block.body
        if isinstance(line, ast.ImportFrom) and line.module
        for alias in line.names
    }
