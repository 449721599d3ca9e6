"""Patches of modules of others, made when they are imported, so that a process pays for the imports it makes and for no
others."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

Patch = Callable[[Any], None]
"""of a module"""


def patch(patches: Mapping[str, Patch]) -> None:
    """Now, where a module is there already; the others when they are imported for the first time.

    Args:
        patches: of each module, by its name.
    """
    for name, change in patches.items():
        if name in sys.modules:
            change(sys.modules[name])
    sys.meta_path.insert(0, AfterImport({name: p for name, p in patches.items() if name not in sys.modules}))


class AfterImport(MetaPathFinder):
    """Patches modules when they are imported."""

    def __init__(self, patches: dict[str, Patch]) -> None:
        self.patches = dict(patches)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's spec with its patch behind the loader, when one of `patches` is imported for the first time;
        None otherwise, and the finders behind this one search."""
        change = self.patches.pop(fullname, None)  # gone before the search below comes by here again
        spec = find_spec(fullname) if change else None
        if change and spec and spec.loader:
            spec.loader = PatchingLoader(spec.loader, change)
        return spec


class PatchingLoader(Loader):
    """A module's own loader, and then the patch."""

    def __init__(self, loader: Loader, change: Patch) -> None:
        self.loader, self.change = loader, change

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module with its own loader, which it keeps, and then patch it."""
        if module.__spec__:
            module.__spec__.loader = self.loader
        self.loader.exec_module(module)
        self.change(module)
