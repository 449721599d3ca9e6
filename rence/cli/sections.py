"""Sections that other packages add to reports. Found and loaded here, for `reports` reads files and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, cast

from harness.base import reserved
from harness.base.plugins import Plugins, Unfit

if TYPE_CHECKING:
    from reports.data.analysis import Analysis
    from reports.document import Section
    from reports.sections.registry import Others

    Make = Callable[[Analysis], Section | None]


def _ours() -> Collection[str]:
    from reports.sections import registry  # which imports numpy and pandas

    return registry.ours()


def _accept(name: str, offered: Any) -> Make:
    if wrong := reserved.mistake(name):
        raise Unfit(wrong)
    if not callable(offered):
        raise Unfit(f"it must be a function from an Analysis to a Section, but is {type(offered).__name__} instead")
    return cast("Make", offered)


PLUGINS = Plugins("rence.sections", "section", _ours, _accept)


def others() -> Others:
    """For a report. Imports all."""
    from reports.sections.registry import Offered, Others

    sections = [Offered(name, PLUGINS.origin(name), make) for name, make in PLUGINS.usable().items()]
    return Others(sections, [str(error) for error in PLUGINS.broken().values()])
