"""What of a section's words would act in a format: for the contract of sections."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise

from reports.document import Document, Figure, Section, Table
from reports.render import html, latex, markdown

FOREIGN = ("iframe", "object", "embed", "i")
"""elements that our pages have none of"""
ACTING = ("script", "foreignobject", "iframe", "a", "image", "i")
"""elements that our pictures have none of"""


def acting_in_page(section: Section) -> Iterator[str]:
    """A sentence for each thing that gets into the page as markup."""
    ours, found = (_Tags.of(html.document(Document("", [""], parts))) for parts in ([], [section]))
    if found.count("script") != ours.count("script"):
        yield "a script gets into the page"
    yield from (f"an element `{tag}` gets into the page" for tag in FOREIGN if tag in found)


def acting_in_markdown(section: Section) -> Iterator[str]:
    """A sentence for each line of a table with other cells than its head, and for a script."""
    words = markdown.section(section)
    if "<script" in words.lower():
        yield "a script gets into the Markdown"
    for line, below in pairwise(words.split("\n")):
        if line.startswith("| ") and below.startswith("| ") and _pipes(line) != _pipes(below):
            yield f"a cell of the Markdown has a `|` that is not escaped: {line[:80]}"


def acting_in_latex(table: Table) -> Iterator[str]:
    """A sentence for each row that TeX would read as something else."""
    for line in latex.table(table, table.name).splitlines():
        if line.endswith(r" \\"):
            if len(re.findall(r"(?<!\\)&", line)) != len(table.columns) - 1:
                yield f"a cell of the TeX of `{table.name}` has an `&` that is not escaped"
            if re.search(r"(?<!\\)[%#_]", line):
                yield f"the TeX of `{table.name}` is not escaped: {line[:80]}"


def acting_in_picture(figure: Figure) -> Iterator[str]:
    """A sentence for each element or attribute that acts, or one if the picture is not well-formed: it stands in the
    page as it is."""
    try:
        root = ElementTree.fromstring(figure.svg)
    except ElementTree.ParseError as error:
        yield f"figure `{figure.name}` is not well-formed: {error}"
        return
    tags = {element.tag.rpartition("}")[2].lower() for element in root.iter()}
    yield from (f"figure `{figure.name}` holds an element `{tag}`" for tag in ACTING if tag in tags)
    handlers = {name for element in root.iter() for name in element.attrib if name.lower().startswith("on")}
    yield from (f"figure `{figure.name}` has the attribute `{name}`" for name in sorted(handlers))


def _pipes(line: str) -> int:
    return len(re.findall(r"(?<!\\)(?:\\\\)*\|", line))


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    @classmethod
    def of(cls, text: str) -> list[str]:
        """The elements of a page, in their order."""
        parser = cls()
        parser.feed(text)
        return parser.seen
