"""Dependencies point one way, heavy packages stay at the edge, names and sizes stay readable."""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = ("algorithms", "benchmarks", "harness", "reports", "rence")
ALLOWED = {
    "algorithms": ("algorithms",),
    "benchmarks": ("benchmarks",),
    "harness": ("harness", "algorithms", "benchmarks"),
    "reports": ("reports", "harness.records"),
    "rence": OURS,
}
FLOORS = {
    "harness": (
        ("base",),
        ("records",),
        ("prompts", "models", "tracking"),
        ("config",),
        ("engines",),
        ("evaluation", "backends"),
        ("planning",),
        ("run",),
        ("importing", "pretraining"),
        ("diff", "doctor", "verifying"),
    ),
    "reports": (
        ("words", "document"),
        ("statistics",),
        ("data",),
        ("imported",),
        ("verdict",),
        ("figures",),
        ("render",),
        ("seed_scores",),
        ("sections",),
        ("verdict_json",),
        ("compared_side",),
        ("writing", "comparing", "evaluation"),
        ("gate", "questions", "frames"),
    ),
}
"""rooms from the ground up: one may import from its own floor and from those below"""
STDLIB_ONLY = (
    "benchmarks/marks",
    "harness/records",
    "harness/base/seeds",
    "harness/base/errors",
    "harness/base/plugins",
    "harness/base/fingerprint",
)
ALSO = {"harness/records": ("yaml", "pyarrow")}
"""and these: experiments and baselines are YAML, finished attempts Parquet, and there is one reader of each"""
HEAVY = ("torch", "transformers", "ray", "verl", "vllm", "mlflow", "lm_eval", "safetensors", "tokenizers")
LIGHT = ("algorithms", "benchmarks", "reports", "rence")
EVERYWHERE = ("__init__", "base", "registry")
"""file names that may stand in any number of rooms"""
MOST_LINES, MOST_FUNCTION_LINES, MOST_ROOMS = 300, 60, 2


def imports(path: Path, hints: bool = False) -> Iterator[tuple[str, bool]]:
    """(module, whether it is imported when the file is) for every import that runs.

    Args:
        hints: with the imports in TYPE_CHECKING blocks, which do not run.
    """

    def walk(node: ast.AST, at_import: bool) -> Iterator[tuple[str, bool]]:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and not hints:
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

    yield from walk(parsed(path), True)


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def sources(place: str) -> list[Path]:
    """The Python files of a package, or of a module whether it is a file or a folder."""
    if (ROOT / place).is_dir():
        return sorted((ROOT / place).rglob("*.py"))
    return [path for path in [ROOT / f"{place}.py"] if path.exists()]


ALL = [path for package in OURS for path in sources(package)]


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def arrows() -> Mapping[str, set[str]]:
    """Module of ours -> modules of ours that it imports, at once, later, or for its type hints."""
    modules = {module_of(path): path for path in ALL}
    found: dict[str, set[str]] = defaultdict(set)
    for module, path in modules.items():
        for name, _ in imports(path, hints=True):
            while name and name not in modules:
                name = name.rpartition(".")[0]
            if name and name != module:
                found[module].add(name)
    return found


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Nodes that can be reached from themselves, in groups."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            new = graph.get(waiting.pop(), set()) - seen
            seen |= new
            waiting += new
        return seen

    reach = {node: reached(node) for node in graph}
    on_one = [node for node in graph if node in reach[node]]
    return sorted({tuple(sorted(m for m in on_one if m in reach[n] and n in reach.get(m, ()))) for n in on_one})  # type: ignore[return-value]


def top(module: str) -> str:
    return module.split(".")[0]


def within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("package", OURS)
def test_dependencies_point_one_way(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sources(package)
        for module, _ in imports(path, hints=True)
        if top(module) in OURS and not within(module, ALLOWED[package])
    ]
    assert wrong == []


