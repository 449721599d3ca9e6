"""An object of a plug-in whose methods fail in words: which plug-in, of which package and version, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import wraps
from inspect import getdoc
from typing import Any

from harness.base.errors import UserError
from harness.base.plugins import PluginError, Plugins, Unfit


class Guarded:
    """Stands for the object. What its guarded methods raise or wrongly return is a PluginError; a UserError and what
    the system refuses are left alone, and so are all other attributes."""

    def __init__(self, made: object, plugins: Plugins[Any], name: str, returns: Mapping[str, tuple[type, str]]) -> None:
        """
        Args:
            name: of the entry point.
            returns: method that is guarded -> what it must return, as a type and in words.
        """
        self.__doc__ = getdoc(made)
        self._made, self._plugins, self._name, self._returns = made, plugins, name, returns

    def __getattr__(self, attribute: str) -> Any:
        """The object's own attribute; a method that is guarded comes with its guard."""
        method = getattr(self._made, attribute)
        if attribute not in self._returns:
            return method
        kind, words = self._returns[attribute]

        @wraps(method)
        def guarded(*arguments: Any, **options: Any) -> Any:
            try:
                found = method(*arguments, **options)
                # a generator fails where it is read, so it is read here
                returned = list(found) if isinstance(found, Iterator) else found
                if not isinstance(returned, kind):
                    raise Unfit(f"`{attribute}` must return {words}, but returned {type(returned).__name__} instead")
            except (UserError, PluginError, OSError):
                raise
            except Exception as error:  # foreign code may fail in any way
                raise self._plugins.error(self._name, error) from error
            return returned

        return guarded
