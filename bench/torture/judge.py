"""What must hold after a command has failed, and after it was run again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Tree = dict[str, bytes]
"""file -> its bytes; a folder that is empty, with a slash at its end, has none"""
_MAY_DIFFER = re.compile(r"(^|/)(timing\.json|\.timing\.json\.new|\.lock|logs/.*)$")
_APPENDED = ".jsonl"
_TRACE = re.compile(r"Traceback \(most recent|This is a bug")


def tree(folder: Path) -> Tree:
    """All that must be the same in the end, files that hide included."""
    found: Tree = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if _MAY_DIFFER.search(name) or "/logs" in name:
            continue
        try:
            if path.is_file():
                found[name] = path.read_bytes()
            elif not any(path.iterdir()):
                found[f"{name}/"] = b""
        except FileNotFoundError:  # it has just been renamed
            continue
    return found


def state(folder: Path) -> str:
    """A hash of all files and folders; of logs, locks and times the names alone."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        found.update(f"{name}\0".encode())
        if path.is_file() and not _MAY_DIFFER.search(name):
            found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()[:32]


def logs(folder: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in folder.rglob("logs/*/*.log"))


def has_trace(text: str) -> bool:
    return bool(_TRACE.search(text))


@dataclass
class Versions:
    """Every content that each file has had in an uninterrupted run, from when it got its name."""

    hashes: dict[str, set[str]] = field(default_factory=dict)
    appended: dict[str, set[bytes]] = field(default_factory=dict)

    def add(self, seen: Tree) -> None:
        for name, content in seen.items():
            if not hidden(name):
                self.hashes.setdefault(name, set()).add(_hash(content))
                if name.endswith(_APPENDED):
                    self.appended.setdefault(name, set()).add(content)

    def half_written(self, seen: Tree) -> list[str]:
        """Files that a reader would believe, and that were never so. Of files of lines any beginning is expected."""
        return [name for name, content in seen.items() if not hidden(name) and not self._known(name, content)]

    def _known(self, name: str, content: bytes) -> bool:
        if name.endswith("/") or _hash(content) in self.hashes.get(name, ()):
            return True
        return any(whole.startswith(content) for whole in self.appended.get(name, ()))


def hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def differences(got: Tree, wanted: Tree) -> tuple[list[str], int]:
    """In words, and the bytes that are wanted and not there."""
    words, lost = [], 0
    for name in sorted(wanted.keys() - got.keys()):
        words.append(f"missing: {name}")
        lost += len(wanted[name])
    words += [f"left behind: {name}" for name in sorted(got.keys() - wanted.keys())]
    for name in sorted(wanted.keys() & got.keys()):
        if got[name] != wanted[name]:
            words.append(f"different: {name}")
            lost += max(0, len(wanted[name]) - len(got[name]))
    return words, lost


def within(names: Iterable[str], part: str) -> list[str]:
    return [name for name in names if f"/{part}/" in f"/{name}"]


def without(seen: Mapping[str, bytes], part: str) -> Tree:
    return {name: content for name, content in seen.items() if f"/{part}/" not in f"/{name}"}


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
