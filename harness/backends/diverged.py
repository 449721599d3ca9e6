"""The one way training ends early by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.engines.base import NotFinite


class Diverged(Exception):
    """Something that must be finite is not; says what. Nothing is learnt from it."""


@contextmanager
def diverging() -> Iterator[None]:
    """Around the evaluation of a model in training. An engine that finds logits which are not finite is no broken
    instrument there, but what training has come to.

    Raises: Diverged in the place of NotFinite.
    """
    try:
        yield
    except NotFinite as error:
        raise Diverged(f"evaluation: {str(error).partition(', so')[0]}") from error
