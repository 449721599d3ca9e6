"""CSV of a table: the values, unrounded, under the column titles."""

from __future__ import annotations

import csv
import io

from harness.records.foreign import cell as not_a_formula
from reports.document import Cell, Table


def table(item: Table) -> str:
    """Lines end in a line feed alone; a cell that has a value gives that, another its text, which no spreadsheet takes
    for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([not_a_formula(column.title) for column in item.columns])
    writer.writerows([[_value(cell) for cell in row.cells] for row in item.rows])
    return out.getvalue()


def _value(cell: Cell) -> object:
    value = cell.text if cell.value is None else cell.value
    return not_a_formula(value) if isinstance(value, str) else value
