"""What a process that trains or answers does not import, for it would hold it for hours."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("sklearn", "pandas", "scipy", "matplotlib", "mlflow")
PRINT = f"import json, sys; print(json.dumps([name for name in {HEAVY} if name in sys.modules]))"


def imported(program: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\n{PRINT}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_a_workers_process_has_torch_and_little_else() -> None:
    assert imported("import harness.base.lean_transformers, harness.run.trial") == []


def test_nor_has_one_that_evaluates() -> None:
    assert imported("import harness.engines.local") == []


def test_the_server_of_jobs_is_made_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.run.launchers import local

    made: list[str] = []
    local._context.cache_clear()
    monkeypatch.setattr(local.forkserver, "ensure_running", lambda: None)
    monkeypatch.setattr(local.atexit, "register", lambda _: None)
    context = local.multiprocessing.get_context("forkserver")
    monkeypatch.setattr(context, "set_forkserver_preload", made.extend)
    local._context()
    local._context.cache_clear()
    if sys.platform == "linux":
        assert made == ["harness.base.lean_transformers", "harness.run.trial"]


@pytest.mark.skipif(find_spec("sklearn") is None, reason="scikit-learn is not installed")
def test_scikit_learn_can_be_imported_afterwards() -> None:
    assert "sklearn" in imported("import harness.base.lean_transformers, sklearn.metrics; sklearn.metrics.roc_curve")
