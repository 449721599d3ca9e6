"""The rows of one evaluation: JSON lines while it is open, Parquet when it is complete."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import accumulate, islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.base.errors import UserError, naming
from harness.records import (
    Attempt,
    EvalFolder,
    EvalRecord,
    append_jsonl,
    append_text,
    json_line,
    json_text,
    read_jsonl,
    seals,
    unfinished,
    write_text,
)
from harness.records.allowed import Whole
from harness.records.chain import Break, BrokenSeal
from harness.records.differences import differences
from harness.records.files import check_file
from harness.records.schema import COLUMNS
from harness.records.seals import EvalSeal, file_hash
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
    the field, the marker's versions, for marks can be made again (`remarking.py`), and where it was stopped."""
    now = replace(now, title=held.title, rule=now.rule if held.rule else "")
    now = replace(now, grader_version=held.grader_version, readings=held.readings, seals=held.seals)
    return replace(now, problems=held.problems, stopped_by=held.stopped_by) if held.stopped_by else now


def is_complete(folder: EvalFolder) -> bool:
    """A kill may have come between the last steps of `seal`; this takes those that are left."""
    if folder.attempts.exists():
        if folder.open_attempts.exists():
            _bind(folder)
        return True
    return False


def whole_chunks(folder: EvalFolder, sizes: Sequence[int]) -> int:
    """How many chunks of these sizes are there, as they were written; what was cut off is cut away.

    Args:
        sizes: rows of each chunk, in order.
    Raises: BrokenSeal if rows have changed since.
    """
    if not folder.open_attempts.exists():
        folder.open_chunks.unlink(missing_ok=True)
        return 0
    known = _chunks(folder)
    check_file(folder.open_attempts, EvalRecord.mend)
    with naming(folder.open_attempts), folder.open_attempts.open("rb+") as file:
        chunks, end = 0, 0
        while chunks < len(sizes):
            lines = list(islice(file, sizes[chunks]))
            if len(lines) < sizes[chunks] or not lines[-1].endswith(b"\n"):
                break
            content = b"".join(lines)
            if known is not None:
                if chunks == len(known):  # the kill came before its hash was written
                    break
                if known[chunks] != _chunk(len(lines), content):
                    raise BrokenSeal(folder.root, (_changed(folder, chunks, known),))
            chunks, end = chunks + 1, end + len(content)
        file.truncate(end)
    if known is not None and len(known) > chunks:
        raise BrokenSeal(folder.root, (_changed(folder, chunks, known),))
    if known is not None:
        _cut_half_line(folder.open_chunks)
    return chunks


def _cut_half_line(path: Path) -> None:
    """What a kill has left at the end of a file of lines: the next line must not be joined to it."""
    with naming(path), path.open("rb+") as file:
        file.truncate(file.read().rfind(b"\n") + 1)


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
    """One chunk, and then its hash: rows without one are asked again."""
    lines = "".join(json_line(_cells(row)) for row in rows)
    # one that was begun before chunks had hashes goes on without
    hashed = folder.open_chunks.exists() or not folder.open_attempts.exists()
    append_text(folder.open_attempts, lines)
    if hashed:
        append_jsonl(folder.open_chunks, [asdict(_chunk(len(rows), lines.encode()))])


def _cells(row: Attempt) -> dict[str, Any]:
    """Column -> cell, in the order of the columns, only to be read. `asdict` looks into every cell: 12 microseconds."""
    return vars(row)


@dataclass(frozen=True)
class _Chunk:
    """A line of chunks.jsonl."""

    rows: Whole
    sha256: str


def _chunk(rows: int, content: bytes) -> _Chunk:
    return _Chunk(rows, hashlib.sha256(content).hexdigest())


def _chunks(folder: EvalFolder) -> list[_Chunk] | None:
    """None for an evaluation that was begun before chunks had hashes."""
    if not folder.open_chunks.exists():
        return None
    return list(read_jsonl(folder.open_chunks, _Chunk, EvalRecord.mend))


def _changed(folder: EvalFolder, chunk: int, known: Sequence[_Chunk]) -> Break:
    first = sum(one.rows for one in known[:chunk]) + 1
    what = f"does not hold from line {first} on what was written there"
    return Break(folder.open_attempts, what, f"Delete {folder.root} and run the same again")


