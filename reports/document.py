"""The report as data: sections of paragraphs, tables and figures. Markdown, HTML, LaTeX and CSV are made from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Cell:
    """One entry of a table. Plain text; each format escapes it and sets it in its own way."""

    text: str
    value: float | int | str | None = None
    """what sorting and CSV use; the text where None"""
    spread: str = ""
    """set smaller after the text, such as `± 2.1`"""
    mark: str = ""
    """raised after the text, such as a dagger"""
    bold: bool = False


@dataclass(frozen=True)
class Column:
    """The head of a table's column."""

    title: str
    numeric: bool = True
    """right-aligned, tabular figures"""


@dataclass(frozen=True)
class Row:
    """One row of a table, a cell for each column."""

    cells: Sequence[Cell]
    quiet: bool = False
    """a row to compare with rather than a result, such as the untrained model: set apart"""


@dataclass(frozen=True)
class Table:
    """Rows under columns, with a caption; a file of its own in some formats."""

    name: str
    """of the file it may become, and its anchor"""
    columns: Sequence[Column]
    rows: Sequence[Row]
    caption: str = ""


@dataclass(frozen=True)
class Figure:
    """A picture as SVG."""

    name: str
    """file name without suffix"""
    svg: str
    caption: str


@dataclass(frozen=True)
class Gallery:
    """Figures side by side, wrapping on a narrow page, under one caption; `titled` sets each one's own above it."""

    figures: Sequence[Figure]
    caption: str
    titled: bool = False


@dataclass(frozen=True)
class Excerpt:
    """One attempt: who made it, and what it says, its middle left out where it is long."""

    who: str
    tally: str
    """what became of all attempts of its kind, such as `21 of 24 correct, 3 wrong`"""
    attempt: str
    """which one this is, such as `seed 0, sample 3`"""
    mark: str
    answer: str
    head: str
    omitted: int = 0
    """characters left out between head and tail"""
    tail: str = ""


@dataclass(frozen=True)
class Case:
    """One problem, and two attempts at it side by side."""

    tags: Sequence[str]
    """words to filter by: a category, and what kind of it"""
    title: str
    change: str
    gold: str
    sides: Sequence[Excerpt]


@dataclass(frozen=True)
class Cases:
    """Problems side by side, with words to filter by."""

    name: str
    cases: Sequence[Case]
    caption: str


@dataclass(frozen=True)
class Text:
    """One paragraph of plain text."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list of paragraphs."""

    items: Sequence[str]


@dataclass(frozen=True)
class Folded:
    """Details that a page shows on request."""

    title: str
    blocks: Sequence[Text | Bullets | Table | Cases]


Block = Text | Bullets | Table | Figure | Gallery | Cases | Folded


@dataclass(frozen=True)
class Section:
    """Part of a report. `cost` marks the one that is made from timing.json and may differ between equal runs."""

    slug: str
    title: str
    blocks: Sequence[Block]
    kind: Literal["body", "cost"] = "body"


@dataclass(frozen=True)
class Document:
    """A whole report."""

    title: str
    verdict: Sequence[str]
    """the first says what was found, the rest what it rests on"""
    sections: Sequence[Section] = field(default_factory=list)
    accepted: Sequence[str] = ()
    """those of the verdict that say what was let through: they stand out"""

    @property
    def figures(self) -> list[Figure]:
        """Every figure, those of galleries included: what is written beside the page."""
        blocks = [block for section in self.sections for block in section.blocks]
        single = [[block] for block in blocks if isinstance(block, Figure)]
        return [f for group in [*single, *(b.figures for b in blocks if isinstance(b, Gallery))] for f in group]


def text(words: object, bold: bool = False) -> Cell:
    """A cell that holds words: it sorts by them, and CSV has them as they are."""
    return Cell(str(words), bold=bold)
