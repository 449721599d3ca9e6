"""Planning, listing and reporting in an install without torch: every import of a heavy package is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONFIG = str(ROOT / "configs" / "quickstart.yaml")
PAPER = str(ROOT / "configs" / "paper" / "rence_qwen3_4b.yaml")
HEAVY = ("torch", "transformers", "ray", "verl", "vllm", "mlflow", "lm_eval", "safetensors", "tokenizers")
PROGRAM = f"""
import contextlib, io, json, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {HEAVY!r}:
            raise ImportError(f"{{name}} is heavy")

sys.meta_path.insert(0, Refuse())
from rence.cli import main

results = []
for arguments in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(arguments)
        except SystemExit as ended:
            results.append([ended.code, out.getvalue(), err.getvalue()])
print(json.dumps(results))
"""
COMMANDS = [
    (["--help"], "Usage"),
    (["run", "--help"], "--workers"),
    (["eval", "--help"], "--benchmarks"),
    (["diff", "--help"], "--batch"),
    (["plan", CONFIG], "trials"),
    (["plan", CONFIG, "--json"], '"lock"'),
    (["plan", PAPER], "4,022,468,096 parameters"),
    (["run", "--dry-run", CONFIG], "trials"),
    (["list", "algorithms"], "ReNCE (reconstruction)"),
    (["list", "benchmarks"], "mini_unseen"),
    (["list", "backends"], "local"),
    (["list", "engines"], "local"),
    (["list", "sections"], "pass@k, pass^k and maj@k"),
    (["show", "rence"], "score_beta"),
    (["config", "new"], "name: my-experiment"),
    (["config", "schema"], "json-schema.org"),
    (["config", "explain", "recipe.group_size"], "at least 1"),
    (["gate", "runs/finished/grpo", "--baseline", "gate.yaml", "--update"], "gate.yaml: written"),
    (["gate", "runs/finished/rence", "--baseline", "gate.yaml"], "an improvement"),
    (["list", "runs"], "4/4"),
    (["report", "runs/finished"], "runs/finished/report/index.html"),
    (["compare", "runs/finished/rence", "runs/finished/grpo"], "mini_sums"),
    (["run", "finished.yaml"], "nothing to do"),
    (["run", "finished.yaml", "--launcher", "ray"], "nothing to do"),
]


def test_nothing_heavy_is_imported_to_plan_list_show_report_and_compare(finished: Path) -> None:
    commands = [arguments for arguments, _ in COMMANDS]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(commands)],
        cwd=finished.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    results = json.loads(done.stdout)
    assert [code for code, _, _ in results] == [0] * len(COMMANDS), results
    assert [words for (_, words), (_, out, _) in zip(COMMANDS, results, strict=True) if words not in out] == []


def test_what_needs_more_says_so_in_a_line(tmp_path: Path) -> None:
    needed = {"torch": "local", "ray": "ray"}
    evaluate = ["eval", "--model", "quickstart-base", "--benchmarks", "mini_sums", "--out", "runs"]
    commands = [
        ["check", "grpo"],
        ["diff", "grpo", "dapo"],
        ["pretrain", "--out", "new"],
        ["run", CONFIG],
        ["run", CONFIG, "--launcher", "ray"],
        evaluate,
    ]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(commands)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    for command, (code, out, said) in zip(commands, json.loads(done.stdout), strict=True):
        what = "ray" if "ray" in command else "torch"
        assert (code, out) == (2, "")
        assert f"needs {what}" in said and f"pip install 'rence-bench[{needed[what]}]'" in said
    assert not (tmp_path / "runs").exists() and not (tmp_path / "new").exists()
