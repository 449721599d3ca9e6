"""All of `rence import scores`: from the words of the command to a run folder, or to what it would be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.base.errors import UserError
from harness.importing import sources
from harness.importing.folder import check_free, file_record
from harness.importing.import_plan import ImportComparison
from harness.importing.scalars import checking, mlflow_runs, resolving, scalar_sources, scores_folder
from harness.importing.scalars.checking import CheckedScores
from harness.importing.scalars.resolving import ScalarOptions
from harness.importing.scalars.scalar_tables import ScalarTable
from harness.importing.scalars.scores_folder import ScoresDesign
from harness.records.origins import ImportedFile
from harness.records.seed_scores import Unit


@dataclass(frozen=True)
class ScoresWanted:
    """What the command says."""

    table: ScalarOptions = field(default_factory=ScalarOptions)
    comparison: ImportComparison = field(default_factory=ImportComparison)
    unit: Unit | None = None
    pair_seeds: bool = False
    experiment: str | None = None
    """of MLflow's"""
    clean: bool = False
    dry: bool = False
    """write nothing"""


@dataclass(frozen=True)
class BroughtScores:
    """What was made, or would be."""

    checked: CheckedScores
    design: ScoresDesign


def bring(words: Sequence[str], wanted: ScoresWanted, options: Mapping[str, Any], out: Path) -> BroughtScores:
    """
    Args:
        words: `[ARM[/seedN]=]PATH`, or a store of MLflow's.
        options: that were given and decide what is read, for import.json.
    Raises: UserError or DataError with the place; nothing is written then.
    """
    if not wanted.dry:
        check_free(out, wanted.clean)
    tables, files = _read(words, wanted.experiment)
    found = resolving.resolve(tables, wanted.table)
    checked = checking.check(found, wanted.table, wanted.unit)
    design = scores_folder.design(checked, wanted.comparison, wanted.pair_seeds)
    if not wanted.dry:
        scores_folder.write(checked, design, options, files, out)
    return BroughtScores(checked, design)


def _read(words: Sequence[str], experiment: str | None) -> tuple[list[ScalarTable], list[ImportedFile]]:
    tables: list[ScalarTable] = []
    files: list[ImportedFile] = []
    stores = {word: store for word in words if (store := mlflow_runs.store_of(word))}
    if experiment is not None and not stores:
        raise UserError(f"--experiment {experiment} is of MLflow's runs, and none are named. Leave it out.")
    for store in stores.values():
        more, file = mlflow_runs.read(store, experiment)
        tables += more
        files.append(file)
    rest = [word for word in words if word not in stores]
    if rest:
        found = sources.find(rest, scalar_sources.files_in, scalar_sources.LOOKED_FOR)
        tables += [scalar_sources.read(source) for source in found]
        files += [file_record(source) for source in found]
    return tables, files
