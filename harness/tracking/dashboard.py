"""`rence dashboard`: MLflow's own pages on the store that the run folders are mirrored to."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from harness.errors import INCOMPLETE, OK, UserError
from harness.tracking.mirror import Mirror
from harness.tracking.store import INSTALL, SETTINGS, Unavailable, sqlite_path, store_uri


def mirror_now(run: Path, uri: str | None = None) -> None:
    """Mirror a run folder after the fact. The caller holds its lock: a mirror has one writer.

    Raises: UserError if MLflow is unavailable.
    """
    try:
        Mirror.open(run, uri).close()
    except Unavailable as error:
        raise UserError(str(error), INCOMPLETE) from None


def dashboard(
    runs: Path = Path("runs"), *, host: str = "127.0.0.1", port: int = 5000, say: Callable[[str], None] = print
) -> int:
    """Serve MLflow's pages in the foreground until Ctrl-C.

    Args:
        runs: the folder that holds the run folders; `MLFLOW_TRACKING_URI` goes before it.

    Returns: the exit code. Raises: UserError if MLflow or the store is missing, or the port is taken.
    """
    uri = store_uri(runs)
    if uri.startswith(("http://", "https://", "databricks")):
        say(f"MLflow already runs at {uri}")
        return OK
    if importlib.util.find_spec("mlflow") is None:
        raise UserError(f"MLflow is not installed: {INSTALL}")
    database = sqlite_path(uri)
    if database and not database.exists():
        raise UserError(
            f"{database} does not exist: nothing has been mirrored to MLflow yet. Next: rence run", INCOMPLETE
        )
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UserError(
                f"port {port} on {host} cannot be used ({error.strerror}). Next: --port {port + 1}"
            ) from None
    say(f"http://{host}:{port} shows {uri} in about half a minute; Ctrl-C ends it")
    return serve(uri, host, port)


def serve(uri: str, host: str, port: int) -> int:
    import os

    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri, "--workers", "1"]
    process = subprocess.Popen([*command, "--host", host, "--port", str(port)], env=SETTINGS | os.environ)
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.wait()
        return OK
