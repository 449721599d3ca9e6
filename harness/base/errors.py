"""Errors that a user can mend: one to three lines, and an exit code. A traceback is a bug."""

from __future__ import annotations

import difflib
import errno
import importlib.util
from collections.abc import Iterable

OK, FAILED, USAGE, INCOMPLETE, INTERRUPTED = 0, 1, 2, 3, 130
_MOST_NAMED = 60
"""names in a message"""


class UserError(Exception):
    """What is wrong, where, what is allowed or the nearest match, and the next command."""

    def __init__(self, message: str, exit_code: int = USAGE) -> None:
        super().__init__(message)
        self.exit_code = exit_code


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
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return UserError(
            f"no space left to write{_at(error)}. What is written is safe: free some space and run the same again.",
            INCOMPLETE,
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG):
        return UserError(f"{error.filename or 'a file'} cannot be read or written: {error.strerror}.")
    return None


def _at(error: OSError) -> str:
    return f" {error.filename}" if error.filename else ""
