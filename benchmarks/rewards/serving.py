"""A process that calls a reward function of the user's: see `marking/pool.py`, which starts and ends it.

The first line that it writes is `ready`, or why the function cannot be called. A question is `["reward", text, gold,
problem]`, the problem as JSON; a reply is `[value, reason]`: a number, a mark word, or null with the reason. Each call
may take so much processor time, by the system's own timer, and so much memory more than the process had when it was
ready. What the function prints to stdout goes nowhere; stderr is the log's.
"""

from __future__ import annotations

import importlib
import inspect
import json
import math
import os
import platform
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.marks import Mark, Rule
from benchmarks.problems import Problem
from benchmarks.rewards.locating import RewardMistake, locate

MEMORY_BYTES = 4 * 2**30
"""more than it took to import"""
_MOST_WORDS = 300


class Unusable(Exception):
    """The function cannot be called, or what it returned is no reward."""


def main() -> None:
    """Serve until stdin ends. Arguments: those of `OwnReward.program`."""
    target, seconds, expected, *paths = sys.argv[1:]
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    questions = os.fdopen(os.dup(0), encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    if paths and Path(paths[0]).is_dir():
        os.chdir(paths[0])
    sys.path[:0] = paths or [os.getcwd()]
    try:
        check_source(target, expected)
        function = found(target)
    except (Exception, SystemExit) as error:  # foreign code may fail in any way
        print(said(error), file=replies, flush=True)
        return
    _limit_memory()
    print("ready", file=replies, flush=True)
    for line in questions:
        _, text, gold, problem = json.loads(line)
        asked = problem_of(problem)
        signal.setitimer(signal.ITIMER_PROF, float(seconds))
        reply: tuple[float | str | None, str]
        try:
            reply = reward_of(function, function(text, gold, asked)), ""
        except MemoryError:
            reply = None, "the reward ran out of memory"
        except (Exception, SystemExit) as error:
            reply = None, said(error)
        signal.setitimer(signal.ITIMER_PROF, 0)
        print(json.dumps(reply), file=replies, flush=True)


def check_source(target: str, expected: str) -> None:
    """Raises: Unusable if the function's source is not here, or is another than `expected` where that is said."""
    try:
        source = locate(target)
    except RewardMistake as error:
        raise Unusable(str(error).removesuffix(".")) from None
    if expected and source.hash != expected:
        raise Unusable(
            f"its source must have the hash {expected}, but {source.file} on {platform.node()} has {source.hash}"
        )


def found(target: str) -> Callable[[str, str, Problem], Any]:
    """The function, imported. Raises: Unusable if it cannot be called so; whatever its module raises."""
    module, _, name = target.partition(":")
    function: Any = importlib.import_module(module)
    for part in name.split("."):
        if not hasattr(function, part):
            raise Unusable(f"`{target}`: there is no `{part}`")
        function = getattr(function, part)
    if not callable(function):
        raise Unusable(f"`{target}` is {type(function).__name__}, not a function")
    where = place_of(function)
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None)):  # noqa: B004
        raise Unusable(f"{where}`{name}` is async; a reward is a plain function")
    try:
        signature = inspect.signature(function)
    except ValueError:  # a function in C may have none that can be read
        return function
    try:
        signature.bind("", "", None)
    except TypeError as error:
        raise Unusable(
            f"{where}`{name}{signature}` must take three arguments, `(text, gold, problem)`: {error}"
        ) from None
    return function


def problem_of(written: str) -> Problem:
    """As `written_problem` wrote it."""
    data = json.loads(written)
    return Problem(data["question"], data["gold"], data["tags"], Rule.from_json(data["rule"]), data["note"])


def written_problem(problem: Problem) -> str:
    """One as JSON, for `problem_of`."""
    rule, tags = problem.rule.to_json(), dict(problem.tags)
    data = {"question": problem.question, "gold": problem.gold, "tags": tags, "rule": rule, "note": problem.note}
    return json.dumps(data)


def reward_of(function: Callable[..., Any], value: Any) -> float | str:
    """A finite number, or a mark word. Raises: Unusable for anything else."""
    where = place_of(function)
    if isinstance(value, str):
        if value not in tuple(Mark):
            raise Unusable(f"{where}returned `{value[:40]}`; a label is one of {', '.join(Mark)}")
        return str(value)
    try:
        if value is None or isinstance(value, dict | list | tuple | set | bytes | complex):
            raise TypeError
        number = float(value)  # numbers of numpy, tensors of one number
    except (TypeError, ValueError, RuntimeError):
        kind = "nothing" if value is None else f"a {type(value).__name__}"
        raise Unusable(f"{where}returned {kind}; it must return a number or a label") from None
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise Unusable(f"{where}returned {number}; a reward must be finite")
    return number


def place_of(function: Any) -> str:
    """`rewards.py:12: ` of a function's definition; empty where that is not known."""
    with suppress(TypeError, OSError, ValueError):
        plain = inspect.unwrap(function)
        plain = plain if hasattr(plain, "__code__") else type(plain).__call__
        return f"{Path(plain.__code__.co_filename).name}:{plain.__code__.co_firstlineno}: "
    return ""


def said(error: BaseException) -> str:
    """What went wrong, in one line, with the line of the user's own code that it came from."""
    if isinstance(error, Unusable):
        return str(error)
    words = f"{type(error).__name__}: {' '.join(str(error).split())}"[:_MOST_WORDS].rstrip(": ")
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}:{error.lineno}: {type(error).__name__}: {error.msg}"
    here, frames = os.getcwd(), traceback.extract_tb(error.__traceback__)
    frames = [one for one in frames if one.filename != __file__ and not one.filename.startswith("<")]
    own = [one for one in frames if one.filename.startswith(here)] or frames
    own = [one for one in own if "importlib" not in one.filename] or own
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}: {words}" if own else words


def _limit_memory() -> None:
    statm = Path("/proc/self/statm")
    if statm.exists():
        used = int(statm.read_text(encoding="ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        limit = used + MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit if most == resource.RLIM_INFINITY else min(limit, most), most))
