"""The MLflow runs of one run folder: the parent and its children, found again or begun."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from harness.records import Plan, RunFolder
from harness.records.foreign import visible
from harness.tracking import describe
from harness.tracking.runs import KILLED, RUNNING, RunWriter, milliseconds

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

PARENT = "mlflow.parentRunId"


class RunTree:
    """Two levels: a run for the folder, and its children by trial name.

    A folder is known again by its path and by when its plan was written, which happens once in its life: after
    `--clean` it is another run. Runs that a killed driver left behind as running are set to killed.
    """

    def __init__(self, client: MlflowClient, experiment_id: str, folder: RunFolder, plan: Plan) -> None:
        self._client = client
        self._experiment_id = experiment_id
        planned = folder.plan.stat().st_mtime
        identity = {"folder": visible(str(folder.root)), "host": platform.node(), "planned": _iso(planned)}
        found = self._find(identity)
        self.parent = found or self._begin(folder.root.name, describe.parent_tags(plan) | identity, planned)
        self.children = self._children_of(self.parent) if found else {}
        for child in self.children.values():
            end_if_running(child)  # new steps wake it up
        self.parent.set_params(describe.parent_params(plan))

    def child(self, name: str, title: str, tags: dict[str, str], began: float) -> RunWriter:
        """The child of this name; begun, if there is none, as of `began` (seconds since the epoch)."""
        if name not in self.children:
            self.children[name] = self._begin(title, tags | {"trial": name, PARENT: self.parent.id}, began)
        return self.children[name]

    def _find(self, identity: dict[str, str]) -> RunWriter | None:
        for run in self._search(f"tags.stage = '{describe.EXPERIMENT}'"):
            there = RunWriter(self._client, run)
            if there.tags.get("folder") != identity["folder"]:
                continue
            if there.tags.get("planned") == identity["planned"]:
                return there
            if there.tags.get("host") == identity["host"]:
                for run in (*self._children_of(there).values(), there):
                    end_if_running(run)
        return None

    def _children_of(self, parent: RunWriter) -> dict[str, RunWriter]:
        """By trial; a child that somebody else put there has none."""
        found = (RunWriter(self._client, run) for run in self._search(f"tags.`{PARENT}` = '{parent.id}'"))
        return {child.tags["trial"]: child for child in found if "trial" in child.tags}

    def _search(self, query: str) -> Iterator[Run]:
        token = None
        while True:
            page = self._client.search_runs([self._experiment_id], query, page_token=token)
            yield from page
            token = page.token
            if not token:
                return

    def _begin(self, title: str, tags: dict[str, str], began: float) -> RunWriter:
        # not the name by which a child is found again
        clean = {key: value if key == "trial" else visible(value) for key, value in tags.items()}
        run = self._client.create_run(self._experiment_id, milliseconds(began), clean, visible(title))
        return RunWriter(self._client, run)


def end_if_running(run: RunWriter) -> None:
    if run.status == RUNNING:
        run.set_status(KILLED)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
