"""`rence dashboard`: MLflow's own pages on the store that the run folders are mirrored to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from harness.base.errors import INCOMPLETE, OK, UserError
from harness.tracking.address import is_web, shown, sqlite_path
from harness.tracking.mirror import Mirror
from harness.tracking.store import (
    ARTIFACTS,
    INSTALL,
    SETTINGS,
    Unavailable,
    is_installed,
    store_uri,
)

SERVER_SETTINGS = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
"""eight processes that mark traces with language models, of which there are none here: start-up 13 s, not 42"""
STOP_SECONDS = 10


def mirror_now(run: Path, uri: str | None = None) -> None:
    """Mirror a run folder after the fact. The caller holds its lock: a mirror has one writer.

    Raises: UserError if MLflow is unavailable; DataError if it is not a run folder.
    """
    try:
        Mirror.open(run, uri).close()
    except Unavailable as error:
        raise UserError(f"{error}.", INCOMPLETE) from None


def dashboard(
    runs: Path = Path("runs"), host: str = "127.0.0.1", port: int = 5000, say: Callable[[str], None] = print
) -> int:
    """Serve MLflow's pages in the foreground until Ctrl-C.

    Args:
        runs: the folder that holds the run folders; `MLFLOW_TRACKING_URI` goes before it.
        say: told where to look.

    Returns: an exit code. Raises: UserError if MLflow or the store is missing, or the port is taken.
    """
    uri = store_uri(runs)
    if is_web(uri) or uri.startswith("databricks"):
        say(f"MLflow runs at {shown(uri)}")
        return OK
    if not is_installed():
        raise UserError(f"MLflow is not installed. Next: {INSTALL}")
    database = sqlite_path(uri)
    if database and not database.exists():
        raise UserError(f"{database} does not exist: nothing was mirrored to it yet. Next: rence run", INCOMPLETE)
    _check_free(host, port)
    say(f"http://{host}:{port} will show {shown(uri)} within half a minute; Ctrl-C ends it")
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
    artifacts = ["--artifacts-destination", str(database.parent / ARTIFACTS)] if database else []
    return _serve([*command, *artifacts, "--host", host, "--port", str(port)], uri)


def _check_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            message = f"port {port} of {host} cannot be used: {error.strerror}. Next: --port {port + 1}"
            raise UserError(message) from None


def _serve(command: list[str], uri: str) -> int:
    # The server is several processes: a group of their own lets us end them all.
    # Not as an argument, for a list of processes shows those to everybody.
    environment = SETTINGS | SERVER_SETTINGS | os.environ | {"MLFLOW_BACKEND_STORE_URI": uri}
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        return process.wait()
    except KeyboardInterrupt:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(STOP_SECONDS)
        return OK
