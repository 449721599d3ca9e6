"""Where a function of the user's is written, found and hashed without running any of it.

The hash is of the function's module and of all modules that these import from beside it, directly or not, as far as
`import` statements tell: of the same folder where the module lies in one of the user's, of the same package where it
was installed. Other packages are not in it, nor are files that the code reads.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import invalidate_caches
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

_FUNCTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_INSTALLED = {"site-packages", "dist-packages"}
_MOST_FILES = 2000


class RewardMistake(Exception):
    """A function cannot be used as a reward; the message says why, where, and what is allowed."""


@dataclass(frozen=True)
class FunctionSource:
    """A function's source as it is on the disk."""

    file: Path
    """of its module"""
    line: int
    """where it is defined, or given its name"""
    hash: str
    """sixteen hex digits over the source of its module and of what that imports from beside it"""
    files: tuple[str, ...]
    """that are hashed, relative to the folder that its module or package lies in"""


def is_function(name: str) -> bool:
    """Whether it is written as `module:function` is."""
    return bool(_FUNCTION.fullmatch(name))


def locate(function: str) -> FunctionSource:
    """The source of `module:function`, looked for as Python would: the current folder first, then PYTHONPATH and what
    is installed.

    Raises: RewardMistake.
    """
    if not is_function(function):
        raise RewardMistake(
            f"`{function}` is no function: it is written `module:function`, such as `my_package.rewards:score`."
        )
    invalidate_caches()  # a file may have been written just now
    module, _, name = function.partition(":")
    search = [os.getcwd(), *(path for path in sys.path if path)]
    spec = _spec(module, search)
    if spec is None:
        raise RewardMistake(
            f"there is no module `{module}`, neither in the current folder, {os.getcwd()}, nor on PYTHONPATH nor "
            "installed. Run where it lies, or install its package."
        )
    if not spec.origin or Path(spec.origin).suffix != ".py":
        raise RewardMistake(f"`{module}` is not Python source that can be recorded: {spec.origin or 'it has no file'}.")
    file = Path(spec.origin)
    line = _line_of(file, _parsed(file), name.partition(".")[0], module)
    root = file.parents[module.count(".") + (file.name == "__init__.py")]
    files = _with_imports(module, root)
    parts = [(str(path.relative_to(root)), hashlib.sha256(path.read_bytes()).hexdigest()) for path in files]
    digest = hashlib.sha256(json.dumps(sorted(parts)).encode()).hexdigest()[:16]
    return FunctionSource(file, line, digest, tuple(name for name, _ in sorted(parts)))


def _spec(module: str, search: Sequence[str]) -> ModuleSpec | None:
    """Of a module, found package by package; no code of any is run."""
    path: Sequence[str] | None = search
    spec: ModuleSpec | None = None
    parts = module.split(".")
    for i in range(len(parts)):
        spec = None if path is None else PathFinder.find_spec(".".join(parts[: i + 1]), path)
        if spec is None:
            return None
        path = spec.submodule_search_locations
    return spec


def _parsed(file: Path) -> ast.Module:
    """Raises: RewardMistake for what is no Python."""
    try:
        return ast.parse(file.read_bytes(), str(file))
    except SyntaxError as error:
        raise RewardMistake(f"{file}:{error.lineno}: {type(error).__name__}: {error.msg}.") from None
    except (OSError, ValueError) as error:
        raise RewardMistake(f"{file} cannot be read: {error}.") from None


def _line_of(file: Path, tree: ast.Module, name: str, module: str) -> int:
    """Where a module gives a name its value. Raises: RewardMistake if it does not."""
    named = dict(_names(tree.body))
    if name in named:
        return named[name]
    if "*" in named:
        return named["*"]
    near = difflib.get_close_matches(name, named, n=1)
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    hint = f"Did you mean `{near[0]}`?" if near else f"It defines {', '.join(functions[:5]) or 'no function'}."
    raise RewardMistake(f"{file}: `{module}` has no `{name}`. {hint}")


def _names(body: Iterable[ast.stmt]) -> Iterator[tuple[str, int]]:
    """Names that statements bind, with their lines; `*` for all of another module."""
    for node in body:
        match node:
            case ast.FunctionDef() | ast.ClassDef() | ast.AsyncFunctionDef():
                yield node.name, node.lineno
            case ast.Import() | ast.ImportFrom():
                yield from ((one.asname or one.name.partition(".")[0], node.lineno) for one in node.names)
            case ast.Assign() | ast.AnnAssign():
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                inside = (one for target in targets for one in ast.walk(target))
                yield from ((one.id, node.lineno) for one in inside if isinstance(one, ast.Name))
            case ast.If() | ast.Try() | ast.With():
                yield from _names(one for one in ast.iter_child_nodes(node) if isinstance(one, ast.stmt))
            case _:
                pass


def _with_imports(module: str, root: Path) -> list[Path]:
    """Files of a module, of the packages that it is in, and of all that they import from beneath `root`."""
    own = module.partition(".")[0]
    installed = bool(_INSTALLED & set(root.parts)) or root == Path(os.__file__).parent
    found: dict[str, Path | None] = {}
    waiting = [module]
    while waiting and len(found) < _MOST_FILES:
        name = waiting.pop()
        if name in found or (installed and name.partition(".")[0] != own):
            continue
        spec = _spec(name, [str(root)])
        origin = Path(spec.origin) if spec and spec.origin else None
        found[name] = origin if origin and origin.suffix == ".py" else None
        waiting += [name.rpartition(".")[0]] * ("." in name)
        if file := found[name]:
            waiting += _imported(_parsed(file), name if file.name == "__init__.py" else name.rpartition(".")[0])
    return [file for file in found.values() if file]


def _imported(tree: ast.Module, package: str) -> Iterator[str]:
    """Modules that it may import, wherever in it the statement stands; of `from a import b` both `a` and `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: -(node.level - 1) or None] if node.level and package else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            if base:
                yield base
            yield from (f"{base}.{one.name}" if base else one.name for one in node.names if one.name != "*")
