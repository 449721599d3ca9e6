"""MLflow missing, down, or touched for the first time by many at once: a run goes on."""

from __future__ import annotations

import multiprocessing
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from harness.base.errors import UserError
from harness.tracking import Follower, Mirror, Unavailable, dashboard, mirror_now, store_uri
from harness.tracking.address import shown

MakeRun = Callable[..., Any]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def refused() -> Iterator[str]:
    """A URI at which nothing listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


@pytest.fixture
def hung() -> Iterator[str]:
    """A URI that takes a connection and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize("server", ["refused", "hung"])
def test_a_server_that_is_down_costs_seconds_and_one_warning(
    make_run: MakeRun, server: str, request: pytest.FixtureRequest
) -> None:
    uri = request.getfixturevalue(server)
    run = make_run(arms=("rence",), seeds=(0,))
    run.whole_run()
    warnings: list[str] = []
    began = time.monotonic()
    Follower(run.folder.root, uri, warnings.append).close("FINISHED")
    assert time.monotonic() - began < 10
    assert len(warnings) == 1
    assert warnings[0].startswith(f"warning: MLflow at {uri} does not answer (")
    assert "\n" not in warnings[0]


def test_a_follower_writes_everything_before_it_closes(make_run: MakeRun) -> None:
    run = make_run(arms=("rence",), seeds=(0,))
    warnings: list[str] = []
    with Follower(run.folder.root, warn=warnings.append, seconds=0.2):
        run.whole_run()
    client = MlflowClient(store_uri(run.folder.root.parent))
    (experiment,) = [e for e in client.search_experiments() if e.name == run.plan.experiment]
    runs = client.search_runs([experiment.experiment_id])
    assert warnings == []
    assert [r.info.status for r in runs] == ["FINISHED"] * 3
    assert max(r.data.metrics.get("progress/rollouts", 0) for r in runs) == 320


def test_a_broken_run_folder_warns_once(make_run: MakeRun) -> None:
    run = make_run(arms=("rence",), seeds=(0,))
    run.whole_run()
    run.folder.trial("rence", 0).steps.write_text("not json\n")
    warnings: list[str] = []
    Follower(run.folder.root, warn=warnings.append).close()
    assert len(warnings) == 1 and "steps.jsonl" in warnings[0]


def test_without_mlflow_a_run_goes_on(make_run: MakeRun) -> None:
    run = make_run(arms=("rence",), seeds=(0,))
    script = """
import sys
from pathlib import Path

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "mlflow":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Refuse())
from harness.base.errors import UserError
from harness.tracking import Follower, dashboard
Follower(Path(sys.argv[1])).close("FINISHED")
try:
    dashboard(Path(sys.argv[1]).parent)
except UserError as error:
    print(error)
"""
    command = [sys.executable, "-c", script, str(run.folder.root)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr.count("\n") == 1
    assert "MLflow is not installed (pip install 'rence-bench[mlflow]')" in done.stderr
    assert "pip install 'rence-bench[mlflow]'" in done.stdout


@pytest.mark.slow
def test_eight_processes_touch_a_new_store_at_once(make_run: MakeRun) -> None:
    first = make_run(arms=("rence",), seeds=(0,))
    first.whole_run()
    runs = first.folder.root.parent
    (runs / "mlflow.db").unlink()
    roots = [first.folder.root.rename(runs / "run0")]
    for number in range(1, 8):
        copy = make_run(arms=("rence",), seeds=(0,))
        copy.whole_run()
        roots.append(copy.folder.root.rename(runs / f"run{number}"))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["mlflow", "mlflow.store.tracking.sqlalchemy_store"])
    # The fork server keeps the environment of the test that started it, so the store is named.
    processes = [context.Process(target=mirror_now, args=(root, store_uri(runs))) for root in roots]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 8
    client = MlflowClient(store_uri(runs))
    (experiment,) = [e for e in client.search_experiments() if e.name == first.plan.experiment]
    statuses = [run.info.status for run in client.search_runs([experiment.experiment_id])]
    assert statuses == ["FINISHED"] * 24
    assert sorted(path.name for path in runs.iterdir() if path.is_file()) == ["mlflow.db", "mlflow.db.lock"]


def test_stores_that_cannot_be_used(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(arms=("rence",), seeds=(0,))
    with pytest.raises(Unavailable, match="unsupported URI"):
        Mirror.open(run.folder.root, "nonsense://here")
    with pytest.raises(Unavailable, match="psycopg"):
        Mirror.open(run.folder.root, "postgresql+psycopg_missing://user:secret@127.0.0.1/x")


def test_a_deleted_experiment_is_not_restored_behind_its_owner(make_run: MakeRun) -> None:
    run = make_run(arms=("rence",), seeds=(0,))
    mirror_now(run.folder.root)
    client = MlflowClient(store_uri(run.folder.root.parent))
    client.delete_experiment(client.get_experiment_by_name(run.plan.experiment).experiment_id)
    with pytest.raises(UserError, match="was deleted there"):
        mirror_now(run.folder.root)


def test_passwords_are_not_shown() -> None:
    assert shown("https://user:secret@mlflow.example:5000/a") == "https://mlflow.example:5000/a"
    assert shown("sqlite:////runs/a@b/mlflow.db") == "sqlite:////runs/a@b/mlflow.db"


def test_the_dashboard_says_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_run: MakeRun) -> None:
    said: list[str] = []
    with pytest.raises(UserError, match=r"mlflow\.db does not exist.*Next: rence run"):
        dashboard(tmp_path / "nowhere")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"port {port} .*Next: --port {port + 1}"):
            dashboard(make_run().folder.root.parent, port=port)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://user:secret@mlflow.example")
    assert dashboard(tmp_path, say=said.append) == 0
    assert said == ["MLflow runs at https://mlflow.example"]
    assert "MLFLOW_TRACKING_URI" in os.environ
