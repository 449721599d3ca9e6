"""Raw cells with their places, and how a file is refused by them: whole or part by part, with the same words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NoReturn, TypeVar, cast

import numpy as np
import pandas as pd
import pyarrow as pa

from harness.base.errors import UserError, nearest
from harness.importing.sources import ImportSource
from harness.records import DataError

T = TypeVar("T")


class Refused(DataError):
    """What a row holds is refused; others may be wrong for the same reason."""

    def __init__(self, said: str, end: str = "", rows: int | None = None) -> None:
        """
        Args:
            said: place and reason.
            end: what follows the number of other rows.
            rows: how many are wrong; None where they are not counted.
        """
        more = f" (and so in {rows - 1:,} more rows)" if rows and rows > 1 else ""
        super().__init__(f"{said}{more}{end}")
        self.said, self.end, self.rows = said, end, rows

    def with_part(self, later: Exception) -> Refused:
        """With the rows of a later part that the same check refused."""
        if self.rows is None or not isinstance(later, Refused):
            return self
        return Refused(self.said, self.end, self.rows + (later.rows or 0))


@dataclass
class Checks:
    """How far the checks of some rows have come."""

    passed: int = 0


@dataclass(frozen=True)
class Raw:
    """Cells of one file as they are, rows in the file's order."""

    source: ImportSource
    cells: pd.DataFrame
    lines: np.ndarray
    """where each row stands: `Source.at`"""
    checks: Checks = field(default_factory=Checks)

    def __contains__(self, column: str) -> bool:
        return column in self.cells

    def __getitem__(self, column: str) -> pd.Series:
        return cast(pd.Series, self.cells[column])

    def need(self, column: str, hint: str = "") -> pd.Series:
        """Raises: DataError with the columns there are."""
        if column not in self:
            refuse_column(self.source, column, [str(name) for name in self.cells.columns], hint)
        return self[column]

    def only(self, rows: np.ndarray) -> Raw:
        """Args: rows: which to keep."""
        kept = cast(pd.DataFrame, self.cells[rows]).reset_index(drop=True)
        return replace(self, cells=kept, lines=self.lines[rows])

    def check(self, wrong: np.ndarray, say: Callable[[int], str], end: str | None = None) -> None:
        """One check of every row.

        Args:
            wrong: bool, for each row.
            say: what is wrong with a row; asked for the first.
            end: what stands behind the number of other rows; None: they are not counted.
        Raises: Refused.
        """
        if wrong.any():
            row = int(wrong.argmax())
            raise Refused(f"{self.at(row)}: {say(row)}", end or "", None if end is None else int(wrong.sum()))
        self.checks.passed += 1

    def at(self, row: int) -> str:
        return self.source.at(int(self.lines[row]))

    def refuse(self, row: int, reason: str) -> NoReturn:
        raise Refused(f"{self.at(row)}: {reason}")


def refuse_column(source: ImportSource, column: str, there: list[str], hint: str = "") -> NoReturn:
    """Raises: DataError for a column that a file lacks, with those there are."""
    raise DataError(f"{source.path} lacks the column `{column}`. {hint or nearest(column, there)}")


def each_part(parts: Iterable[Raw], convert: Callable[[Raw], T]) -> Iterator[T]:
    """What is made of each part of a file.

    A file is refused as if it had been read whole: by the first of the checks that any part fails, at its first row,
    with the number of rows in all parts. After the first refusal nothing is yielded.

    Raises: what `convert` raises.
    """
    first: tuple[int, Exception] | None = None
    for raw in parts:
        try:
            made = convert(raw)
        except (DataError, UserError) as error:
            passed = raw.checks.passed
            if first is None or passed < first[0]:
                first = passed, error
            elif passed == first[0] and isinstance(first[1], Refused):
                first = passed, first[1].with_part(error)
        else:
            if first is None:
                yield made
    if first:
        raise first[1]


def cells_of(table: pa.Table, names: Mapping[str, str]) -> pd.DataFrame:
    """Python's own values, by our names where there are some."""
    columns = {names.get(name, name): _objects(table[name]) for name in table.schema.names}
    return pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in columns.items()})


def _objects(column: pa.ChunkedArray) -> np.ndarray:
    """Equal texts are one object: pandas would make one of each cell, which a million of them feel (docs/LOG.md)."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column.to_pandas(integer_object_nulls=True).astype(object).to_numpy()
    coded = column.combine_chunks().dictionary_encode()
    distinct = np.array([*coded.dictionary.to_pylist(), None], object)  # the place -1 takes the None
    return distinct[coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
