"""Sections that other packages add to reports: entry points of the group `rence.sections`, each a function from the
analysis to a `Section` of the entry point's name, or None where there is nothing to show.

They come after ours, ordered by name. One that cannot be loaded, raises, or returns what no format can render is left
out, and the report's notes say which and why.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any, cast

from plugins import Plugins, Unfit
from reports.document import Block, Cases, Document, Figure, Folded, Gallery, Section, Table

if TYPE_CHECKING:
    from reports.analysis import Analysis

    Make = Callable[[Analysis], Section | None]


def _ours() -> Collection[str]:
    from reports.sections import SECTIONS  # which imports numpy and pandas, and which imports this module

    return SECTIONS


def _accept(name: str, offered: Any) -> Make:
    if not callable(offered):
        raise Unfit(f"it must be a function from an Analysis to a Section, but is {type(offered).__name__} instead")
    return cast("Make", offered)


PLUGINS = Plugins("rence.sections", "section", _ours, _accept)


def added(a: Analysis, ours: Iterable[Section]) -> tuple[list[Section], list[str]]:
    """The sections of other packages, and a sentence for each that is missing.

    Args:
        ours: what the report holds already; the names of its tables and figures are taken.
    """
    taken = {name for section in ours for name in _names(section.blocks)}
    sections: list[Section] = []
    missing = [f"A section is missing: {error}" for name, error in PLUGINS.broken().items()]
    for name, make in PLUGINS.usable().items():
        try:
            section = _checked(name, make(a), taken)
        except (Exception, SystemExit) as error:  # foreign code; whatever it was, the report says it
            missing.append(f"A section is missing: {PLUGINS.error(name, error)}")
            continue
        if section is not None:
            sections.append(section)
            taken |= set(_names(section.blocks))
    return sections, missing


def _checked(name: str, section: Section | None, taken: Collection[str]) -> Section | None:
    """Raises: Unfit, or what rendering raises."""
    if section is None:
        return None
    if not isinstance(section, Section):
        raise Unfit(f"it must return a Section or None, but returned {type(section).__name__} instead")
    if section.slug != name:
        raise Unfit(f"it calls itself `{section.slug}`, and the two names must agree")
    if section.kind != "body":
        raise Unfit(f"its kind must be `body`, but is `{section.kind}` instead")
    clash = sorted(set(_names(section.blocks)) & set(taken))
    if clash:
        raise Unfit(f"it has a table or figure `{clash[0]}`, and another section has that name")
    _render(section)
    return section


def _render(section: Section) -> None:
    """By itself and for nothing, so that what cannot be rendered is found before a report is made of it."""
    from reports.render import html, markdown

    markdown.section(section)
    html.document(Document(section.title, [""], [section]))


def _names(blocks: Iterable[Block]) -> Iterator[str]:
    """Of everything that becomes an anchor or a file."""
    for block in blocks:
        match block:
            case Table() | Figure() | Cases():
                yield block.name
            case Gallery():
                yield from (figure.name for figure in block.figures)
            case Folded():
                yield from _names(block.blocks)
            case _:
                pass
