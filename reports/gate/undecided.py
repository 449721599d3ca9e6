"""A gate that cannot be decided yet. Here alone, so that `reports` can name it without loading anything."""

from harness.records import DataError


class NotDecided(DataError):
    """The next look needs problems that are not answered yet. Ends a command with exit code 3."""
