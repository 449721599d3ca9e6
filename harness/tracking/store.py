"""Which MLflow store, how it is made, and what counts as unavailable."""

from __future__ import annotations

import importlib.util
import os
import re
import tempfile
import textwrap
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

if TYPE_CHECKING:
    from mlflow import MlflowClient

DATABASE = "mlflow.db"
ARTIFACTS = "mlartifacts"
INSTALL = "pip install 'rence-bench[mlflow]'"
LOCK_SECONDS = 180
PING_SECONDS = 3
SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    # by itself MLflow tries for minutes, two minutes each time; a run's mirror shall give up and say so
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
"""of MLflow, unless the user's environment says otherwise"""


class Unavailable(Exception):
    """MLflow is not installed, does not answer, or refuses. One line; a run goes on without it."""


def is_installed() -> bool:
    """Without importing it, which takes seconds."""
    try:
        return importlib.util.find_spec("mlflow") is not None
    except ImportError:
        return False


def store_uri(runs: Path) -> str:
    """`MLFLOW_TRACKING_URI`, or else the SQLite file `mlflow.db` in the folder that holds the run folders."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{(runs.resolve() / DATABASE).as_posix()}"


def sqlite_path(uri: str) -> Path | None:
    """The database file of a SQLite URI, absolute; None for any other store."""
    if not uri.startswith("sqlite:///"):
        return None
    return Path(uri.removeprefix("sqlite:///").split("?")[0]).resolve()


def shown(uri: str) -> str:
    """A URI as people may see it: without user and password."""
    return re.sub(r"//[^/@]*@", "//", uri)


@contextmanager
def speaking_to(uri: str) -> Iterator[None]:
    """Whatever goes wrong between us and MLflow becomes `Unavailable`, in one line."""
    try:
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError
    except ImportError as error:
        raise Unavailable(f"MLflow cannot be imported: {error} ({INSTALL})") from None
    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError, Timeout, ImportError) as error:
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise Unavailable(f"MLflow at {shown(uri)}: {textwrap.shorten(first, 300)}") from None


def connect(uri: str, experiment: str) -> tuple[MlflowClient, str]:
    """A client and the id of the experiment; store and experiment are made if they are missing.

    Raises: Unavailable, within seconds if nothing answers.
    """
    if not is_installed():
        raise Unavailable(f"MLflow is not installed ({INSTALL})")
    ping(uri)
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    database = sqlite_path(uri)
    with speaking_to(uri):
        from mlflow import MlflowClient

        if database:
            database.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{database}.lock", timeout=LOCK_SECONDS) if database else nullcontext():
            if database and not database.exists():
                create(database)
            client = MlflowClient(tracking_uri=uri)
            return client, _experiment_id(client, experiment, database)


def create(database: Path) -> None:
    """A new store, whole or not at all: made aside and renamed, for MLflow cannot mend one that was cut off.

    The caller holds the lock: MLflow's own migrations fail when several processes run them at once.
    """
    from mlflow import MlflowClient

    with tempfile.TemporaryDirectory(prefix=".mlflow-", dir=database.parent) as folder:
        new = Path(folder) / database.name
        MlflowClient(tracking_uri=f"sqlite:///{new.as_posix()}").search_experiments(max_results=1)
        new.replace(database)


def ping(uri: str) -> None:
    """Raises: Unavailable if nothing listens at an http store. Any answer will do, a refusal to log in included."""
    if not uri.startswith(("http://", "https://")):
        return
    try:
        urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=PING_SECONDS).close()
    except urllib.error.HTTPError:
        return
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise Unavailable(f"MLflow at {shown(uri)} does not answer ({reason})") from None


def _experiment_id(client: MlflowClient, name: str, database: Path | None) -> str:
    from mlflow.exceptions import MlflowException

    if found := client.get_experiment_by_name(name):
        if found.lifecycle_stage != "active":
            raise MlflowException(f"experiment `{name}` was deleted there; restore it, or rename yours.")
        return found.experiment_id
    artifacts = (database.parent / ARTIFACTS / name).as_uri() if database else None
    try:
        return client.create_experiment(name, artifact_location=artifacts)
    except MlflowException:
        if found := client.get_experiment_by_name(name):  # another process was faster
            return found.experiment_id
        raise
