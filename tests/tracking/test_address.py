"""Addresses of stores: what MLflow is told, what people are, and what neither may see."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.tracking import Unavailable
from harness.tracking.address import is_web, parts, scrubbed, shown, sqlite_path
from harness.tracking.store import ping


@pytest.mark.parametrize(
    "uri, bare, user, password, query",
    [
        ("http://user:p%40ss@host:5000/path?x", "http://host:5000/path", "user", "p@ss", "x"),
        ("https://user:secret@mlflow.example:5000/a", "https://mlflow.example:5000/a", "user", "secret", ""),
        ("http://user:p%3Ass%2F@[::1]:5000", "http://[::1]:5000", "user", "p:ss/", ""),
        ("HTTP://tok3n@host/", "http://host/", "tok3n", "", ""),
        ("http://user:a@b@host:5000/", "http://host:5000/", "user", "a@b", ""),
        ("https://host/mlflow/", "https://host/mlflow/", "", "", ""),
        ("http://host:5000/a?token=abc#frag", "http://host:5000/a", "", "", "token=abc"),
        ("postgresql+psycopg://u:pw@db:5432/m?sslmode=x", "postgresql+psycopg://db:5432/m", "u", "pw", "sslmode=x"),
        ("databricks://profile", "databricks://profile", "", "", ""),
        ("databricks", "databricks", "", "", ""),
        ("uc", "uc", "", "", ""),
        ("file:///a@b/mlruns", "file:///a@b/mlruns", "", "", ""),
        ("mlflow-artifacts://user:pw@host/x", "mlflow-artifacts://host/x", "user", "pw", ""),
        ("sqlite:////runs/a@b/mlflow.db", "sqlite:////runs/a@b/mlflow.db", "", "", ""),
    ],
)
def test_parts(uri: str, bare: str, user: str, password: str, query: str) -> None:
    found = parts(uri)
    assert (found.bare, found.user, found.password, found.query) == (bare, user, password, query)
    assert not found.sloppy and shown(uri) == bare


@pytest.mark.parametrize(
    "uri",
    [
        "http://user:s3/cret@host:5000/",
        "http://user:s3#cret@host",
        "http://user:s3?cret@host",
        "https://user:12/cret@host",
        "http://user:s3cret",
        "http://user:cret@host:port/",
        "http://user:cret@[::1/",
    ],
)
def test_a_password_that_breaks_its_address_is_not_shown(uri: str) -> None:
    assert parts(uri).sloppy and "cret" not in shown(uri).replace("host", "")
    with pytest.raises(Unavailable, match="%40 for @") as said:
        ping(uri)
    assert "cret" not in str(said.value) and "user:" not in str(said.value)


def test_where_a_database_is() -> None:
    assert sqlite_path("sqlite:////runs/a@b/mlflow.db?timeout=3") == Path("/runs/a@b/mlflow.db")
    assert sqlite_path("sqlite+pysqlite:///m.db") == Path("m.db").resolve()
    assert [sqlite_path(uri) for uri in ("http://h/sqlite:///x", "postgresql:///x", "sqlite://")] == [None] * 3
    assert is_web("HTTPS://host") and not is_web("postgresql://host")


def test_whatever_is_said_of_a_store_has_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    uri = "http://alice:p%40ss%2Fw@host:5000/?token=abcdef"
    said = f"{uri} p@ss/w p%40ss%2Fw Basic YWxpY2U6cEBzcy93 abcdef alice http://bob:other@else/"
    assert scrubbed(said, uri) == "http://host:5000/?*** *** *** Basic *** *** *** http://else/"
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "t0ken")
    assert scrubbed("Bearer t0ken is refused", "https://host") == "Bearer *** is refused"
    assert scrubbed("a password of one letter: q", "http://me:q@host") == "***"
    assert scrubbed("nothing secret", "sqlite:///mlflow.db") == "nothing secret"
