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


def site(point: Point) -> tuple[str, str]:
    """Points of a site are made by the same line of the program: numbers and names of what is asked do not matter."""
    file = point.file
    for pattern, word in _SITE:
        file = pattern.sub(word, file)
    folder, _, name = file.rpartition("/")
    if point.call in _TOGETHER and name not in _ALONE and ".step*.new" in folder:
        file = f"{folder}/*"
    elif point.call in (Call.UNLINK, Call.RMDIR) and name not in _ALONE:
        file = "/".join([*file.split("/")[:3], "**"])
    return point.call.name.lower(), file


def kinds(call: Call, among: Sequence[Kind]) -> list[Kind]:
    """Half of a call can be made of a write alone."""
    return [kind for kind in among if kind is not Kind.KILL_HALF or call is Call.WRITE]


def every(points: Iterable[Point]) -> Iterator[tuple[Point, Kind]]:
    for point in points:
        for kind in kinds(point.call, (*FAILURES, *KILLS)):
            yield point, kind


def each_site_once(points: Iterable[Point]) -> Iterator[tuple[Point, Kind]]:
    """Each site with one kind, a failure and a kill in turn. Of a site's calls the last is taken."""
    last = {site(point): point for point in points}
    for number, point in enumerate(last.values()):
        among = kinds(point.call, (KILLS, FAILURES)[number % 2])
        yield point, among[number // 2 % len(among)]
