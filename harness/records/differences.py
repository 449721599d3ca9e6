"""Where two files of a kind differ, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


def differences(old: Any, new: Any, at: str = "") -> Iterator[str]:
    """Lines such as `recipe.learning_rate: 0.0003 -> 0.001`, leaves only."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys([*old, *new]):
            if key not in ("schema", "lock", "lock_version", "fingerprint"):
                yield from differences(old.get(key), new.get(key), f"{at}.{key}" if at else str(key))
    elif _named(old) and _named(new):
        yield from differences({arm["name"]: arm for arm in old}, {arm["name"]: arm for arm in new}, at)
    elif old != new:
        yield f"{at}: {_short(old)} -> {_short(new)}"


def _named(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, Mapping) and "name" in v for v in value)


def _short(value: Any) -> str:
    if value is None:
        return "(none)"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
