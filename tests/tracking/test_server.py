"""Once with a real server: the dashboard serves a store, and a run folder is mirrored to it over HTTP."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from harness.tracking import Mirror, Unavailable, mirror_now
from harness.tracking.names import encode

MakeRun = Callable[..., Any]
READY_SECONDS = 180


@pytest.fixture
def run(make_run: MakeRun) -> Any:
    return make_run(arms=("rence",), seeds=(0,))


@pytest.fixture
def server(run: Any) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = "import sys; from pathlib import Path; from harness.tracking import dashboard; "
    script += "sys.exit(dashboard(Path(sys.argv[1]), port=int(sys.argv[2])))"
    command = [sys.executable, "-c", script, str(run.folder.root.parent), str(port)]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2], env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        wait_until_ready(process, f"http://127.0.0.1:{port}/health")
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def wait_until_ready(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"the server is not ready; exit code {process.poll()}")


@pytest.mark.slow
def test_a_real_server(run: Any, server: tuple[subprocess.Popen[bytes], str], monkeypatch: pytest.MonkeyPatch) -> None:
    process, uri = server
    root = run.folder.root
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    run.evaluate_start()
    run.begin("rence", 0)
    run.steps("rence", 0, 1, 5)
    mirror = Mirror.open(root)
    mirror.sync()
    run.steps("rence", 0, 6, 10)
    for grid in (160, 320):
        run.evaluate_grid("rence", 0, grid)
    run.finish("rence", 0)
    mirror_now(root)
    mirror_now(root)

    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name(run.plan.experiment)
    assert experiment is not None
    runs = {r.data.tags.get("trial", ""): r for r in client.search_runs([experiment.experiment_id])}
    assert {name: r.info.status for name, r in runs.items()} == dict.fromkeys(["", "start", "rence/seed0"], "FINISHED")
    for name in ("actor/number_7", "reward/mean@8"):
        history = client.get_metric_history(runs["rence/seed0"].info.run_id, encode(name))
        expected = [(step, run.record("rence", 0, step).metrics[name]) for step in range(1, 11)]
        assert sorted((point.step, point.value) for point in history) == expected
    files = {file.path for file in client.list_artifacts(runs[""].info.run_id)}
    assert files >= {"plan.json", "metric_names.json"}
    assert (root.parent / "mlartifacts").is_dir()

    # Ctrl-C ends it, exit code 0, and a mirror that was open is told in seconds
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    began = time.monotonic()
    run.steps("rence", 0, 11, 11)
    with pytest.raises(Unavailable):
        mirror.sync()
    assert time.monotonic() - began < 15
