"""The run folder of an import, written whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness.base.errors import UserError
from harness.evaluation import attempts
from harness.importing import evaluations, import_plan
from harness.importing.evaluations import ImportedEvaluation, SplitRows
from harness.importing.import_plan import ImportComparison, ImportDesign
from harness.importing.rows import UNKNOWN, FoundRows
from harness.importing.sources import ImportSource
from harness.importing.versions import versions_of
from harness.records import EvalFolder, EvalRecord, ImportRecord, Plan, RunFolder, to_disk
from harness.records.left_out import sentences
from harness.records.schema import COLUMNS


@dataclass(frozen=True)
class Imported:
    """What was written."""

    plan: Plan
    design: ImportDesign
    record: ImportRecord


def check_free(out: Path, clean: bool) -> None:
    """Raises: UserError if something is there that may not be replaced."""
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
    """Check, arrange and write; what was at `out` is gone only when the new folder is whole."""
    parts = evaluations.split(found, only_common)
    evaluated = parts.evaluated
    versions = versions_of(evaluated)
    arranged = import_plan.arrange(evaluated, wanted.step)
    record = _record(found, source, options, parts, arranged)
    hashes = {"files": [file["sha256"] for file in record.files], "options": record.options}
    files = f"{len(record.files):,} {'file' if len(record.files) == 1 else 'files'}"
    plan = import_plan.plan(out.resolve().name, f"{source}, {files}", arranged, wanted, hashes)
    out.parent.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        _fill(RunFolder(place), plan, arranged, record, versions)
        _move(place, out)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return Imported(plan, arranged, record)


def _fill(
    folder: RunFolder, plan: Plan, arranged: ImportDesign, record: ImportRecord, versions: Mapping[str, str]
) -> None:
    os.chmod(folder.root, 0o777 & ~_umask())
    for one, point in zip(arranged.evaluated, arranged.points, strict=True):
        _evaluation(_place(folder, one), one, point, versions[one.benchmark])
    record.write(folder.imported)
    plan.write(folder.plan)


def _umask() -> int:
    """What `mkdtemp` does not heed, and `mkdir` would."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _place(folder: RunFolder, one: ImportedEvaluation) -> EvalFolder:
    if one.seed is None:
        return folder.start_eval(one.benchmark)
    return folder.trial(one.arm, one.seed).eval(one.step, one.benchmark)


def _evaluation(place: EvalFolder, one: ImportedEvaluation, point: int, version: str) -> None:
    """Header and attempts of one evaluation, on disk when this returns.

    Args:
        point: of the grid.
        version: the hash of the benchmark.
    """
    header = EvalRecord(
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
    )
    header.write(place.header)
    pq.write_table(_table(one), place.attempts, compression="zstd")
    to_disk(place.attempts)


def _table(one: ImportedEvaluation) -> pa.Table:
    """In the schema of an evaluation of ours, where a cell may be empty if the source does not say it."""
    rows, n = one.rows, len(one.rows)
    fixed = {"arm": one.arm, "seed": one.seed, "step": one.step, "benchmark": one.benchmark}
    fixed |= {name: None for name, column in COLUMNS.items() if column.ours}
    if evaluations.unknown_lengths([one]):
        fixed["tokens"] = None
    columns = [
        pa.array([fixed[field.name]] * n, field.type)
        if field.name in fixed
        else pa.array(rows[field.name].to_numpy(dtype=object), field.type, from_pandas=True)
        for field in attempts.schema()
    ]
    schema = pa.schema([field.with_nullable(True) for field in attempts.schema()])
    return pa.Table.from_arrays(columns, schema=schema)


def _record(
    found: FoundRows,
    source: str,
    options: Mapping[str, Any],
    parts: SplitRows,
    arranged: ImportDesign,
) -> ImportRecord:
    evaluated = parts.evaluated
    lengths = evaluations.unknown_lengths(evaluated)
    notes = [*found.notes, *arranged.notes, *(["The number of tokens of an answer is not known."] if lengths else [])]
    notes += [*sentences(parts.left), *parts.notes]
    coarse = [
        name
        for name in evaluations.benchmarks(evaluated)
        if any(one.coarse for one in evaluated if one.benchmark == name)
    ]
    return ImportRecord(source, dict(options), [_file(one) for one in found.sources], coarse, notes, parts.left)


def _file(source: ImportSource) -> dict[str, Any]:
    name = {"arm": source.name.arm, "seed": source.name.seed, "step": source.name.step}
    size = source.path.stat().st_size
    said = {key: value for key, value in name.items() if value is not None}
    return {"path": str(source.path), "bytes": size, "sha256": source.sha256, **said}


def _move(place: Path, out: Path) -> None:
    if not out.exists():
        place.rename(out)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent)) / out.name
    out.rename(aside)
    try:
        place.rename(out)
    except OSError:
        aside.rename(out)
        raise
    finally:
        if out.exists():
            shutil.rmtree(aside.parent, ignore_errors=True)
