"""Which MLflow store, how it is made, and what counts as unavailable."""

from __future__ import annotations

import importlib.util
import logging
import os
import ssl
import tempfile
import textwrap
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from harness.records import DataError
from harness.records.files import real_path
from harness.tracking.address import is_web, parts, scrubbed, shown, sqlite_path

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
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",
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
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{(real_path(runs) / DATABASE).as_posix()}"


@contextmanager
def speaking_to(uri: str) -> Iterator[None]:
    """Whatever goes wrong between us and MLflow becomes `Unavailable`, in one line without secrets. A server may answer
    anything, and MLflow's client may raise anything on it; a DataError is of our own files."""
    try:
        yield
    except (Unavailable, DataError):
        raise
    except ImportError as error:
        raise Unavailable(f"MLflow cannot be imported: {scrubbed(str(error), uri)} ({INSTALL})") from None
    except Exception as error:
        first = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        raise Unavailable(f"MLflow at {shown(uri)}: {textwrap.shorten(scrubbed(first, uri), 300)}") from None


def connect(uri: str, experiment: str) -> tuple[MlflowClient, str]:
    """A client and the id of the experiment; store and experiment are made if they are missing.

    Raises: Unavailable, within seconds if nothing answers.
    """
    if not is_installed():
        raise Unavailable(f"MLflow is not installed ({INSTALL})")
    ping(uri)
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    logging.getLogger("urllib3").addHandler(logging.NullHandler())  # whose warnings else go to stderr
    database = sqlite_path(uri)
    with speaking_to(uri):
        from mlflow import MlflowClient

        if database:
            database.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{database}.lock", timeout=LOCK_SECONDS) if database else nullcontext():
            if database and not database.exists():
                create(database)
            client = MlflowClient(tracking_uri=_for_mlflow(uri))
            return client, _experiment_id(client, experiment, database)


def _for_mlflow(uri: str) -> str:
    """A web store's address without user and password, which MLflow takes from its environment: an address that does
    not hold them can be neither printed nor stored with them."""
    if not is_web(uri):
        return uri
    address = parts(uri)
    if address.user and address.password:
        os.environ["MLFLOW_TRACKING_USERNAME"] = address.user
        os.environ["MLFLOW_TRACKING_PASSWORD"] = address.password
    return address.bare


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
    """Raises: Unavailable if nothing listens at a web store, or its address cannot be read. Any answer will do, one
    that refuses to log in or sends elsewhere included; whether a certificate will do MLflow knows."""
    address = parts(uri)
    if address.sloppy:
        raise Unavailable(
            f"the address of MLflow ({address.bare}) cannot be read: in a user or password write %40 for @, %2F for /, "
            "%3A for :, %23 for # and %3F for ?"
        )
    if not is_web(uri):
        return
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        opener.open(f"{address.bare.rstrip('/')}/health", timeout=PING_SECONDS).close()
    except urllib.error.HTTPError as answer:
        answer.close()
    except Exception as error:  # a server may say anything, which http.client has errors of its own for
        reason = getattr(error, "reason", error)
        if not isinstance(reason, ssl.SSLCertVerificationError):
            said = scrubbed(f"{reason}" or type(error).__name__, uri)
            raise Unavailable(f"MLflow at {address.bare} does not answer ({textwrap.shorten(said, 200)})") from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


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