def rows(folder: EvalFolder) -> list[dict[str, Any]]:
    """Those that are there, of a complete evaluation or an open one. Raises: DataError."""
    if folder.attempts.exists():
        return attempts_in(folder.attempts)
    return [_cells(row) for row in _open_rows(folder)]


def require_whole(folder: EvalFolder) -> None:
    """Raises: BrokenSeal if complete attempts are not what they were sealed as, nor half marked again."""
    if folder.attempts.exists() and folder.seal.exists():
        seal = EvalSeal.read(folder.seal)
        now = (file_hash(folder.header), file_hash(folder.attempts))
        if now != (seal.header, seal.attempts) and not seal.half_made(*now):
            what = f"and {folder.header.name} are not what {folder.seal.name} beside them was made with"
            mend = f"Bring them back from a copy, or delete {folder.root} and run the same again"
            raise BrokenSeal(folder.root, (Break(folder.attempts, what, mend),))


def rewrite(folder: EvalFolder, rows: Sequence[Mapping[str, Any]], header: EvalRecord) -> None:
    """Put others in their place, whole or not at all. Their header is written afterwards.

    Args:
        header: what it will be.
    """
    if folder.attempts.exists():
        exchange(folder, _table(rows), header)
    elif rows:
        lines, known = [json_line(row) for row in rows], _chunks(folder)
        folder.open_chunks.unlink(missing_ok=True)  # rows without hashes may be read, other hashes than theirs may not
        write_text(folder.open_attempts, "".join(lines))
        if known is not None:
            ends = list(accumulate((one.rows for one in known), initial=0))
            sums = [asdict(_chunk(end - first, "".join(lines[first:end]).encode())) for first, end in pairwise(ends)]
            write_text(folder.open_chunks, "".join(map(json_line, sums)))


def exchange(folder: EvalFolder, table: pyarrow.Table, header: EvalRecord) -> None:
    """`rewrite`, of a complete evaluation, whose cells may be empty where an import's source did not say them."""
    new = _written(folder, table)
    if folder.seal.exists():
        header_hash = hashlib.sha256(json_text(header.to_json()).encode()).hexdigest()
        EvalSeal.read(folder.seal).again(header_hash, file_hash(new)).write(folder.seal)
    new.replace(folder.attempts)


def stop(folder: EvalFolder, problems: int, by: str) -> None:
    """End an evaluation at so many of its problems, all of whose rows are there: it is complete.

    The header is written first: a kill before the rows are sealed leaves an open evaluation that says where it ends.
    """
    replace(EvalRecord.read(folder.header), problems=problems, stopped_by=by).write(folder.header)
    seal(folder)


def seal(folder: EvalFolder) -> None:
    """Turn the open rows into Parquet, whole or not at all, and seal them."""
    _written(folder, _table([_cells(row) for row in _open_rows(folder)])).replace(folder.attempts)
    _bind(folder)


def _open_rows(folder: EvalFolder) -> Iterator[Attempt]:
    return read_jsonl(folder.open_attempts, Attempt, EvalRecord.mend)


def _bind(folder: EvalFolder) -> None:
    """What is left to do once the attempts are there. The open rows go last: they say that this is not done."""
    if not folder.seal.exists():
        seals.seal(folder)
    folder.open_chunks.unlink(missing_ok=True)
    unfinished(folder.open_chunks).unlink(missing_ok=True)  # of a kill while marks were made again
    folder.open_attempts.unlink()


def _table(rows: Sequence[Mapping[str, Any]]) -> pyarrow.Table:
    import pyarrow

    return pyarrow.Table.from_pylist(list(rows), schema=schema())


def _written(folder: EvalFolder, table: pyarrow.Table) -> Path:
    """The new file, on disk, not yet in its place."""
    import pyarrow.parquet

    temporary = folder.attempts.with_name(f".{folder.attempts.name}.new")
    with naming(folder.attempts):
        pyarrow.parquet.write_table(table, temporary, compression="zstd")
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
    return temporary


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
