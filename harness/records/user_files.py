"""Files that somebody else made. What is no regular file is refused before it is opened, for a FIFO waits and a device
never ends; what is too large before it is read, where it is read whole."""

from __future__ import annotations

import errno
import stat
from pathlib import Path

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO, which ends when its writer does",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def mistake(path: Path, most_bytes: int | None = None) -> str | None:
    """What keeps a file from being read, to follow its name: `is a folder, but must be a regular file`; None if nothing
    does. Opens nothing.

    Args:
        most_bytes: that it may have; None: any number.
    """
    try:
        found = path.stat()
    except ValueError:
        return "cannot be the name of a file"
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "is a symbolic link that leads back to itself"
        if error.errno not in (errno.ENOENT, errno.ENOTDIR):
            return f"cannot be read: {error.strerror}"
        return "is a symbolic link to nothing" if path.is_symlink() else "does not exist"
    if not stat.S_ISREG(found.st_mode):
        return f"is {_KINDS.get(stat.S_IFMT(found.st_mode), 'no file')}, but must be a regular file"
    if most_bytes is not None and found.st_size > most_bytes:
        return f"has {found.st_size:,} bytes, but at most {most_bytes:,} are read"
    return None


def text_of(path: Path, most_bytes: int) -> str:
    """A file whole, in UTF-8.

    Raises: ValueError, one line that begins with the path.
    """
    content = bytes_of(path, most_bytes)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8: {error.reason} at byte {error.start}.") from None


def bytes_of(path: Path, most_bytes: int) -> bytes:
    """A file whole. Raises: as `text_of`."""
    if wrong := mistake(path, most_bytes):
        raise ValueError(f"{path} {wrong}.")
    try:
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)  # it may have grown, and /proc says of its files that they are empty
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}.") from None
    if len(content) > most_bytes:
        raise ValueError(f"{path} has more than {most_bytes:,} bytes, but at most that are read.")
    return content
