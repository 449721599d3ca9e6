"""Columns of a table that somebody says are named for arms: `--column 'correct={arm}_correct'`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from harness.importing.shapes.paths import written

ARM = "{arm}"
_MODELS = "models"
"""the key under which they are put"""


def patterns(asked: Mapping[str, str]) -> dict[str, str]:
    """Of the columns that a command names those that stand for one of each arm: role -> name with `{arm}`."""
    return {role: name for role, name in asked.items() if ARM in name and "." not in name and name != ARM}


def rewritten(asked: Mapping[str, str], made: Mapping[str, str]) -> dict[str, str]:
    """The columns that a command names, where they are once rows are regrouped.

    Args:
        made: as of `patterns`.
    """
    return {role: written((_MODELS, ARM, role)) if role in made else name for role, name in asked.items()}


def by_arm(columns: Iterable[str], made: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Arm -> column -> role, of the arms that have every role; empty for fewer than two arms."""
    found: dict[str, dict[str, str]] = {}
    for name in columns:
        for role, pattern in made.items():
            start, _, end = pattern.partition(ARM)
            if match := re.fullmatch(f"{re.escape(start)}(.+){re.escape(end)}", name):
                found.setdefault(match[1], {})[name] = role
    arms = {arm: roles for arm, roles in found.items() if len(roles) == len(made)}
    return arms if len(arms) > 1 else {}


def pattern_of(names: Sequence[str]) -> str:
    """What columns that are named for arms have in common, with `{arm}` in place of what differs; empty if nothing."""
    words = [re.split(r"(?<=_)|(?=_)", name) for name in names]
    if len({len(one) for one in words}) > 1 or any("." in name or "[" in name for name in names):
        return ""
    differ = [place for place, parts in enumerate(zip(*words, strict=True)) if len(set(parts)) > 1]
    if len(differ) != 1 or len(words[0]) == 1:
        return ""
    return "".join(ARM if place == differ[0] else part for place, part in enumerate(words[0]))
