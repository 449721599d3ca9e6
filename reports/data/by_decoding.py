"""Evaluations of a run told apart by the decoding that asked them, before any of them is read as a score.

Raises, everywhere in this module: records.DataError.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness.records import SEPARATOR, DataError, EvalFolder, EvalRecord, Plan


def split(plan: Plan, folders: Iterable[EvalFolder], notes: list[str]) -> dict[str, list[EvalFolder]]:
    """Decoding -> its evaluations; under the empty name those of the first, or only, one.

    What another decoding asked never stands among the first's, whatever a folder or a header is called: a header that
    says another one than its folder is an error, and a decoding that nobody planned is noted and left out.

    Args:
        folders: complete evaluations.
        notes: is added to.
    """
    found: dict[str, list[EvalFolder]] = {"": [], **{name: [] for name in plan.other_decodings}}
    for folder in folders:
        header = EvalRecord.read(folder.header)
        named = folder.root.name.partition(SEPARATOR)[2] if plan.decodings or header.decoding else ""
        if header.decoding != named:
            raise DataError(
                f"{folder.header} says {_words(header.decoding)}, but is in a folder of {_words(named)}.\n"
                f"Bring it back from a copy, or delete {folder.root} and run the same again."
            )
        if header.decoding in found:
            found[header.decoding].append(folder)
        else:
            notes.append(f"{folder.root.name} of {header.arm}: no decoding of that name was planned; left out.")
    return found


def first(folders: Iterable[EvalFolder]) -> list[EvalFolder]:
    """Those that the first, or only, decoding asked: what is compared outside of a run's own report."""
    return [folder for folder in folders if not EvalRecord.read(folder.header).decoding]


def _words(decoding: str) -> str:
    return f"the decoding `{decoding}`" if decoding else "the first decoding"
