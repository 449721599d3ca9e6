"""What commands do not import: a command that is quick today shall not become slow by an import that nobody saw."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import json, sys
from rence import main
try:
    main(json.loads(sys.argv[1]))
except SystemExit as ended:
    print(json.dumps([ended.code, [name for name in json.loads(sys.argv[2]) if name in sys.modules]]))
"""
MARKER = "benchmarks.marking.marker"
"""its expressions take as long to compile as the rest of `--help`"""
BIG = ("torch", "transformers", "matplotlib", "mlflow", "scipy.optimize", "sklearn")
NONE_OF = {
    ("--help",): (*BIG, "numpy", "pandas", "scipy", "pydantic", "pyarrow", "importlib.metadata", MARKER),
    ("list", "algorithms"): (*BIG, "numpy", "pandas", "scipy", "pyarrow", MARKER),
    ("show", "rence"): (*BIG, "numpy", "pandas", "scipy", "pyarrow", MARKER),
    ("plan", str(ROOT / "configs" / "smoke.yaml")): (*BIG, "pandas", "pyarrow", MARKER),
}


def started(folder: Path, words: tuple[str, ...], refused: tuple[str, ...]) -> list[object]:
    """The exit code, and which of these modules were imported."""
    command = [sys.executable, "-c", PROGRAM, json.dumps(words), json.dumps(refused)]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("words", NONE_OF, ids=" ".join)
def test_nothing_heavy_is_imported(words: tuple[str, ...], tmp_path: Path) -> None:
    assert started(tmp_path, words, NONE_OF[words]) == [0, []]
