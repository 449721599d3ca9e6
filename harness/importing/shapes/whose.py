"""Whose answers each file holds: arm, seed, step and benchmark, from its rows, else from its name and folders."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.importing.shapes.naming import NamedPath, Varying, fixed_name, named, named_folders, same_problems, varying
from harness.importing.shapes.vocabulary import name_benchmarks
from harness.importing.sources import ImportSource

_PIECES = ("part", "shard", "chunk", "rank", "piece", "split", "batch", "worker", "gpu", "proc", "process")


@dataclass(frozen=True)
class FileFacts:
    """What is known of one file before its name is looked at."""

    source: ImportSource
    problems: frozenset[Hashable]
    """of the answers that were looked at: text, or id and gold"""
    arms: tuple[str, ...] = ()
    """that its rows or its header name"""
    benchmarks: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    steps: tuple[int, ...] = ()
    has_samples: bool = False
    time: str = ""
    """of the run, as the header says"""
    told: Mapping[str, str] = field(default_factory=dict)
    """by the family's pattern of file names"""


@dataclass
class Whose:
    """What was decided; of every file one entry, None where its rows say it."""

    arm: list[str | None]
    seed: list[int | None]
    step: list[int | None]
    benchmark: list[str | None]
    order: list[tuple[str, str]]
    """by which samples of several files are numbered"""
    stamp: list[str]
    how: dict[str, str] = field(default_factory=dict)
    """role -> where it was found, in words"""
    parts: list[Varying] = field(default_factory=list)
    unclear: list[Varying] = field(default_factory=list)
    """parts of the paths that differ between files of the same problems, beside what tells the arm"""


def whose(files: Sequence[FileFacts], arms_by_row: bool, typed: Sequence[str], arm: str | None = None) -> Whose:
    """
    Args:
        arms_by_row: whether every row names its arm, as of a table with several in one file.
        typed: names of folders in the command, innermost first.
        arm: of all files, as the command says.
    """
    count = len(files)
    paths = _with_told(files, named([one.source.path for one in files]))
    made = Whose([None] * count, [None] * count, [None] * count, [None] * count, [("", "")] * count, [])
    made.stamp = [path.stamp or one.time for path, one in zip(paths, files, strict=True)]
    made.parts = varying(paths)
    problems = [one.problems for one in files]
    beside = _beside(files, paths)
    own = [one.arms[0] if len(one.arms) == 1 else "" for one in files]
    same: list[Varying] = []
    apart: list[Varying] = []
    for part in made.parts:
        others = [other for other in made.parts if other is not part]
        # files that differ in this part alone tell most; where there are none, those that differ in others too
        found = same_problems(part, [*others, *beside], problems)
        found = same_problems(part, beside, problems) if found is None else found
        found = same_problems(part, [], problems) if found is None else found
        # a tool that names its files for benchmarks, and names those in the rows too, names no arms by them
        is_arm = bool(found) and not _of_tool(part, files) and not name_benchmarks(part.values)
        (same if is_arm else apart).append(part)
    if arm is None:
        _arms(made, files, own, arms_by_row, same, [*apart, *beside], problems, paths, typed)
    else:
        made.arm, made.how["arm"] = [arm] * count, "as named"
    _benchmarks(made, files, apart, paths, typed)
    above = _within(files, typed).told.get("seed")
    for i, (one, path) in enumerate(zip(files, paths, strict=True)):
        name = one.source.name
        made.seed[i] = name.seed if name.seed is not None else None if one.seeds else path.told.get("seed", above)
        made.step[i] = name.step if name.step is not None else None if one.steps else path.told.get("step")
        told = path.told.get("sample")
        made.order[i] = (name.sample or ("" if told is None else f"{told:012d}"), str(one.source.path))
    return made


def _of_tool(part: Varying, files: Sequence[FileFacts]) -> bool:
    """Whether files are called after the benchmarks that their rows name."""
    named = [one.told.get("benchmark", "") and " ".join(one.benchmarks) for one in files]
    return part.depth == -1 and all(named) and len(set(zip(part.labels, named, strict=True))) == len(set(named))


def _with_told(files: Sequence[FileFacts], paths: Sequence[NamedPath]) -> list[NamedPath]:
    """With what a family's pattern of file names says instead of their words."""
    made = []
    for one, path in zip(files, paths, strict=True):
        numbers = {
            role: int(word) for role, word in one.told.items() if word.isdigit() and role not in ("benchmark", "arm")
        }
        last = one.told.get("benchmark", "" if one.told else path.parts[-1])
        stamp = one.told.get("time", path.stamp)
        made.append(NamedPath((*path.parts[:-1], last), stamp, {**path.told, **numbers}))
    return made


def _beside(files: Sequence[FileFacts], paths: Sequence[NamedPath]) -> list[Varying]:
    """What tells files apart without a doubt: seeds, steps, samples, stamps, and what patterns and rows say."""
    columns = [
        *([str(path.told.get(role, "")) for path in paths] for role in ("seed", "step", "sample")),
        [str(one.source.name) for one in files],
        [path.stamp for path in paths],
        [one.time for one in files],
        [" ".join(one.benchmarks) for one in files],
        [" ".join(map(str, one.seeds)) for one in files],
        [" ".join(map(str, one.steps)) for one in files],
    ]
    return [Varying(labels, -2) for labels in columns if len(set(labels)) > 1]


