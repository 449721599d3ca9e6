"""Servers that answer wrongly, slowly or not at all: a run goes on, ends in bounded time, and no password is seen."""

from __future__ import annotations

import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import UserError
from harness.doctor.services import mlflow_store
from harness.tracking import Follower, mirror_now

MakeRun = Callable[..., Any]
USER, PASSWORD = "alice", "p@ss/w0rd"
USERINFO = "alice:p%40ss%2Fw0rd"
SECRETS = (USER, PASSWORD, "p%40ss%2Fw0rd", "YWxpY2U6cEBzcy93MHJk", "t0ken")
"""the last but one is what a browser would send of both"""
HTML = b"<html>\x1b]52;c;ZXZpbA==\x07\n::error::" + USERINFO.encode() + b"</html>"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers `/health`, and everything else as its server's `how` says."""

    protocol_version = "HTTP/1.1"

    def _any(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.endswith("/health"):
            self.answer(200, b"OK")
        else:
            self.server.how(self)  # type: ignore[attr-defined]

    do_GET = do_POST = do_PATCH = do_PUT = _any

    def answer(self, status: int, body: bytes, kind: str = "text/html", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", headers.pop("length", str(len(body))))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def drip(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    for _ in range(600):
        handler.wfile.write(b"{")
        handler.wfile.flush()
        time.sleep(0.2)


def close(handler: Handler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def redirect(handler: Handler) -> None:
    handler.answer(302, b"", Location=handler.path)


def echo(handler: Handler) -> None:
    said = {"error_code": "PERMISSION_DENIED", "message": f"{handler.headers.get('Authorization')} {USERINFO} denied"}
    handler.answer(403, json.dumps(said).encode(), "application/json")


def nonsense(body: bytes) -> Callable[[Handler], None]:
    return lambda handler: handler.answer(200, body, "application/json")


def status(code: int) -> Callable[[Handler], None]:
    return lambda handler: handler.answer(code, HTML)


ANSWERS: dict[str, Callable[[Handler], None]] = {
    **{str(code): status(code) for code in (401, 403, 404, 429, 500, 502, 507)},
    "html": status(200),
    "echo": echo,
    "redirect": redirect,
    "list": nonsense(b"[]"),
    "null": nonsense(b"null"),
    "other types": nonsense(b'{"experiment": {"experiment_id": [], "lifecycle_stage": 7}, "runs": 3, "run": "x"}'),
    "empty object": nonsense(b"{}"),
    "deep": nonsense(b"[" * 100_000),
    "truncated": lambda handler: handler.answer(200, b'{"experiment": {', "application/json", length="1000"),
    "not utf-8": nonsense(b'{"experiment": "\xff\xfe"}'),
    "closes": close,
    "never answers": lambda handler: time.sleep(120),
    "drip": drip,
}


@contextmanager
def serving(how: Callable[[Handler], None]) -> Iterator[int]:
    """A server on a port of its own."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.block_on_close = True, False
    server.how = how  # type: ignore[attr-defined]
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def run(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.setenv(name, "")  # so that what a connection sets is undone
    made = make_run(arms=("rence",), seeds=(0,))
    made.whole_run()
    return made


def has_secret(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


@pytest.mark.parametrize("name", ANSWERS)
def test_one_warning_in_bounded_time(run: Any, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    warnings: list[str] = []
    with serving(ANSWERS[name]) as port:
        uri = f"http://{USERINFO}@127.0.0.1:{port}/mlflow/?token=t0ken"
        began = time.monotonic()
        Follower(run.folder.root, uri, warnings.append).close("FINISHED", timeout=6)
        took = time.monotonic() - began
    assert took < 16  # with MLflow's import
    assert len(warnings) == 1 and "\n" not in warnings[0] and warnings[0].startswith("warning: MLflow ")
    said = capfd.readouterr()
    assert has_secret(warnings[0] + said.out + said.err) == []


@pytest.mark.parametrize("name", ["401", "echo", "html", "deep"])
def test_a_mirror_after_the_fact_says_what_is_wrong(run: Any, name: str) -> None:
    with serving(ANSWERS[name]) as port, pytest.raises(UserError) as said:
        mirror_now(run.folder.root, f"http://{USERINFO}@127.0.0.1:{port}/mlflow/?token=t0ken")
    assert has_secret(str(said.value)) == [] and f"MLflow at http://127.0.0.1:{port}/mlflow/: " in str(said.value)


def test_user_and_password_arrive(run: Any) -> None:
    """At the server, and nowhere else."""
    seen: list[str | None] = []

    def note(handler: Handler) -> None:
        seen.append(handler.headers.get("Authorization"))
        handler.answer(403, b"no")

    with serving(note) as port, pytest.raises(UserError):
        mirror_now(run.folder.root, f"http://{USERINFO}@127.0.0.1:{port}")
    assert seen and set(seen) == {"Basic YWxpY2U6cEBzcy93MHJk"}


def test_a_server_without_tls(run: Any) -> None:
    warnings: list[str] = []
    with serving(status(200)) as port:
        Follower(run.folder.root, f"https://{USERINFO}@127.0.0.1:{port}", warnings.append).close(timeout=15)
    assert len(warnings) == 1 and has_secret(warnings[0]) == [] and "does not answer" in warnings[0]


WORDS = (["dashboard", "runs/quick"], ["dashboard", "runs/quick", "--debug"], ["dashboard"], ["doctor"])


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_no_command_prints_credentials(run: Any, words: list[str]) -> None:
    with serving(echo) as port:
        uri = f"http://{USERINFO}@127.0.0.1:{port}/?token=t0ken"
        environment = {**os.environ, "MLFLOW_TRACKING_URI": uri, "PYTHONPATH": str(Path(__file__).parents[2])}
        done = subprocess.run(
            [sys.executable, "-m", "rence", *words],
            cwd=run.folder.root.parents[1],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert has_secret(done.stdout + done.stderr) == [], done.stdout + done.stderr
    if words != ["dashboard"]:
        assert f"127.0.0.1:{port}" in done.stdout + done.stderr
    for path in filter(Path.is_file, run.folder.root.rglob("*")):
        assert has_secret(path.read_bytes().decode(errors="replace")) == []


def test_a_store_that_asks_for_doctor_is_described_without_secrets() -> None:
    for uri in ("postgresql://alice:p%40ss@nowhere/x?password=t0ken", "http://alice:s3/cret@127.0.0.1:9"):
        found = mlflow_store(uri)
        assert has_secret(found.found + found.mend) == [] and "cret@" not in found.found
