"""The points of a command: what it does to files, listed by tracing an uninterrupted run of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from shim import Call, Kind, Point

_DRAWN = (
    (re.compile(r"(^|/)(\.[^/]+\.)[a-z0-9_]{8}(?=/|$)"), r"\1\2" + "?" * 8),
    (re.compile(r"(^|/)\.tmp[A-Za-z0-9]{6}$"), r"\1.tmp" + "?" * 6),
)
"""names that are drawn at random: of `tempfile`, and of safetensors"""
_SITE = (
    (re.compile(r"/(step|attempt|seed)_?\d+"), r"/\1*"),
    (re.compile(r"\.(step)_\d+"), r".\1*"),
    (re.compile(r"/(\.?)mini_[a-z]+"), r"/\1mini_*"),
    (re.compile(r"/rows/\d+\."), "/rows/*."),
    (re.compile(r"\?/(new|run)/[ab](/|$)"), r"?/\1/*\2"),
    (re.compile(r"/step\*/[xy](/|$)"), r"/step*/*\1"),
    (re.compile(r"/report/(figures/)?\..*\.new$"), "/report/.*.new"),
    (re.compile(r"/report/(figures/)?[^.].*"), "/report/*"),
)
_NEW = re.compile(r"(^|/)\.([^/]+)\.new$")
_ALONE = ("attempts.jsonl", "trainer.pt")
"""files that are taken away one by one; all others go with their folder"""
_TOGETHER = (Call.FSYNC, Call.UNLINK, Call.RMDIR)
"""calls that are made for a folder's files one after the other"""
FAILURES = (Kind.IO_ERROR, Kind.NO_SPACE, Kind.FULL)
KILLS = (Kind.KILL_BEFORE, Kind.KILL_HALF, Kind.KILL_AFTER)


def listed(calls: Iterable[tuple[Call, str]]) -> list[Point]:
    """Each call with its number among those on its file."""
    seen: Counter[tuple[Call, str]] = Counter()
    found = []
    for call, file in calls:
        for pattern, word in _DRAWN:
            file = pattern.sub(word, file)
        key = call, file
        seen[key] += 1
        found.append(Point(*key, seen[key]))
    return found


def site(point: Point) -> str:
    """What is done to what: calls that put a file in its place, and those that make a folder, are one site; numbers and
    names of what is asked do not matter."""
    file = point.file
    for pattern, word in _SITE:
        file = pattern.sub(word, file)
    folder, _, name = file.rpartition("/")
    if point.call in _TOGETHER and name not in _ALONE and ".step*.new" in folder:
        file = f"{folder}/*"
    elif point.call in (Call.UNLINK, Call.RMDIR) and name not in _ALONE:
        file = "/".join([*file.split("/")[:3], "**"])
    if point.call in (Call.UNLINK, Call.RMDIR):
        return f"remove {file}"
    if point.call is Call.MKDIR:
        return f"mkdir {file}"
    return "write " + _NEW.sub(r"\1\2", file)


def kinds(call: Call, among: Sequence[Kind]) -> list[Kind]:
    """Half of a call can be made of a write alone."""
    return [kind for kind in among if kind is not Kind.KILL_HALF or call is Call.WRITE]


def every(points: Iterable[Point]) -> Iterator[tuple[Point, Kind]]:
    for point in points:
        for kind in kinds(point.call, (*FAILURES, *KILLS)):
            yield point, kind


def each_site_once(points: Iterable[Point], turn: int = 0) -> Iterator[tuple[Point, Kind]]:
    """Each site at one of its calls with one kind, both in turn.

    Args:
        turn: where to begin; another one tries other calls and kinds.
    """
    sites: dict[str, list[Point]] = {}
    for point in points:
        sites.setdefault(site(point), []).append(point)
    for number, calls in enumerate(sites.values(), turn):
        distinct = list({point.call: point for point in calls}.values())  # the last of each
        point = distinct[number % len(distinct)]
        among = kinds(point.call, (KILLS, FAILURES)[number // len(distinct) % 2])
        yield point, among[number // (2 * len(distinct)) % len(among)]
