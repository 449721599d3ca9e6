"""Plain text for a terminal: aligned columns, no colour."""

from __future__ import annotations

from reports.document import Cell, Table


def table(item: Table) -> str:
    """Bold becomes an asterisk before the number, which the caller explains."""
    cells = [[column.title for column in item.columns], *([_cell(cell) for cell in row.cells] for row in item.rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(item.columns))]
    lines = [
        "  ".join(
            word.rjust(width) if column.numeric else word.ljust(width)
            for word, width, column in zip(row, widths, item.columns, strict=True)
        ).rstrip()
        for row in cells
    ]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def _cell(cell: Cell) -> str:
    spread = f" {cell.spread}" if cell.spread else ""
    return f"{'*' if cell.bold else ''}{cell.text}{spread}{cell.mark}"
