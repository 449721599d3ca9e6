"""What a name of a user's may be: an arm, a benchmark and an imported column become folders, files and columns of
tables, where some words mean something else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*\Z")
"""letters, digits, `_`, `-`, and dots between them: safe as a folder on every system"""
AVERAGE = "average"
"""the column beside the benchmarks"""
BESIDE = ("mlartifacts", "mlruns", "mlflow.db")
"""what stands beside the folders of experiments"""
RESERVED = (
    AVERAGE,
    "start",  # the untrained model
    "report",
    "evals",
    "checkpoints",
    "rollouts",
    "logs",
    "experiment.yaml",
    "resolved.json",
    "plan.json",
    "data.json",
    "import.json",
    "expected.json",
    "choice.json",
    "gate.json",
    "verdict.json",
    "trial.json",
    "steps.jsonl",
    "timing.json",
    "done.json",
    "seal.json",
    "eval.json",
    "order.json",
    "attempts.jsonl",
    "attempts.parquet",
    ".lock",
    *BESIDE,
)
"""compared without case, for some file systems do not tell `Report` from `report`, and in one of the ways that Unicode
has to write a letter"""
LONGEST = 255
"""letters, which are bytes here: the file systems in use allow no more in the name of a folder"""


def is_reserved(name: str) -> bool:
    return same_on_disk(name) in RESERVED


def same_on_disk(name: str) -> str:
    """Equal for names that some file systems do not tell from each other."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def alike(names: Iterable[str]) -> tuple[str, str] | None:
    """The first two that some file systems do not tell from each other, the later one first."""
    seen: dict[str, str] = {}
    for name in names:
        if (first := seen.setdefault(same_on_disk(name), name)) != name:
            return name, first
    return None


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
