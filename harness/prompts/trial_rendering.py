"""One rendering of a chat template in a process of its own. A model's template is a program that somebody else wrote:
it may loop a thousand million times, or write without end, and no timer of ours could stop it among our own threads.

Run as a file, this is that process: a question as JSON on stdin, an exit code. It imports nothing of ours, and neither
transformers nor torch, which take seconds; the environment is built as transformers builds its own.
"""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

CPU_SECONDS = 1.0
"""of one rendering, which takes a thousandth of that; does not depend on what else the machine does"""
MEMORY_BYTES = 2 * 2**30
MOST_CHARACTERS = 10_000_000
"""of a prompt; the longest contexts there are hold less"""
_WALL_SECONDS = 60
"""for a machine that is so busy that the process does not come to its turn"""
_TOO_LONG, _TOO_LARGE = 3, 4


def mistake(source: str, messages: Sequence[Mapping[str, str]], options: Mapping[str, Any]) -> str | None:
    """What a template does instead of ending, to follow `the chat template of NAME`; None if it ends, be it with an
    error, which the rendering proper will say.

    Args:
        source: Jinja.
        messages: a conversation as it will be asked.
        options: variables that the template sees.
    """
    question = json.dumps([source, list(map(dict, messages)), dict(options)])
    try:
        code = subprocess.run(
            [sys.executable, "-P", __file__],
            input=question,
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_WALL_SECONDS,
            start_new_session=True,  # Ctrl-C is for the process that asks
        ).returncode
    except subprocess.TimeoutExpired:
        code = -signal.SIGPROF
    if code == _TOO_LONG:
        return f"writes more than {MOST_CHARACTERS:,} characters for one problem"
    if code == _TOO_LARGE:
        return f"needs more than {MEMORY_BYTES // 2**30} GiB of memory for one problem"
    if code < 0:
        ran_out = -code in (signal.SIGPROF, signal.SIGKILL)
        return f"does not end: {CPU_SECONDS:g} s were not enough for one problem" if ran_out else "crashes"
    return None


def main() -> int:
    """The exit code. Raises: what a template raises."""
    from jinja2 import nodes
    from jinja2.ext import Extension, loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(Extension):
        tags = {"generation"}  # noqa: RUF012  as Jinja has it

        def parse(self, parser: Any) -> Any:
            """What stands between the two tags, as it is."""
            line = next(parser.stream).lineno
            return nodes.Scope(parser.parse_statements(("name:endgeneration",), drop_needle=True), lineno=line)

    source, messages, options = json.load(sys.stdin)
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    memory = MEMORY_BYTES if most == resource.RLIM_INFINITY else min(MEMORY_BYTES, most)
    resource.setrlimit(resource.RLIMIT_AS, (memory, most))
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)  # whose default action no loop in Python or C can hold up
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    environment.filters["tojson"] = lambda value, **how: json.dumps(value, ensure_ascii=False, **how)
    environment.globals["strftime_now"] = str
    try:
        written = 0
        for piece in environment.from_string(source).generate(messages=messages, **options):
            written += len(piece)
            if written > MOST_CHARACTERS:
                return _TOO_LONG
    except MemoryError:
        return _TOO_LARGE
    return 0


if __name__ == "__main__":
    sys.exit(main())
