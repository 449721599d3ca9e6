"""What a file is where it is none of those that are read: seen by its first bytes, its name, or how its text begins."""

from __future__ import annotations

import re
from pathlib import Path

_UNPACK = "Unpack it, and give what is in it."
_SAVE_AS_CSV = "Save the sheet as CSV, and give that."
_NO_RESULTS = "Give the file with the answers."
_BYTES: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "a zip archive, or an Excel workbook", f"{_UNPACK} Of a workbook save the sheet as CSV."),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", _SAVE_AS_CSV),
    (b"\x89PNG", "a PNG picture", _NO_RESULTS),
    (b"\xff\xd8\xff", "a JPEG picture", _NO_RESULTS),
    (b"GIF8", "a GIF picture", _NO_RESULTS),
    (b"%PDF", "a PDF document", _NO_RESULTS),
    (
        b"SQLite format 3\x00",
        "an SQLite database",
        "Write its table as CSV: sqlite3 -header -csv {path} 'SELECT * FROM TABLE' > answers.csv",
    ),
    (b"\x1f\x8b", "packed by gzip", "Call it {name}.gz."),
    (b"\x28\xb5\x2f\xfd", "packed by zstd", "Call it {name}.zst."),
    (b"BZh", "packed by bzip2", _UNPACK),
    (b"\xfd7zXZ", "packed by xz", _UNPACK),
    (b"7z\xbc\xaf", "a 7z archive", _UNPACK),
    (b"PAR1", "a Parquet file", "Call it {stem}.parquet."),
    (b"ARROW1", "an Arrow file", "Write it as Parquet."),
    (b"\x93NUMPY", "an array of NumPy", "Write its rows as JSON lines."),
    (b"\x89HDF", "an HDF5 file", "Write its rows as JSON lines."),
    (b"\x80\x02", "a pickle of Python", "Write its rows as JSON lines."),
    (b"\x80\x03", "a pickle of Python", "Write its rows as JSON lines."),
    (b"\x80\x04", "a pickle of Python", "Write its rows as JSON lines."),
    (b"\x80\x05", "a pickle of Python", "Write its rows as JSON lines."),
    (b"\x7fELF", "a program", _NO_RESULTS),
)
"""how files begin, what they are, and what to do"""
_TEXTS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (
        re.compile(r"<!doctype html|<html", re.IGNORECASE),
        "an HTML page, such as a download that wants a login or was not found",
        "Download the file itself.",
    ),
    (re.compile(r"<\?xml|<[A-Za-z]"), "XML, such as a storage's message that it refuses a download", _NO_RESULTS),
    (re.compile(r"---\r?\n|[A-Za-z_][\w.-]*:(?: |\r?\n)"), "YAML, or a log", "Write its rows as JSON lines."),
    (
        re.compile(r"[\[{(]\s*'|[\[{].*\b(?:True|False|None)\b"),
        "written as Python's own objects",
        "Write it with json.dumps.",
    ),
    (re.compile(r"//|/\*"), "JSON with comments", "Take the comments out, if it holds answers."),
)
"""how texts begin that are no JSON"""
_NAMES = {
    "package.json": "describes a package of JavaScript",
    "package-lock.json": "describes packages of JavaScript",
    "tsconfig.json": "sets up TypeScript",
    "tokenizer.json": "is a tokenizer",
    "tokenizer_config.json": "sets up a tokenizer",
    "special_tokens_map.json": "names a tokenizer's special tokens",
    "added_tokens.json": "names a tokenizer's added tokens",
    "vocab.json": "is a tokenizer's vocabulary",
    "config.json": "describes a model",
    "generation_config.json": "sets up generation",
    "adapter_config.json": "sets up an adapter",
    "model.safetensors.index.json": "says where a model's weights are",
    "dataset_infos.json": "describes a data set",
    "dataset_info.json": "describes a data set",
}
"""names that tools give to files that hold no results"""


def known_by_name(path: Path) -> str:
    """What a file is that some tool always calls so and that holds no results; empty for others."""
    if path.suffix == ".ipynb":
        return "is a Jupyter notebook"
    return _NAMES.get(path.name, "")


def known_by_bytes(path: Path, head: bytes) -> str:
    """What a file that should be a text is by its first bytes, and what to do; empty if it may be one.

    Args:
        head: some hundred bytes.
    """
    for begins, what, hint in _BYTES:
        if head.startswith(begins):
            return f"is {what}. {hint.format(path=path, name=path.name, stem=path.stem)}"
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = 0.4 * len(head) / 2  # of Latin text in UTF-16 every second byte is 0, and hardly one of the others
    if len(head) >= 4 and max(even, odd) > half > min(even, odd) and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        which = "le" if odd > even else "be"
        return f"is UTF-16 without a mark that says so. Save it as UTF-8: iconv -f utf-16{which} -t utf8 {path} > new"
    if b"\x00" in head and head.strip(b"\x00") and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "is no text, but of some binary kind. Write its rows as JSON lines."
    return ""


def known_by_text(text: str) -> str:
    """What a text is that is no JSON, and what to do; empty if that is not seen."""
    start = text.lstrip("\ufeff \t\r\n")[:400]
    found = next(((what, hint) for pattern, what, hint in _TEXTS if pattern.match(start)), None)
    return f"is {found[0]}. {found[1]}" if found else ""
