"""Which sections a report has: ours, found in this package, and those that other packages add.

Each is a function from the analysis to a `Section` of its name, or None where there is nothing to show. Those of other
packages are found and loaded by the caller: the command line. They come after ours, ordered by name. One that raises,
or returns what no format can render, is left out, and the report's notes say which and why.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from reports import sections as package
from reports import verdict
from reports.document import Block, Cases, Document, Figure, Folded, Gallery, Section, Table
from reports.sections import notes

if TYPE_CHECKING:
    from reports.data.analysis import Analysis

    Make = Callable[[Analysis], Section | None]

ORDER = (
    "scores", "decodings", "failures", "mismatch", "differences", "stability", "effects", "best", "published", "checks",
    "design", "ranking", "curves", "training", "passing", "marks", "lengths", "modes", "flips", "activity", "budget",
    "spending", "algorithms", "recipe", "blocks", "provenance", "notes", "cost",
)  # fmt: skip
"""of ours; one that is not here comes before the notes, by name"""


@cache
def ours() -> Mapping[str, Make]:
    """By slug, in their order: every module of this package that has a function `section`."""
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    modules = {name: importlib.import_module(f"{package.__name__}.{name}") for name in names}
    found = {name: module.section for name, module in modules.items() if hasattr(module, "section")}
    place = ORDER.index("notes")
    order = (*ORDER[:place], *(name for name in found if name not in ORDER), *ORDER[place:])
    return {name: found[name] for name in order}


class UnfitSection(Exception):
    """What a section's function returned cannot stand in a report; the message says why."""


@dataclass(frozen=True)
class Offered:
    """A section of another package."""

    name: str
    origin: str
    """whose it is, such as `other 1.0 (other.module:thing)`"""
    make: Make


@dataclass(frozen=True)
class Others:
    """What other packages add to a report."""

    sections: Sequence[Offered] = ()
    """by name; none of a name of ours"""
    missing: Sequence[str] = ()
    """a sentence for each that there is but that cannot be loaded"""


def descriptions(others: Iterable[Offered] = ()) -> dict[str, str]:
    """By name: ours in their order, then those of other packages."""
    every = {**ours(), **{offered.name: offered.make for offered in others}}
    return {name: _first_line(make) for name, make in every.items()}


def _first_line(make: Make) -> str:
    """Of the function's docstring, or its module's where the function is all there is of it: `section`."""
    of_function, of_module = inspect.getdoc(make) or "", inspect.getdoc(inspect.getmodule(make)) or ""
    words = of_module if getattr(make, "__name__", "") == "section" else of_function
    return (words or of_function or of_module).partition("\n")[0]


def document(a: Analysis, others: Others | None = None) -> Document:
    """Ours in their order, with those of other packages before the notes, which say what is missing of them."""
    made = {name: make(a) for name, make in ours().items() if name != "notes"}
    foreign, missing = added(a, others or Others(), [part for part in made.values() if part is not None])
    cost = made.pop("cost")
    parts = [*made.values(), *foreign, notes.section(a, missing), cost]
    there = [part for part in parts if part is not None]
    return Document(a.run.plan.experiment, verdict.sentences(a), there, a.checked.sentences)


def added(a: Analysis, others: Others, ours: Iterable[Section]) -> tuple[list[Section], list[str]]:
    """The sections of other packages, and a sentence for each that is missing.

    Args:
        ours: what the report holds already; the names of its tables and figures are taken.
    """
    taken = {name for section in ours for name in _names(section.blocks)}
    sections: list[Section] = []
    missing = list(others.missing)
    for offered in others.sections:
        try:
            section = _checked(offered.name, offered.make(a), taken)
        except (Exception, SystemExit) as error:  # foreign code; whatever it was, the report says it
            missing.append(_failed(offered, error))
            continue
        if section is not None:
            sections.append(section)
            taken |= set(_names(section.blocks))
    return sections, [f"A section is missing: {sentence}" for sentence in missing]


def _failed(offered: Offered, error: BaseException) -> str:
    said = " ".join(str(error).split()) or "no message"
    reason = said if isinstance(error, UnfitSection) else f"{type(error).__name__}: {said}"
    return (
        f"the section `{offered.name}` of {offered.origin} cannot be used: {reason.rstrip('.')}. "
        "Mend or uninstall that package."
    )


def _checked(name: str, section: Section | None, taken: Collection[str]) -> Section | None:
    """Raises: UnfitSection, or what rendering raises."""
    if section is None:
        return None
    if not isinstance(section, Section):
        raise UnfitSection(f"it must return a Section or None, but returned {type(section).__name__} instead")
    if section.slug != name:
        raise UnfitSection(f"it calls itself `{section.slug}`, and the two names must agree")
    if section.kind != "body":
        raise UnfitSection(f"its kind must be `body`, but is `{section.kind}` instead")
    clash = sorted(set(_names(section.blocks)) & set(taken))
    if clash:
        raise UnfitSection(f"it has a table or figure `{clash[0]}`, and another section has that name")
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
