"""The run folder of an import, written whole or not at all."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness.base import aside
from harness.base.aside import prune
from harness.base.errors import UserError, naming
from harness.evaluation import attempts
from harness.importing import evaluations, import_plan
from harness.importing.evaluations import ImportedEvaluation, SplitRows
from harness.importing.import_plan import ImportComparison, ImportDesign
from harness.importing.marking import Marker
from harness.importing.rows import UNKNOWN, FoundRows
from harness.importing.sources import ImportSource
from harness.importing.spool import Spool
from harness.importing.versions import versions_of
from harness.records import EvalFolder, EvalRecord, ImportRecord, Plan, RunFolder, to_disk
from harness.records.files import real_path
from harness.records.left_out import sentences
from harness.records.origins import ImportedFile
from harness.records.schema import COLUMNS
from harness.records.seals import file_hash, seal

ROWS = 1 << 16
"""of an evaluation, that are put into the file's types and written at once"""


@dataclass(frozen=True)
class Imported:
    """What was written."""

    plan: Plan
    design: ImportDesign
    record: ImportRecord


def check_free(out: Path, clean: bool) -> None:
    """Raises: UserError if something is there that may not be replaced."""
    aside.clear(out)  # which may give back what is there
    if not out.exists():
        return
    ours = RunFolder(out).imported.exists()
    if not ours:
        raise UserError(f"{out} exists and was not imported by rence. Choose another --out.")
    if not clean:
        raise UserError(f"{out} exists. --clean replaces it, its report included; or choose another --out.")


def write(
    found: FoundRows,
    source: str,
    options: Mapping[str, Any],
    wanted: ImportComparison,
    out: Path,
    only_common: bool = False,
) -> Imported:
    """Read, check, arrange and write; what was at `out` is gone only when the new folder is whole.

    Rows go to disk as they are read, evaluations to their files one by one: what is held in memory are a part of a
    source and the largest evaluation.
    """
    # aside, so that whoever ends us leaves nothing behind
    with aside.made_aside(out) as place:
        folder, rows = RunFolder(aside.new(place)), place / "rows"
        folder.root.mkdir()
        split = evaluations.split(found, Spool(rows), functools.partial(_attempts, folder), only_common)
        evaluated = split.evaluated
        versions = versions_of(evaluated)
        arranged = import_plan.arrange(evaluated, wanted.step)
        record = _record(found, source, options, split, arranged)
        files = f"{len(record.files):,} {'file' if len(record.files) == 1 else 'files'}"
        record.write(folder.imported)
        said = f"{source}, {files}"
        plan = import_plan.plan(real_path(out).name, said, arranged, wanted, record, file_hash(folder.imported))
        _leave_out(folder, evaluated, arranged)
        for one, point in zip(arranged.evaluated, arranged.points, strict=True):
            _header(one, point, versions[one.benchmark]).write(_folder(folder, one).header)
        plan.write(folder.plan)
        for one in arranged.evaluated:
            seal(_folder(folder, one))
    return Imported(plan, arranged, record)


def _leave_out(folder: RunFolder, evaluated: Sequence[ImportedEvaluation], arranged: ImportDesign) -> None:
    """Without evaluations that are past the point of comparison."""
    kept = {id(one) for one in arranged.evaluated}
    for one in evaluated:
        if id(one) not in kept:
            place = _folder(folder, one).root
            shutil.rmtree(place)
            prune(parent for parent in place.parents if folder.root in parent.parents)


def _folder(folder: RunFolder, one: ImportedEvaluation) -> EvalFolder:
    if one.seed is None:
        return folder.start_eval(one.benchmark)
    return folder.trial(one.arm, one.seed).eval(one.step, one.benchmark)


def _attempts(folder: RunFolder, one: ImportedEvaluation, rows: pa.Table) -> None:
    """The attempts of one evaluation, on disk when this returns."""
    place = _folder(folder, one).attempts
    place.parent.mkdir(parents=True, exist_ok=True)
    schema = pa.schema([field.with_nullable(True) for field in attempts.schema()])
    with naming(place), pq.ParquetWriter(place, schema, compression="zstd") as file:
        for begin in range(0, rows.num_rows, ROWS):
            file.write_table(_table(one, rows.slice(begin, ROWS), schema))
    to_disk(place)


def _header(one: ImportedEvaluation, point: int, version: str) -> EvalRecord:
    """
    Args:
        point: of the grid.
        version: the hash of the benchmark.
    """
    return EvalRecord(
        arm=one.arm,
        seed=one.seed,
        step=one.step,
        rollouts=0,
        grid=point,
        benchmark=one.benchmark,
        benchmark_hash=version,
        problems=one.problems,
        k=one.k,
        model_hash=UNKNOWN,
        template=one.template,
        engine=one.engine,
        engine_version=one.facts.engine_version,
        grader_version=one.grader_version,
        sampling=dict(one.facts.sampling),
        limit=one.facts.limit,
        second_marker=one.measured.has_second,
        readings=Marker().version if one.measured.has_readings else "",
    )


def _table(one: ImportedEvaluation, rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """In the schema of an evaluation of ours, where a cell may be empty if the source does not say it."""
    fixed = {"arm": one.arm, "seed": one.seed, "step": one.step, "benchmark": one.benchmark}
    fixed |= {name: None for name, column in COLUMNS.items() if column.ours}
    if evaluations.unknown_lengths([one]):
        fixed["tokens"] = None
    columns = [
        pa.repeat(pa.scalar(fixed[field.name], field.type), rows.num_rows)
        if field.name in fixed
        else rows[field.name].combine_chunks().cast(field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _record(
    found: FoundRows,
    source: str,
    options: Mapping[str, Any],
    split: SplitRows,
    arranged: ImportDesign,
) -> ImportRecord:
    evaluated = split.evaluated
    lengths = evaluations.unknown_lengths(evaluated)
    notes = [*found.notes(), *arranged.notes, *(["The number of tokens of an answer is not known."] if lengths else [])]
    notes += [*sentences(split.left), *split.notes]
    coarse = [
        name
        for name in evaluations.benchmarks(evaluated)
        if any(one.coarse for one in evaluated if one.benchmark == name)
    ]
    return ImportRecord(
        source, dict(options), [file_record(one) for one in found.sources], coarse, notes, list(split.left)
    )


def file_record(source: ImportSource) -> ImportedFile:
    """A file that was read, with what the command said of it."""
    name, size = source.name, source.path.stat().st_size
    found = ImportedFile(path=str(source.path), bytes=size, sha256=source.sha256)
    if name.arm is not None:
        found["arm"] = name.arm
    if name.seed is not None:
        found["seed"] = name.seed
    if name.step is not None:
        found["step"] = name.step
    return found
