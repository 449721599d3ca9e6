"""The one way training ends early by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.engines.base import NotFinite


class Diverged(Exception):
    """Something that must be finite is not; says what. Nothing is learnt from it."""


@contextmanager
def diverging(what: str) -> Iterator[None]:
    """Around whatever samples from a model that training has moved. Logits which are not finite are no broken
    instrument there, but what training has come to.

    Args:
        what: samples.
    Raises: Diverged in the place of NotFinite.
    """
    try:
        yield
    except NotFinite as error:
        raise Diverged(f"the logits of {what} are not finite") from error
