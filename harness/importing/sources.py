"""The words of the command, `[ARM[/seedN][/stepN]=]PATH`, and the files they name.

A path may say itself what it is of: `out/{arm}-seed{seed}` finds `out/grpo-seed0`, `out/grpo-seed1` and so on.
"""

from __future__ import annotations

import glob
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.base import reserved
from harness.base.errors import UserError
from harness.records import START, user_files
from harness.records.files import real_path

ARM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
"""an arm's name is also a folder's"""
LARGEST = 2**53 - 1
"""the largest whole number that a float holds as it was written: the next one is also 2**53 + 1"""
_NAMED = re.compile(r"(?P<arm>[^/=]+)(?:/seed(?P<seed>\d+))?(?:/step_?(?P<step>\d+))?=(?P<path>.+)", re.DOTALL)
_SAID = re.compile(r"\{(arm|seed|step|benchmark|sample)\}")
_SHAPES = {
    "arm": "(?P<arm>[^/]+?)",
    "seed": r"(?P<seed>\d+)",
    "step": r"(?P<step>\d+)",
    "benchmark": "(?P<benchmark>[^/]+?)",
    "sample": "(?P<sample>[^/]+?)",
}
_BLOCK = 1 << 20

Find = Callable[[Path], list[Path]]
"""a folder -> the files of a source in it, in their order"""


@dataclass(frozen=True)
class Name:
    """What stands before `=`; None where it does not say."""

    arm: str | None = None
    seed: int | None = None
    step: int | None = None
    benchmark: str | None = None
    sample: str | None = None
    """what tells apart files of several answers to the same problems"""


@dataclass(frozen=True)
class ImportSource:
    """One file to import."""

    path: Path
    name: Name = Name()

    @property
    def is_text(self) -> bool:
        return self.path.suffix != ".parquet"

    def at(self, number: int) -> str:
        """A place in it: a line of a text, a row of a Parquet file, from 1."""
        return f"{self.path}:{number}" if self.is_text else f"{self.path}, row {number}"

    @property
    def sha256(self) -> str:
        """Of its bytes, in hex; read block by block."""
        digest = hashlib.sha256()
        with self.path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
        return digest.hexdigest()


def find(words: Sequence[str], find_in: Find, looked_for: str) -> list[ImportSource]:
    """Every file that is named, in the order of the words; a folder's and a pattern's in their own.

    Args:
        looked_for: what `find_in` finds, for an error.
    Raises: UserError if nothing is there, or something is there twice.
    """
    sources = [
        ImportSource(path, name)
        for word in words
        for name, place in said(*split(word))
        for path in _files(place, find_in, looked_for)
    ]
    seen: set[Path] = set()
    for source in sources:
        if wrong := user_files.mistake(source.path):
            raise UserError(f"{source.path} {wrong}.")
        if real_path(source.path) in seen:
            raise UserError(f"{source.path} is named twice. Every file is imported once.")
        seen.add(real_path(source.path))
    return sources


def split(word: str) -> tuple[Name, str]:
    """A name and a path. A path that exists as it stands, `=` and all, has no name."""
    found = _NAMED.fullmatch(word)
    if found is None or Path(word).exists():
        return Name(), word
    name = _name(found.groupdict())
    if name.arm == START and (name.seed is not None or name.step):
        raise UserError(f"{word}: `{START}` is the untrained model and has neither seed nor step: {START}=PATH.")
    return name, found["path"]


def said(name: Name, place: str) -> list[tuple[Name, str]]:
    """The names and paths that a path with `{arm}`, `{seed}`, `{step}`, `{benchmark}` or `{sample}` in it stands for;
    others stand for themselves.

    Raises: UserError if nothing is there, or the name says it too.
    """
    words = _SAID.findall(place)
    if not words:
        return [(name, place)]
    if len(set(words)) < len(words) or any(getattr(name, word) is not None for word in words):
        raise UserError(f"{place}: arm, seed and step can each be said once.")
    pieces = _SAID.split(place)  # text, word, text, word, ..., text
    shape = "".join(_SHAPES[piece] if i % 2 else re.escape(piece) for i, piece in enumerate(pieces))
    hits = [(re.fullmatch(shape, hit), hit) for hit in sorted(glob.glob("*".join(map(glob.escape, pieces[::2]))))]
    found = [(_name({**asdict(name), **hit.groupdict()}), path) for hit, path in hits if hit]
    if not found:
        raise UserError(f"{place} stands for nothing that is there. An example: 'out/{{arm}}-seed{{seed}}'.")
    return found


def _name(found: Mapping[str, Any]) -> Name:
    seed, step = (None if found.get(word) is None else check_size(word, int(found[word])) for word in ("seed", "step"))
    arm = None if found.get("arm") is None else check_arm(found["arm"])
    return Name(arm, seed, step, found.get("benchmark"), found.get("sample"))


def check_size(words: str, number: int) -> int:
    """
    Args:
        words: what stands before the number.
    Raises: UserError if it would be changed where it is written.
    """
    if number > LARGEST:
        raise UserError(f"{words} {number} is too large: at most {LARGEST} is allowed. Number seeds and steps from 0.")
    return number


def check_arm(name: str) -> str:
    """Raises: UserError if a folder cannot be called so."""
    # The untrained model goes by the word that is reserved for it.
    if not ARM.match(name) or (reserved.is_reserved(name) and name != START):
        raise UserError(
            f"`{name}` cannot be an arm's name: letters, digits, `_`, `.` and `-`, and none of "
            f"{', '.join(reserved.RESERVED)}.\nName it before the path: grpo/seed0=PATH."
        )
    if wrong := reserved.too_long(name):
        raise UserError(f"`{name}` cannot be an arm's name: {wrong}.\nName it before the path: grpo/seed0=PATH.")
    return name


def _files(place: str, find_in: Find, looked_for: str) -> list[Path]:
    path = Path(place)
    if path.is_file():
        return [path]
    if path.is_dir():
        found = find_in(path)
    else:
        hits = [Path(hit) for hit in sorted(glob.glob(place, recursive=True))]
        found = [file for hit in hits for file in (find_in(hit) if hit.is_dir() else [hit])]
    if not found:
        missing = f"{place} holds no {looked_for}" if path.is_dir() else f"{place} does not exist"
        raise UserError(f"{missing}. A PATH is a file, a folder with {looked_for}, or a pattern such as 'out/*'.")
    return list(dict.fromkeys(found))
