"""`rence import PATH...` without a source: what the files are is found from their content.

peek (first documents of every file) -> shapes (files of one layout, the role of each value) -> whose (arm, seed,
step, benchmark of each file) -> missing (one message, if something is) -> parts -> converting -> FoundRows
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from harness.base.errors import UserError, nearest
from harness.importing.files import opening
from harness.importing.marking import MarkCount, Marker
from harness.importing.names import folder_name
from harness.importing.rows import UNKNOWN, Facts, FoundRows
from harness.importing.shapes import aggregates, known_texts, repeats, saying
from harness.importing.shapes.arm_columns import patterns, rewritten
from harness.importing.shapes.converting import Converter, FileRoles
from harness.importing.shapes.families import FAMILIES
from harness.importing.shapes.family import Family
from harness.importing.shapes.left_arms import of_left_arms
from harness.importing.shapes.missing import (
    Command,
    Missing,
    beside,
    check_answered,
    of_shape,
)
from harness.importing.shapes.no_answers import check_family, check_names, holds_answers, nothing
from harness.importing.shapes.pooled import of_pool
from harness.importing.shapes.recognise import FoundShape, PeekedFile, distinct, peek, shapes
from harness.importing.shapes.reducers import FileTally
from harness.importing.shapes.run_ids import of_run_ids
from harness.importing.shapes.saying import nameless
from harness.importing.shapes.shape_parts import parts
from harness.importing.shapes.told_facts import facts as told_facts
from harness.importing.shapes.told_facts import results_of
from harness.importing.shapes.unclear_paths import of_paths
from harness.importing.shapes.vocabulary import NAMES
from harness.importing.shapes.whose import FileFacts, Whose, typed_names, whose
from harness.importing.sources import ImportSource
from harness.records import DataError

LOOKED_FOR = "file of answers (JSON, JSONL, CSV, Parquet or .eval; plain, .gz or .zst)"


@dataclass(frozen=True)
class AnyOptions:
    """What the command says."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """role -> path"""
    arm: str | None = None
    seed: int | None = None
    benchmark: str | None = None
    above: float | None = None
    filters: Sequence[str] = ()
    metrics: Sequence[str] = ()
    """names of results, of which each file's first counts"""
    latest: bool = False
    common: bool = False
    family: Family | None = None
    """the only one that is looked for; None: any, and files of none"""


@dataclass
class Recognised:
    """What was found, before it is read."""

    shape: FoundShape
    whose: Whose
    files: list[PeekedFile]
    """in the order in which they are read"""
    marker: Marker | None
    notes: list[str]
    unasked: bool = False
    """whether our marker marks because nothing else says what is correct"""
    texts: known_texts.NamesByText | None = None
    """what names the benchmark of each row by the text of its problem"""
    beside: Sequence[PeekedFile] = ()
    """files that hold no answers"""
    filters: Mapping[int, str] = field(default_factory=dict)
    """place of a file in the shape -> the filter whose rows are taken"""


def files_in(folder: Path) -> list[Path]:
    """All that could be read, hidden ones left out. Raises: UserError if all there is are files of other kinds."""
    there = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(p.startswith(".") for p in path.relative_to(folder).parts)
    )
    found = [path for path in there if opening.kind(path)]
    if not found:
        for path in there:
            opening.check_kind(path, LOOKED_FOR)
    return found


def recognise(
    sources: Sequence[ImportSource], asked: AnyOptions, marker: Marker | None, command: Command
) -> Recognised:
    """
    Args:
        marker: marks the answers in any case if `marker` is not None.
    Raises: UserError with all that is missing and a command; DataError for what cannot be read.
    """
    unknown = next((role for role in asked.columns if role not in NAMES), None)
    if unknown is not None:
        raise UserError(f"--column {unknown}: nothing is called so here. {nearest(unknown, NAMES)}")
    for source in sources:
        opening.check_kind(source.path, LOOKED_FOR)
    check_names(sources)
    arms = patterns(asked.columns)
    peeked = [peek(source, (asked.family,) if asked.family else FAMILIES, arms) for source in sources]
    if asked.family:
        check_family(asked.family, peeked)
    told = {results_of(one.source.path, one.family) for one in peeked}
    of_family = [
        one for one in peeked if one.source.path not in told and (asked.family is None or one.family is asked.family)
    ]
    found = shapes(of_family, rewritten(asked.columns, arms), asked.metrics)
    if not found:
        raise DataError(nothing(peeked, command))
    # configurations and summaries lie beside results: the layout with the most answers is taken, the others are noted
    shape = max(found, key=lambda one: len(one.files_of))
    if not holds_answers(shape):
        raise DataError(nothing(peeked, command))
    missing = Missing()
    of_shape(shape, missing, marker is not None)
    facts = _facts(shape, asked)
    arms_by_row = any(len(one.arms) > 1 for one in facts) or "arm" in asked.columns
    made = whose(facts, arms_by_row, typed_names(command.paths), asked.arm)
    notes = [*shape.roles.notes, *beside([one for one in peeked if one.source.path not in told], shape.files)]
    files = repeats.latest(shape.files, made, asked.latest, missing, notes)
    _options(made, asked)
    texts = known_texts.look(shape, made, asked.benchmark, missing)
    notes += of_left_arms(shape, made, missing, asked.arm)
    of_run_ids(shape, made, facts, missing, asked.arm)
    of_paths(made, shape, missing)
    if not arms_by_row and asked.arm is None:
        of_pool(shape, missing)
    filters = repeats.filters(shape, asked.filters, missing)
    missing.check(f"{shape.files[0].source.path} ({shape.name})", command)
    unasked = marker is None and not {"correct", "mark", "num_samples"} & shape.roles.columns.keys()
    marker = Marker() if unasked else marker
    order = sorted(range(len(shape.files)), key=made.order.__getitem__)
    keep = {id(one) for one in files}
    return Recognised(
        shape, made, [shape.files[i] for i in order if id(shape.files[i]) in keep], marker, notes, unasked, texts,
        [one for one in peeked if all(one is not other for other in shape.files)], filters,
    )  # fmt: skip