@pytest.mark.parametrize("package", FLOORS)
def test_no_import_climbs(package: str) -> None:
    floor = {f"{package}.{room}": number for number, rooms in enumerate(FLOORS[package]) for room in rooms}

    def room(module: str) -> str:
        return ".".join(module.split(".")[:2])

    rooms = {room(module) for module in arrows() if module.startswith(f"{package}.")}
    assert rooms - floor.keys() == set(), "a room that has no floor"
    climbing = [
        f"{module} imports {other}"
        for module, others in arrows().items()
        for other in others
        if room(module) in floor and room(other) in floor and floor[room(other)] > floor[room(module)]
    ]
    assert climbing == []
    between = defaultdict(set)
    for module, others in arrows().items():
        for other in others:
            if room(module) in floor and room(other) in floor and room(module) != room(other):
                between[room(module)].add(room(other))
    assert circles(between) == []


def test_no_circle_of_modules() -> None:
    assert circles(arrows()) == []


@pytest.mark.parametrize("place", STDLIB_ONLY)
def test_standard_library_only(place: str) -> None:
    inside = place.replace("/", ".")
    own = (inside, "benchmarks.marks", "harness.base.errors", "harness.base.fingerprint")
    modules = {module for path in sources(place) for module, _ in imports(path) if not within(module, own)}
    assert modules and {top(module) for module in modules} <= {*sys.stdlib_module_names, *ALSO.get(place, ())}


@pytest.mark.parametrize("place", LIGHT)
def test_light_packages_import_nothing_heavy_at_the_top(place: str) -> None:
    heavy = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sources(place)
        for module, at_import in imports(path)
        if at_import and top(module) in HEAVY
    ]
    assert heavy == []


def test_outside_of_backends_no_line_compares_with_a_backends_name() -> None:
    """But for the names of formats: what `rence import verl` reads, and the source of a dump in `rence diff`."""
    others = ("harness/backends", "harness/importing", "harness/diff", "rence/cli/importing", "rence/cli/diff")
    names = re.compile(r"""["'](verl|local)["']""")
    found = [
        f"{where}:{node.lineno}"
        for path in ALL
        if not (where := path.relative_to(ROOT).as_posix()).startswith(others)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Compare | ast.MatchValue | ast.Subscript)
        and names.search(" ".join(map(ast.unparse, compared(node))))
    ]
    assert found == []
    about_verl = [
        f"{module} imports {other}"
        for module, others_ in arrows().items()
        for other in others_
        if other.startswith("harness.backends.verl") and not module.startswith("harness.backends")
    ]
    assert about_verl == ["harness.doctor.packages imports harness.backends.verl.installed"], "the doctor's rows alone"


def compared(node: ast.Compare | ast.MatchValue | ast.Subscript) -> list[ast.expr]:
    if isinstance(node, ast.Compare):
        return [node.left, *node.comparators]
    return [node.value if isinstance(node, ast.MatchValue) else node.slice]


def test_benchmarks_never_import_torch() -> None:
    assert sources("benchmarks")
    assert not [path for path in sources("benchmarks") for module, _ in imports(path) if top(module) == "torch"]


def test_every_package_says_what_it_is() -> None:
    silent = [
        path.relative_to(ROOT) for path in ALL if path.name == "__init__.py" and not ast.get_docstring(parsed(path))
    ]
    assert silent == []


def test_a_file_name_stands_in_two_rooms_at_most() -> None:
    rooms: dict[str, set[str]] = defaultdict(set)
    for path in ALL:
        rooms[path.stem].add(path.parent.relative_to(ROOT).as_posix())
    assert {name: sorted(r) for name, r in rooms.items() if len(r) > MOST_ROOMS and name not in EVERYWHERE} == {}


def test_a_public_class_has_a_name_of_its_own() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in ALL:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(path.relative_to(ROOT).as_posix())
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_files_and_functions_fit_on_few_screens() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for path in ALL
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES
    ]
    for path in ALL:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                lines = node.end_lineno - node.lineno + 1
                if lines > MOST_FUNCTION_LINES:
                    long.append(f"{path.relative_to(ROOT)}: {node.name} has {lines} lines")
    assert long == []
