"""Every random draw takes a seed derived from the identity of what is drawn, never from call order."""

from __future__ import annotations

import hashlib
import json


def derive(*identity: str | int) -> int:
    """A 63-bit seed from an identity such as ("sample", seed, epoch, problem_id, sample)."""
    digest = hashlib.sha256(json.dumps(identity, ensure_ascii=False).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