def _facts(shape: FoundShape, asked: AnyOptions) -> list[FileFacts]:
    """Of each file what its answers say of it."""
    problems = shape.problems()
    by_file: dict[int, list[int]] = defaultdict(list)
    for row, file in enumerate(shape.files_of):
        by_file[file].append(row)

    def said(role: str, rows: list[int]) -> tuple[Any, ...]:
        if role not in shape.roles.columns:
            return ()
        values = shape.values(role)
        return distinct([values[row] for row in rows])

    made = []
    for place, one in enumerate(shape.files):
        rows = by_file[place]
        # what the command says of a file goes before what its rows say
        made.append(
            FileFacts(
                source=one.source,
                problems=frozenset(problems[row] for row in rows),
                arms=said("arm", rows),
                benchmarks=(asked.benchmark,) if asked.benchmark else said("benchmark", rows),
                seeds=said("seed", rows),
                steps=said("step", rows),
                has_samples="sample" in shape.roles.columns,
                told=shape.family.told(one.source.path) if shape.family else {},
            )
        )
    return made


def _options(made: Whose, asked: AnyOptions) -> None:
    """What the command says of all files."""
    if asked.benchmark is not None:
        made.benchmark = [asked.benchmark] * len(made.benchmark)
        made.how["benchmark"] = "as named"
    if asked.seed is not None:
        made.seed = [asked.seed] * len(made.seed)


def read_all(found: Recognised, asked: AnyOptions) -> FoundRows:
    """The answers of all files."""
    shape, made = found.shape, found.whose
    place = {id(one): i for i, one in enumerate(shape.files)}
    names = _arm_names(shape, made)
    converter = Converter(names, asked.common, found.texts)
    facts = [told_facts(one.source.path, shape.family) for one in found.files]
    count = MarkCount()
    tallies: dict[int, FileTally] = {}
    by_problem = bool(shape.family and shape.family.aggregates)

    def rows() -> Iterator[pd.DataFrame]:
        """Part by part; a file is checked as a whole once it is read."""
        for number, one in enumerate(found.files):
            roles = _roles(found, number, place[id(one)], names, asked, facts[number])
            blocks = repeats.Blocks() if roles.nameless else None
            wanted, seen = found.filters.get(place[id(one)]), set[str]()
            for raw in parts(shape, one):
                if wanted is None:
                    repeats.check_one_filter(raw, seen)
                else:
                    raw = raw.only((raw["filter"] == wanted).to_numpy())
                table = converter.rows(raw, roles)
                if not len(table):
                    continue
                if found.marker:
                    table = count.of(found.marker.mark(table))
                # the rows of a problem may be another arm's
                if blocks:
                    blocks.add(table["problem_id"], table["mark"], len(table))
                # what was read of each file, to be compared with what it says of itself
                tallies.setdefault(number, FileTally(by_problem)).add(table)
                yield table
            if blocks:
                blocks.check(str(one.source.path))
        if found.unasked:
            check_answered(count.responses, count.unanswered)

    def told_otherwise() -> Iterator[str]:
        benchmarks = {id(one): made.benchmark[i] for i, one in enumerate(shape.files)}
        return aggregates.differences(shape, found.files, found.beside, benchmarks, tallies)

    def how_read() -> Iterator[str]:
        yield from found.marker.notes(count) if found.marker else ()
        most = converter.most_of_a_problem(len(found.files))
        yield from saying.notes(shape, made, found.marker is not None, most, converter.without)

    def notes() -> list[str]:
        by_text = found.texts.notes() if found.texts else []
        return [*found.notes, *by_text, *how_read(), *told_otherwise()]

    sources = [one.source for one in found.files]
    return FoundRows(rows(), sources, facts, notes)


def _roles(
    found: Recognised, number: int, i: int, names: Mapping[str, str], asked: AnyOptions, facts: Facts
) -> FileRoles:
    """Of one file.

    Args:
        number: its place in the order in which files are read.
        i: its place in the shape.
    """
    shape, made, columns = found.shape, found.whose, found.shape.roles.columns
    arm = made.arm[i]
    return FileRoles(
        place=number,
        arm=None if arm is None else names.get(arm, folder_name(arm)),
        seed=made.seed[i],
        step=made.step[i],
        benchmark=made.benchmark[i],
        grader=saying.grader(shape, shape.files[i], found.filters.get(i)),
        engine=shape.family.engine if shape.family and shape.family.engine else UNKNOWN,
        template=facts.template,
        by_text=shape.roles.by_text,
        above=asked.above if asked.above is not None else 0.0 if shape.roles.two else None,
        inverted=shape.roles.inverted,
        two=shape.roles.two if asked.above is None else (),
        check_texts=not shape.roles.templates and "question" in columns,
        marked=found.marker is None,
        nameless=nameless(shape, made),
    )


def _arm_names(shape: FoundShape, made: Whose) -> dict[str, str]:
    """Names as a folder can have them; of a model's path the end, if that tells all apart."""
    given = [arm for arm in made.arm if arm] or (
        [str(v) for v in distinct(shape.values("arm"))] if "arm" in shape.roles.columns else []
    )
    ends = {name: folder_name(name.rstrip("/").rpartition("/")[2]) for name in dict.fromkeys(given)}
    return ends if len(set(ends.values())) == len(ends) else {name: folder_name(name) for name in ends}
