"""Experiment files. pydantic lives here alone; inside the program an experiment is a frozen dataclass."""

from harness.config.begun import as_begun
from harness.config.load import build, load, load_run, resolved
from harness.config.manifest import read
from harness.config.published import published

__all__ = ["as_begun", "build", "load", "load_run", "published", "read", "resolved"]
