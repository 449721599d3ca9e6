"""A folder held by one process at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from harness.base.errors import UserError, naming, of_system

LOCK = ".lock"


@contextmanager
def locked(folder: Path, what: str = "run", wait: float = 0.0) -> Iterator[None]:
    """Hold a folder for this process. The system lets go of it when the process ends, however it ends.

    Among machines that share the folder, too, if their storage has file locks: NFS does, since Linux 2.6.12.

    Args:
        wait: seconds to wait for another process to let go.
    Raises: UserError naming the process that holds it, or if the storage has no locks.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise of_system(error) or UserError(f"{folder} cannot be made: {error.strerror}.") from None
    with (folder / LOCK).open("a+", encoding="utf-8") as file:
        deadline = time.monotonic() + wait
        while not _lock(file):
            if time.monotonic() >= deadline:
                raise UserError(f"{folder} is in use by another {what}, {_holder(file)}.")
            time.sleep(0.05)
        _rewrite(file, f"{os.getpid()} {platform.node()}")
        try:
            yield
        finally:
            _rewrite(file, "")


def _lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
            raise
        raise UserError(
            f"{file.name} cannot be locked: {error.strerror}. Run folders must be on storage with file locks "
            "(NFS 4; Lustre mounted with `flock`)."
        ) from None
    return True


def _holder(file: IO[str]) -> str:
    file.seek(0)
    pid, _, node = file.read().partition(" ")
    if not pid:
        return "which has just begun. Try again"
    there = "" if node == platform.node() else f" on {node}"
    return f"process {pid}{there}. Wait for it, or stop it{' there' if there else ''} with `kill {pid}`"


def _rewrite(file: IO[str], text: str) -> None:
    with naming(Path(file.name)):
        file.truncate(0)
        left = text.encode()
        while left:  # by hand: what a buffer could not write it would try again, and fail without a name, at the end
            left = left[os.write(file.fileno(), left) :]
