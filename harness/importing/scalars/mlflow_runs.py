"""Runs of MLflow: a tracking server, a SQLite store, or a folder mlruns/."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.base.errors import UserError, nearest, need
from harness.importing.scalars import scalar_tables
from harness.importing.scalars.scalar_tables import ScalarTable
from harness.importing.scalars.vocabulary import SYNONYMS, plain
from harness.importing.sources import ImportSource
from harness.records import DataError
from harness.records.origins import ImportedFile

_URI = re.compile(r"(sqlite|postgresql|mysql|mssql|https?|file|databricks)(\+\w+)?:", re.IGNORECASE)
_AT_ONCE = 1000


@dataclass(frozen=True)
class MlflowStore:
    """What a word of the command names."""

    word: str
    uri: str


def store_of(word: str) -> MlflowStore | None:
    """None where the word is no store of MLflow's."""
    if _URI.match(word):
        return MlflowStore(word, word)
    path = Path(word)
    if path.is_file() and path.suffix == ".db":
        return MlflowStore(word, f"sqlite:///{path.absolute()}")
    if path.is_dir() and ((path / "mlflow.db").is_file() and not any(path.glob("*/meta.yaml"))):
        return MlflowStore(word, f"sqlite:///{(path / 'mlflow.db').absolute()}")
    if path.is_dir() and any(path.glob("*/meta.yaml")):
        return MlflowStore(word, path.absolute().as_uri())
    return None


@contextmanager
def _folders_allowed() -> Iterator[None]:
    """MLflow reads its folders of old, `mlruns/`, where this is set; elsewhere it must go on to refuse them."""
    name = "MLFLOW_ALLOW_FILE_STORE"
    before = os.environ.get(name)
    os.environ[name] = before or "true"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]


@_folders_allowed()
def read(store: MlflowStore, experiment: str | None) -> tuple[list[ScalarTable], ImportedFile]:
    """A table for each run, a row for each step and a column for each metric.

    Args:
        experiment: its name; None where there is one alone that has runs.
    Raises: UserError without the package, or for an experiment that is not there; DataError for a store without runs.
    """
    _check_database(store)
    need(f"{store.word} is a store of MLflow's, which", "mlflow", extra="mlflow")
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    try:
        client = MlflowClient(tracking_uri=store.uri)
        known = {one.name: one for one in client.search_experiments()}
        runs = {name: _runs(client, one.experiment_id) for name, one in known.items() if experiment in (None, name)}
    except (MlflowException, OSError) as error:
        said = " ".join(str(error).split())[:200]
        raise DataError(f"{store.word} cannot be read as a store of MLflow's: {said}") from None
    if experiment is not None and experiment not in known:
        raise UserError(f"--experiment {experiment}: {store.word} has no such experiment. {nearest(experiment, known)}")
    runs = {name: found for name, found in runs.items() if found}
    if not runs:
        raise DataError(f"{store.word} holds no finished runs with metrics.")
    if len(runs) > 1:
        raise UserError(f"{store.word} has runs in {len(runs)} experiments: {', '.join(sorted(runs))}. Choose one: "
                        f"--experiment '{min(runs)}'.")  # fmt: skip
    tables = [_table(client, store, run) for run in next(iter(runs.values()))]
    content = json.dumps([table.cells.to_json() for table in tables]).encode()
    return tables, ImportedFile(path=store.word, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def _check_database(store: MlflowStore) -> None:
    """Raises: DataError for an SQLite file that is not MLflow's: MLflow would make its own tables in it."""
    path = Path(store.uri.removeprefix("sqlite:///"))
    if not store.uri.startswith("sqlite:///"):
        return
    if not path.is_file():
        raise DataError(f"{store.word}: there is no file {path}.")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        raise DataError(f"{store.word} cannot be read as an SQLite database: {error}.") from None
    if not {"experiments", "runs", "metrics"} <= tables:
        raise DataError(
            f"{store.word} is an SQLite database, but not MLflow's: it has {', '.join(sorted(tables)) or 'no tables'}. "
            "Of another program's write the table as CSV."
        )


def _runs(client: Any, experiment_id: str) -> list[Any]:
    found: list[Any] = []
    token = None
    while True:
        page = client.search_runs([experiment_id], max_results=_AT_ONCE, page_token=token)
        found += [run for run in page if run.data.metrics]
        token = page.token
        if not token:
            return sorted(found, key=lambda run: (run.info.start_time or 0, run.info.run_id))


def _table(client: Any, store: MlflowStore, run: Any) -> ScalarTable:
    said: dict[str, str] = {**run.data.tags, **run.data.params}
    rows: dict[int, dict[str, Any]] = {}
    for name in run.data.metrics:
        for point in client.get_metric_history(run.info.run_id, name):
            rows.setdefault(point.step, {"step": point.step})[name] = point.value
    name = run.info.run_name or run.info.run_id
    seed = _of_role(said, "seed")
    return scalar_tables.records(
        ImportSource(Path(store.word) / name),
        ((place, rows[step]) for place, step in enumerate(sorted(rows), 1)),
        "MLflow's runs",
        of_one_run=True,
        arm=_of_role(said, "arm") or name,
        arm_first=True,
        seed=int(seed) if seed and seed.isdecimal() else None,
    )


def _of_role(said: Mapping[str, str], role: str) -> str | None:
    """What a tag or a parameter says, by the words that columns have; MLflow's own tags are none of them."""
    own = {plain(name.rpartition(".")[2]): value for name, value in said.items() if not name.startswith("mlflow.")}
    words = [word for word in SYNONYMS[role] if word not in ("model", "model_name", "config")]
    return next((own[word] for word in words if own.get(word)), None)
