"""Importing, reporting and comparing in an install without torch and without the marker's package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from .conftest import attempts, write

ROOT = Path(__file__).parents[2]
HEAVY = (
    "torch", "transformers", "ray", "verl", "vllm", "mlflow", "lm_eval", "safetensors", "tokenizers",
    "datasets", "lighteval",
)  # fmt: skip
PROGRAM = f"""
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {HEAVY!r}:
            raise ModuleNotFoundError(f"{{name}} is heavy", name=name)

sys.meta_path.insert(0, Refuse())
sys.modules["math_verify"] = None  # and so find_spec finds none
from rence.cli import main
main(sys.argv[1:])
"""
ROW = {"problem_id": 1, "sample": 0, "seed": 0, "arm": "grpo", "benchmark": "x"}


def rence(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    command = [sys.executable, "-c", PROGRAM, *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def test_attempts_to_a_verdict(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", attempts({("grpo", 0, "x"): 0.75, ("dapo", 0, "x"): 0.2}))
    for words in (["import", "attempts", "a.jsonl", "--out", "x"], ["report", "x"], ["compare", "x/grpo", "x/dapo"]):
        done = rence(tmp_path, *words)
        assert (done.returncode, done.stderr) == (0, "")
    assert "A is above B" in done.stdout


def test_plain_numbers_are_marked_and_what_needs_more_says_so(tmp_path: Path) -> None:
    words = ["import", "generations", "g.jsonl", "--out", "x"]
    write(tmp_path / "g.jsonl", [ROW | {"response": "\\boxed{(x-1)(x+1)}", "gold": "x^2-1"}])
    done = rence(tmp_path, *words)
    assert (done.returncode, done.stdout) == (2, "") and not (tmp_path / "x").exists()
    assert "needs Math-Verify: pip install 'rence-bench[grade]'" in done.stderr and done.stderr.count("\n") == 1
    write(tmp_path / "g.jsonl", [ROW | {"response": "\\boxed{18}", "gold": "18"}])
    assert rence(tmp_path, *words).returncode == 0


def test_other_sources(tmp_path: Path) -> None:
    line = {"input": "q", "output": "a", "gts": "4", "score": 1.0, "step": 5}
    write(tmp_path / "run/5.jsonl", [line, line | {"input": "p", "score": 0.0}])
    done = rence(tmp_path, "import", "verl", "grpo=run", "--benchmark", "x", "--out", "x", "--json")
    assert json.loads(done.stdout)["attempts"] == 2
    folder = Path(__file__).parent / "lighteval"
    found = next(folder.glob("details/adder/good/*/details_sums|*"))
    words = ["import", "lighteval", f"good={found}", "--metric", "pass@k:k=1", "--out", "y", "--json"]
    assert json.loads(rence(tmp_path, *words).stdout)["attempts"] == 30
