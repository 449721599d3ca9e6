"""What a name of a user's may be: an arm, a benchmark and an imported column become folders, files and columns of
tables, where some words mean something else."""

from __future__ import annotations

import re

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*\Z")
"""letters, digits, `_`, `-`, and dots between them: safe as a folder on every system"""
AVERAGE = "average"
"""the column beside the benchmarks"""
RESERVED = (
    AVERAGE,
    "start",  # the untrained model
    "report",
    "evals",
    "experiment.yaml",
    "resolved.json",
    "plan.json",
    "data.json",
    "import.json",
    "expected.json",
    "choice.json",
    "mlartifacts",
    "mlruns",
    "mlflow.db",
)
"""compared without case, for some file systems do not tell `Report` from `report`"""
LONGEST = 255
"""letters, which are bytes here: the file systems in use allow no more in the name of a folder"""


def is_reserved(name: str) -> bool:
    return name.casefold() in RESERVED


def too_long(name: str) -> str | None:
    """To follow `NAME cannot be ...'s name: `; None if a folder can be called so."""
    return f"it has {len(name)} letters, and at most {LONGEST} are allowed" if len(name) > LONGEST else None


def mistake(name: str) -> str | None:
    """What is wrong with a name, to follow `NAME cannot be ...'s name: `; None if nothing is."""
    if is_reserved(name):
        return f"`{name}` is a word of rence's own files and tables. Reserved are {', '.join(RESERVED)}"
    if not NAME.match(name):
        return "a name is letters, digits, `_`, `-`, and dots between them"
    return too_long(name)
