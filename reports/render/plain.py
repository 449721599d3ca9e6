"""Plain text for a terminal: aligned columns, no colour."""

from __future__ import annotations

from collections.abc import Sequence

from reports.document import Cell, Column, Table


def table(item: Table) -> str:
    """Bold becomes an asterisk before the number, which the caller explains."""
    columns = [_column(column, [row.cells[i] for row in item.rows]) for i, column in enumerate(item.columns)]
    lines = ["  ".join(line).rstrip() for line in zip(*columns, strict=True)]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def _column(column: Column, cells: Sequence[Cell]) -> list[str]:
    """Title and cells at one width; in a column of numbers the parts of a cell stand below each other."""
    words = [("*" if cell.bold else "") + cell.text for cell in cells]
    if column.numeric:
        parts = (words, [cell.spread for cell in cells], [cell.mark for cell in cells])
        widths = [max(map(len, part), default=0) for part in parts]
        gap = " " if widths[1] else ""
        words = [
            f"{word:>{widths[0]}}{gap}{spread:>{widths[1]}}{mark:<{widths[2]}}"
            for word, spread, mark in zip(*parts, strict=True)
        ]
    width = max(map(len, [column.title, *words]))
    return [f"{word:{'>' if column.numeric else '<'}{width}}" for word in [column.title, *words]]
