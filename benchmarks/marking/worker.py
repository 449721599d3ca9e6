"""A process that compares expressions: one question a line on stdin, one reply a line on stdout, until stdin ends.

A question is a name and its arguments, plain words and numbers; a reply is `[value, reason]`, where a value of null
means that the question has broken the comparison. Each question may take so much processor time and so much memory; one
that takes more time ends the process by the system's own timer, whose default action no loop in Python or C can hold
up, whoever started us and whether or not they still live. A process that stands still is ended by whoever asks.
"""

from __future__ import annotations

import json
import logging
import resource
import signal
import sys
from collections.abc import Callable
from typing import Any

CPU_SECONDS = 3.0
"""of one question; does not depend on what else the machine does"""
MEMORY_BYTES = 3 * 2**30


def main() -> None:
    """Raises: nothing, whatever a question holds."""
    _compare()  # is asked most: loaded before "ready" is said
    logging.disable(logging.CRITICAL)
    sys.setrecursionlimit(5000)
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    memory = MEMORY_BYTES if most == resource.RLIM_INFINITY else min(MEMORY_BYTES, most)
    resource.setrlimit(resource.RLIMIT_AS, (memory, most))
    out = sys.stdout
    sys.stdout = sys.stderr  # whatever a library prints must not be taken for a reply
    print("ready", file=out, flush=True)
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        ask = _QUESTIONS[name]()  # what it imports is not the question's time
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        try:
            reply = ask(*arguments)
        except MemoryError:
            reply = None, "the comparison ran out of memory"
        except Exception as error:  # anything: texts of a model go through a parser and a solver
            reply = None, f"the comparison broke: {type(error).__name__}"
        signal.setitimer(signal.ITIMER_PROF, 0)
        print(json.dumps(reply), file=out, flush=True)


def _compare() -> Callable[..., tuple[bool | None, str]]:
    from benchmarks.marking.comparing import comparison
    from benchmarks.marking.values import symbolic
    from benchmarks.marks import Form, Rule

    def compare(answer: str, gold: str, form: str, tolerance: float) -> tuple[bool | None, str]:
        return comparison.compare(answer, gold, Rule(Form(form), tolerance), symbolic.same)

    return compare


def _search() -> Callable[..., tuple[str, str]]:
    from benchmarks.marking import verifying

    return lambda text: (verifying.searched(text), "")


def _math_verify() -> Callable[..., tuple[bool, str]]:
    from benchmarks.marking import verifying

    return lambda text, gold: (verifying.math_verify(text, gold), "")


_QUESTIONS: dict[str, Callable[[], Callable[..., tuple[Any, str]]]] = {
    "compare": _compare,
    "search": _search,
    "math_verify": _math_verify,
}
"""by name, what loads each"""
