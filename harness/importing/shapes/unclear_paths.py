"""Files whose names and folders leave open whose answers they hold: what is said, and a path that settles it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.importing.shapes.missing import Missing
from harness.importing.shapes.naming import names_nothing
from harness.importing.shapes.recognise import FoundShape
from harness.importing.shapes.whose import Whose


def of_paths(found: Whose, shape: FoundShape, missing: Missing) -> None:
    """Whose answers files hold, where their names leave it open."""
    if found.unclear:
        parts = " and ".join(
            f"{_kind(part.depth)} ({', '.join(part.values[:3])}{', ...' if len(part.values) > 3 else ''})"
            for part in found.unclear
        )
        missing.reasons.append(
            f"files of the same problems differ in {parts}, so which of these are arms, samples or "
            "benchmarks is not known."
        )
        second = "{benchmark}" if "sample" in shape.roles.columns else "{sample}"
        missing.paths = [pattern(found, [str(one.source.path) for one in shape.files], second)]
    by_text = found.how.get("benchmark") == "the texts"
    if not by_text and any(name is None for name in found.benchmark) and "benchmark" not in shape.roles.columns:
        missing.add("nothing names the benchmark.", "--benchmark", "NAME")


def _kind(depth: int) -> str:
    return "the files' names" if depth == -1 else "a folder"


def pattern(found: Whose, paths: Sequence[str], second: str) -> str:
    """A path with `{arm}` for the outermost part that varies, and for the next what it may be.

    Args:
        second: `{sample}`, or where rows number their samples `{benchmark}`.
    """
    split = [path.split("/") for path in paths]
    longest = max(split, key=len)
    same = [one for one in split if len(one) == len(longest)]
    made = []
    for place, part in enumerate(longest):
        distinct = {one[place] for one in same}
        made.append(part if len(distinct) == 1 else "{}")
    varying = [place for place, part in enumerate(made) if part == "{}"]
    for number, place in enumerate(varying):
        last = place == len(made) - 1
        ending = "." + longest[-1].partition(".")[2] if last and "." in longest[-1] else ""
        word = "{arm}" if number == 0 else second if number == 1 else "*"
        if last and number == 1 and second == "{sample}":
            word = _numbered([one[-1].partition(".")[0] for one in same]) or word
        made[place] = word + ending
    return "/".join(made)


def _numbered(stems: Sequence[str]) -> str:
    """What names of files say that end in a number, as `gsm8k_0` and `gsm8k_1` do; empty for others."""
    found = [re.fullmatch(r"(?P<name>.*[A-Za-z].*)(?P<bound>[_-])\d+", stem) for stem in stems]
    names = [one["name"] for one in found if one]
    bounds = {one["bound"] for one in found if one}
    if len(names) < len(stems) or len(bounds) > 1 or len(set(stems)) == len(set(names)):
        return ""
    plain = len(set(names)) == 1 and names_nothing(names[0])
    return f"{names[0] if plain else '{benchmark}'}{bounds.pop()}{{sample}}"