def _arms(
    made: Whose,
    files: Sequence[FileFacts],
    own: Sequence[str],
    arms_by_row: bool,
    same: Sequence[Varying],
    others: Sequence[Varying],
    problems: Sequence[frozenset[Hashable]],
    paths: Sequence[NamedPath],
    typed: Sequence[str],
) -> None:
    """The arm of each file: as named, as its rows or header say if they say several, as its folders differ."""
    if any(one.source.name.arm for one in files):
        made.arm, made.how["arm"] = [one.source.name.arm for one in files], "as named"
    elif arms_by_row or len(set(own)) > 1 or (all(own) and not same):
        # what rows say is read row by row: the first of them do not know what the others say
        made.arm = [None if one.arms else label or None for one, label in zip(files, own, strict=True)]
        made.how["arm"] = "the rows" if arms_by_row else "the files"
    elif len(same) == 1:
        made.arm, made.how["arm"] = list(same[0].labels), _where(same[0])
        return
    elif not same:
        name = own[0] or _only_name(files, paths, typed)
        made.arm, made.how["arm"] = [name] * len(files), "the file" if own[0] else "the path"
        return
    told = Varying([label or " ".join(one.arms) for label, one in zip(made.arm, files, strict=True)], -2)
    made.unclear = [part for part in same if same_problems(part, [told, *others], problems)]
    if not made.how:
        made.unclear = list(same)


def _only_name(files: Sequence[FileFacts], paths: Sequence[NamedPath], typed: Sequence[str]) -> str:
    """Of one arm: a folder that all files share, else the file, if its name is of nothing else, else what was typed."""
    of_benchmark = any("benchmark" in one.told for one in files)
    of_tool = {one.told.get("arm", "") for one in files}
    if len(of_tool) == 1 and "" not in of_tool:
        return of_tool.pop()
    own = [NamedPath(path.parts[:-1] or (() if of_benchmark else path.parts)) for path in paths]
    within = [part for part in _within(files, typed).parts if not name_benchmarks([part])]
    return fixed_name(own, (), [*within, *typed]) or "arm"


def _within(files: Sequence[FileFacts], typed: Sequence[str]) -> NamedPath:
    """The folders below what was typed that all files lie in, outermost first."""
    shared = Path(os.path.commonpath([os.path.abspath(one.source.path.parent) for one in files])).parts
    last = max((place for place, part in enumerate(shared) if part in typed), default=len(shared))
    return named_folders(shared[last + 1 :])


def _where(part: Varying) -> str:
    return "file names" if part.depth == -1 else "folder names"


def _benchmarks(
    made: Whose, files: Sequence[FileFacts], apart: Sequence[Varying], paths: Sequence[NamedPath], typed: Sequence[str]
) -> None:
    """The benchmark of each file: as named, as its rows or a pattern of its name say, as its folders differ."""
    if any(one.source.name.benchmark for one in files):
        made.benchmark, made.how["benchmark"] = [one.source.name.benchmark for one in files], "as named"
        return
    if all(one.benchmarks for one in files):
        made.how["benchmark"] = "the rows"
        return
    parts = [part for part in apart if not _are_pieces(part, files)]
    if parts:
        made.benchmark = ["-".join(part.labels[i] for part in parts if part.labels[i]) for i in range(len(files))]
        made.how["benchmark"] = _where(parts[-1])
        return
    told = {one.told.get("benchmark", "") for one in files}
    if len(told) == 1 and "" not in told:
        made.benchmark, made.how["benchmark"] = [*told] * len(files), "file names"
        return
    arms = [arm for arm in made.arm if arm] + [arm for one in files for arm in one.arms]
    beyond = [*typed, *_within(files, typed).parts[::-1]]
    # a folder that is called like a known benchmark says it, wherever it stands
    name = fixed_name(paths, arms, sorted(beyond, key=lambda part: not name_benchmarks([part])))
    made.benchmark, made.how["benchmark"] = [name or None] * len(files), "the path"


def _are_pieces(part: Varying, files: Sequence[FileFacts]) -> bool:
    """Whether files are pieces of one set of problems: numbered, or a file for each problem."""
    numbered = all(
        label.isdigit() or label.rstrip("0123456789").rstrip("_-. ").lower() in _PIECES
        for label in part.values
        if label
    )
    return numbered or (len(part.values) > 2 and all(len(one.problems) <= 1 for one in files))


def typed_names(words: Sequence[str]) -> list[str]:
    """Names of the command's paths, innermost first."""
    parts = [Path(word.rpartition("=")[2]).parts[::-1] for word in words]
    return [part.partition(".")[0] if i == 0 else part for one in parts for i, part in enumerate(one) if _is_name(part)]


def _is_name(part: str) -> bool:
    return part not in ("/", "..", ".") and not set(part) & set("*?{}[")
