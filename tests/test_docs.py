"""What readers are told: public functions say what they give, long ones say why, documents name what is there."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = ("algorithms", "benchmarks", "harness", "reports", "rence")
SELF_EVIDENT_LINES = 3
"""a function that is one statement, and with its signature no longer than this, may let its name and types speak"""
DOCSTRING_LINES = 20
"""from here on a function needs a docstring, a private one too"""
COMMENT_LINES = 30
"""past this a function needs a comment that says why, too"""
DIRECTIVE = re.compile(r"#\s*(type:|noqa|fmt:|pyright:|pragma)")
"""comments for tools"""

MOST_COLUMNS, MOST_IN_FENCE = 120, 200
"""of a line of Markdown; in a fence it may be a program's output, which is shown as it is. Tables cannot be wrapped"""
HISTORY = ("docs/LOG.md", "CHANGELOG.md")
"""they name files by the names of their day"""
FENCE = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(rf"(?<![\w./-])(?:{'|'.join((*OURS, 'configs', 'tests', 'docs'))})/[\w./*<>-]*")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def functions(path: Path) -> Iterator[tuple[Function, ast.AST]]:
    """Every function of a file, and the module, class or function that it stands in."""
    for parent in ast.walk(parsed(path)):
        for node in ast.iter_child_nodes(parent):
            if isinstance(node, Function):
                yield node, parent


@cache
def classes() -> dict[str, ast.ClassDef]:
    """Ours by name; tests/test_architecture.py sees to it that no two public ones share one."""
    nodes = (node for package in OURS for p in (ROOT / package).rglob("*.py") for node in ast.walk(parsed(p)))
    return {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}


def bases(owner: ast.ClassDef) -> Iterator[ast.ClassDef]:
    """All classes of ours that it inherits from, however far above."""
    for base in owner.bases:
        name = base.value if isinstance(base, ast.Subscript) else base
        found = classes().get(ast.unparse(name).rpartition(".")[2])
        if found is not None and found is not owner:
            yield found
            yield from bases(found)


def overrides_a_documented_method(node: Function, owner: ast.AST) -> bool:
    return isinstance(owner, ast.ClassDef) and any(
        isinstance(above, Function) and above.name == node.name and ast.get_docstring(above)
        for base in bases(owner)
        for above in base.body
    )


def is_documented(node: Function, owner: ast.AST, path: Path) -> bool:
    """By a docstring of its own, or by what it fills in: a base's method, a section of a module that says it, the hook
    by which a module adds its commands."""
    place = path.relative_to(ROOT).as_posix()
    is_section = place.startswith("reports/sections/") and node.name == "section" and isinstance(owner, ast.Module)
    return (
        bool(ast.get_docstring(node))
        or overrides_a_documented_method(node, owner)
        or (is_section and bool(ast.get_docstring(parsed(path))))
        or (place.startswith("rence/cli/") and node.name == "add_to")
    )


def is_public(node: Function, owner: ast.AST) -> bool:
    inside_public = isinstance(owner, ast.Module) or (isinstance(owner, ast.ClassDef) and owner.name[0] != "_")
    return inside_public and node.name[0] != "_"


def is_self_evident(node: Function) -> bool:
    return len(node.body) == 1 and length(node) <= SELF_EVIDENT_LINES and node.returns is not None


def length(node: Function) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def where(path: Path, node: Function) -> str:
    return f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"


@cache
def comment_lines(path: Path) -> set[int]:
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline)
    return {t.start[0] for t in tokens if t.type == tokenize.COMMENT and not DIRECTIVE.match(t.string)}


packages = pytest.mark.parametrize("package", OURS)


@packages
def test_public_functions_say_what_they_give(package: str) -> None:
    silent = [
        where(path, node)
        for path in sources(package)
        for node, owner in functions(path)
        if is_public(node, owner) and not is_self_evident(node) and not is_documented(node, owner, path)
    ]
    assert silent == []


@packages
def test_long_functions_say_what_and_why(package: str) -> None:
    silent = [
        where(path, node)
        for path in sources(package)
        for node, owner in functions(path)
        if length(node) >= DOCSTRING_LINES and not is_documented(node, owner, path)
    ]
    bare = [
        f"{where(path, node)} has no comment"
        for path in sources(package)
        for node, _ in functions(path)
        if length(node) > COMMENT_LINES
        and not comment_lines(path) & set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    ]
    assert silent + bare == []


def documents() -> list[str]:
    folders = [ROOT / name for name in (*OURS, "docs", "tests", "configs")]
    found = [*ROOT.glob("*.md"), *(page for folder in folders for page in folder.rglob("*.md"))]
    return sorted(page.relative_to(ROOT).as_posix() for page in found)


@pytest.mark.parametrize("page", documents())
def test_lines_of_markdown_fit(page: str) -> None:
    long, fenced = [], False
    for number, line in enumerate((ROOT / page).read_text(encoding="utf-8").splitlines(), 1):
        fenced ^= line.lstrip().startswith("```")
        if len(line) > (MOST_IN_FENCE if fenced else MOST_COLUMNS) and not line.startswith("|"):
            long.append(f"{page}:{number} has {len(line)} characters")
    assert long == []


@pytest.mark.parametrize("page", documents())
def test_links_lead_somewhere(page: str) -> None:
    text = FENCE.sub("", (ROOT / page).read_text(encoding="utf-8"))
    local = [link.partition("#")[0] for link in LINK.findall(text) if not re.match(r"\w+:", link)]
    assert [link for link in local if not ((ROOT / page).parent / link).exists()] == []


@pytest.mark.parametrize("page", [page for page in documents() if page not in HISTORY])
def test_paths_are_of_files_that_exist(page: str) -> None:
    """In code spans; `<name>` and `*` stand for anything."""
    text = FENCE.sub("", (ROOT / page).read_text(encoding="utf-8"))
    named = {path.rstrip(".") for span in CODE.findall(text) for path in PATH.findall(span)}
    assert [path for path in sorted(named) if not any(ROOT.glob(re.sub(r"<[^>]*>", "*", path).rstrip("/")))] == []


def test_the_tree_of_the_house_is_true() -> None:
    """Whatever it names is there, and no room of ours is left out."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    (tree,) = re.findall(r"## The house\n\n```text\n(.*?)```", text, re.DOTALL)
    named, top = set(), ""
    for line in tree.splitlines():
        entry = re.match(r"(  )?((?:[\w.]+[/.]?\w* )*[\w.]+/?)  +\S", line)
        if entry is None:
            continue
        names = entry[2].split()
        if entry[1] is None:
            top = names[0]
        named |= {top + name for name in names} if entry[1] else set(names)
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
    rooms = {
        f"{package}/{path.parent.name}/"
        for package in OURS
        if package != "rence"
        for path in (ROOT / package).glob("*/__init__.py")
    }
    assert rooms - named == set()
