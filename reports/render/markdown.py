"""Markdown, as GitHub renders it."""

from __future__ import annotations

import html
import re

from harness.records.foreign import one_line
from reports.document import (
    Block,
    Bullets,
    Cases,
    Cell,
    Document,
    Excerpt,
    Figure,
    Folded,
    Gallery,
    Section,
    Table,
    Text,
)

COST_BEGIN, COST_END = "<!-- cost: from timing.json -->", "<!-- end of cost -->"
SPECIAL = re.compile(r"([\\`*_\[\]|~$])")
_BEGIN = re.compile(r"(#{1,6}|[-+]|-{3,}|\d{1,9}(?=[.)]))(?=[.)]?(?: |$))")
"""of a line: a heading, a list, a rule"""


def document(doc: Document) -> str:
    """The page; pictures are links into `figures/`, beside it."""
    head, *rest = doc.verdict
    said = [f"**{_escape(one)}**" if one in doc.accepted else _line_of(one) for one in rest]
    parts = [f"# {_escape(doc.title)}", f"**{_escape(head)}**", *said, *map(section, doc.sections)]
    return "\n\n".join(parts) + "\n"


def section(part: Section) -> str:
    """A heading of level 2 with its blocks; the cost stands between two comments, so that it can be cut out."""
    body = "\n\n".join([f"## {_escape(part.title)}", *map(block, part.blocks)])
    return f"{COST_BEGIN}\n\n{body}\n\n{COST_END}" if part.kind == "cost" else body


def block(item: Block) -> str:
    """One block of a section, without a line feed at its end."""
    match item:
        case Table():
            return table(item)
        case Figure():
            return f"{_image(item)}\n\n*{_escape(item.caption)}*"
        case Gallery():
            return "\n".join(map(_image, item.figures)) + f"\n\n*{_escape(item.caption)}*"
        case Cases():
            return cases(item)
        case Folded():
            return "\n\n".join([f"### {_escape(item.title)}", *map(block, item.blocks)])
        case Bullets():
            return "\n".join(f"- {_line_of(line)}" for line in item.items)
        case Text():
            return _line_of(item.text)


def _image(figure: Figure) -> str:
    return f"![{_escape(figure.caption)}](figures/{figure.name}.svg)"


def table(item: Table) -> str:
    """A pipe table, numbers to the right, its caption in italics below. Values of cells and quiet rows do not show."""
    lines = [
        _line([_escape(column.title) for column in item.columns]),
        _line(["---:" if column.numeric else ":---" for column in item.columns]),
        *(_line([_cell(cell) for cell in row.cells]) for row in item.rows),
    ]
    caption = f"\n\n*{_escape(item.caption)}*" if item.caption else ""
    return "\n".join(lines) + caption


def cases(item: Cases) -> str:
    """A line each; the texts are for the page."""
    lines = [
        _line([_escape(", ".join(c.tags)), _escape(c.title), c.change, _escape(c.gold), *map(_side, c.sides)])
        for c in item.cases
    ]
    head = ["", "Problem", "Change", "Gold", *(_escape(side.who) for side in item.cases[0].sides)] if item.cases else []
    table = [_line(head), _line([":---", ":---", "---:", *[":---"] * (len(head) - 3)]), *lines] if head else []
    return "\n".join([*table, "", f"*{_escape(item.caption)}*"])


def _side(side: Excerpt) -> str:
    return _escape(f"{side.tally}; {side.attempt}: {side.mark}, answer {side.answer}")


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    words = _escape(cell.text)
    if cell.bold and words:
        words = f"**{words}**"
    return words + (f" {_escape(cell.spread)}" if cell.spread else "") + cell.mark


def _line_of(words: str) -> str:
    """Of text that begins a line."""
    line = _escape(words)
    found = _BEGIN.match(line)
    at = found.end() if found and found[0].isdigit() else 0
    return f"{line[:at]}\\{line[at:]}" if found else line


def _escape(words: str) -> str:
    """No markup, HTML or line break of a name or a reason may act."""
    return SPECIAL.sub(r"\\\1", html.escape(one_line(words), quote=False))
