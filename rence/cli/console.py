"""What commands share: two consoles, `--json`, `--quiet`, `--debug`, and errors as one to three lines.

stdout holds results, stderr progress and errors. Heavy packages are imported inside commands, never here.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from benchmarks.problems import ProblemsError
from harness.base.errors import FAILED, INTERRUPTED, OK, UserError, of_system
from harness.base.plugins import PluginError
from harness.records import DataError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")]
_COMMON = {
    "quiet": Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")],
    "debug": Annotated[bool, typer.Option("--debug", help="Show tracebacks.")],
}
_PIPE_WIDTH = 160
"""columns when nobody's terminal says otherwise"""
_state = {"quiet": False, "debug": False}


def command(app: typer.Typer, name: str | None = None) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a command that also takes `--quiet` and `--debug`."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(function, eval_str=True)
        extra = [
            inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=annotation)
            for key, annotation in _COMMON.items()
        ]

        @functools.wraps(function)
        def run(*args: Any, quiet: bool, debug: bool, **kwargs: Any) -> None:
            _state.update(quiet=quiet, debug=debug)
            function(*args, **kwargs)

        run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), *extra])  # type: ignore[attr-defined]
        run.__annotations__ = {**{p.name: p.annotation for p in signature.parameters.values()}, **_COMMON}
        app.command(name)(run)
        return function

    return register


def quiet() -> bool:
    return _state["quiet"]


def out() -> Console:
    """For results that people read."""
    return _console(stderr=False)


def err() -> Console:
    """For progress and warnings."""
    return _console(stderr=True)


def _console(stderr: bool) -> Console:
    from rich.console import Console

    console = Console(stderr=stderr, quiet=quiet(), highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = max(console.width, _PIPE_WIDTH)
    console.on_broken_pipe = _reader_left  # rich's own exits with 1
    return console


def _reader_left() -> None:
    """Whoever read our output has seen enough, as `head` has: what else we say goes nowhere, and the exit code stays
    what it would have been."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _flush() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _reader_left()


def same_command(*without: str) -> str:
    """What was called, to be called again, less some words."""
    return shlex.join(["rence", *(word for word in sys.argv[1:] if word not in without)])


def check_out(file: Path | None) -> None:
    """Before the work whose result goes there. Raises: UserError if `--out` is a folder."""
    if file and file.is_dir():
        raise UserError(f"--out {file} is a folder. Name the file to write in it, such as {file / 'out.jsonl'}.")


def print_json(data: Any) -> None:
    """One document on stdout, at once: a reader that leaves is noticed here."""
    print(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False))
    _flush()


def table(*columns: str, numbers: tuple[str, ...] = ()) -> Table:
    """A plain table; `numbers` are set to the right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    made = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        made.add_column(column, justify="right" if column in numbers else "left", no_wrap=column in numbers)
    return made


def guarded(call: Callable[[], Any]) -> NoReturn:
    """Run the program and exit: what a user can mend ends in a message and an exit code, never a traceback."""
    try:
        call()
    except BrokenPipeError:
        _reader_left()
        sys.exit(OK)
    except (UserError, DataError, ProblemsError, PluginError, OSError) as error:
        mended = of_system(error)
        if mended is None or _state["debug"]:
            raise
        print(f"rence: {mended}", file=sys.stderr)
        sys.exit(mended.exit_code)
    except KeyboardInterrupt:
        print("rence: interrupted.", file=sys.stderr)
        sys.exit(INTERRUPTED)
    finally:
        _flush()  # here, for at exit nobody would catch it
        sys.excepthook = _unexpected  # typer put its own there
    sys.exit(OK)


def _unexpected(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if _state["debug"]:
        sys.__excepthook__(kind, error, trace)
        return
    print(f"rence: {kind.__name__}: {error}", file=sys.stderr)
    print("This is a bug in rence-bench. `--debug` shows where.", file=sys.stderr)
    sys.exit(FAILED)
