"""Experiment files. pydantic lives here alone; inside the program an experiment is a frozen dataclass."""

from harness.config.load import build, load, resolved
from harness.config.manifest import read
from harness.config.published import published

__all__ = ["build", "load", "published", "read", "resolved"]
