"""CSV of a table: the values, unrounded, under the column titles."""

from __future__ import annotations

import csv
import io

from reports.document import Table


def table(item: Table) -> str:
    """Lines end in a line feed alone; a cell that has a value gives that, another its text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.title for column in item.columns])
    writer.writerows([[cell.text if cell.value is None else cell.value for cell in row.cells] for row in item.rows])
    return out.getvalue()
