"""The address of an MLflow store: what MLflow is told of it, what people are, and what neither may see.

`http://user:p%40ss@host:5000/path?x`, `sqlite:///mlflow.db`, `file:`, `databricks://profile`, `postgresql://...`
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

from harness.records.files import real_path

WEB = ("http", "https")
_HIDDEN = "***"
_SHORT = 3
"""characters of a secret that would be found in words that have nothing to do with it"""
_IN_ENVIRONMENT = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "DATABRICKS_TOKEN")
_LOCAL = ("sqlite", "file", "")
"""schemes of paths, in which an `@` is a letter like any other"""


@dataclass(frozen=True)
class Address:
    """A store's address in its parts."""

    bare: str
    """without user, password, query and fragment: all that MLflow needs of a web store, and all that is shown"""
    user: str = ""
    password: str = ""
    """both decoded"""
    query: str = ""
    sloppy: bool = False
    """whether a password holds characters that an address gives another meaning, so that nobody can read it"""


def parts(uri: str) -> Address:
    """Never raises: an address that cannot be read has a `bare` without anything that may be secret."""
    scheme, colon, rest = uri.partition("://")
    kind = scheme.lower().partition("+")[0] if colon else ""
    if kind in _LOCAL:
        at = "@" in uri and kind == "" and not uri.startswith((".", "/", "file:", "sqlite:"))
        return Address(uri.rpartition("@")[2] if at else uri)
    try:
        split = urlsplit(uri)
        host = split.netloc.rpartition("@")[2]
        _ = split.port  # raises where it is no number
        sloppy = "@" in f"{split.path}{split.query}{split.fragment}" and ":" in split.netloc
    except ValueError:
        split, host, sloppy = None, "", True
    if split is None or sloppy:
        return Address(f"{scheme}://{re.split('[/?#:]', rest.rpartition('@')[2])[0]}", query=rest, sloppy=True)
    user, _, password = split.netloc.rpartition("@")[0].partition(":")
    bare = urlunsplit((split.scheme, host, split.path, "", ""))
    return Address(bare, unquote(user), unquote(password), split.query)


def shown(uri: str) -> str:
    """As people may see it: without user, password and query."""
    return parts(uri).bare


def is_web(uri: str) -> bool:
    """Whether it is asked over HTTP."""
    return uri.partition("://")[0].lower() in WEB


def sqlite_path(uri: str) -> Path | None:
    """The database file of a SQLite URI, absolute; None for any other store."""
    scheme, _, path = uri.partition(":///")
    if scheme.partition("+")[0] != "sqlite" or not path:
        return None
    return real_path(Path(path.partition("?")[0]))


def scrubbed(text: str, uri: str) -> str:
    """What somebody says of a store, without what may be secret of its address or of the environment.

    A secret too short to be told from other words takes the whole text with it.
    """
    secrets = set(_secrets(uri))
    if any(len(secret) < _SHORT and secret in text for secret in secrets):
        return _HIDDEN
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    return re.sub(r"//[^/\s@]*@", "//", text)


def _secrets(uri: str) -> Iterator[str]:
    address = parts(uri)
    found = [address.password, f"{address.user}:{address.password}", address.query]
    found += [address.user] if len(address.user) >= _SHORT else []
    found += [value for _, value in parse_qsl(address.query)]
    found += [os.environ.get(name, "") for name in _IN_ENVIRONMENT]
    for secret in filter(lambda one: one.strip(":"), found):
        yield from (secret, quote(secret), quote(secret, safe=""), base64.b64encode(secret.encode()).decode())
