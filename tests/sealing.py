"""A baseline that a test has changed by hand, sealed as if it had been written so."""

from __future__ import annotations

import yaml

from reports.gate.baseline import seal_of


def sealed_anew(text: str) -> str:
    """With the `seal` that follows from it."""
    body = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("seal: "))
    return f"{body.rstrip()}\nseal: {seal_of(yaml.safe_load(body))}\n"
