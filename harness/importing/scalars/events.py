"""TensorBoard's event files, read with the package `tensorboard` where it is installed."""

from __future__ import annotations

import importlib.util
import struct
from collections.abc import Iterator
from typing import Any

from harness.base.errors import UserError
from harness.importing.scalars import scalar_tables
from harness.importing.scalars.scalar_tables import ScalarTable
from harness.importing.sources import ImportSource
from harness.records import DataError

_LENGTH, _CHECKS = 8, 4
"""bytes: a record is its length, a checksum of that, its content, a checksum of that"""


def read(source: ImportSource) -> ScalarTable:
    """Every scalar of one file, a row for each step, a column for each tag.

    Raises: UserError without the package; DataError if the file is no event file or holds no scalar.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise UserError(
            f"{source.path} is a TensorBoard event file, which the package tensorboard reads: pip install "
            "tensorboard.\nOr export its scalars as CSV in TensorBoard's page, and import that."
        )
    cut = _cut_at(source)
    rows: dict[int, dict[str, Any]] = {}
    for tag, step, value in _scalars(source):
        rows.setdefault(step, {"step": step})[tag] = value
    if not rows:
        raise DataError(
            f"{source.path} holds no scalars" + (", and is cut off in the middle of its first." if cut else ".")
        )
    notes = (
        (f"{source.path} ends in the middle of a record (byte {cut:,}): what stands before it was read.",)
        if cut
        else ()
    )
    return scalar_tables.records(
        source,
        ((place, rows[step]) for place, step in enumerate(sorted(rows), 1)),
        "TensorBoard's events",
        of_one_run=True,
        notes=notes,
    )


def _scalars(source: ImportSource) -> Iterator[tuple[str, int, float]]:
    """Tag, step and value in the order of the file; a later value of one step counts."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.util import tensor_util

    for event in EventFileLoader(str(source.path)).Load():
        for value in event.summary.value:
            kind = value.metadata.plugin_data.plugin_name
            if value.HasField("tensor") and kind in ("", "scalars"):
                array = tensor_util.make_ndarray(value.tensor)
                if array.size == 1 and array.dtype.kind in "fiu":
                    yield value.tag.removesuffix("/scalar_summary"), int(event.step), float(array.reshape(-1)[0])


def _cut_at(source: ImportSource) -> int | None:
    """Where the last record begins, if it is not whole. Raises: DataError if the file is no file of records."""
    size, place = source.path.stat().st_size, 0
    with source.path.open("rb") as file:
        while place < size:
            head = file.read(_LENGTH + _CHECKS)
            if len(head) < _LENGTH + _CHECKS:
                return place
            (length,) = struct.unpack("<Q", head[:_LENGTH])
            after = place + len(head) + length + _CHECKS
            if after > size:
                if place == 0 and length > size * 1024:
                    raise DataError(f"{source.path} is no event file of TensorBoard, or its beginning is broken.")
                return place
            place = file.seek(after)
    return None
