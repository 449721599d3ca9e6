"""The rows of one evaluation: JSON lines while it is open, Parquet when it is complete."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from harness.base.errors import UserError
from harness.records import Attempt, EvalFolder, EvalRecord, append_jsonl, json_line, read_jsonl, write_text
from harness.records.differences import differences
from harness.records.schema import COLUMNS
from harness.records.tables import attempts_in, marks_in

if TYPE_CHECKING:
    import pyarrow

    from harness.engines.base import Completion


def claim(folder: EvalFolder, header: EvalRecord) -> None:
    """Write the header, or check that the evaluation that was begun here is the same.

    Raises: UserError with the differences.
    """
    if not folder.header.exists():
        header.write(folder.header)
        return
    held = EvalRecord.read(folder.header)
    found = list(differences(held.to_json(), in_words_of(held, header).to_json()))
    if found:
        raise UserError(
            f"{folder.root} holds another evaluation: {'; '.join(found)}.\nMove it away, or start over with `--clean`."
        )


def in_words_of(held: EvalRecord, now: EvalRecord) -> EvalRecord:
    """`now` with what is no difference taken over from a header that is there: its title, the rule if it is older than
    the field, the marker's version, for marks can be made again (`remarking.py`), and where it was stopped."""
    now = replace(now, title=held.title, rule=now.rule if held.rule else "", grader_version=held.grader_version)
    return replace(now, problems=held.problems, stopped_by=held.stopped_by) if held.stopped_by else now


def is_complete(folder: EvalFolder) -> bool:
    """A kill may have come between the last two steps of `seal`; this takes the second."""
    if folder.attempts.exists():
        folder.open_attempts.unlink(missing_ok=True)
        return True
    return False


def whole_chunks(folder: EvalFolder, sizes: Sequence[int]) -> int:
    """How many chunks of these sizes are there; a chunk that was cut off is cut away.

    Args:
        sizes: rows of each chunk, in order.
    """
    if not folder.open_attempts.exists():
        return 0
    with folder.open_attempts.open("rb+") as file:
        ends = [0]
        for line in file:
            if line.endswith(b"\n"):
                ends.append(ends[-1] + len(line))
        chunks, rows = 0, 0
        while chunks < len(sizes) and rows + sizes[chunks] < len(ends):
            rows += sizes[chunks]
            chunks += 1
        file.truncate(ends[rows])
    return chunks


def marks(folder: EvalFolder, chunk: int) -> list[str]:
    """Of the rows that are there, a chunk that was cut off left out.

    Args:
        chunk: rows of each chunk but the last.
    """
    if folder.attempts.exists():
        return marks_in(folder.attempts)
    found = [row.mark for row in _open_rows(folder)]
    return found[: len(found) // chunk * chunk]


def append(folder: EvalFolder, rows: Sequence[Attempt]) -> None:
    append_jsonl(folder.open_attempts, [asdict(row) for row in rows])


def rows(folder: EvalFolder) -> list[dict[str, Any]]:
    """Those that are there, of a complete evaluation or an open one. Raises: DataError."""
    if folder.attempts.exists():
        return attempts_in(folder.attempts)
    return [asdict(row) for row in _open_rows(folder)]


def rewrite(folder: EvalFolder, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put others in their place, whole or not at all."""
    if folder.attempts.exists():
        _write(folder, rows)
    elif rows:
        write_text(folder.open_attempts, "".join(json_line(row) for row in rows))


def stop(folder: EvalFolder, problems: int, by: str) -> None:
    """End an evaluation at so many of its problems, all of whose rows are there: it is complete.

    The header is written first: a kill before the rows are sealed leaves an open evaluation that says where it ends.
    """
    replace(EvalRecord.read(folder.header), problems=problems, stopped_by=by).write(folder.header)
    seal(folder)


def seal(folder: EvalFolder) -> None:
    """Turn the open rows into Parquet, whole or not at all."""
    _write(folder, [asdict(row) for row in _open_rows(folder)])
    folder.open_attempts.unlink()


def _open_rows(folder: EvalFolder) -> Iterator[Attempt]:
    return read_jsonl(folder.open_attempts, Attempt, EvalRecord.mend)


def _write(folder: EvalFolder, rows: Sequence[Mapping[str, Any]]) -> None:
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.Table.from_pylist(list(rows), schema=schema())
    temporary = folder.attempts.with_name(f".{folder.attempts.name}.new")
    pyarrow.parquet.write_table(table, temporary, compression="zstd")
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(folder.attempts)


def schema() -> pyarrow.Schema:
    """Of `attempts.parquet`; `X | None` is a nullable column."""
    import pyarrow

    return pyarrow.schema(
        [pyarrow.field(c.name, pyarrow.type_for_alias(c.arrow), nullable=c.nullable) for c in COLUMNS.values()]
    )


def measured(engine: str, completion: Completion) -> dict[str, Any]:
    """The columns that engines measure, as this one did; None where it did not.

    Args:
        engine: its name, for the message.
    Raises: UserError for a measurement that is no such column, or no finite value of the column's type.
    """
    wanted = {name: column for name, column in COLUMNS.items() if column.measured}
    for name, value in completion.measured.items():
        if name not in wanted:
            allowed = f"Allowed: {', '.join(wanted)}." if wanted else "No column is measured."
            raise UserError(f"engine `{engine}` measured `{name}`, which is no measured column of attempts. {allowed}")
        if not _fits(value, wanted[name].type):
            raise UserError(
                f"engine `{engine}` measured `{name}`: it must be a {wanted[name].type.__name__}, finite, or None, "
                f"but is {value!r} instead."
            )
    return {name: completion.measured.get(name) for name in wanted}


def _fits(value: Any, kind: type) -> bool:
    """bool is no number here, and a whole one is a float too."""
    if value is None:
        return True
    if isinstance(value, bool) or not isinstance(value, (int, float) if kind is float else kind):
        return False
    return kind is str or math.isfinite(value)
