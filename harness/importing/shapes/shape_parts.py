"""Files of a recognised shape, read part by part as cells with roles for names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from harness.importing import readers
from harness.importing.files import opening
from harness.importing.files.documents import documents, separator
from harness.importing.raw import Raw
from harness.importing.shapes.flat import AnswerTable, RecordColumn, flatten
from harness.importing.shapes.paths import NotOne, at
from harness.importing.shapes.recognise import FoundShape, PeekedFile, rows_of
from harness.records import DataError

_PART = 1 << 15
"""answers that are held at once"""


def parts(shape: FoundShape, file: PeekedFile) -> Iterator[Raw]:
    """Columns with roles, the result by the file's own metric, and the `number` of a problem in its set.

    Raises: DataError with the place.
    """
    wanted = dict(shape.roles.columns)
    if result := shape.result_of(file):
        wanted["correct"] = result
    numbers = shape.family.number if shape.family else ()
    if place := next((one for one in numbers if one in shape.columns), None):
        wanted["number"] = shape.columns[place]
    if shape.roles.by_text:
        wanted.pop("problem_id", None)
    if _is_flat(shape, file, wanted):
        there = {column.path[0]: role for role, column in wanted.items()}
        yield from readers.parts(file.source, there)
    else:
        yield from _nested(shape, file, wanted)


def all_values(shape: FoundShape, file: PeekedFile, column: RecordColumn) -> Iterator[Any]:
    """One value of every row of a file of lines. Raises: DataError with the place."""
    for _, _, rows in rows_of(documents(file.source.path), file.place or (), True, shape.family):
        yield from (at(row, column.path) for _, _, row in rows)


def _is_flat(shape: FoundShape, file: PeekedFile, wanted: Mapping[str, RecordColumn]) -> bool:
    """Whether columns of a table can be taken as they are."""
    columns = list(wanted.values())
    return (
        file.lines
        and file.regroup is None
        and file.place == ()
        and not shape.layout.lists
        and shape.layout.wide is None
        and not (shape.family and (shape.family.only or shape.family.row))
        and readers.is_table(file.source.path)
        and not opening.has_mark(file.source.path)
        and (opening.kind(file.source.path) != ".csv" or separator(file.source.path) == ",")
        and all(column.where == "row" and len(column.path) == 1 for column in columns)
        and len({column.path for column in columns}) == len(columns)
    )


def _nested(shape: FoundShape, file: PeekedFile, wanted: Mapping[str, RecordColumn]) -> Iterator[Raw]:
    table = AnswerTable({name: [] for name in wanted})
    found = documents(file.source.path)
    for line, beside, rows in rows_of(
        found, file.place or (), file.lines, shape.family, regroup=file.regroup, arms=file.arms
    ):
        try:
            flatten(rows, beside, shape.layout, wanted, table, line)
        except NotOne as error:
            place = file.source.at(line) if line is not None else f"{file.source.path}, row {len(table.numbers) + 1}"
            raise DataError(f"{place}: {error}.") from None
        if len(table.numbers) >= _PART:
            yield _raw(file, table)
            table = AnswerTable({name: [] for name in wanted})
    if table.numbers:
        yield _raw(file, table)


def _raw(file: PeekedFile, table: AnswerTable) -> Raw:
    cells = {name: pd.Series(column, dtype=object) for name, column in table.columns.items()}
    return Raw(file.source, pd.DataFrame(cells), np.array(table.numbers, dtype=np.int64))
