"""Errors that a user can mend: one to three lines, and an exit code. A traceback is a bug."""

from __future__ import annotations

import difflib
import errno
import importlib.util
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

OK, FAILED, USAGE, INCOMPLETE, INTERRUPTED = 0, 1, 2, 3, 130
_MOST_NAMED = 60
"""names in a message"""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_BROKEN = tuple(
    getattr(errno, name)
    for name in ("EIO", "EREMOTEIO", "ENXIO", "ENODEV", "ESTALE", "EUCLEAN")
    if hasattr(errno, name)  # not every system has them all
)
"""a disk that fails, is gone, or whose file system is damaged; a server of files that has lost ours"""
_NUMBER = re.compile(r"\((?:os error|errno) (\d+)\)|\[errno (\d+)\]|\[Errno (\d+)\]")
"""how libraries in Rust and C++ name the error of the system that they met"""


class UserError(Exception):
    """What is wrong, where, what is allowed or the nearest match, and the next command."""

    def __init__(self, message: str, exit_code: int = USAGE) -> None:
        super().__init__(message)
        self.exit_code = exit_code

    def __reduce__(self) -> tuple[Any, ...]:
        """Between processes as it is: kinds of this error are made of other arguments than its message."""
        return _again, (type(self), self.args, self.__dict__)


def _again(kind: type[UserError], args: tuple[Any, ...], state: dict[str, Any]) -> UserError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


def need(what: str, *packages: str, extra: str = "local") -> None:
    """Raises: UserError with the command that installs what is missing of an extra."""
    missing = [name for name in packages if not _installed(name)]
    if missing:
        names = " and ".join(missing)
        raise UserError(f"{what} needs {names}: pip install 'rence-bench[{extra}]'. `rence doctor` says more.")


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ImportError:
        return False


def nearest(word: str, allowed: Iterable[str]) -> str:
    """` Did you mean `x`?` or a list of what is allowed, to end a message with."""
    names = sorted(allowed)
    more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    return closest(word, names).strip() or f"Allowed: {', '.join(names[:_MOST_NAMED])}{more}."


def closest(word: str, allowed: Iterable[str]) -> str:
    """` Did you mean `x`?`, or nothing if no word is near."""
    close = difflib.get_close_matches(word, sorted(allowed), n=1, cutoff=0.6)
    return f" Did you mean `{close[0]}`?" if close else ""


def of_system(error: Exception) -> UserError | None:
    """What the system refused, a plug-in that cannot be used, or data that is broken or missing, in a user's words;
    None if we are to blame."""
    if isinstance(error, UserError):
        return error
    if not isinstance(error, OSError):
        # A plug-in that cannot be used, which is an ImportError, is no data that are missing.
        return UserError(str(error), USAGE if isinstance(error, ImportError) else INCOMPLETE)
    if error.errno in _FULL:
        return UserError(
            f"no space left to write{_at(error)}. What is written is safe: free some space and run the same again.",
            INCOMPLETE,
        )
    if error.errno is not None and error.errno in _BROKEN:
        return UserError(
            f"the disk does not read or write{_at(error)}: {os.strerror(error.errno)}. What is written is safe: see to "
            "the disk and run the same again.",
            INCOMPLETE,
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG):
        return UserError(f"{error.filename or 'a file'} cannot be read or written: {error.strerror}.")
    return None


def _at(error: OSError) -> str:
    file = error.filename2 or error.filename  # of a renaming the new name: the old one is our own affair
    return f" {file}" if file else ""


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """What the system refuses inside is an OSError that names this file or folder, whatever a library makes of it.

    Raises: OSError.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise
    except Exception as error:
        number = _refused_with(error)
        if number is None:
            raise
        raise OSError(number, os.strerror(number), str(path)) from error


def _refused_with(error: BaseException | None) -> int | None:
    """The number of the system's error that this one comes from, if there is one."""
    while error is not None:
        if isinstance(error, OSError):
            return error.errno
        named = _NUMBER.search(str(error))
        if named:
            return int(next(filter(None, named.groups())))
        error = error.__cause__ or error.__context__
    return None
