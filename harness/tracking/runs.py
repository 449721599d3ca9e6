"""One MLflow run: what it holds already, and batches of what it lacks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.records.foreign import visible
from harness.tracking.files import MetricRow
from harness.tracking.names import encode

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

METRICS_PER_BATCH = 1000
PARAMS_PER_BATCH = 100
PARAM_LENGTH = 6000
TAG_LENGTH = 8000
DIGEST_LENGTH = 36
RUNNING, FINISHED, FAILED, KILLED = "RUNNING", "FINISHED", "FAILED", "KILLED"


class Point(NamedTuple):
    """One number at one step."""

    name: str
    value: float
    seconds: float
    step: int


class RunWriter:
    """Writes to one run what it does not hold yet; asks MLflow what it holds, so that a restart repeats nothing."""

    def __init__(self, client: MlflowClient, run: Run) -> None:
        self.client = client
        self.id: str = run.info.run_id
        self.status: str = run.info.status
        self.tags: dict[str, str] = dict(run.data.tags)
        self._latest: dict[str, float] = dict(run.data.metrics)
        self._params: dict[str, str] = dict(run.data.params)
        self._steps: dict[str, set[int]] = {}
        self._inputs: set[tuple[str, str]] = set()
        self._uploaded: dict[Path, tuple[int, int]] = {}
        self._sizes: dict[str, int] = {}

    def write(self, rows: Iterable[MetricRow]) -> int:
        """Write the rows whose sentinel is not there at their step, in batches of whole rows. Returns how many."""
        new = []
        for row in rows:
            known = self._known(row.sentinel)
            if row.step not in known:
                known.add(row.step)
                new.append(row)
        for batch in batches(new):
            self._log(batch)
        return len(new)

    def write_latest(self, numbers: Mapping[str, float], seconds: float) -> None:
        """Write numbers that have no step, where they differ from what is there."""
        changed = {name: value for name, value in numbers.items() if self._latest.get(encode(name)) != value}
        for batch in batches([MetricRow(0, seconds, {name: value}, sentinel=name) for name, value in changed.items()]):
            self._log(batch)

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Parameters that are not there yet; MLflow's cannot be changed. A value too long for it is named by hash."""
        from mlflow.entities import Param

        new = [
            Param(encode(name), _fitting(value)) for name, value in params.items() if encode(name) not in self._params
        ]
        for start in range(0, len(new), PARAMS_PER_BATCH):
            self.client.log_batch(self.id, params=new[start : start + PARAMS_PER_BATCH])
        self._params |= {param.key: param.value for param in new}

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Write those that differ from what is there, in one call; values are cut to `TAG_LENGTH` characters."""
        from mlflow.entities import RunTag

        cut = {key: visible(value[:TAG_LENGTH]) for key, value in tags.items()}
        new = {key: value for key, value in cut.items() if self.tags.get(key) != value}
        if new:
            self.client.log_batch(self.id, tags=[RunTag(key, value) for key, value in new.items()])
            self.tags |= new

    def set_inputs(self, datasets: Iterable[tuple[str, str]], context: str) -> None:
        """Datasets as (name, hash). MLflow itself adds one that is there only once."""
        from mlflow.entities import Dataset, DatasetInput, InputTag
        from mlflow.exceptions import MlflowException

        new = [dataset for dataset in datasets if dataset not in self._inputs]
        if new:
            source = json.dumps({"tags": {"mlflow.source.name": "rence-bench"}})
            tags = [InputTag("mlflow.data.context", context)]
            entities = [Dataset(name, digest[:DIGEST_LENGTH], "code", source) for name, digest in new]
            inputs = [DatasetInput(dataset, tags) for dataset in entities]
            # MLflow looks which datasets the experiment has and then adds the others; where two runs do so at once, its
            # database refuses the later one. Each refusal means that another run has added at least one of ours.
            for others in reversed(range(len(new) + 1)):
                try:
                    self.client.log_inputs(self.id, inputs)
                    break
                except MlflowException as error:
                    if not others or error.error_code != "BAD_REQUEST":
                        raise
            self._inputs.update(new)

    def upload(self, path: Path, folder: str | None = None) -> None:
        """A file as an artifact, whenever it is there and has changed since this process last looked."""
        if not path.is_file():
            return
        stat = path.stat()
        if self._uploaded.get(path) != (stat.st_mtime_ns, stat.st_size):
            self.client.log_artifact(self.id, str(path), folder)
            self._uploaded[path] = (stat.st_mtime_ns, stat.st_size)

    def upload_json(self, data: Mapping[str, Any], name: str) -> None:
        """A dictionary as an artifact, whenever it has grown."""
        if data and self._sizes.get(name) != len(data):
            self.client.log_dict(self.id, dict(sorted(data.items())), name)
            self._sizes[name] = len(data)

    def set_status(self, status: str, ended: float | None = None) -> None:
        """Args: ended: seconds since the epoch; None for now."""
        if status == self.status:
            return
        if status == RUNNING:
            self.client.update_run(self.id, status=RUNNING)
        else:
            self.client.set_terminated(self.id, status, None if ended is None else milliseconds(ended))
        self.status = status

    def _known(self, name: str) -> set[int]:
        """Steps at which MLflow holds a number of this name, those that this process added included."""
        if name not in self._steps:
            held = encode(name) in self._latest
            history = self.client.get_metric_history(self.id, encode(name)) if held else []
            self._steps[name] = {metric.step for metric in history}
        return self._steps[name]

    def _log(self, batch: list[Point]) -> None:
        from mlflow.entities import Metric

        metrics = [Metric(encode(p.name), p.value, milliseconds(p.seconds), p.step) for p in batch]
        self.client.log_batch(self.id, metrics=metrics)
        self._latest |= {metric.key: metric.value for metric in metrics}


def batches(rows: Iterable[MetricRow], limit: int = METRICS_PER_BATCH) -> Iterator[list[Point]]:
    """All numbers, in batches that MLflow takes at once.

    Rows are kept whole where they fit, and a row's sentinel comes last: a batch is written whole or not at all, so
    after a kill a row whose sentinel is there is there completely.
    """
    batch: list[Point] = []
    for row in rows:
        if len(batch) + len(row.numbers) > limit and batch:
            yield batch
            batch = []
        names = [name for name in row.numbers if name != row.sentinel] + [row.sentinel]
        batch += [Point(name, row.numbers[name], row.seconds, row.step) for name in names]
        while len(batch) > limit:
            yield batch[:limit]
            batch = batch[limit:]
    if batch:
        yield batch


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _fitting(value: Any) -> str:
    text = visible(str(value))
    if len(text) <= PARAM_LENGTH:
        return text
    return f"{len(text)} characters, sha256 {hashlib.sha256(text.encode()).hexdigest()}; see the artifacts"
