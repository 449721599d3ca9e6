"""`--accept REASON`: lets a named mismatch or a broken seal through, and the reason is printed with the result."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.base.errors import UserError


def _with_words(reason: str | None) -> str | None:
    if reason is not None and not reason.strip():
        raise UserError("`--accept` needs a reason, in words: it is printed with the result.")
    return reason


Accept = Annotated[
    str | None,
    typer.Option(
        "--accept",
        metavar="REASON",
        help="Let a mismatch or a broken seal through, for this reason; it is printed with the result.",
        callback=_with_words,
        show_default=False,
    ),
]
AllowUnmatched = Annotated[bool, typer.Option("--allow-unmatched", hidden=True)]
"""of older versions: `--accept` without a reason"""


def given(accept: str | None, allow_unmatched: bool) -> str | None:
    """The reason, if there is one."""
    from reports.data.checked import NOT_GIVEN

    return accept if accept is not None else NOT_GIVEN if allow_unmatched else None
