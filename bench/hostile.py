"""Hostile input: generated files, names and numbers against the commands that read them. Nothing is drawn at random.

    PYTHONPATH=. python bench/hostile.py [--family yaml,files] [--every 10] [--jobs 2] [--json FILE]

Each item is a command with the files that it is to stumble over, run in a process of its own, which is forked from one
that has imported everything: a segmentation fault or a loop ends that process alone. What is counted:

    crash     a signal, a traceback, "This is a bug", or an exit code that no command has
    hang      more than 5 seconds of processor time, or 60 by the clock
    believed  exit 0 where the input has to be refused
    long      a refusal of more than 12 lines or 4,000 characters

Exit code 1 if there is any of them. docs/reliability.md has the table.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

CPU_SECONDS, WALL_SECONDS = 5.0, 60.0
MEMORY_BYTES = 12 * 2**30
MOST_LINES, MOST_CHARACTERS = 12, 4000
CODES = (0, 1, 2, 3)


@dataclass(frozen=True)
class Item:
    """One command that is given something hostile."""

    family: str
    name: str
    words: tuple[str, ...]
    """of the command line; run in a folder that `make` has filled"""
    make: Callable[[Path], None] = lambda folder: None
    legal: bool = False
    """may be accepted: large, odd, but what it says is allowed"""
    environment: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Outcome:
    item: Item
    code: int
    seconds: float
    """of processor time"""
    said: str

    @property
    def fault(self) -> str | None:
        if self.seconds > CPU_SECONDS or -self.code in (signal.SIGXCPU, signal.SIGALRM):
            return "hang"
        if self.code not in CODES or "Traceback (most recent" in self.said or "This is a bug" in self.said:
            return "crash"
        if self.code == 0 and not self.item.legal:
            return "believed"
        if self.code and (len(self.said) > MOST_CHARACTERS or self.said.count("\n") > MOST_LINES):
            return "long"
        return None


def run(item: Item) -> Outcome:
    """In a process and a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="hostile-"))
    try:
        item.make(folder)
        child = os.fork()
        if child == 0:
            _be(item, folder)
        _, status, usage = os.wait4(child, 0)
        said = (folder / ".said").read_text(encoding="utf-8", errors="replace")
        return Outcome(item, os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, said)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _be(item: Item, folder: Path) -> None:
    """The command. Never returns."""
    code = 99
    try:
        os.setsid()
        os.chdir(folder)
        said = os.open(".said", os.O_WRONLY | os.O_CREAT, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(said, 1)
        os.dup2(said, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (2 * int(CPU_SECONDS), 4 * int(CPU_SECONDS)))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.setitimer(signal.ITIMER_REAL, WALL_SECONDS)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        os.environ.update({"COLUMNS": "160", "NO_COLOR": "1", **dict(item.environment)})
        sys.argv = ["rence", *item.words]
        from rence import main

        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 98
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def prepare() -> None:
    """Import what commands import, so that no item pays for it. No threads may be running when children are forked."""
    os.environ.update({"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"})
    import pyarrow.parquet  # noqa: F401
    import torch
    import transformers  # noqa: F401

    import rence.cli  # noqa: F401
    import reports.writing  # noqa: F401
    from harness import config  # noqa: F401
    from harness.diff import frozen  # noqa: F401
    from harness.evaluation import standalone  # noqa: F401

    torch.set_num_threads(1)


def work(items: Sequence[Item], jobs: int, tell: Callable[[Outcome], None] = lambda _: None) -> list[Outcome]:
    """All outcomes, in the items' order.

    Args:
        tell: is called with each as it comes, where there is one job.
    """
    if jobs == 1:
        found = []
        for item in items:
            found.append(run(item))
            tell(found[-1])
        return found
    with tempfile.TemporaryDirectory() as place:
        children = []
        for job in range(jobs):
            if (child := os.fork()) == 0:
                rows = [(o.code, o.seconds, o.said) for o in map(run, items[job::jobs])]
                Path(place, str(job)).write_text(json.dumps(rows), encoding="utf-8")
                os._exit(0)
            children.append(child)
        for child in children:
            os.waitpid(child, 0)
        parts = [json.loads(Path(place, str(job)).read_text(encoding="utf-8")) for job in range(jobs)]
    return [Outcome(item, *parts[i % jobs][i // jobs]) for i, item in enumerate(items)]


def table(outcomes: Iterable[Outcome]) -> str:
    """Markdown: a row for each family."""
    every = list(outcomes)
    rows = ["| family | items | refused | accepted, legal | crash | hang | believed | long | slowest, s |"]
    rows.append("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    for family in [*dict.fromkeys(o.item.family for o in every), "all"]:
        own = [o for o in every if family in (o.item.family, "all")]
        faults = Counter(o.fault for o in own)
        cells = [len(own), sum(o.code != 0 and not o.fault for o in own), sum(o.code == 0 and not o.fault for o in own)]
        cells += [faults[fault] for fault in ("crash", "hang", "believed", "long")]
        rows.append(f"| {family} | {' | '.join(map(str, cells))} | {max(o.seconds for o in own):.1f} |")
    return "\n".join(rows)


def main() -> int:
    """The exit code."""
    from bench import hostile_items

    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--family", help="only these, with commas")
    words.add_argument("--name", help="only items with these words in their names")
    words.add_argument("--only", type=Path, help="a file with a JSON list of [family, name]")
    words.add_argument("--every", type=int, default=1, help="only each so many")
    words.add_argument("--first", type=int, default=0, help="of those, from this one on")
    words.add_argument("--jobs", type=int, default=1)
    words.add_argument("--json", type=Path, help="what every item did")
    words.add_argument("--verbose", action="store_true", help="what every item said")
    asked = words.parse_args()
    families = asked.family.split(",") if asked.family else None
    items = [item for item in hostile_items.items() if families is None or item.family in families]
    items = [item for item in items if asked.name is None or asked.name in item.name][asked.first :: asked.every]
    if asked.only:
        wanted = {tuple(one) for one in json.loads(asked.only.read_text(encoding="utf-8"))}
        items = [item for item in items if (item.family, item.name) in wanted]
    prepare()
    began = time.monotonic()

    def tell(o: Outcome) -> None:
        if asked.verbose or o.fault:
            print(f"{o.fault or 'ok'} {o.item.family}/{o.item.name}: exit {o.code}, {o.seconds:.1f} s\n{o.said[:700]}")

    outcomes = work(items, asked.jobs, tell)
    for o in outcomes if asked.jobs > 1 else ():
        tell(o)
    print(f"{table(outcomes)}\n\n{time.monotonic() - began:.0f} s by the clock")
    if asked.json:
        rows = [
            {
                "family": o.item.family,
                "name": o.item.name,
                "code": o.code,
                "seconds": round(o.seconds, 2),
                "said": o.said,
            }
            for o in outcomes
        ]
        asked.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return int(any(o.fault for o in outcomes))


if __name__ == "__main__":
    sys.exit(main())
