"""What commands share: two consoles, `--json`, `--quiet`, `--debug`, and errors as one to three lines.

stdout holds results, stderr progress and errors. Heavy packages are imported inside commands, never here.
"""

from __future__ import annotations

import functools
import inspect
import json
import shlex
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from harness.base.errors import FAILED, INCOMPLETE, INTERRUPTED, OK, UserError, of_system
from harness.base.interrupts import as_ctrl_c
from harness.records import DataError
from harness.records.foreign import json_escaped, visible
from rence.cli.streams import CleanStream, clean_streams

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")]
_COMMON = {
    "quiet": Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")],
    "debug": Annotated[bool, typer.Option("--debug", help="Show tracebacks.")],
}
_PIPE_WIDTH = 160
"""columns when nobody's terminal says otherwise"""
_RESUMED = ("run", "eval")
"""commands that keep what they have done"""
_state = {"quiet": False, "debug": False}


def command(app: typer.Typer, name: str | None = None) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a command that also takes `--quiet` and `--debug`."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        """The function itself; the app gets it with both options, ended by Ctrl-C in words."""
        signature = inspect.signature(function, eval_str=True)
        extra = [
            inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=annotation)
            for key, annotation in _COMMON.items()
        ]

        @functools.wraps(function)
        def run(*args: Any, quiet: bool, debug: bool, **kwargs: Any) -> None:
            _state.update(quiet=quiet, debug=debug)
            try:
                function(*args, **kwargs)
            except KeyboardInterrupt:
                interrupted()
                raise typer.Exit(INTERRUPTED) from None

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
    from rence.cli.clean_console import CleanConsole

    console = CleanConsole(stderr=stderr, quiet=quiet())
    if not console.is_terminal:
        console.width = max(console.width, _PIPE_WIDTH)
    return console


def complain(message: object) -> None:
    """An error, or what stopped a command, on stderr."""
    print(visible(str(message)), file=sys.stderr)


def interrupted() -> None:
    """Say how to go on after Ctrl-C, or a signal that is taken for it."""
    resumed = sys.argv[1:2] and sys.argv[1] in _RESUMED
    what = "What is done is saved. To go on:" if resumed else "To start again:"
    complain(f"rence: interrupted. {what}\n  {same_command('--clean')}")


def same_command(*without: str) -> str:
    """What was called, to be called again, less some words."""
    return shlex.join(["rence", *(word for word in sys.argv[1:] if word not in without)])


def check_out(file: Path | None) -> None:
    """Before the work whose result goes there. Raises: UserError if `--out` is a folder."""
    if file and file.is_dir():
        raise UserError(f"--out {file} is a folder. Name the file to write in it, such as {file / 'out.jsonl'}.")


def print_json(data: Any) -> None:
    """One document on stdout. Characters that would act on a terminal are escaped: a program reads the same."""
    print(json_escaped(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)))


def table(*columns: str, numbers: tuple[str, ...] = ()) -> Table:
    """A plain table; `numbers` are set to the right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    made = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        made.add_column(column, justify="right" if column in numbers else "left", no_wrap=column in numbers)
    return made


def titled(title: str, rest: str) -> Text:
    """The one bold, the other not."""
    from rich.text import Text

    return Text.assemble((title, "bold"), rest)


def guarded(call: Callable[[], Any]) -> NoReturn:
    """Run the program and exit: what a user can mend ends in a message and an exit code, never a traceback."""
    with clean_streams(), as_ctrl_c():
        code = _code_of(call)
        sys.stdout.flush()
        lost = sys.stdout.lost if isinstance(sys.stdout, CleanStream) else None
        if lost:
            complain(f"rence: what was to be printed could not be written to stdout: {lost.strerror}.")
    sys.exit(code or (INCOMPLETE if lost else OK))


def _mended() -> tuple[type[Exception], ...]:
    """What a user can mend. Imported when something went wrong: it takes longer than the rest of `rence --help`."""
    from benchmarks.problems import ProblemsError
    from harness.base.plugins import PluginError

    return UserError, DataError, ProblemsError, PluginError, OSError


def _code_of(call: Callable[[], Any]) -> int:
    """The exit code of the program; what went wrong is said."""
    try:
        call()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else OK if end.code is None else FAILED
    except BrokenPipeError:
        return OK
    except KeyboardInterrupt:
        interrupted()
        return INTERRUPTED
    except Exception as error:
        mended = of_system(error) if isinstance(error, _mended()) else None
        if isinstance(error, UnicodeEncodeError):
            mended = UserError(_NO_LETTERS.format(error.object[error.start : error.end]))
        if _state["debug"]:
            complain(traceback.format_exc().rstrip())
        elif mended:
            complain(f"rence: {mended}")
        else:
            complain(f"rence: {type(error).__name__}: {error}")
            complain("This is a bug in rence-bench. `--debug` shows where.")
        return mended.exit_code if mended else FAILED
    return OK


_NO_LETTERS = "`{}`, in the command or a file, is no text in UTF-8. Set a UTF-8 locale, or PYTHONUTF8=1, or mend it."
