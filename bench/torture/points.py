"""The points of a command: what it does to files, listed by tracing an uninterrupted run of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from shim import Call, Kind, Point

_DRAWN = re.compile(r"(^|/)(\.[^/]+\.)[a-z0-9_]{8}(?=/|$)")
"""the name of a folder that `tempfile` made"""
_SITE = (
    (re.compile(r"/(step|attempt|seed)_?\d+"), r"/\1*"),
    (re.compile(r"\.(step)_\d+"), r".\1*"),
    (re.compile(r"/figures/(\.?)[a-z-]+\.svg"), r"/figures/\1*.svg"),
    (re.compile(r"/mini_[a-z]+"), "/mini_*"),
)
FAILURES = (Kind.IO_ERROR, Kind.NO_SPACE, Kind.FULL)
KILLS = (Kind.KILL_BEFORE, Kind.KILL_HALF, Kind.KILL_AFTER)


def listed(calls: Iterable[tuple[Call, str]]) -> list[Point]:
    """Each call with its number among those on its file."""
    seen: Counter[tuple[Call, str]] = Counter()
    found = []
    for call, file in calls:
        key = call, _DRAWN.sub(lambda m: f"{m[1]}{m[2]}{'?' * 8}", file)
        seen[key] += 1
        found.append(Point(*key, seen[key]))
    return found


def site(point: Point) -> tuple[str, str]:
    """Points of a site are made by the same line of the program: numbers and names of what is asked do not matter."""
    file = point.file
    for pattern, word in _SITE:
        file = pattern.sub(word, file)
    return point.call.name.lower(), file


def kinds(call: Call, among: Sequence[Kind]) -> list[Kind]:
    """Half of a call can be made of a write alone."""
    return [kind for kind in among if kind is not Kind.KILL_HALF or call is Call.WRITE]


def every(points: Iterable[Point]) -> Iterator[tuple[Point, Kind]]:
    for point in points:
        for kind in kinds(point.call, (*FAILURES, *KILLS)):
            yield point, kind


def each_site_once(points: Iterable[Point]) -> Iterator[tuple[Point, Kind]]:
    """One failure and one kill for each site, kinds in turn. Of a site's calls the last is taken."""
    last = {site(point): point for point in points}
    for number, point in enumerate(last.values()):
        for among in (kinds(point.call, FAILURES), kinds(point.call, KILLS)):
            yield point, among[number % len(among)]
