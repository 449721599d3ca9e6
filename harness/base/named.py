"""Things that are known by name and imported when they are asked for: ours from a table, others from entry points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from inspect import getdoc
from typing import Any, Generic, TypeVar

from harness.base.errors import UserError, nearest
from harness.base.plugins import Plugins

T = TypeVar("T")


@dataclass(frozen=True)
class Builtin:
    """One of ours."""

    place: str
    """`module:attribute`"""
    description: str
    """what a list says of it"""


class Named(Generic[T]):
    """One kind of thing, such as engines. The table names modules, so it may stand below the rooms that they are in."""

    def __init__(self, kind: str, ours: Mapping[str, Builtin], accept: Callable[[str, Any], T]) -> None:
        """
        Args:
            kind: what one is called, such as `engine`; the entry points' group is `rence.engines` then.
            accept: what is made of a name and of what its place holds; raises plugins.Unfit.
        """
        self.kind, self.ours, self._accept = kind, ours, accept
        self.plugins = Plugins(f"rence.{kind}s", kind, lambda: ours, accept)

    def names(self) -> list[str]:
        """Ours in their order, then plug-ins by name; imports none of them."""
        return [*self.ours, *self.plugins.names()]

    def check(self, name: str) -> None:
        """Raises: UserError with the nearest name for one that is not in the list."""
        if name not in self.names():
            raise UserError(f"{self.kind} `{name}` is unknown. {nearest(name, self.names())}")

    def get(self, name: str) -> T:
        """Raises: UserError for a name that is not in the list; PluginError."""
        self.check(name)
        if name not in self.ours:
            return self.plugins.get(name)
        module, _, attribute = self.ours[name].place.partition(":")
        return self._accept(name, getattr(import_module(module), attribute))

    def descriptions(self) -> dict[str, str]:
        """By name, plug-ins that cannot be used left out: of a plug-in the first line of its docstring. Imports all
        plug-ins."""
        added = {name: (getdoc(found) or "").partition("\n")[0] for name, found in self.plugins.usable().items()}
        return {**{name: one.description for name, one in self.ours.items()}, **added}
