"""How files are written and read: whole or not at all.

A file is written under another name and then renamed, so nothing half-written is ever read as whole.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any, TypeVar, overload

from harness.base.errors import naming
from harness.records import user_files
from harness.records.decode import decoder
from harness.records.wrong_type import WrongType, shown

SCHEMA = 1
MEND = "Run the experiment again to make it anew."
T = TypeVar("T")
_TAIL_BYTES = 16384
"""from the end of a file; a line of steps is shorter"""


def real_path(path: Path) -> Path:
    """Absolute, links followed; of a link to itself as far as it goes, where `Path.resolve` raises RuntimeError."""
    return Path(os.path.realpath(path))


class DataError(Exception):
    """A result file is missing, broken, or newer than this program. Ends a command with exit code 3."""


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write whole or not at all: a new file, flushed to disk, renamed over the old one."""
    write_text(path, json_text(data))


def json_text(data: Mapping[str, Any]) -> str:
    """What `write_json` writes."""
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_text(path: Path, text: str) -> None:
    """Like `write_json`, for any text."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Like `write_json`, for anything."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = unfinished(path)
    try:
        with naming(path), temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except KeyboardInterrupt:
        temporary.unlink(missing_ok=True)
        raise


def unfinished(path: Path) -> Path:
    """What `write_bytes` renames in the end; a kill or a full disk leaves it, until the same file is written again."""
    return path.with_name(f".{path.name}.new")


def to_disk(path: Path) -> None:
    """Return once a file or a folder's list of names is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        with naming(path):
            os.fsync(handle)
    finally:
        os.close(handle)


def json_line(row: Mapping[str, Any]) -> str:
    """One line of a JSONL file."""
    return json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"


def append_jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    """Add lines and flush them to disk before returning."""
    append_text(path, "".join(map(json_line, rows)))


def append_text(path: Path, text: str) -> None:
    """Like `append_jsonl`, for lines that are text already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with naming(path), path.open("a", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


@overload
def read_json(path: Path, kind: type[T], mend: str = ...) -> T: ...
@overload
def read_json(path: Path, kind: None = ..., mend: str = ...) -> dict[str, Any]: ...
def read_json(path: Path, kind: Any = None, mend: str = MEND) -> Any:
    """A file that holds one JSON object, as a dataclass or as it is.

    Args:
        kind: the dataclass.
        mend: what to do about a broken file, in sentences.
    Raises: DataError if the file is missing, cannot be read, is of a newer schema, or holds anything else.
    """
    return _decoded(read_whole(path, mend), str(path), kind, mend)


def read_foreign_json(path: Path) -> dict[str, Any]:
    """Another tool's JSON object, which may hold NaN and infinities, as Python writes them. Raises: DataError."""
    try:
        data = json.loads(read_whole(path, ""))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not valid JSON: {error}.") from None
    if not isinstance(data, dict):
        raise DataError(f"{path} must be an object, but is {shown(data)} instead.")
    return data


@overload
def read_jsonl(path: Path, kind: type[T], mend: str = ...) -> Iterator[T]: ...
@overload
def read_jsonl(path: Path, kind: None = ..., mend: str = ...) -> Iterator[dict[str, Any]]: ...
def read_jsonl(path: Path, kind: Any = None, mend: str = MEND) -> Iterator[Any]:
    """The whole lines of a file, each as by `read_json`; a last line that a kill cut off is left out. No file, none."""
    if not path.exists():
        return
    with opened(path, mend) as file:
        for number, line in enumerate(file, 1):
            if line.endswith(b"\n"):
                yield decode_line(line, f"{path}:{number}", kind, mend)


def decode_line(line: bytes, where: str, kind: type[T], mend: str = MEND) -> T:
    """One line of a JSONL file. Raises: DataError that begins with `where`."""
    return _decoded(line, where, kind, mend)


def last_line(path: Path, kind: type[T], mend: str = MEND) -> T | None:
    """The last whole line of a JSONL file, without reading the rest. None where there is none, or no file."""
    if not path.exists():
        return None
    with opened(path, mend) as file:
        size, back = file.seek(0, os.SEEK_END), _TAIL_BYTES
        while True:
            file.seek(max(0, size - back))
            lines = file.read(back).split(b"\n")[:-1]
            # The first piece is cut off, unless it is all there is.
            if len(lines) > 1 or back >= size:
                return decode_line(lines[-1], f"the last line of {path}", kind, mend) if lines else None
            back *= 2


def read_whole(path: Path, mend: str = MEND) -> bytes:
    """Raises: DataError as `opened`."""
    with opened(path, mend) as file:
        return file.read()


def check_file(path: Path, mend: str = MEND) -> None:
    """What others will open by its name. Raises: DataError as `opened`."""
    with opened(path, mend):
        pass


@contextmanager
def opened(path: Path, mend: str = MEND) -> Iterator[BufferedReader]:
    """To read. Raises: DataError, then or while it is open, if there is no such file or it cannot be read."""
    if wrong := user_files.mistake(path):
        raise DataError(f"{path} {wrong}. {mend}")
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}. {mend}") from None


def _decoded(content: bytes, where: str, kind: Any, mend: str) -> Any:
    """
    Args:
        where: what a message begins with.
    """
    try:
        data = json.loads(content.decode("utf-8"), object_pairs_hook=_once_each, parse_constant=_no_number)
        if type(data) is dict:
            _check_schema(data, where)
        # An object in any case: no file of ours is anything else.
        return decoder(kind or dict[str, Any])(data)
    except WrongType as error:
        raise DataError(f"{where}{error}. {mend}") from None
    except RecursionError:
        raise DataError(f"{where} must hold a JSON object, but is nested too deep to be read. {mend}") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{where} is not valid JSON: {error}. {mend}") from None
    except ValueError:
        raise DataError(f"{where} is not valid JSON: a number in it has thousands of digits. {mend}") from None


def _check_schema(data: dict[str, Any], where: str) -> None:
    schema = data.get("schema", SCHEMA)
    if type(schema) is not int or schema < 1:
        raise WrongType(f"must have a whole number of at least 1 as its `schema`, but has {shown(schema)} instead")
    if schema > SCHEMA:
        raise DataError(f"{where} has schema {shown(schema)}; this rence reads up to {SCHEMA}. Upgrade rence-bench.")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise WrongType(f"must have each key once, but has {shown(twice)} twice")
    return data


def _no_number(word: str) -> None:
    raise WrongType(f"must hold numbers, but holds {word}")
