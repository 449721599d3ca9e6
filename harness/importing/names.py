"""Arms, seeds and benchmarks of files that do not name them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from harness.base import reserved
from harness.base.errors import UserError
from harness.importing.rows import NO_SEED
from harness.importing.sources import ImportSource, check_arm
from harness.records import START

_NOT_IN_FOLDERS = re.compile(r"[^A-Za-z0-9._-]+")


def folder_name(words: str) -> str:
    """A benchmark's or a model's name as a folder can have it: `openai/gsm8k` -> `openai_gsm8k`."""
    return _NOT_IN_FOLDERS.sub("_", words).strip("_.-") or "_"


def check_benchmarks(rows: pd.DataFrame, sources: Sequence[ImportSource]) -> None:
    """
    Args:
        rows: as of `rows.frame`.
    Raises: UserError, with its place, for the name of a benchmark that no folder or table can have.
    """
    for name in rows["benchmark"].unique():
        folder = folder_name(name)
        wrong = reserved.too_long(folder)
        if reserved.is_reserved(folder):
            wrong = f"`{folder}` is a word of rence's own files and tables"
        if wrong:
            first = rows.iloc[int((rows["benchmark"] == name).to_numpy().argmax())]
            raise UserError(
                f"{sources[first['source']].at(first['line'])}: `{name}` cannot be a benchmark's name: {wrong}.\n"
                "Give it another name in the file, or by --benchmark NAME where the file has none."
            )


def arm_of(source: ImportSource, folder: str | None = None) -> str:
    """The name before the path, or the folder that says whose results these are.

    Raises: UserError if there is neither.
    """
    if source.name.arm:
        return source.name.arm
    if folder is None:
        raise UserError(
            f"{source.path} does not say which arm it is of. Name it before the path: grpo/seed0={source.path}"
        )
    return check_arm(folder_name(folder))


def seed_of(source: ImportSource) -> int:
    """The seed before the path, 0 where there is none; NO_SEED of the untrained model."""
    if source.name.arm == START:
        return NO_SEED
    return source.name.seed or 0


def seeds_note(sources: Sequence[ImportSource]) -> list[str]:
    """What is assumed of seeds that nobody named."""
    if all(source.name.seed is not None or source.name.arm == START for source in sources):
        return []
    return ["A source without a seed in its name is taken as seed 0: ARM/seedN=PATH names another."]
