"""A folder that is made aside and appears whole, or not at all: whoever is ended meanwhile leaves nothing behind.

A process that is killed (SIGKILL, a lost machine) cannot clear up: the next one that makes a folder there does. It
also gives back what the dead one had put aside to replace.
"""

from __future__ import annotations

import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.base.interrupts import held_back

_MARK, _NEW, _OLD = ".rence-aside", "new", "old"
"""in the place beside: who works in it, the folder that is made, what it replaces"""
_DRAWN = 8
"""letters that `tempfile` draws for a name"""


@contextmanager
def made_aside(out: Path) -> Iterator[Path]:
    """A folder of our own on the disk of `out`; what is at `/ "new"` in it at the end takes `out`'s place, whole. It is
    gone afterwards, and after an error so are parents of `out` that hold nothing.

    Raises: OSError, from the disk.
    """
    missing = [parent for parent in out.absolute().parents if not parent.exists()]
    held: list[int] = []
    place = Path()
    try:
        with held_back():
            out.parent.mkdir(parents=True, exist_ok=True)
            clear(out)
            while not held:
                place = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
                held += _hold(place)
        yield place
        with held_back():
            _swap(place, out)
    except OSError as error:
        if place.name and (error.filename is None or place in Path(error.filename).parents):
            error.filename, error.filename2 = str(out), None  # where we work is our own affair
        raise
    finally:
        with held_back():
            if place.name:
                _remove(place)
            for mark in held:
                os.close(mark)
            prune(missing)


def new(place: Path) -> Path:
    """The folder to be made in a place of `made_aside`."""
    return place / _NEW


def prune(folders: Iterable[Path]) -> None:
    """Remove folders, innermost first, as far as they are empty."""
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return


def _swap(place: Path, out: Path) -> None:
    old = place / _OLD
    if out.exists():
        out.rename(old)
    try:
        new(place).rename(out)
    except OSError:
        if old.exists():
            old.rename(out)
        raise


def _hold(place: Path) -> list[int]:
    """The handle of its mark, held; none if another process has taken the place for a dead one's: it was empty, or not
    held yet."""
    try:
        handle = os.open(place / _MARK, os.O_CREAT | os.O_RDWR, 0o600)
    except FileNotFoundError:
        return []
    fcntl.flock(handle, fcntl.LOCK_EX)
    if (place / _MARK).exists():
        return [handle]
    os.close(handle)
    return []


def _remove(place: Path) -> None:
    """The mark goes last: as long as anything is there, the next process sees whose it was."""
    for path in place.iterdir() if place.exists() else ():
        if path.name != _MARK:
            shutil.rmtree(path, ignore_errors=True)
    shutil.rmtree(place, ignore_errors=True)


def clear(out: Path) -> None:
    """Remove the places of processes that are dead: a kill leaves one empty before it is marked, and at its end."""
    folder = out.parent
    for place in folder.glob(f".{glob.escape(out.name)}.{'?' * _DRAWN}"):
        with suppress(OSError):
            place.rmdir()
    for mark in folder.glob(f".*/{_MARK}"):
        with suppress(OSError), mark.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            name, old = mark.parent.name[1:].rpartition(".")[0], mark.parent / _OLD
            if old.exists() and not (folder / name).exists():
                old.rename(folder / name)
            _remove(mark.parent)
