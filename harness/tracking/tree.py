"""The MLflow runs of one run folder: the parent and its children, found again or begun."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from harness.records import START, Plan, RunFolder, TrialFolder, read_json
from harness.tracking import describe
from harness.tracking.runs import KILLED, RUNNING, RunWriter, milliseconds

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

PARENT = "mlflow.parentRunId"


class RunTree:
    """Two levels: a run for the folder, and its children by trial name."""

    def __init__(self, client: MlflowClient, experiment_id: str, folder: RunFolder, plan: Plan) -> None:
        self._client = client
        self._experiment_id = experiment_id
        self.parent, self.children = self._continued(folder, plan) or (self._begin_parent(folder, plan), {})
        for child in self.children.values():
            if child.status == RUNNING:  # left behind by a driver that was killed; new steps wake it up
                child.set_status(KILLED)
        self.parent.set_params(describe.parent_params(plan))
        self.parent.set_status(RUNNING)

    def child(self, name: str, title: str, tags: dict[str, str], birth: Path) -> RunWriter:
        """The child of this name; begun, if there is none, at the time the file `birth` was written."""
        if name not in self.children:
            self.children[name] = self._begin(title, tags | {"trial": name, PARENT: self.parent.id}, birth)
        return self.children[name]

    def _continued(self, folder: RunFolder, plan: Plan) -> tuple[RunWriter, dict[str, RunWriter]] | None:
        """The newest MLflow run that was begun for this folder and this plan, with its children."""
        for run in self._search(f"tags.stage = '{describe.EXPERIMENT}' and tags.lock = '{plan.lock}'"):
            if run.data.tags.get("folder") != str(folder.root):
                continue
            children = [
                RunWriter(self._client, child) for child in self._search(f"tags.`{PARENT}` = '{run.info.run_id}'")
            ]
            if all(is_continued(child, folder) for child in children):
                return RunWriter(self._client, run), {child.tags["trial"]: child for child in children}
        return None

    def _search(self, query: str) -> Iterator[Run]:
        token = None
        while True:
            page = self._client.search_runs([self._experiment_id], query, page_token=token)
            yield from page
            token = page.token
            if not token:
                return

    def _begin_parent(self, folder: RunFolder, plan: Plan) -> RunWriter:
        return self._begin(folder.root.name, describe.parent_tags(folder.root, plan), folder.plan)

    def _begin(self, title: str, tags: dict[str, str], birth: Path) -> RunWriter:
        start = milliseconds(birth.stat().st_mtime)
        return RunWriter(self._client, self._client.create_run(self._experiment_id, start, tags, title))


def is_continued(child: RunWriter, folder: RunFolder) -> bool:
    """Whether the folder's trial is the one that was mirrored, not one begun anew after the folder was emptied."""
    if child.tags["trial"] == START:
        return True
    trial = folder.trial(child.tags["arm"], int(child.tags["seed"]))
    started = started_at(trial)
    return trial.trial.exists() and (not started or child.tags.get("started", started) == started)


def started_at(folder: TrialFolder) -> str:
    """When the trial was first started, as an ISO date; empty if `timing.json` is not there yet."""
    return read_json(folder.timing)["started"] if folder.timing.exists() else ""
