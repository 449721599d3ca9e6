"""Keeps a run's mirror up to date from a background thread of the driver. Never stops a run."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Self

from harness.records import DataError
from harness.tracking.mirror import Mirror
from harness.tracking.store import Unavailable

FIRST_LOOK_SECONDS = 2.0
RETRY_SECONDS = 60.0
FAILED_SECONDS = 10.0
"""what MLflow may take at the end after it has failed once"""


def _to_stderr(message: str) -> None:
    print(message, file=sys.stderr)


class Follower:
    """Mirrors a run folder every few seconds until it is closed: open it when the plan is written and there is work
    to follow, close it when the report is written.

    MLflow's import and a new store cost seconds of processor time, so trials start first. If MLflow is missing or
    down, `warn` is told once, and the store is tried again every minute.
    """

    def __init__(
        self,
        root: Path,
        uri: str | None = None,
        warn: Callable[[str], None] = _to_stderr,
        seconds: float = 10.0,
    ) -> None:
        """
        Args:
            root: a run folder with its `plan.json`.
            uri: an MLflow tracking URI; by default `store_uri` of the folder that holds the run folder.
            warn: called with one line, from the background thread.
            seconds: between two looks.
        """
        self._root, self._uri, self._warn, self._seconds = root, uri, warn, seconds
        self._closing = threading.Event()
        self._ending: tuple[str | None, Collection[str]] = (None, ())
        self._warned = False
        self._thread = threading.Thread(target=self._follow, name="mlflow-mirror", daemon=True)
        self._thread.start()

    def close(self, status: str | None = None, crashed: Collection[str] = (), timeout: float = 60.0) -> None:
        """Mirror the rest and set the statuses as `Mirror.close` does; give up waiting after `timeout` seconds, sooner
        where MLflow has failed before."""
        self._ending = (status, crashed)
        self._closing.set()
        self._thread.join(min(timeout, FAILED_SECONDS) if self._warned else timeout)
        if self._thread.is_alive():
            self._say("MLflow has not taken everything yet, and is not waited for")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._closing.is_set():
            self.close()

    def _follow(self) -> None:
        mirror: Mirror | None = None
        wait = FIRST_LOOK_SECONDS
        while True:
            closing = self._closing.wait(wait)
            try:
                mirror = mirror or Mirror.open(self._root, self._uri)
                if closing:
                    mirror.close(*self._ending)
                else:
                    mirror.sync()
                wait = self._seconds
            except Exception as error:  # whatever it is, a run goes on
                # what was written before the failure is not known: the next look asks MLflow
                mirror, wait = None, RETRY_SECONDS
                known = isinstance(error, Unavailable | DataError)
                self._say(str(error) if known else f"the mirror in MLflow failed with {type(error).__name__}")
            if closing:
                return

    def _say(self, what: str) -> None:
        if not self._warned:
            self._warned = True
            self._warn(f"warning: {what.rstrip('.')}. The run goes on without its mirror; its files have everything.")
