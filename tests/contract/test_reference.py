"""docs/reference/*.md are what their generators make; the notebook runs and has its outputs."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs" / "examples" / "compare.ipynb"


def test_the_pages_are_what_the_generators_make() -> None:
    # runs in this process, which other tests may have made, leave the environment of jobs behind
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    done = subprocess.run(
        [sys.executable, "docs/reference/make_pages.py", "--check"],
        cwd=ROOT, env={**environment, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def outputs(notebook: dict[str, Any]) -> list[list[str]]:
    """Of each cell of code: its frames, to the letter; that it has a picture, or words, which may be worded anew."""
    found = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            shown = [part.get("data", {"text": part.get("text")}) for part in cell["outputs"]]
            frames = ["".join(data["text/html"]) for data in shown if "dataframe" in "".join(data.get("text/html", []))]
            found.append([*frames, *(kind for data in shown for kind in sorted(data))])
    return found


def test_the_notebook_runs_and_gives_its_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("nbclient", reason="the notebook is run by Jupyter's kernel: the extra dev has it")
    spec = importlib.util.spec_from_file_location("run_notebook", ROOT / "docs" / "reference" / "run_notebook.py")
    assert spec and spec.loader
    runner = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(runner)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("NO_COLOR", "1")
    stored = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert outputs(runner.run(NOTEBOOK)) == outputs(stored)
    words = json.dumps(stored)
    assert "<b>bold</b>: the column's highest" in words and "* the column's highest</p>" not in words
    assert sum(shown.count("image/png") for shown in outputs(stored)) == 3
    assert not (NOTEBOOK.parent / "runs").exists(), "the cells ran in a copy"
    assert NOTEBOOK.stat().st_size < 250_000
