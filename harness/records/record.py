"""A frozen dataclass that is a JSON file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

from harness.records.fields import stated
from harness.records.files import MEND, SCHEMA, read_json, write_json


class Record:
    """The header of every file carries the schema version. Types of fields say what a file may hold (`decode.py`)."""

    mend: ClassVar[str] = MEND
    """what to do about a file that is broken"""

    def to_json(self) -> dict[str, Any]:
        return {"schema": SCHEMA, **stated(self)}

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises: DataError, naming the file, the key and what is wrong with it."""
        return read_json(path, cls, cls.mend)

    def write(self, path: Path) -> None:
        write_json(path, self.to_json())
