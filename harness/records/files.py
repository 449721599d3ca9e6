"""How files are written and read: whole or not at all.

A file is written under another name and then renamed, so nothing half-written is ever read as whole.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.base.errors import naming

SCHEMA = 1


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
    with naming(path), temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def unfinished(path: Path) -> Path:
    """What `write_bytes` renames in the end; a kill leaves it behind, until the same file is written again."""
    return path.with_name(f".{path.name}.new")


def to_disk(path: Path) -> None:
    """Return once a file or a folder's list of names is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        with naming(path):
            os.fsync(handle)
    finally:
        os.close(handle)


def read_json(path: Path) -> dict[str, Any]:
    """Raises: DataError if the file is missing, not JSON, or of a newer schema."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path} does not exist. Run the experiment again to make it.") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not valid JSON: {error}.") from None
    if not isinstance(data, dict):
        raise DataError(f"{path} must hold a JSON object, but holds {type(data).__name__} instead.")
    if data.get("schema", SCHEMA) > SCHEMA:
        raise DataError(f"{path} has schema {data['schema']}; this rence reads up to {SCHEMA}. Upgrade rence-bench.")
    return data


def json_line(row: Mapping[str, Any]) -> str:
    """One line of a JSONL file."""
    return json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"


def append_jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    """Add lines and flush them to disk before returning."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with naming(path), path.open("a", encoding="utf-8") as file:
        file.writelines(map(json_line, rows))
        file.flush()
        os.fsync(file.fileno())


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of a file; a last line that a kill cut off is left out. No file, no lines."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", newline="\n") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith("\n"):
                return
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                raise DataError(f"{path}:{number} is not valid JSON: {error}.") from None
