"""What other packages add to ours, through entry points: algorithms, benchmarks, engines, sections of a report.

An entry point's name is the thing's name. It is imported when that name is asked for and never before; one that cannot
be used is an error that says which, of which package and version, and why, and leaves the others alone. Names of ours
cannot be taken. Imports the standard library alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:  # it costs a tenth of `rence --help`, and is imported where packages are looked up
    from importlib.metadata import EntryPoint

T = TypeVar("T")
_OF_ENGINES = ("rence.engines", "rence.backends")
"""groups whose things make engines"""


class Unfit(Exception):
    """What a plug-in offers is not what its group asks for; the message says what it is and what it must be."""


class PluginError(ImportError):
    """Something of another package cannot be used."""

    def __init__(self, what: str, name: str, origin: str, reason: str) -> None:
        super().__init__(f"the {what} `{name}` of {origin} cannot be used: {reason}. Mend or uninstall that package.")
        self.what, self.plugin, self.origin, self.reason = what, name, origin, reason


@dataclass(frozen=True)
class Plugins(Generic[T]):
    """One kind of thing that packages may add."""

    group: str
    """of entry points"""
    what: str
    """what one is called in messages, such as `algorithm`"""
    ours: Callable[[], Collection[str]]
    """names that cannot be taken"""
    accept: Callable[[str, Any], T]
    """what is made of an entry point's name and what it loads to; raises Unfit, or whatever foreign code raises"""

    def names(self) -> list[str]:
        """Ascending, those of ours left out; imports nothing."""
        found = _found(self.group)
        return sorted(found.keys() - set(self.ours())) if found else []

    def get(self, name: str) -> T:
        """Raises: PluginError; KeyError if no package offers it."""
        first, *others = _found(self.group)[name]
        try:
            if name in self.ours():
                raise Unfit("rence-bench has that name itself")
            if others:
                raise Unfit("more than one package offers it")
            return self.accept(name, first.load())
        except (Exception, SystemExit) as error:  # foreign code may fail in any way; whatever it was, it is said
            raise self.error(name, error) from error

    def error(self, name: str, reason: BaseException) -> PluginError:
        """What to raise, or to show, where a plug-in failed."""
        said = " ".join(str(reason).split()) or "no message"
        words = said if isinstance(reason, Unfit) else f"{type(reason).__name__}: {said}"
        return PluginError(self.what, name, self.origin(name), words.rstrip("."))

    def usable(self) -> dict[str, T]:
        """By name, ascending. Imports all."""
        return {name: found for name, found in self._all().items() if not isinstance(found, PluginError)}

    def broken(self) -> dict[str, PluginError]:
        """By name, ascending; those that take a name of ours included. Imports all."""
        return {name: found for name, found in self._all().items() if isinstance(found, PluginError)}

    def origin(self, name: str) -> str:
        """Package, version and place of what is offered under a name, such as `other 1.0 (other.module:thing)`."""
        return " and ".join(map(_origin, _found(self.group)[name]))

    def versions(self, name: str) -> dict[str, str]:
        """The package that offers a name, and its version; empty if none does."""
        return {_package(point): _version(point) for point in _found(self.group).get(name, ())}

    def requirements(self, name: str) -> dict[str, str]:
        """What the package that offers a name asks for itself, and the versions that are here; extras left out."""
        asked = (
            line for point in _found(self.group).get(name, ()) for line in (point.dist and point.dist.requires) or ()
        )
        names = [match[0] for line in asked if "extra ==" not in line and (match := re.match(r"[\w.-]+", line))]
        return {package: found for package in names if (found := _installed(package))}

    def _all(self) -> dict[str, T | PluginError]:
        found: dict[str, T | PluginError] = {}
        for name in sorted(_found(self.group)):
            try:
                found[name] = self.get(name)
            except PluginError as error:
                found[name] = error
        return found


def offered_by(made: object) -> tuple[str, str] | None:
    """Name and origin of the plug-in whose package something was made by; None if it was none's."""
    kind = type(made)
    points = [point for group in _OF_ENGINES for found in _found(group).values() for point in found]
    near = [point for point in points if point.module.partition(".")[0] == kind.__module__.partition(".")[0]]
    near.sort(key=lambda point: point.value != f"{kind.__module__}:{kind.__qualname__}")
    return (near[0].name, _origin(near[0])) if near else None


@cache
def _found(group: str) -> Mapping[str, tuple[EntryPoint, ...]]:
    from importlib.metadata import entry_points

    found: dict[str, tuple[EntryPoint, ...]] = {}
    for point in sorted(entry_points(group=group), key=_package):
        found[point.name] = (*found.get(point.name, ()), point)
    return found


def _origin(point: EntryPoint) -> str:
    return f"{_package(point)} {_version(point)} ({point.value})"


def _package(point: EntryPoint) -> str:
    return (point.dist and point.dist.name) or "an unknown package"


def _version(point: EntryPoint) -> str:
    return (point.dist and point.dist.version) or "?"


def _installed(package: str) -> str:
    """Its version; empty if it is not here."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return ""
