"""The public Python: every name of `rence` is there, documented, typed and lazy, and the examples use nothing else."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import rence

ROOT = Path(__file__).parents[2]
MODULES = ("rence", "rence.backends", "rence.objectives", "rence.ops")
NAMES = [f"{module}.{name}" for module in MODULES for name in import_module(module).__all__]
HEAVY = ("torch", "numpy", "pandas", "pydantic", "matplotlib", "typer", "rich")
ROOMS = ("algorithms", "benchmarks", "harness", "reports")


def found(full: str) -> object:
    module, _, name = full.rpartition(".")
    return getattr(import_module(module), name)


@pytest.mark.parametrize("full", NAMES)
def test_every_name_is_there_and_says_what_it_is(full: str) -> None:
    one = found(full)
    if full == "rence.__version__":
        assert isinstance(one, str) and re.match(r"\d", one)
        return
    words = one.__doc__ or ""
    generated = inspect.isclass(one) and words.startswith(f"{one.__name__}(")  # what a dataclass writes by itself
    assert words.strip() and not generated


@pytest.mark.parametrize("module", MODULES)
def test_type_checkers_read_the_names_that_are_imported(module: str) -> None:
    """`__all__`, what is imported for type checkers, and `dir` are one list; nothing else is public."""
    names = import_module(module).__all__
    source = Path(import_module(module).__file__ or "").read_text(encoding="utf-8")
    (block,) = [node for node in ast.parse(source).body if isinstance(node, ast.If)]
    imported = {
        alias.asname or alias.name for line in block.body if isinstance(line, ast.ImportFrom) for alias in line.names
    }
    assert imported == set(names) - {"main"}
    assert sorted(names) == sorted(set(names)) and set(names) <= set(dir(import_module(module)))
    with pytest.raises(AttributeError, match=f"module '{module}' has no attribute 'Algoritm'"):
        _ = import_module(module).Algoritm


def test_objectives_are_all_classes_of_algorithms_that_ship() -> None:
    from algorithms import registry

    assert {type(registry.get(name)).__name__ for name in registry.names()} == set(rence.objectives.__all__)


def loaded(code: str) -> set[str]:
    """The modules that a fresh Python has after it."""
    program = f"{code}\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_import_imports_nothing_before_it_is_asked_for() -> None:
    modules = loaded("import rence, rence.backends, rence.ops, rence.objectives; dir(rence); rence.main")
    assert not modules & {*HEAVY, *ROOMS}


def test_a_name_brings_only_what_it_needs() -> None:
    modules = loaded("import rence; rence.Problem; rence.Benchmark; rence.Algorithm; rence.Engine; rence.Section")
    assert {"algorithms", "benchmarks", "harness", "reports"} <= modules
    assert not modules & {"torch", "transformers", "numpy", "pandas"}


def test_the_file_for_type_checkers_uses_every_name() -> None:
    """`make types` checks `every_public_name.py`."""
    text = (ROOT / "tests" / "contract" / "every_public_name.py").read_text(encoding="utf-8")
    used = {ast.unparse(node) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute)}
    assert set(NAMES) <= used


def documents() -> dict[str, str]:
    page = (ROOT / "docs" / "how-to" / "plugins.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python run\n(.*?)^```$", page, re.M | re.S)
    examples = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "examples").rglob("*.py")}
    tests = [ROOT / "tests" / name for name in ("contract/test_example.py", "harness/plain_backend.py")]
    return {"plugins.md": "\n".join(blocks), **examples, **{path.name: path.read_text("utf-8") for path in tests}}


def test_the_plugin_page_and_the_examples_import_rence_alone() -> None:
    assert len(documents()) >= 4
    for name, code in documents().items():
        imports = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Import | ast.ImportFrom)]
        modules = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
        modules |= {node.module or "" for node in imports if isinstance(node, ast.ImportFrom)}
        ours = {module for module in modules if module.split(".")[0] in (*ROOMS, "rence")}
        assert ours and ours <= set(MODULES), name
