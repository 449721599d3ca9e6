"""Every command with its arguments and options, from what `rence COMMAND --help` is made of."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, get_args

from markdown import code, paragraph, table
from typer.main import get_command

HEAD = """\
# Commands

*Written by `make reference` from the words of `rence COMMAND --help`; a test holds the two together.*

A command works in the folder it is called from. Results go to stdout, progress and errors to stderr.

"""
EXIT_CODES = (
    (0, "done; a check or a gate that passed"),
    (1, "a check failed, a regression was found, or what was compared differs"),
    (2, "usage: a wrong option or key, a mistake in an experiment file, arms that do not match, a broken seal"),
    (3, "something is missing or broken: files, packages, data, a service"),
    (130, "interrupted; what was done is kept, and the command that goes on was printed"),
)
ENVIRONMENT = (
    ("RENCE_DATA_DIR", "a folder of benchmark and training files (JSON lines) to use instead of the hub"),
    ("HF_HOME, HF_HUB_OFFLINE", "where the hub's files are kept, and that it is not to be asked"),
    ("MLFLOW_TRACKING_URI", "the MLflow store that runs are mirrored to; without it `runs/mlflow.db`"),
    ("RAY_ADDRESS", "the Ray cluster of `--launcher ray` and of backend `verl`"),
    ("NO_COLOR, FORCE_COLOR", "colours off, colours on"),
    ("COLUMNS", "the width of what is printed"),
)
_VALUES = {int: "N", float: "X", Path: "PATH"}
EVERYWHERE = {"--help", "--quiet", "--debug"}


def page() -> str:
    """The whole page."""
    return "\n".join((HEAD.rstrip() + "\n", *_body())).rstrip() + "\n"


def _body() -> Iterator[str]:
    from rence.cli import app

    yield "## Exit codes\n"
    yield table(("code", "means"), [(str(number), words) for number, words in EXIT_CODES])
    yield "## The environment\n"
    yield table(("variable", "means"), [(_names(names), words) for names, words in ENVIRONMENT])
    yield "## All commands take\n"
    yield table(
        ("option", "means"),
        [
            ("`--quiet`, `-q`", "Print nothing but errors."),
            ("`--debug`", "Show tracebacks."),
            ("`--help`, `-h`", "Say what the command does, and its options."),
        ],
    )
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        yield from _command(f"rence {name}", command)


def _command(name: str, command: Any) -> Iterator[str]:
    """A command, or a group and the commands in it."""
    inner = getattr(command, "commands", {})
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    options = [param for param in command.params if param.param_type_name == "option" and not _is_everywhere(param)]
    yield f"## {code(name)}\n"
    yield paragraph(command.help or "") + "\n"
    if not inner or arguments or options:
        words = [name, *(_metavar(argument) for argument in arguments), *(["[OPTIONS]"] if options else [])]
        yield f"```text\n{' '.join(words)}\n```\n"
    if arguments:
        yield table(("argument", "means"), [(code(_metavar(one)), one.help or "") for one in arguments])
    if options:
        yield table(("option", "value", "means"), [_option(one) for one in options])
    for called, one in inner.items():
        yield from _command(f"{name} {called}", one)


def _is_everywhere(option: Any) -> bool:
    return bool(EVERYWHERE & {*option.opts})


def _metavar(argument: Any) -> str:
    """As the usage line has it: brackets where it may be left out, dots where there may be several."""
    name = (argument.metavar or argument.name.upper()).strip("[]").removesuffix("...").strip("[]")
    words = f"{name}..." if argument.nargs == -1 else name
    return words if argument.required else f"[{words}]"


def _option(option: Any) -> tuple[str, str, str]:
    """Its names, what it takes, and what it means, with its default where that says something."""
    names = ", ".join(code(name) for name in (*option.opts, *option.secondary_opts))
    value = "" if option.is_flag else _value(option)
    words = option.help or ""
    if option.show_default and not option.is_flag and option.default not in (None, "", (), []) and not option.required:
        words += f" Default: {code(str(getattr(option.default, 'value', option.default)))}."
    if option.required:
        words += " Needed."
    return names, value, words


def _value(option: Any) -> str:
    """What an option takes: its choices, or a word for it with its bounds."""
    kind = option.type_descriptor.annotation
    kind = next(iter(get_args(kind)), kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        named = ", ".join(code(str(one.value)) for one in kind)
    else:
        named = code(option.metavar or _VALUES.get(kind, "TEXT"))
    low = "" if option.min is None else f" from {option.min}"
    high = "" if option.max is None else f" to {option.max}"
    return f"{named}{low}{high}{', several times' if option.multiple else ''}"


def _names(words: str) -> str:
    return ", ".join(code(name) for name in words.split(", "))
