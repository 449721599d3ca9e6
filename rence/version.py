"""The version that is installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("rence-bench")
except PackageNotFoundError:  # a checkout on the path that nobody installed
    __version__ = "0+unknown"
