"""Python's side of `shim.c`: builds it, has it loaded, and says at which call what is to happen."""

from __future__ import annotations

import ctypes
import mmap
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import NoReturn

SOURCE = Path(__file__).with_name("shim.c")
_PATH, _LOG = 4096, 1 << 20
_LOADED = "RENCE_TORTURE_SHIM"
"""set in a process that has been started with the shim"""


class Call(IntEnum):
    """What changes files, in the order of shim.c."""

    OPEN = 0
    """that may make or empty a file"""
    WRITE = 1
    RENAME = 2
    """named by its target"""
    FSYNC = 3
    UNLINK = 4
    RMDIR = 5
    MKDIR = 6
    TRUNCATE = 7
    LINK = 8


class Kind(IntEnum):
    """What happens at a call, in the order of shim.c."""

    LIST = 0
    """nothing"""
    IO_ERROR = 1
    """it fails with EIO"""
    NO_SPACE = 2
    """it fails with ENOSPC, and all others succeed: somebody has freed space"""
    FULL = 3
    """half of it is written, and from then on the disk is full"""
    KILL_BEFORE = 4
    KILL_HALF = 5
    """half of it is written, then the process is killed"""
    KILL_AFTER = 6

    @property
    def kills(self) -> bool:
        return self >= Kind.KILL_BEFORE


@dataclass(frozen=True, order=True)
class Point:
    """One call of a command."""

    call: Call
    file: str
    """below the root; `?` stands for each character that is drawn at random"""
    nth: int
    """of such calls on this file, from 1"""

    def __str__(self) -> str:
        return f"{self.call.name.lower()} {self.nth} of {self.file}"


class _Control(ctypes.Structure):
    """As in shim.c, which has the words for it."""

    _fields_ = (
        *(
            (name, ctypes.c_int)
            for name in ("armed", "kind", "call", "pausing", "paused", "tripped", "full", "overflow")
        ),
        *((name, ctypes.c_long) for name in ("nth", "seen", "logged", "log_size")),
        ("root", ctypes.c_char * _PATH),
        ("pattern", ctypes.c_char * _PATH),
    )


class Shim:
    """Memory that this process shares with those it forks, and through which it sees and steers their calls."""

    def __init__(self, root: Path) -> None:
        """
        Args:
            root: the folder whose files are looked at; without symbolic links.
        """
        self._memory = mmap.mmap(-1, ctypes.sizeof(_Control) + _LOG)
        self._control = _Control.from_buffer(self._memory)
        self._control.root = os.fsencode(root)
        self._control.log_size = _LOG

    def aim(self, point: Point | None = None, kind: Kind = Kind.LIST, pausing: bool = False) -> None:
        """Say what is to happen where, before `arm`.

        Args:
            pausing: whether every change of a name waits until `resume`.
        """
        c = self._control
        c.kind, c.pausing = kind, pausing
        c.paused = c.tripped = c.full = c.overflow = c.nth = c.seen = c.logged = 0
        if point:
            c.call, c.pattern, c.nth = point.call, os.fsencode(point.file), point.nth

    def arm(self) -> None:
        """In the process that is to be steered, which passes it on to those that it forks."""
        loaded = ctypes.CDLL(os.environ[_LOADED])
        self._control.armed = 1
        loaded.torture_arm(ctypes.byref(self._control))

    @property
    def paused(self) -> bool:
        return bool(self._control.paused)

    def resume(self) -> None:
        self._control.paused = 0

    @property
    def tripped(self) -> bool:
        return bool(self._control.tripped)

    def calls(self) -> list[tuple[Call, str]]:
        """Those that were made, in order."""
        if self._control.overflow:
            raise RuntimeError("the shim's log is full: enlarge _LOG")
        start = ctypes.sizeof(_Control)
        lines = self._memory[start : start + self._control.logged].decode().splitlines()
        pairs = (line.split("\t", 1) for line in lines)
        return [(Call[name.upper()], file) for name, file in pairs]


def load(arguments: Sequence[str]) -> None:
    """Start this program anew with the shim, unless it has been.

    Raises: SystemExit with a word of why there is none.
    """
    if _LOADED in os.environ:
        return
    compiler = shutil.which("gcc") or shutil.which("cc")
    if sys.platform != "linux" or not compiler:
        _skip("it needs Linux and a C compiler, such as Debian's gcc and libc6-dev.")
    with _library(compiler) as library:
        environment = {"LD_PRELOAD": str(library), _LOADED: str(library)}
        done = subprocess.run([sys.executable, *arguments], env={**os.environ, **environment})
    sys.exit(done.returncode)


def _skip(why: str) -> NoReturn:
    """It is no mistake of the program that is tested."""
    print(f"skipped: {why}", file=sys.stderr)
    sys.exit(0)


@contextmanager
def _library(compiler: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "shim.so"
        command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE), "-ldl"]
        built = subprocess.run(command, capture_output=True, text=True)
        if built.returncode:
            _skip(f"the C compiler does not build {SOURCE.name}: {built.stderr.strip()[:300]}")
        yield library
