"""Dependencies point one way, and heavy packages stay at the edge."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = ("algorithms", "benchmarks", "harness", "reports")
ALLOWED = {
    "algorithms": ("algorithms",),
    "benchmarks": ("benchmarks",),
    "harness": ("harness", "algorithms", "benchmarks"),
    "reports": ("reports", "harness.records"),
}
STDLIB_ONLY = ("harness/records", "harness/seeds", "harness/errors", "harness/plugins")
HEAVY = ("torch", "transformers", "ray", "verl", "vllm", "mlflow", "lm_eval", "safetensors", "tokenizers")
LIGHT = ("algorithms", "benchmarks", "reports", "harness/cli")


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """(module, whether it is imported when the file is) for every import that runs; TYPE_CHECKING blocks do not."""

    def walk(node: ast.AST, at_import: bool) -> Iterator[tuple[str, bool]]:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for child in node.orelse:
                yield from walk(child, at_import)
            return
        if isinstance(node, ast.Import):
            yield from ((alias.name, at_import) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{path}: relative import"
            yield from ((f"{node.module}.{alias.name}", at_import) for alias in node.names)
        inner = at_import and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            yield from walk(child, inner)

    yield from walk(ast.parse(path.read_text(encoding="utf-8")), True)


def sources(place: str) -> list[Path]:
    """The Python files of a package, or of a module whether it is a file or a folder."""
    if (ROOT / place).is_dir():
        return sorted((ROOT / place).rglob("*.py"))
    return [path for path in [ROOT / f"{place}.py"] if path.exists()]


def top(module: str) -> str:
    return module.split(".")[0]


def within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("package", OURS)
def test_dependencies_point_one_way(package: str) -> None:
    wrong = []
    for path in sources(package):
        place = path.relative_to(ROOT).as_posix()
        for module, at_import in imports(path):
            if top(module) not in OURS or within(module, ALLOWED[package]):
                continue
            lazily_from_cli = place.startswith("harness/cli") and top(module) == "reports" and not at_import
            if not lazily_from_cli:
                wrong.append(f"{place} imports {module}")
    assert wrong == []


@pytest.mark.parametrize("place", STDLIB_ONLY)
def test_standard_library_only(place: str) -> None:
    inside = place.replace("/", ".")
    modules = {module for path in sources(place) for module, _ in imports(path) if not within(module, (inside,))}
    assert modules and {top(module) for module in modules} <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("place", LIGHT)
def test_light_packages_import_nothing_heavy_at_the_top(place: str) -> None:
    heavy = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sources(place)
        for module, at_import in imports(path)
        if at_import and top(module) in HEAVY
    ]
    assert heavy == []


def test_benchmarks_never_import_torch() -> None:
    assert sources("benchmarks")
    assert not [path for path in sources("benchmarks") for module, _ in imports(path) if top(module) == "torch"]
