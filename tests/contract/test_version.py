"""`rence --version` and `rence version`: what a bug report needs, read without importing any of it."""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

import rence as public
from harness.base.errors import OK
from rence.cli.versions import STACK

Call = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parents[2]


def test_the_version_is_one_line(rence: Call) -> None:
    assert rence("--version") == rence("version") == (OK, f"rence {public.__version__}\n", "")
    assert json.loads(rence("version", "--json")[1]) == {"rence": public.__version__}
    assert public.__version__ == version("rence-bench")


def test_the_stack_is_what_is_installed(rence: Call) -> None:
    stack = json.loads(rence("version", "--all", "--json")[1])
    assert list(stack)[:5] == ["rence", "commit", "python", "platform", "processor"]
    assert {"torch", "transformers", "verl", "vllm", "ray", "lm-eval", "math-verify", "numpy", "mlflow"} <= set(stack)
    assert stack["torch"] == version("torch") and stack["numpy"] == version("numpy")
    assert stack["python"].startswith(f"{platform.python_version()} (CPython, ")
    assert re.match(r"[0-9a-f]{40}\b", stack["commit"]) or not (ROOT / ".git").exists()
    assert list(stack)[5:] == list(STACK)


def test_what_is_missing_is_a_dash(rence: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rence.cli.versions.STACK", ("numpy", "no-such-package"))
    assert json.loads(rence("version", "--all", "--json")[1])["no-such-package"] is None
    lines = [line.split() for line in rence("version", "--all")[1].splitlines()]
    assert ["no-such-package", "-"] in lines and ["numpy", version("numpy")] in lines


def test_nothing_of_the_stack_is_imported() -> None:
    program = (
        "import sys; from rence import main\ntry: main(['version', '--all'])\nexcept SystemExit: pass\n"
        "print([name for name in ('torch', 'transformers', 'ray', 'mlflow', 'numpy', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
