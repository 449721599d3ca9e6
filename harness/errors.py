"""Errors that a user can mend: one to three lines, and an exit code. A traceback is a bug."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

OK, FAILED, USAGE, INCOMPLETE, INTERRUPTED = 0, 1, 2, 3, 130


class UserError(Exception):
    """What is wrong, where, what is allowed or the nearest match, and the next command."""

    def __init__(self, message: str, exit_code: int = USAGE) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def nearest(word: str, allowed: Iterable[str]) -> str:
    """` Did you mean `x`?` or a list of what is allowed, to end a message with."""
    names = sorted(allowed)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    return f"Did you mean `{close[0]}`?" if close else f"Allowed: {', '.join(names)}."
