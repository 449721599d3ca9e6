"""A file of somebody else as a text, whatever it was packed in."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from harness.base.errors import UserError
from harness.importing.files import foreign
from harness.records import DataError, user_files

TEXTS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv")
KINDS = (*TEXTS, ".parquet", ".eval")
PACKED = (".gz", ".zst")
_HINTS = {
    (".zip", ".tar", ".tgz", ".tar.gz", ".7z", ".rar", ".bz2", ".xz"): "unpack it",
    (".xlsx", ".xls", ".ods", ".numbers"): "save it as CSV",
    (".pt", ".pth", ".pkl", ".pickle", ".npy", ".npz", ".arrow", ".feather", ".h5", ".db", ".sqlite"): (
        "save its rows as JSON lines or Parquet"
    ),
}
"""endings of files that may hold results -> what makes them files that are read"""
_POINTER = b"version https://git-lfs.github.com/spec/"
_HEAD = 512
"""bytes that are looked at"""
_BEGINS = {
    ".gz": b"\x1f\x8b",
    ".bz2": b"BZh",
    ".zst": b"\x28\xb5\x2f\xfd",
    ".parquet": b"PAR1",
    ".eval": b"PK",
}
"""ending -> how files of it begin; others are texts"""
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def kind(path: Path) -> str:
    """The ending of a file's name without that of its packing, such as `.jsonl` of `a.jsonl.gz`; empty if not read."""
    name = path.with_suffix("") if path.suffix.lower() in PACKED else path
    return found if (found := name.suffix.lower()) in KINDS else ""


def stem(path: Path) -> str:
    """A file's name without the endings that say how to read it."""
    name = path.with_suffix("") if path.suffix.lower() in PACKED else path
    return name.stem if name.suffix.lower() in KINDS else path.name


def check(path: Path) -> None:
    """Raises: DataError if it is no regular file, empty though its kind is never, not the file itself but Git LFS's
    pointer to it, or by its first bytes of another kind than its name says."""
    if wrong := user_files.mistake(path):
        raise DataError(f"{path} {wrong}.")
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(_POINTER):
        raise DataError(
            f"{path} is a Git LFS pointer, not the file itself. `git lfs pull` in its repository fetches the file."
        )
    begins = _BEGINS.get(path.suffix.lower(), b"")
    if begins and not head:
        raise DataError(f"{path} is empty.")
    if begins and head.startswith(begins):
        return
    said = foreign.known_by_bytes(path, head)
    if begins:
        here = said or f"its first bytes are of no such file: download it again, or take {path.suffix} off its name."
        raise DataError(f"{path} is called {path.suffix}, but {here}")
    if said:
        raise DataError(f"{path} {said}")


def has_mark(path: Path) -> bool:
    """Whether a file begins with the mark of its encoding."""
    with opened(path) as file:
        return file.read(3).startswith(tuple(_MARKS))


def check_kind(path: Path, wanted: str) -> None:
    """Raises: UserError for a file that is not read and may hold results, with what to do."""
    hint = next((said for endings, said in _HINTS.items() if path.name.lower().endswith(endings)), "")
    if not kind(path) and hint:
        raise UserError(f"{path} is no {wanted}. To import it, {hint}.")


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, unpacked as they are read. What is wrong with them is said in words."""
    check(path)
    try:
        with _unpacked(path) as file:
            yield file
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} is cut off or no gzip file: {error}.") from None
    except (pa.ArrowException, OSError) as error:
        if path.suffix.lower() != ".zst":
            raise
        raise DataError(f"{path} is cut off or no zstd file: {str(error).splitlines()[0]}.") from None


@contextmanager
def text(path: Path) -> Iterator[io.TextIOWrapper]:
    """In UTF-8, or UTF-16 that says so; another encoding is refused."""
    try:
        with opened(path) as file:
            buffered: Any = file if isinstance(file, io.BufferedIOBase) else io.BufferedReader(file)  # type: ignore[arg-type]
            head = buffered.peek(4)[:4]
            encoding = next((name for mark, name in _MARKS.items() if head.startswith(mark)), "utf-8")
            yield io.TextIOWrapper(buffered, encoding=encoding, newline="")
    except UnicodeDecodeError as error:
        raise DataError(not_utf8(path, error)) from None


def not_utf8(path: Path, error: UnicodeDecodeError) -> str:
    """Where a text cannot be read, and what to do."""
    if has_mark(path):
        return f"{path} is UTF-16. Save it as UTF-8: iconv -f utf-16 -t utf8 {path} > new"
    return (
        f"{path} is not UTF-8: {_before(error)} a byte is {error.object[error.start]:#x}. If it is Latin-1, as older "
        f"tools write: iconv -f latin1 -t utf8 {path} > new"
    )


def _before(error: UnicodeDecodeError) -> str:
    """What stands in the line before a byte that cannot be read."""
    lines = error.object[max(0, error.start - 20) : error.start].decode("utf-8", "replace").splitlines()
    return f"after `{lines[-1]}`" if lines else "at the beginning of a block"


def _unpacked(path: Path) -> Any:
    if path.suffix.lower() == ".gz":
        return gzip.open(path)
    if path.suffix.lower() == ".zst":
        return _Readable(pa.CompressedInputStream(pa.OSFile(str(path)), "zstd"))
    return path.open("rb")


class _Readable(io.RawIOBase):
    """What pyarrow unpacks, as Python reads files."""

    def __init__(self, stream: pa.NativeFile) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._stream.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)
