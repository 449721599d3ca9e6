"""docs/tutorial.md, from the page itself: each block that says `run` is run, in a clean folder, in the page's order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(?P<language>\w+)(?: (?P<words>[^\n]*))?\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.mark.slow
def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    binaries = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": f"{binaries}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    blocks = [*BLOCK.finditer((ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8"))]
    kinds = []
    for block in blocks:
        kind, _, detail = (block["words"] or "").partition(" ")[0].partition("=")
        kinds.append(kind)
        if kind == "file":
            (tmp_path / detail).write_text(block["text"], encoding="utf-8")
        elif kind == "parse":
            assert yaml.safe_load(block["text"])
        elif kind == "run":
            command = [sys.executable, "-c"] if block["language"] == "python" else ["bash", "-ec"]
            done = subprocess.run(
                [*command, block["text"]], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600
            )
            code = re.search(r"exit=(\d+)", block["words"])
            assert done.returncode == (int(code[1]) if code else 0), f"{block['text']}{done.stdout}{done.stderr}"
    assert kinds.count("run") == 6 and set(kinds) == {"by", "file", "parse", "run"}
    assert "Regression" in done.stdout, "the last block that runs is the gate's"
    assert (tmp_path / "runs/first/report/index.html").exists()
