"""Random numbers by identity: the same comparison of the same plan draws the same numbers, whatever else is drawn."""

from __future__ import annotations

import hashlib

import numpy as np


def generator(*identity: str) -> np.random.Generator:
    """One for each identity, such as the lock of a plan, the two arms and what is drawn for."""
    digest = hashlib.sha256("\0".join(identity).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16]))
