"""A process that compares expressions: one question a line on stdin, one verdict a line on stdout, until stdin ends.

Each question may take so much processor time and so much memory; a question that takes more time ends the process by
the system's own timer, whose default action no loop in Python or C can hold up, whoever started us and whether or not
they still live.
"""

from __future__ import annotations

import json
import logging
import resource
import signal
import sys

CPU_SECONDS, WALL_SECONDS = 3.0, 12.0
"""of one question: the first is the deadline, and does not depend on what else the machine does; the second ends a
process that is not given any time"""
MEMORY_BYTES = 3 * 2**30


def main() -> None:
    """Raises: nothing; a question that breaks the comparison gets `null`."""
    from benchmarks.marking import symbolic

    logging.disable(logging.CRITICAL)
    sys.setrecursionlimit(5000)
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    memory = MEMORY_BYTES if most == resource.RLIM_INFINITY else min(MEMORY_BYTES, most)
    resource.setrlimit(resource.RLIMIT_AS, (memory, most))
    asked = {
        "same": symbolic.same,
        "same_in_texts": symbolic.same_in_texts,
        "math_verify": symbolic.math_verify,
    }
    out = sys.stdout
    sys.stdout = sys.stderr  # whatever a library prints must not be taken for a verdict
    print("ready", file=out, flush=True)
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        _limit(CPU_SECONDS, WALL_SECONDS)
        try:
            verdict = asked[name](*arguments)
        except Exception:  # anything: texts of a model go through a parser and a solver
            verdict = None
        _limit(0, 0)
        print(json.dumps(verdict), file=out, flush=True)


def _limit(cpu_seconds: float, wall_seconds: float) -> None:
    """Arm the timers that end this process, or with 0 disarm them."""
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    signal.setitimer(signal.ITIMER_REAL, wall_seconds)
