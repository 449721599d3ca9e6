"""JSON to and from a frozen dataclass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Self

from harness.records.fields import stated
from harness.records.files import SCHEMA, DataError, read_json, write_json


class Record:
    """A frozen dataclass that is a file; the header of every file carries the schema version."""

    def to_json(self) -> dict[str, Any]:
        return {"schema": SCHEMA, **stated(self)}

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises: DataError, naming the file and what is wrong with it."""
        data = read_json(path)
        try:
            return cls(**known(cls, data))
        except TypeError as error:
            raise DataError(f"{path}: {error}. Run the experiment again to rewrite it.") from None

    def write(self, path: Path) -> None:
        write_json(path, self.to_json())


def known(record: type, data: Mapping[str, Any]) -> dict[str, Any]:
    """What the record has fields for: a newer minor version may have written more."""
    names = {f.name for f in fields(record)}
    return {key: value for key, value in data.items() if key in names}
