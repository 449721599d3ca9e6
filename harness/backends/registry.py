"""The backends there are, as the rooms above use them; the table is in `harness/base/registry.py`, below `config`."""

from __future__ import annotations

from harness.backends.base import Backend
from harness.base.registry import BACKENDS


def get_backend(name: str) -> Backend:
    """Imports that one, and nothing heavy. Raises: UserError for a name that is not in the list; PluginError."""
    return BACKENDS.get(name)
