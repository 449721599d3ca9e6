"""What names of files and folders tell: stamps, seeds, steps and samples by their words, arms and benchmarks by what
varies.

Whether a part that varies names arms or benchmarks, its own words do not tell. The problems do: files of two arms have
the same problems, files of two benchmarks or of two pieces have none in common. So nothing here depends on how somebody
called a folder.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from harness.importing.files import opening

_BOUND = r"(?:(?<=^)|(?<=[^A-Za-z0-9]))"
_STAMP = re.compile(
    r"(?<!\d)\d{4}-\d\d-\d\d(?:[T_ ]\d\d[-:]\d\d(?:[-:]\d\d(?:\.\d+)?)?(?:[+-]\d\d[-:]?\d\d|Z)?)?(?!\d)"
    r"|(?<!\d)20\d{6}[-_T]?\d{4,6}(?!\d)|(?<!\d)20\d{6}(?!\d)"
)
_WORDS = {
    "seed": re.compile(_BOUND + r"(?:seed|s)[-_=]?(\d+)(?![A-Za-z0-9])", re.IGNORECASE),
    "step": re.compile(
        _BOUND + r"(?:global_step|step|checkpoint|ckpt|iter(?:ation)?)[-_=]?(\d+)(?![A-Za-z0-9])", re.IGNORECASE
    ),
    "sample": re.compile(
        _BOUND + r"(?:rs|sample|gen|attempt|rollout|repeat|trial|try|pass|epoch|run)[-_=]?(\d+)(?![A-Za-z0-9])",
        re.IGNORECASE,
    ),
}
_PLAIN = {
    "results", "result", "outputs", "output", "samples", "sample", "reviews", "rollout", "rollouts", "eval", "evals",
    "evaluation", "logs", "log", "details", "data", "predictions", "generations", "main", "default", "completions",
    "attempts", "answers", "scores", "run", "runs", "test", "train", "validation", "val", "out", "tmp", "responses",
}  # fmt: skip
"""words of folders and files that name no benchmark"""
_EDGES = " _-.=+,:"


@dataclass(frozen=True)
class NamedPath:
    """One file's place in words."""

    parts: tuple[str, ...]
    """folders below what all files share, and the file, each without what is told below"""
    stamp: str = ""
    told: Mapping[str, int] = field(default_factory=dict)
    """seed, step and sample"""


def named(paths: Sequence[Path]) -> list[NamedPath]:
    """What each path tells, in their order."""
    absolute = [Path(os.path.abspath(path)) for path in paths]
    shared = Path(os.path.commonpath([str(path.parent) for path in absolute])) if paths else Path()
    return [_named((*path.relative_to(shared).parent.parts, opening.stem(path))) for path in absolute]


def named_folders(parts: Sequence[str]) -> NamedPath:
    """What folders tell that all files lie in."""
    return _named(parts)


def _named(parts: Sequence[str]) -> NamedPath:
    stamps: list[str] = []
    told: dict[str, int] = {}
    left = []
    for part in parts:
        stamps += [found.group() for found in _STAMP.finditer(part)]
        rest = _STAMP.sub("", part)
        for role, pattern in _WORDS.items():
            if (found := pattern.search(rest)) and role not in told:
                told[role] = int(found[1])
                rest = rest[: found.start()] + rest[found.end() :]
        left.append(re.sub(r"([_-])[_-]+", r"\1", rest).strip(_EDGES))
    return NamedPath(tuple(left), "".join(stamps), told)


@dataclass
class Varying:
    """A part of the paths that differs between files."""

    labels: list[str]
    """of each file"""
    depth: int
    """place among the parts; -1: the file's own name"""

    @property
    def values(self) -> list[str]:
        return list(dict.fromkeys(self.labels))


def varying(paths: Sequence[NamedPath]) -> list[Varying]:
    """The parts that differ, outermost first; of those that differ together the one with the shortest names."""
    deepest = max((len(path.parts) for path in paths), default=1)
    found: dict[tuple[int, ...], Varying] = {}
    for depth in [*range(deepest - 1), -1]:
        labels = [_part(path.parts, depth) for path in paths]
        distinct = list(dict.fromkeys(labels))
        if len(distinct) < 2:
            continue
        partition = tuple(distinct.index(label) for label in labels)
        made = Varying(_short(labels), depth)
        before = found.get(partition)
        if before is None or sum(map(len, made.values)) < sum(map(len, before.values)):
            found[partition] = made
    return list(found.values())


def _part(parts: tuple[str, ...], depth: int) -> str:
    return parts[-1] if depth == -1 else parts[depth] if depth < len(parts) - 1 else ""


def _short(labels: list[str]) -> list[str]:
    """Without what all begin or end with, cut between words; unchanged if that would leave nothing of one."""
    distinct = list(dict.fromkeys(labels))
    words = [re.split(r"(?<=[_\-. =,:])|(?=[_\-. =,:])", label) for label in distinct]
    first, last = _shared(words), _shared([one[::-1] for one in words])
    short = {
        label: "".join(one[first : len(one) - last]).strip(_EDGES) for label, one in zip(distinct, words, strict=True)
    }
    fine = all(short.values()) and len(set(short.values())) == len(distinct)
    return [short[label] if fine else label for label in labels]


def _shared(words: Sequence[Sequence[str]]) -> int:
    """With how many words all begin alike."""
    count = 0
    while all(len(one) > count for one in words) and len({one[count] for one in words}) == 1:
        count += 1
    return count


def names_nothing(part: str) -> bool:
    """Whether it has no word but those that every tool uses."""
    return set(re.split(r"[_\-. ]+", part.strip(_EDGES).lower())) <= _PLAIN


def same_problems(one: Varying, others: Sequence[Varying], problems: Sequence[frozenset[Hashable]]) -> bool | None:
    """Whether files that differ in one part alone were asked the same problems; None if there are no such files.

    Args:
        others: parts that must be the same, and what the files tell beside.
        problems: of each file.
    """
    groups: dict[tuple[str, ...], dict[str, set[Hashable]]] = defaultdict(dict)
    for i, label in enumerate(one.labels):
        key = tuple(other.labels[i] for other in others)
        groups[key].setdefault(label, set()).update(problems[i])
    pairs = [pair for found in groups.values() for pair in combinations(list(found.values())[:40], 2)]
    if not pairs:
        return None
    shared = sum(len(a & b) > 0.05 * min(len(a), len(b)) for a, b in pairs)
    return shared > len(pairs) / 2


def fixed_name(paths: Sequence[NamedPath], arms: Sequence[str], beyond: Sequence[str]) -> str:
    """What may name the one benchmark of all files: a folder or file name that all share and that says something.

    Args:
        arms: names that are taken.
        beyond: folders above what all files share, innermost first.
    """
    taken = {arm.lower() for arm in arms}
    parts = [set(path.parts) for path in paths]
    shared = [part for part in paths[0].parts[::-1] if all(part in one for one in parts)]
    for part in [*shared, *beyond]:
        rest = _STAMP.sub("", part).strip(_EDGES)
        for arm in sorted(taken, key=len, reverse=True):
            rest = re.sub(rf"(?i)(?:^|[_\-.]){re.escape(arm)}(?=$|[_\-.])", "", rest).strip(_EDGES)
        if rest and not rest.isdigit() and not names_nothing(rest):
            return rest
    return ""
